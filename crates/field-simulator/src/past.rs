//! What the probes would have measured before the field was started, at the pace of a wall clock.

use std::{
    io::{self, Write},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use field::Channel;

use crate::{
    ground::{DAY, Source},
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ground::Ground, replay::Replay, soil_model::SoilModel};
    use field::Timestamp;
    use std::path::Path;

    /// The rows of a past that ends at a certain moment.
    fn rows(source: Source, n_days: u16) -> Vec<Vec<String>> {
        let mut out = Vec::new();
        let now = UNIX_EPOCH + Duration::from_secs(1_777_888_800);
        write(source, n_days, now, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let fields = |row: &str| row.split(',').map(str::to_owned).collect();
        text.lines().map(fields).collect()
    }

    /// What the probes found last in a past of so many days, and first in the field after it.
    fn seam(source: &dyn Fn() -> Source, n_days: u16) -> Vec<(f64, f64)> {
        let now = Timestamp::from_millis(1_777_888_800_000);
        let mut ground = Ground::new(source(), "1h".parse().unwrap(), now).after_days(n_days);
        let rows = rows(source(), n_days);
        let last = rows.last().unwrap()[1..].iter().enumerate();
        last.map(|(probe, last)| {
            let first = ground.sample(probe, now).unwrap();
            (last.parse().unwrap(), first.moisture)
        })
        .collect()
    }

    #[test]
    fn a_modelled_field_goes_on_where_its_past_ends() {
        let model = || Source::SoilModel(SoilModel::new(1));
        for n_days in [1, 14, 365] {
            for (last, first) in seam(&model, n_days) {
                assert!((last - first).abs() < 0.5, "{n_days} d: {last}, {first}");
            }
        }
    }

    #[test]
    fn a_file_goes_on_with_the_row_after_the_last_one_of_its_past() {
        let columns: String = (1..=13).map(|number| format!(",P{number}")).collect();
        let row = |hour: u8| format!("2022-11-15,{hour}{}\n", format!(",{hour}.5").repeat(13));
        let text = format!("day,hour{columns}\n{}", (0..7).map(row).collect::<String>());
        let file = || Source::Replay {
            replay: Replay::read(Path::new("some.csv"), text.as_bytes()).unwrap(),
            file_name: "some.csv".into(),
        };
        // Of 24 hours three are left over by whole rounds of seven.
        assert_eq!(seam(&file, 1), [(2.5, 3.5); 13]);
    }

    #[test]
    fn two_days_are_a_row_for_every_quarter_of_an_hour_until_now() {
        let rows = rows(Source::SoilModel(SoilModel::new(1)), 2);
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
