use super::*;
use field::{PumpCommand, PumpSwitchOutput, Switch, SwitchState, TargetBand};

use crate::state::{Answer, Freshness};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_777_888_800_000 + seconds * 1_000)
}

fn linked() -> Fleet {
    let mut fleet = Fleet::new(7);
    fleet.handle_link(true, at(0));
    fleet.take_changes();
    fleet
}

fn says(fleet: &mut Fleet, topic: &str, payload: &str) {
    fleet.apply(topic, payload.as_bytes(), false, at(1));
}

fn device(zone: &str, name: &str) -> DeviceId {
    DeviceId::new(zone, name).unwrap()
}

/// What the page would publish to a pump.
fn commands(fleet: &mut Fleet, device: &DeviceId) -> Vec<PumpCommand> {
    let switch = &mut fleet.pumps.get_mut(device).unwrap().switch;
    std::iter::from_fn(|| match switch.poll_output() {
        PumpSwitchOutput::Publish(command) => Some(command),
        PumpSwitchOutput::Timeout(_) => None,
    })
    .collect()
}

#[test]
fn a_reading_changes_only_its_probe() {
    let mut fleet = linked();
    says(&mut fleet, "rootzone/north-beds/bed-1/moisture", "19.5");
    assert!(fleet.take_changes().layout);
    says(&mut fleet, "rootzone/north-beds/bed-1/moisture", "19.4");
    let changes = fleet.take_changes();
    assert!(!changes.layout);
    assert_eq!(changes.probes.len(), 1);
    assert_eq!(fleet.take_changes(), Changes::default());
}

#[test]
fn zones_have_their_probes_and_pumps_by_name() {
    let mut fleet = linked();
    says(&mut fleet, "rootzone/north-beds/bed-2/moisture", "19");
    says(&mut fleet, "rootzone/north-beds/bed-1/moisture", "18");
    says(&mut fleet, "rootzone/north-beds/valve/pump/state", "OFF");
    says(&mut fleet, "rootzone/berries/row-1/moisture", "18");
    says(
        &mut fleet,
        "rootzone/config/north-beds",
        r#"{"name":"Allotment","about":"Leeks"}"#,
    );
    let zones = fleet.zones();
    assert_eq!(zones.len(), 2);
    assert_eq!(
        (zones[0].name.as_str(), zones[0].about.as_deref()),
        ("Allotment", Some("Leeks"))
    );
    assert_eq!(zones[0].probes[0].as_str(), "north-beds/bed-1");
    assert_eq!(zones[0].pumps, [device("north-beds", "valve")]);
    assert_eq!(zones[1].name, "Berries");
}

#[test]
fn names_and_targets_come_before_and_after_the_first_reading() {
    let id = ProbeId::new("north-beds/bed-1");
    let config = (
        "rootzone/config/bed-1",
        r#"{"name":"Bed one","target":[14,22]}"#,
    );
    let reading = ("rootzone/north-beds/bed-1/moisture", "19");
    for messages in [[config, reading], [reading, config]] {
        let mut fleet = linked();
        for (topic, payload) in messages {
            says(&mut fleet, topic, payload);
        }
        assert_eq!(fleet.probes.get(&id).unwrap().name, "Bed one");
        assert_eq!(
            fleet.probes.get(&id).unwrap().target,
            TargetBand::new(14.0, 22.0)
        );
        says(&mut fleet, "rootzone/config/bed-1", "");
        assert_eq!(
            (
                fleet.probes.get(&id).unwrap().name.as_str(),
                fleet.probes.get(&id).unwrap().target
            ),
            ("Bed 1", None)
        );
    }
}

#[test]
fn a_status_heard_before_the_first_reading_counts() {
    let mut fleet = linked();
    says(&mut fleet, "rootzone/north-beds/bed-1/status", "offline");
    assert!(fleet.probes.is_empty());
    fleet.apply("rootzone/north-beds/bed-1/moisture", b"19", true, at(2));
    let probe = fleet.probes.get(&ProbeId::new("north-beds/bed-1")).unwrap();
    assert_eq!(
        probe.freshness(at(2)),
        Freshness::Offline { since: Some(at(1)) }
    );
}

#[test]
fn a_sensor_of_another_make_appears_with_nothing_typed() {
    let mut fleet = linked();
    let config = r#"{"dev_cla":"moisture","unit_of_meas":"%","name":"Soil 1","stat_t":"garden/soil","avty_t":"garden/status","dev":{"ids":"x","name":"garden","sa":"North beds"}}"#;
    says(
        &mut fleet,
        "homeassistant/sensor/garden/soil_1/config",
        config,
    );
    assert_eq!(fleet.take_wanted_topics(), ["garden/soil", "garden/status"]);
    assert!(fleet.take_wanted_topics().is_empty());
    says(&mut fleet, "garden/soil", "38.2");
    let id = ProbeId::new("homeassistant/sensor/garden/soil_1");
    let probe = fleet.probes.get(&id).unwrap();
    assert_eq!(
        (
            probe.name.as_str(),
            probe.zone.as_str(),
            probe.unit.as_str()
        ),
        ("garden Soil 1", "north-beds", "%")
    );
    assert_eq!(probe.moisture(), Some(38.2));
    says(&mut fleet, "garden/status", "offline");
    assert_eq!(
        fleet.probes.get(&id).unwrap().freshness(at(1)).as_str(),
        "offline"
    );
    says(&mut fleet, "homeassistant/sensor/garden/soil_1/config", "");
    assert!(fleet.probes.is_empty());
}

