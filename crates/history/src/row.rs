//! What several points come to, and chunks of it as bytes.

use crate::{
    Point,
    body::{Damage, open, seal},
    coder::{Decoder, Encoder},
    integers, times,
    values::{Scale, power_of_ten},
};

/// What the points of one bucket of time come to, or those of them that are in one chunk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    /// The start of the bucket, or of the chunk if that comes later.
    pub(crate) time: i64,
    pub(crate) count: u32,
    pub(crate) min: f32,
    pub(crate) max: f32,
    pub(crate) sum: f64,
    pub(crate) last: f32,
}

impl Row {
    pub(crate) fn of(point: Point) -> Self {
        Self {
            time: point.time,
            count: 1,
            min: point.value,
            max: point.value,
            sum: f64::from(point.value),
            last: point.value,
        }
    }

    /// Adds what comes later.
    pub(crate) fn add(&mut self, later: &Self) {
        self.count = self.count.saturating_add(later.count);
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.sum += later.sum;
        self.last = later.last;
    }

    pub(crate) fn mean(&self) -> f32 {
        // The sum is rounded; a mean outside of what there was would be drawn.
        ((self.sum / f64::from(self.count.max(1))) as f32).clamp(self.min, self.max)
    }
}

/// The rows of the points of one chunk, in buckets of so many milliseconds.
pub(crate) fn rows_of(points: &[Point], width: i64) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut bucket = None;
    for point in points {
        let start = start_of_bucket(point.time, width);
        let row = Row::of(*point);
        match rows.last_mut().filter(|_| bucket == Some(start)) {
            Some(last) => last.add(&row),
            None => {
                let first = points.first().map_or(start, |first| first.time);
                bucket = Some(start);
                rows.push(Row {
                    time: start.max(first),
                    ..row
                });
            }
        }
    }
    rows
}

pub(crate) fn start_of_bucket(time: i64, width: i64) -> i64 {
    time.saturating_sub(time.rem_euclid(width.max(1)))
}

/// Writes rows, which are in the order of time and no more than [`N_ROWS_MAX`].
pub(crate) fn encode_rows(rows: &[Row]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.number(rows.len() as u64);
    let times: Vec<i64> = rows.iter().map(|row| row.time).collect();
    times::encode(&times, &mut encoder);
    let counts: Vec<i64> = rows.iter().map(|row| i64::from(row.count)).collect();
    integers::encode(&counts, 0, &mut encoder);
    let scale = Scale::of(rows.iter().flat_map(|row| [row.min, row.max, row.last]));
    let sums = SumScale::of(scale, rows);
    encoder.number(scale.number());
    encoder.number(sums.0.number());
    let mut columns = [const { Vec::<i64>::new() }; 4];
    let mut last = 0;
    for row in rows {
        let min = scale.integer(row.min);
        columns[0].push(min - last);
        columns[1].push(scale.integer(row.max) - min);
        last = scale.integer(row.last);
        columns[2].push(last - min);
        columns[3].push(sums.integer(row));
    }
    for column in columns {
        integers::encode(&column, 0, &mut encoder);
    }
    seal(encoder)
}

/// Reads what [`encode_rows`] wrote.
pub(crate) fn decode_rows(body: &[u8]) -> Result<Vec<Row>, Damage> {
    let mut decoder = Decoder::new(open(body)?);
    let len = decoder.number();
    if len > N_ROWS_MAX as u64 {
        return Err(Damage);
    }
    let len = len as usize;
    let times = times::decode(len, &mut decoder)?;
    let counts = integers::decode(len, 0, &mut decoder);
    let scale = Scale::of_number(decoder.number()).ok_or(Damage)?;
    let sums = SumScale(Scale::of_number(decoder.number()).ok_or(Damage)?);
    let columns = [(); 4].map(|()| integers::decode(len, 0, &mut decoder));
    let mut last = 0_i64;
    let rows = (0..len).map(|index| {
        let min = last.checked_add(columns[0][index])?;
        let max = min.checked_add(columns[1][index])?;
        last = min.checked_add(columns[2][index])?;
        let count = u32::try_from(counts[index]).ok()?;
        let mut row = Row {
            time: times[index],
            count,
            min: scale.value(min)?,
            max: scale.value(max)?,
            sum: 0.0,
            last: scale.value(last)?,
        };
        row.sum = sums.sum(&row, columns[3][index])?;
        (count > 0 && row.min <= row.max).then_some(row)
    });
    rows.collect::<Option<_>>().ok_or(Damage)
}

