//! An adaptive binary range coder: bits that are easy to guess cost next to nothing.
//!
//! The arithmetic is that of LZMA's range coder. Probabilities learn fast at first and slowly later, as chunks are short.

/// Writes bits.
#[derive(Debug)]
pub(crate) struct Encoder {
    low: u64,
    range: u32,
    /// A byte that a carry may still reach, and how many 0xFF stand behind it.
    cache: u8,
    n_pending: u64,
    bytes: Vec<u8>,
}

/// Reads bits. Behind the end it reads zeros, so any bytes decode to something.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    code: u32,
    range: u32,
    rest: &'a [u8],
}

/// How likely a bit is 0 at one place of the data, as learned so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bit {
    zero: u16,
    n_seen: u8,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self {
            low: 0,
            range: u32::MAX,
            cache: 0,
            n_pending: 1,
            bytes: Vec::new(),
        }
    }

    pub(crate) fn bit(&mut self, model: &mut Bit, bit: bool) {
        let bound = (self.range >> 16) * u32::from(model.zero);
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        model.learn(bit);
        self.normalise();
    }

    /// Writes the lowest `n_bits` bits as they are.
    pub(crate) fn bits(&mut self, number: u64, n_bits: u32) {
        let mut n_left = n_bits;
        while n_left > 0 {
            let n = n_left.min(BITS_AT_ONCE);
            n_left -= n;
            self.range >>= n;
            let part = (number >> n_left) & ((1 << n) - 1);
            self.low += part * u64::from(self.range);
            self.normalise();
        }
    }

    /// Writes a number of any size.
    pub(crate) fn number(&mut self, number: u64) {
        let n_bits = u64::BITS - number.leading_zeros();
        self.bits(u64::from(n_bits), NUMBER_LEN_BITS);
        self.bits(number, n_bits);
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        for _ in 0..5 {
            self.shift();
        }
        // The first byte is always 0, and zeros at the end are what is read behind it anyway.
        let len = self.bytes.iter().rposition(|byte| *byte != 0);
        self.bytes.truncate(len.map_or(0, |last| last + 1));
        self.bytes.drain(..self.bytes.len().min(1));
        self.bytes
    }

    fn normalise(&mut self) {
        while self.range < RANGE_MIN {
            self.range <<= 8;
            self.shift();
        }
    }

    fn shift(&mut self) {
        let carry = (self.low >> 32) as u8;
        if self.low < 0xFF00_0000 || carry != 0 {
            let mut byte = self.cache;
            for _ in 0..self.n_pending {
                self.bytes.push(byte.wrapping_add(carry));
                byte = 0xFF;
            }
            self.n_pending = 0;
            self.cache = (self.low >> 24) as u8;
        }
        self.n_pending += 1;
        self.low = (self.low << 8) & u64::from(u32::MAX);
    }
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self {
            code: 0,
            range: u32::MAX,
            rest: bytes,
        };
        for _ in 0..4 {
            decoder.shift();
        }
        decoder
    }

    pub(crate) fn bit(&mut self, model: &mut Bit) -> bool {
        let bound = (self.range >> 16) * u32::from(model.zero);
        let bit = self.code >= bound;
        if bit {
            self.code -= bound;
            self.range -= bound;
        } else {
            self.range = bound;
        }
        model.learn(bit);
        self.normalise();
        bit
    }

    pub(crate) fn bits(&mut self, n_bits: u32) -> u64 {
        let mut number = 0;
        let mut n_left = n_bits;
        while n_left > 0 {
            let n = n_left.min(BITS_AT_ONCE);
            n_left -= n;
            self.range >>= n;
            // Only damaged bytes give more than there can be.
            let part = (self.code / self.range).min((1 << n) - 1);
            self.code -= part * self.range;
            number = number << n | u64::from(part);
            self.normalise();
        }
        number
    }

    pub(crate) fn number(&mut self) -> u64 {
        let n_bits = self.bits(NUMBER_LEN_BITS) as u32;
        self.bits(n_bits.min(u64::BITS))
    }

    fn normalise(&mut self) {
        while self.range < RANGE_MIN {
            self.range <<= 8;
            self.shift();
        }
    }

    fn shift(&mut self) {
        let byte = self.rest.split_off_first().copied().unwrap_or(0);
        self.code = self.code << 8 | u32::from(byte);
    }
}

impl Bit {
    pub(crate) const fn new() -> Self {
        Self {
            zero: 1 << 15,
            n_seen: 0,
        }
    }

    fn learn(&mut self, bit: bool) {
        let rate = u16::from(self.n_seen) + 2;
        if bit {
            self.zero -= self.zero / rate;
        } else {
            self.zero += (u16::MAX - self.zero) / rate;
        }
        self.zero = self.zero.clamp(PROBABILITY_MIN, u16::MAX - PROBABILITY_MIN);
        self.n_seen += u8::from(self.n_seen < N_SEEN_MAX);
    }
}

/// A range below this is widened by a byte.
const RANGE_MIN: u32 = 1 << 24;
/// So many that a range of [`RANGE_MIN`] is still divided into parts that are not empty.
const BITS_AT_ONCE: u32 = 16;
const NUMBER_LEN_BITS: u32 = 7;
const PROBABILITY_MIN: u16 = 32;
/// From here on a probability follows what it sees at a constant rate.
const N_SEEN_MAX: u8 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..200 {
            let skew = random.f64();
            let bits: Vec<bool> = (0..random.usize(0..2_000))
                .map(|_| random.f64() < skew)
                .collect();
            let numbers: Vec<u64> = (0..random.usize(0..50))
                .map(|_| random.u64(..) >> random.u32(0..64))
                .chain([0, u64::MAX])
                .collect();
            let mut encoder = Encoder::new();
            let mut model = Bit::new();
            bits.iter().for_each(|bit| encoder.bit(&mut model, *bit));
            numbers.iter().for_each(|number| encoder.number(*number));
            let bytes = encoder.finish();
            let mut decoder = Decoder::new(&bytes);
            let mut model = Bit::new();
            assert!(bits.iter().all(|bit| decoder.bit(&mut model) == *bit));
            assert!(numbers.iter().all(|number| decoder.number() == *number));
        }
    }

    #[test]
    fn what_is_always_the_same_costs_nearly_nothing() {
        let mut encoder = Encoder::new();
        let mut model = Bit::new();
        (0..10_000).for_each(|_| encoder.bit(&mut model, true));
        assert!(encoder.finish().len() < 20);
    }
}
