//! Readings as they are kept, and chunks of them as bytes.

use crate::{
    body::{Damage, open, seal},
    coder::{Decoder, Encoder},
    integers, times,
    values::Scale,
};

/// A reading of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When it was measured: milliseconds since the Unix epoch.
    pub time: i64,
    /// What was measured: sensors do not have more digits than an `f32`.
    pub value: f32,
}

/// Writes points, which are in the order of time and no more than [`N_POINTS_MAX`].
pub(crate) fn encode_points(points: &[Point]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.number(points.len() as u64);
    let times: Vec<i64> = points.iter().map(|point| point.time).collect();
    times::encode(&times, &mut encoder);
    let scale = Scale::of(points.iter().map(|point| point.value));
    encoder.number(scale.number());
    let integers: Vec<i64> = points.iter().map(|p| scale.integer(p.value)).collect();
    integers::encode(&integers, 0, &mut encoder);
    seal(encoder)
}

/// Reads what [`encode_points`] wrote.
pub(crate) fn decode_points(body: &[u8]) -> Result<Vec<Point>, Damage> {
    let mut decoder = Decoder::new(open(body)?);
    let len = decoder.number();
    if len > N_POINTS_MAX as u64 {
        return Err(Damage);
    }
    let times = times::decode(len as usize, &mut decoder)?;
    let scale = Scale::of_number(decoder.number()).ok_or(Damage)?;
    let integers = integers::decode(len as usize, 0, &mut decoder);
    times
        .into_iter()
        .zip(integers)
        .map(|(time, integer)| {
            let value = scale.value(integer).ok_or(Damage)?;
            Ok(Point { time, value })
        })
        .collect()
}

/// Adds points to others, all in the order of time; of two with one time the one of `later` stays.
pub(crate) fn merge_points(earlier: Vec<Point>, later: &[Point]) -> Vec<Point> {
    if later.is_empty() {
        return earlier;
    }
    let mut merged = Vec::with_capacity(earlier.len() + later.len());
    let mut later = later.iter().peekable();
    for point in earlier {
        while let Some(before) = later.next_if(|other| other.time < point.time) {
            merged.push(*before);
        }
        if later.peek().is_none_or(|other| other.time != point.time) {
            merged.push(point);
        }
    }
    merged.extend(later);
    merged
}

/// More than this are damaged bytes.
pub(crate) const N_POINTS_MAX: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    fn point(time: i64, value: f32) -> Point {
        Point { time, value }
    }

    #[test]
    fn any_points_survive() {
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..300 {
            let len = random.usize(0..600);
            let decimals = random.u32(0..9);
            let mut time = random.i64(..) >> random.u32(16..40);
            let shift = random.u32(30..62);
            let points: Vec<Point> = (0..len)
                .map(|_| {
                    time += 1 + (random.i64(0..i64::MAX) >> shift);
                    let scale = 10_f32.powi(decimals as i32);
                    point(time, (random.f32() * 60.0 * scale).round() / scale)
                })
                .collect();
            assert_eq!(decode_points(&encode_points(&points)), Ok(points));
        }
    }

    #[test]
    fn an_hour_of_a_usual_probe_costs_little() {
        let points: Vec<Point> = (0..4_000_i32)
            .map(|index| {
                let percent = 250 + index / 40 + index % 3;
                point(
                    1_777_888_800_000 + i64::from(index) * 900_000,
                    percent as f32 / 10.0,
                )
            })
            .collect();
        let n_bytes = encode_points(&points).len();
        assert!(n_bytes < 1_200, "{n_bytes} bytes");
    }

    #[test]
    fn of_two_with_one_time_the_later_stays() {
        let earlier = vec![point(1, 1.0), point(3, 1.0), point(5, 1.0)];
        let later = [point(0, 2.0), point(3, 2.0), point(4, 2.0), point(9, 2.0)];
        let merged = merge_points(earlier, &later);
        let found: Vec<_> = merged.iter().map(|p| (p.time, p.value)).collect();
        let expected = [(0, 2.0), (1, 1.0), (3, 2.0), (4, 2.0), (5, 1.0), (9, 2.0)];
        assert_eq!(found, expected);
    }
}
