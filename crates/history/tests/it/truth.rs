//! What a history has to answer, found in the simplest way.

use std::collections::BTreeMap;

use history::Columns;

/// All points of one series.
pub(crate) type Truth = BTreeMap<i64, f32>;

/// Whether an answer says exactly what there is.
pub(crate) fn check(columns: &Columns, truth: &Truth) -> Result<(), String> {
    if !columns.faults.is_empty() {
        return Err(format!("faults: {:?}", columns.faults));
    }
    let mut buckets: BTreeMap<i64, Vec<f32>> = BTreeMap::new();
    for (time, value) in truth.range(columns.from..columns.to) {
        let bucket = match columns.step {
            0 => *time,
            step => time - time.rem_euclid(step),
        };
        buckets.entry(bucket).or_default().push(*value);
    }
    let times: Vec<i64> = buckets.keys().copied().collect();
    if times != columns.time {
        let (found, expected) = (columns.time.len(), times.len());
        let differs = times.iter().zip(&columns.time).find(|(a, b)| a != b);
        return Err(format!(
            "{found} rows for {expected}, first other {differs:?}"
        ));
    }
    for (row, (time, values)) in buckets.iter().enumerate() {
        let min = values.iter().copied().fold(f32::INFINITY, f32::min);
        let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = values.iter().map(|value| f64::from(*value)).sum();
        let mean = (sum / values.len() as f64) as f32;
        let found = (columns.min[row], columns.max[row], columns.last[row]);
        let expected = (min, max, values[values.len() - 1]);
        if found != expected {
            return Err(format!("at {time}: {found:?} is not {expected:?}"));
        }
        if columns.count[row] as usize != values.len() {
            let count = columns.count[row];
            return Err(format!("at {time}: {count} points of {}", values.len()));
        }
        let rounding = 2e-6 * min.abs().max(max.abs());
        if (columns.mean[row] - mean).abs() > rounding {
            return Err(format!(
                "at {time}: mean {} is not {mean}",
                columns.mean[row]
            ));
        }
    }
    Ok(())
}