#[test]
fn discovery_names_our_own_devices() {
    let mut fleet = linked();
    let config = r#"{"name":"Moisture","device_class":"moisture","stat_t":"rootzone/north-beds/bed-1/moisture","dev":{"ids":"b","name":"Bed 1, deep","sa":"Northern beds"}}"#;
    says(
        &mut fleet,
        "homeassistant/sensor/bed-1/moisture/config",
        config,
    );
    assert_eq!(
        fleet
            .probes
            .get(&ProbeId::new("north-beds/bed-1"))
            .unwrap()
            .name,
        "Bed 1, deep"
    );
    assert_eq!(fleet.zones()[0].name, "Northern beds");
    assert!(fleet.take_wanted_topics().is_empty());
}

#[test]
fn sensors_of_other_makes_with_one_name_are_told_apart_by_their_devices() {
    let mut fleet = linked();
    for (device, area) in [("Box A", "Yard"), ("Box B", "Yard"), ("Box C", "Box C")] {
        let config = format!(
            r#"{{"dev_cla":"moisture","name":"Soil","stat_t":"{device}/soil","dev":{{"name":"{device}","sa":"{area}"}}}}"#
        );
        let topic = format!("homeassistant/sensor/{device}/soil/config");
        says(&mut fleet, &topic, &config);
    }
    let names: Vec<&str> = fleet.probes.values().map(|probe| &*probe.name).collect();
    assert_eq!(names, ["Box A Soil", "Box B Soil", "Soil"]);
}

#[test]
fn settings_that_cannot_be_read_are_said_where_they_belong() {
    let mut fleet = linked();
    let id = ProbeId::new("north-beds/bed-1");
    says(&mut fleet, "rootzone/north-beds/bed-1/moisture", "19");
    says(
        &mut fleet,
        "rootzone/config/bed-1",
        r#"{"name":"Bed one","target":[14,22]}"#,
    );
    for name in ["bed-1", "north-beds"] {
        says(&mut fleet, &format!("rootzone/config/{name}"), "{");
    }
    let probe = fleet.probes.get(&id).unwrap();
    let complaint = probe.complaint().unwrap();
    assert!(complaint.starts_with("Its settings could not be read: "));
    assert_eq!(
        (probe.name.as_str(), probe.target),
        ("Bed one", TargetBand::new(14.0, 22.0))
    );
    assert_eq!(fleet.zones()[0].about, Some(complaint));
    for name in ["bed-1", "north-beds"] {
        says(&mut fleet, &format!("rootzone/config/{name}"), "");
    }
    assert_eq!(fleet.probes.get(&id).unwrap().complaint(), None);
    assert_eq!(fleet.zones()[0].about, None);
}