/// How sums are integers: in decimals, where that is as good as an `f32`, else as the bits of the mean.
/// Either way they are counted from where the mean would be in the middle between the smallest and the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SumScale(Scale);

impl SumScale {
    fn of(scale: Scale, rows: &[Row]) -> Self {
        let Scale::Decimals(decimals) = scale else {
            return Self(scale);
        };
        let is_as_good = |row: &Row| {
            let sum = row.sum * power_of_ten(decimals);
            let largest = f64::from(row.min.abs().max(row.max.abs())) * power_of_ten(decimals);
            (sum - sum.round()).abs() <= largest * f64::from(row.count) * ROUNDING
        };
        match rows.iter().all(is_as_good) {
            true => Self(scale),
            false => Self(Scale::Bits),
        }
    }

    fn integer(self, row: &Row) -> i64 {
        let sum = match self.0 {
            Scale::Decimals(decimals) => (row.sum * power_of_ten(decimals)).round() as i64,
            Scale::Bits => self.0.integer(row.mean()),
        };
        sum.wrapping_sub(self.middle(row))
    }

    fn sum(self, row: &Row, integer: i64) -> Option<f64> {
        let sum = integer.wrapping_add(self.middle(row));
        match self.0 {
            Scale::Decimals(decimals) => Some(sum as f64 / power_of_ten(decimals)),
            Scale::Bits => Some(f64::from(self.0.value(sum)?) * f64::from(row.count)),
        }
    }

    fn middle(self, row: &Row) -> i64 {
        match self.0 {
            Scale::Decimals(_) => {
                let both = self
                    .0
                    .integer(row.min)
                    .wrapping_add(self.0.integer(row.max));
                both.wrapping_mul(i64::from(row.count)) >> 1
            }
            Scale::Bits => self.0.integer(row.min / 2.0 + row.max / 2.0),
        }
    }
}

/// What an `f32` rounds away.
const ROUNDING: f64 = 3e-7;

/// More than this are damaged bytes.
pub(crate) const N_ROWS_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn points(decimals: i32, seed: u64) -> Vec<Point> {
        let mut random = fastrand::Rng::with_seed(seed);
        let scale = 10_f32.powi(decimals);
        (0..2_000)
            .map(|index| Point {
                time: 1_777_888_812_345 + index * 60_000,
                value: ((20.0 + 10.0 * random.f32()) * scale).round() / scale,
            })
            .collect()
    }

    #[test]
    fn rows_survive_with_their_mean_rounded() {
        for decimals in [0, 1, 3, 8] {
            let rows = rows_of(&points(decimals, 6), 900_000);
            let decoded = decode_rows(&encode_rows(&rows)).unwrap();
            assert_eq!(decoded.len(), rows.len());
            for (decoded, row) in decoded.iter().zip(&rows) {
                assert_eq!(
                    Row {
                        sum: row.sum,
                        ..*decoded
                    },
                    *row
                );
                assert!((decoded.mean() - row.mean()).abs() <= row.mean() * 1e-6);
            }
        }
    }

    #[test]
    fn a_bucket_begins_with_its_chunk_if_that_begins_later() {
        let rows = rows_of(&points(1, 7), 900_000);
        assert_eq!(rows[0].time, 1_777_888_812_345);
        assert_eq!(rows[1].time % 900_000, 0);
        assert_eq!(rows.iter().map(|row| row.count).sum::<u32>(), 2_000);
    }

    #[test]
    fn times_before_the_epoch_have_buckets_too() {
        assert_eq!(start_of_bucket(-1, 1_000), -1_000);
        assert_eq!(start_of_bucket(i64::MIN, 1_000), i64::MIN);
    }
}
