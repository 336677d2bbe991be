//! Columns of times: they grow, most often by the same step.

use crate::{
    body::Damage,
    coder::{Decoder, Encoder},
    integers,
};

/// Writes times, each later than the one before it.
pub(crate) fn encode(times: &[i64], encoder: &mut Encoder) {
    let Some(&first) = times.first() else {
        return;
    };
    let unit = times.windows(2).fold(0, |unit, pair| {
        greatest_common_divisor(unit, pair[1].abs_diff(pair[0]))
    });
    let unit = unit.clamp(1, i64::MAX as u64);
    let column: Vec<i64> = times
        .iter()
        .map(|time| (time.abs_diff(first) / unit) as i64)
        .collect();
    let step = usual_step(&column);
    encoder.bits(first as u64, u64::BITS);
    encoder.number(unit);
    encoder.number(step as u64);
    integers::encode(&column, step, encoder);
}

/// Reads `len` times.
pub(crate) fn decode(len: usize, decoder: &mut Decoder<'_>) -> Result<Vec<i64>, Damage> {
    if len == 0 {
        return Ok(Vec::new());
    }
    let first = decoder.bits(u64::BITS) as i64;
    let unit = i64::try_from(decoder.number()).map_err(|_| Damage)?;
    let step = i64::try_from(decoder.number()).map_err(|_| Damage)?;
    let times: Option<Vec<i64>> = integers::decode(len, step, decoder)
        .into_iter()
        .map(|number| number.checked_mul(unit)?.checked_add(first))
        .collect();
    let times = times.ok_or(Damage)?;
    let do_grow = times.windows(2).all(|pair| pair[0] < pair[1]);
    do_grow.then_some(times).ok_or(Damage)
}

/// The median of the differences; 0 if there is none.
pub(crate) fn usual_step(times: &[i64]) -> i64 {
    let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let middle = steps.len() / 2;
    match steps.is_empty() {
        true => 0,
        false => *steps.select_nth_unstable(middle).1,
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
