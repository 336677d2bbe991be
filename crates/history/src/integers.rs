//! Columns of integers that change little from one to the next.

use crate::coder::{Bit, Decoder, Encoder};

/// Writes a column; `step` is by how much it usually grows.
pub(crate) fn encode(column: &[i64], step: i64, encoder: &mut Encoder) {
    let predictor = Predictor::best_for(column, step);
    encoder.bits(predictor as u64, PREDICTOR_BITS);
    let mut guess = Guess::new(predictor, step);
    let mut model = Model::new();
    for &number in column {
        model.encode(number.wrapping_sub(guess.next()), encoder);
        guess.learn(number);
    }
}

/// Reads a column of `len` integers; damaged bytes give any integers.
pub(crate) fn decode(len: usize, step: i64, decoder: &mut Decoder<'_>) -> Vec<i64> {
    let predictor = Predictor::of(decoder.bits(PREDICTOR_BITS));
    let mut guess = Guess::new(predictor, step);
    let mut model = Model::new();
    (0..len)
        .map(|_| {
            let number = guess.next().wrapping_add(model.decode(decoder));
            guess.learn(number);
            number
        })
        .collect()
}

/// How the next integer is guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Predictor {
    Zero,
    /// Like the last.
    Last,
    /// On the line through the last two.
    Line,
    /// Like the mean of the last two, which have noise of their own.
    MeanOfTwo,
    /// Like a mean in which older ones fade.
    FadingMean,
    /// The same, fading slowly: finds the clock behind times that come with delays.
    SlowlyFadingMean,
}

impl Predictor {
    const ALL: [Self; 6] = [
        Self::Zero,
        Self::Last,
        Self::Line,
        Self::MeanOfTwo,
        Self::FadingMean,
        Self::SlowlyFadingMean,
    ];

    fn of(number: u64) -> Self {
        let index = usize::try_from(number).unwrap_or(0);
        Self::ALL.get(index).copied().unwrap_or(Self::Zero)
    }

    fn best_for(column: &[i64], step: i64) -> Self {
        let cost = |predictor: &Self| {
            let mut guess = Guess::new(*predictor, step);
            let mut n_bits = 0;
            for &number in column {
                n_bits += u64::from(bit_len(number.wrapping_sub(guess.next())));
                guess.learn(number);
            }
            n_bits
        };
        Self::ALL.into_iter().min_by_key(cost).unwrap_or(Self::Zero)
    }
}

/// What the next integer is guessed from.
#[derive(Debug)]
struct Guess {
    predictor: Predictor,
    step: i64,
    is_first: bool,
    last: i64,
    before: i64,
    /// In units of 1/256.
    mean: i64,
}

impl Guess {
    fn new(predictor: Predictor, step: i64) -> Self {
        Self {
            predictor,
            step,
            is_first: true,
            last: 0,
            before: 0,
            mean: 0,
        }
    }

    fn next(&self) -> i64 {
        let step = self.step;
        match self.predictor {
            Predictor::Zero => 0,
            _ if self.is_first => 0,
            Predictor::Last => self.last.wrapping_add(step),
            Predictor::Line => self.last.wrapping_mul(2).wrapping_sub(self.before),
            Predictor::MeanOfTwo => {
                let mean = self.last.wrapping_add(self.before) >> 1;
                mean.wrapping_add(step.wrapping_mul(3) >> 1)
            }
            Predictor::FadingMean | Predictor::SlowlyFadingMean => {
                (self.mean.wrapping_add(128) >> 8).wrapping_add(step)
            }
        }
    }

    fn learn(&mut self, number: i64) {
        let scaled = number.wrapping_mul(256);
        if self.is_first {
            self.is_first = false;
            self.before = number.wrapping_sub(self.step);
            self.mean = scaled;
        } else {
            self.before = self.last;
            let expected = self.mean.wrapping_add(self.step.wrapping_mul(256));
            let fade = if self.predictor == Predictor::SlowlyFadingMean {
                4
            } else {
                2
            };
            self.mean = expected.wrapping_add(scaled.wrapping_sub(expected) >> fade);
        }
        self.last = number;
    }
}

/// What is known of the differences between integers and their guesses.
#[derive(Debug)]
struct Model {
    is_zero: [Bit; N_CONTEXTS],
    is_longer: Vec<[Bit; 64]>,
    sign: [Bit; 3],
    top: Vec<[Bit; 4]>,
    /// Of the lengths so far, in 1/16 of a bit; older ones fade.
    mean_len: u32,
    last_sign: usize,
}

