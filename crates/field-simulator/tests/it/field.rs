//! What the probes say.

use std::collections::{BTreeMap, BTreeSet};

use field::{Address, Channel, Entity, Reading, Simulation};

use crate::harness::{Broker, Field, Seen, Watcher, measurements, value};

#[test]
fn the_values_of_the_file_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let path = measurements(folder.path(), 100);
    let broker = Broker::start();
    let mut watcher = broker.watch();
    let (_field, _) = Field::start(&broker, &["--replay", path.to_str().unwrap()]);

    let mut rows_by_probe = BTreeMap::<String, BTreeSet<usize>>::new();
    watcher.wait_for("three rows of every probe", |seen| {
        if seen.topic.ends_with("/moisture") {
            let column = column_of(&seen.topic);
            let reading = Reading::parse(seen.payload.as_bytes()).unwrap();
            assert_eq!(reading.time, None, "the file's time is not the reading's");
            let row = (0..100).find(|row| (value(*row, column) - reading.moisture).abs() < 0.005);
            let row = row.unwrap_or_else(|| panic!("{seen:?} is not in the file"));
            rows_by_probe
                .entry(seen.topic.clone())
                .or_default()
                .insert(row);
        }
        (rows_by_probe.len() == 13 && rows_by_probe.values().all(|rows| rows.len() >= 3))
            .then_some(())
    });
}

#[test]
fn everything_that_a_page_needs_is_retained() {
    let folder = tempfile::tempdir().unwrap();
    let path = measurements(folder.path(), 300);
    let broker = Broker::start();
    let (_field, _) = Field::start(&broker, &["--replay", path.to_str().unwrap()]);
    announcements(&mut broker.watch(), |_| true);
    let announced = announcements(&mut broker.watch(), |seen| seen.retain);

    let simulation = Simulation::parse(announced["rootzone/config/simulation"].as_bytes()).unwrap();
    assert_eq!(simulation.source, "replay");
    assert_eq!(simulation.file.as_deref(), Some("measurements.csv"));
    assert_eq!(simulation.speed, "1 h per second");
    assert_eq!(
        announced["rootzone/config/bed-3"],
        r#"{"name":"Bed 3","target":[14,22]}"#
    );
    assert_eq!(
        announced["rootzone/config/orchard"],
        r#"{"name":"Orchard","about":"Apples and pears"}"#
    );

    let entity = &announced["homeassistant/sensor/bed-3/moisture/config"];
    let entity = Entity::parse(entity.as_bytes()).unwrap().unwrap();
    assert_eq!(entity.display_name(), Some("Bed 3"));
    assert_eq!(entity.suggested_area.as_deref(), Some("North beds"));
    assert_eq!(entity.device_class.as_deref(), Some("moisture"));
    let state_topic = entity.state_topic.as_deref().unwrap();
    assert_eq!(state_topic, "rootzone/north-beds/bed-3/moisture");
    let payload = announced[state_topic].as_bytes();
    let moisture = Reading::parse(payload).unwrap().moisture;
    assert_eq!(entity.number(payload), Ok(moisture));
}

#[test]
fn a_probe_that_drops_off_is_offline_by_its_will() {
    let broker = Broker::start();
    let mut watcher = broker.watch();
    let (_field, _) = Field::start(&broker, &["--offline-after", "1"]);
    let status = "rootzone/north-beds/bed-3/status";
    watcher.wait_for_payload(status, "online");
    watcher.wait_for_payload(status, "offline");
}

#[test]
fn after_a_restart_of_the_broker_everything_is_announced_again() {
    let mut broker = Broker::start();
    let (_field, _) = Field::start(&broker, &[]);
    let before = announcements(&mut broker.watch(), |_| true);
    broker.restart_after(|| {});
    let after = announcements(&mut broker.watch(), |_| true);
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
}

/// The last payload of every topic, once there are as many as a whole field has.
fn announcements(
    watcher: &mut Watcher,
    counts: impl Fn(&Seen) -> bool,
) -> BTreeMap<String, String> {
    const STATUS_AND_CONFIG: usize = 2 * (13 + 4);
    const ENTITIES: usize = 3 * 13 + 4;
    const READINGS_AND_STATES: usize = 13 + 4;
    const ZONES_AND_SIMULATION: usize = 4 + 1;
    let whole = STATUS_AND_CONFIG + ENTITIES + READINGS_AND_STATES + ZONES_AND_SIMULATION;
    let mut announced = BTreeMap::new();
    watcher.wait_for("the announcements of the whole field", |seen| {
        if counts(seen) {
            announced.insert(seen.topic.clone(), seen.payload.clone());
        }
        (announced.len() == whole).then_some(())
    });
    announced
}

fn column_of(topic: &str) -> usize {
    let Some(Address::Device {
        device,
        channel: Channel::Moisture,
    }) = Address::parse(topic)
    else {
        panic!("{topic} is not a probe's");
    };
    field_simulator::layout::probes()
        .position(|(_, probe)| probe.level == device.name())
        .unwrap()
}
