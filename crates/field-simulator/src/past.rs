//! What the probes would have measured before the field was started, at the pace of a wall clock.

use std::{
    io::{self, Write},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use field::Channel;

use crate::{
    ground::Source,
    layout::{ZONES, probes},
};

/// Writes the readings of so many days before `now` as comma-separated values, with the topics as the columns' names.
///
/// # Errors
/// If they cannot be written.
pub fn write(
    mut source: Source,
    n_days: u16,
    now: SystemTime,
    mut out: impl Write,
) -> io::Result<()> {
    write!(out, "time")?;
    for (zone, probe) in probes() {
        let topic = ZONES[zone].probe_id(probe).topic(Channel::Moisture);
        write!(out, ",{topic}")?;
    }
    writeln!(out)?;
    let span = DAY * u32::from(n_days);
    let end = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = end.saturating_sub(span);
    for number in 0..span.as_secs() / STEP.as_secs() {
        let elapsed = Duration::from_secs(number * STEP.as_secs());
        write!(out, "{}", (start + elapsed).as_millis())?;
        for (index, _) in probes().enumerate() {
            match moisture(&mut source, index, elapsed) {
                Some(moisture) => write!(out, ",{moisture:.1}")?,
                None => write!(out, ",")?,
            }
        }
        writeln!(out)?;
    }
    out.flush()
}

/// A file begins anew where it ends.
fn moisture(source: &mut Source, probe: usize, elapsed: Duration) -> Option<f64> {
    match source {
        Source::Replay { replay, .. } => {
            let span = replay.span().as_secs().max(1);
            let along = Duration::from_secs(elapsed.as_secs() % span);
            Some(replay.value(probe, along)?.moisture)
        }
        Source::SoilModel(model) => {
            model.advance_to(elapsed);
            model.moisture(probe)
        }
    }
}

/// As often as a probe in the ground reports.
const STEP: Duration = Duration::from_secs(15 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soil_model::SoilModel;

    #[test]
    fn two_days_are_a_row_for_every_quarter_of_an_hour_until_now() {
        let now = UNIX_EPOCH + Duration::from_secs(1_777_888_800);
        let mut out = Vec::new();
        write(Source::SoilModel(SoilModel::new(1)), 2, now, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let rows: Vec<Vec<&str>> = text.lines().map(|row| row.split(',').collect()).collect();
        assert_eq!(rows.len(), 1 + 2 * 96);
        let n_probes = probes().count();
        assert!(rows.iter().all(|row| row.len() == 1 + n_probes));
        assert!(rows[0][1].starts_with("rootzone/") && rows[0][1].ends_with("/moisture"));
        assert_eq!(rows[2 * 96][0], "1777887900000");
        let values = rows[1..].iter().flat_map(|row| &row[1..]);
        assert!(values.into_iter().all(|value| {
            let value: f64 = value.parse().unwrap();
            (0.0..100.0).contains(&value)
        }));
    }
}