impl Model {
    fn new() -> Self {
        Self {
            is_zero: [Bit::new(); N_CONTEXTS],
            is_longer: vec![[Bit::new(); 64]; N_CONTEXTS],
            sign: [Bit::new(); 3],
            top: vec![[Bit::new(); 4]; 65],
            mean_len: 0,
            last_sign: 0,
        }
    }

    fn encode(&mut self, number: i64, encoder: &mut Encoder) {
        let magnitude = number.unsigned_abs();
        let len = bit_len(number);
        let context = self.context();
        encoder.bit(&mut self.is_zero[context], len == 0);
        if len > 0 {
            for shorter in 1..len {
                encoder.bit(&mut self.is_longer[context][shorter as usize - 1], true);
            }
            if len < u64::BITS {
                encoder.bit(&mut self.is_longer[context][len as usize - 1], false);
            }
            encoder.bit(&mut self.sign[self.last_sign], number < 0);
            // The highest bit is known, and the two below it are worth guessing.
            let mut n_left = len - 1;
            let mut node = 1;
            while n_left > 0 && node < 4 {
                n_left -= 1;
                let bit = magnitude >> n_left & 1 == 1;
                encoder.bit(&mut self.top[len as usize][node], bit);
                node = node << 1 | usize::from(bit);
            }
            encoder.bits(magnitude, n_left);
        }
        self.learn(number, len);
    }

    fn decode(&mut self, decoder: &mut Decoder<'_>) -> i64 {
        let context = self.context();
        if decoder.bit(&mut self.is_zero[context]) {
            self.learn(0, 0);
            return 0;
        }
        let mut len = 1;
        while len < u64::BITS && decoder.bit(&mut self.is_longer[context][len as usize - 1]) {
            len += 1;
        }
        let is_negative = decoder.bit(&mut self.sign[self.last_sign]);
        let mut n_left = len - 1;
        let mut node = 1;
        let mut magnitude = 1;
        while n_left > 0 && node < 4 {
            n_left -= 1;
            let bit = decoder.bit(&mut self.top[len as usize][node]);
            node = node << 1 | usize::from(bit);
            magnitude = magnitude << 1 | u64::from(bit);
        }
        if n_left > 0 {
            magnitude = magnitude << n_left | decoder.bits(n_left);
        }
        let number = match is_negative {
            true => magnitude.wrapping_neg() as i64,
            false => magnitude as i64,
        };
        self.learn(number, len);
        number
    }

    fn context(&self) -> usize {
        ((self.mean_len as usize + 8) >> 4).min(N_CONTEXTS - 1)
    }

    fn learn(&mut self, number: i64, len: u32) {
        self.mean_len = (self.mean_len * 3 + len * 16 + 2) / 4;
        self.last_sign = match number {
            0 => 0,
            1.. => 1,
            ..0 => 2,
        };
    }
}

fn bit_len(number: i64) -> u32 {
    u64::BITS - number.unsigned_abs().leading_zeros()
}

const N_CONTEXTS: usize = 16;
const PREDICTOR_BITS: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(column: &[i64], step: i64) -> usize {
        let mut encoder = Encoder::new();
        encode(column, step, &mut encoder);
        let bytes = encoder.finish();
        let decoded = decode(column.len(), step, &mut Decoder::new(&bytes));
        assert_eq!(decoded, column);
        bytes.len()
    }

    #[test]
    fn any_column_survives() {
        check(&[], 0);
        check(&[i64::MIN, i64::MAX, 0, -1, 1, i64::MIN, i64::MIN], 7);
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..300 {
            let shift = random.u32(0..64);
            let column: Vec<i64> = (0..random.usize(1..300))
                .map(|_| random.i64(..) >> shift)
                .collect();
            check(&column, random.i64(..) >> random.u32(0..64));
        }
    }

    #[test]
    fn what_grows_by_its_step_costs_nearly_nothing() {
        let column: Vec<i64> = (0..4_096).map(|index| 5_000 + index * 15).collect();
        assert!(check(&column, 15) < 32);
    }

    #[test]
    fn noise_around_a_clock_costs_no_more_than_the_noise() {
        let mut random = fastrand::Rng::with_seed(3);
        let column: Vec<i64> = (0..4_096)
            .map(|index| index * 900_000 + random.i64(0..256))
            .collect();
        assert!(check(&column, 900_000) < 4_096 * 11 / 10);
    }
}