#[test]
fn a_full_page_still_hears_what_is_new_of_the_devices_it_knows() {
    let mut fleet = linked();
    let announce = |fleet: &mut Fleet, number: usize, name: &str| {
        let config =
            format!(r#"{{"stat_t":"rootzone/z/{number}/moisture","dev":{{"name":"{name}"}}}}"#);
        let topic = format!("homeassistant/sensor/{number}/config");
        says(fleet, &topic, &config);
    };
    // Each of these renames everything, so there is nothing yet to rename.
    for number in 0..=DEVICES_MAX {
        let topic = format!("rootzone/config/{number}");
        fleet.apply(&topic, br#"{"target":[1,2]}"#, true, at(1));
    }
    assert_eq!(fleet.config_by_name.len(), DEVICES_MAX);
    says(&mut fleet, "rootzone/config/7", r#"{"target":[3,4]}"#);
    for number in 0..DEVICES_MAX {
        let device = device("z", &number.to_string());
        fleet
            .announced_by_device
            .insert(device, Announced::default());
    }
    announce(&mut fleet, 7, "Known");
    announce(&mut fleet, DEVICES_MAX, "New");
    let names: Vec<&str> = fleet.probes.values().map(|probe| &*probe.name).collect();
    assert_eq!(names, ["Known"]);
    let probe = fleet.probes.get(&ProbeId::new("z/7")).unwrap();
    assert_eq!(probe.target, TargetBand::new(3.0, 4.0));
}

#[test]
fn a_retained_command_is_a_fault_until_it_is_cleared() {
    let mut fleet = linked();
    let pump = device("orchard", "pump-1");
    fleet.apply("rootzone/orchard/pump-1/pump/set", b"ON", true, at(1));
    assert_eq!(
        fleet.pumps.get(&pump).unwrap().stray_command.as_deref(),
        Some("ON")
    );
    says(&mut fleet, "rootzone/orchard/pump-1/pump/set", "OFF");
    assert!(fleet.pumps.get(&pump).unwrap().stray_command.is_some());
    says(&mut fleet, "rootzone/orchard/pump-1/pump/set", "");
    assert_eq!(fleet.pumps.get(&pump).unwrap().stray_command, None);
}

#[test]
fn on_is_refused_while_disconnected_and_the_reason_kept() {
    let mut fleet = linked();
    let pump = device("orchard", "pump-1");
    says(&mut fleet, "rootzone/orchard/pump-1/pump/state", "OFF");
    fleet.handle_link(false, at(2));
    fleet.switch_on(&pump, Duration::from_secs(60), at(3));
    assert!(fleet.pumps.get(&pump).unwrap().refusal.is_some());
    fleet.handle_link(true, at(4));
    assert!(commands(&mut fleet, &pump).is_empty());
}

#[test]
fn every_command_has_an_id_of_its_own() {
    let mut fleet = linked();
    let pump = device("orchard", "pump-1");
    says(&mut fleet, "rootzone/orchard/pump-1/pump/state", "OFF");
    fleet.switch_on(&pump, Duration::from_secs(60), at(2));
    let first = commands(&mut fleet, &pump);
    fleet.switch_off(&pump, at(3));
    let second = commands(&mut fleet, &pump);
    assert_eq!((first[0].state, second[0].state), (Switch::On, Switch::Off));
    assert_ne!(first[0].id, second[0].id);
}

#[test]
fn stop_all_reaches_a_pump_that_shows_up_after_it() {
    let mut fleet = Fleet::new(7);
    fleet.stop_all(at(0));
    fleet.handle_link(true, at(5));
    says(&mut fleet, "rootzone/orchard/pump-1/status", "online");
    says(&mut fleet, "rootzone/orchard/pump-1/pump/state", "ON");
    let pump = device("orchard", "pump-1");
    assert_eq!(commands(&mut fleet, &pump)[0].state, Switch::Off);
    assert_eq!(
        Answer::of(fleet.pumps.get(&pump).unwrap(), true),
        Answer::Waiting
    );
    says(&mut fleet, "rootzone/orchard/pump-1/pump/state", "OFF");
    assert_eq!(
        Answer::of(fleet.pumps.get(&pump).unwrap(), true),
        Answer::Confirmed
    );
}

#[test]
fn stop_all_while_disconnected_is_sent_with_the_connection() {
    let mut fleet = linked();
    let pump = device("orchard", "pump-1");
    says(&mut fleet, "rootzone/orchard/pump-1/pump/state", "ON");
    fleet.handle_link(false, at(2));
    fleet.stop_all(at(3));
    assert!(commands(&mut fleet, &pump).is_empty());
    assert_eq!(
        Answer::of(fleet.pumps.get(&pump).unwrap(), false),
        Answer::NotConnected
    );
    fleet.handle_link(true, at(6));
    assert_eq!(commands(&mut fleet, &pump)[0].state, Switch::Off);
}

#[test]
fn no_answer_within_ten_seconds_is_a_change_to_show() {
    let mut fleet = linked();
    let pump = device("orchard", "pump-1");
    says(&mut fleet, "rootzone/orchard/pump-1/pump/state", "OFF");
    fleet.switch_on(&pump, Duration::from_secs(60), at(2));
    commands(&mut fleet, &pump);
    fleet.take_changes();
    fleet.handle_timeout(at(11));
    assert_eq!(fleet.take_changes(), Changes::default());
    fleet.handle_timeout(at(12));
    assert!(fleet.take_changes().pumps.contains(&pump));
    assert!(matches!(
        fleet.pumps.get(&pump).unwrap().switch.state(),
        SwitchState::NotConfirmed { .. }
    ));
}

#[test]
fn a_state_that_cannot_be_read_is_unknown_and_the_pump_is_stopped_all_the_same() {
    for before in [None, Some("OFF"), Some("ON")] {
        for payload in ["1", "running", "{\"state\":\"ON\"", "{\"on\":true}"] {
            let mut fleet = linked();
            let pump = device("orchard", "pump-1");
            says(&mut fleet, "rootzone/orchard/pump-1/status", "online");
            for said in before.into_iter().chain([payload]) {
                says(&mut fleet, "rootzone/orchard/pump-1/pump/state", said);
            }
            let known = fleet.pumps.get(&pump).unwrap();
            assert_eq!(known.switch.state(), SwitchState::Unknown);
            assert!(known.fault.is_some() && !known.is_running());
            fleet.stop_all(at(2));
            assert_eq!(commands(&mut fleet, &pump)[0].state, Switch::Off);
            says(&mut fleet, "rootzone/orchard/pump-1/pump/state", payload);
            assert_eq!(
                Answer::of(fleet.pumps.get(&pump).unwrap(), true),
                Answer::Unreadable
            );
            says(&mut fleet, "rootzone/orchard/pump-1/pump/state", "off");
            let known = fleet.pumps.get(&pump).unwrap();
            assert_eq!(Answer::of(known, true), Answer::Confirmed);
            assert_eq!(known.fault, None);
        }
    }
}
