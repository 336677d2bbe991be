//! What the pumps do.

use field::{Channel, PumpState, Reading, Switch};
use field_simulator::layout::ZONES;

use crate::harness::{Broker, Field, Watcher};

const SET: &str = "rootzone/orchard/orchard-pump/pump/set";
const STATE: &str = "rootzone/orchard/orchard-pump/pump/state";
const OFF: &str = r#"{"state":"OFF""#;
const ON: &str = r#"{"state":"ON""#;

#[test]
fn a_pump_obeys_says_so_and_stops_by_itself() {
    let broker = Broker::start();
    let (_field, _) = Field::start(&broker, &[]);
    let mut watcher = broker.watch();
    watcher.wait_for_payload(STATE, OFF);
    broker.publish(SET, r#"{"state":"ON","for":1.5,"id":"c0ffee"}"#, &[]);

    let on = state(&watcher.wait_for_payload(STATE, ON));
    assert_eq!(on.id.as_ref().map(|id| id.as_str()), Some("c0ffee"));
    let (since, until) = (on.since.unwrap(), on.until.unwrap());
    assert_eq!(until.saturating_duration_since(since).as_millis(), 1_500);

    let off = state(&watcher.wait_for_payload(STATE, OFF));
    assert_eq!(off.by.as_deref(), Some("timer"));
    assert_eq!(off.id, on.id);
}

#[test]
fn off_stops_a_running_pump() {
    let broker = Broker::start();
    let (_field, _) = Field::start(&broker, &[]);
    let mut watcher = broker.watch();
    watcher.wait_for_payload(STATE, OFF);
    broker.publish(SET, "ON", &[]);
    let on = state(&watcher.wait_for_payload(STATE, ON));
    let (since, until) = (on.since.unwrap(), on.until.unwrap());
    assert_eq!(until.saturating_duration_since(since).as_secs(), 600);
    broker.publish(SET, "OFF", &[]);
    let off = state(&watcher.wait_for_payload(STATE, OFF));
    assert_eq!(off.by.as_deref(), Some("command"));
}

#[test]
fn the_soil_of_the_zone_gets_wetter() {
    let broker = Broker::start();
    // At this speed the ground itself stands still.
    let (_field, _) = Field::start(&broker, &["--speed", "1s"]);
    let mut watcher = broker.watch();
    let probes: Vec<_> = ZONES[0]
        .probes
        .iter()
        .map(|probe| ZONES[0].probe_id(probe).topic(Channel::Moisture))
        .collect();
    let before: Vec<_> = probes
        .iter()
        .map(|topic| moisture(&mut broker.watch(), topic))
        .collect();
    broker.publish(SET, "ON", &[]);
    for (topic, before) in probes.iter().zip(before) {
        watcher.wait_for("a wetter reading", |seen| {
            let is_wetter = seen.topic == *topic
                && Reading::parse(seen.payload.as_bytes()).unwrap().moisture > before + 0.3;
            is_wetter.then_some(())
        });
    }
}

#[test]
fn a_stuck_pump_stays_silent() {
    let broker = Broker::start();
    let (_field, _) = Field::start(&broker, &["--stuck-pump", "orchard-pump"]);
    let mut watcher = broker.watch();
    watcher.wait_for_payload(STATE, OFF);
    broker.publish(SET, "ON", &[]);
    // Each answer of its neighbour takes 0.3 s or more, and its own would take 1.2 s at most.
    let neighbour = ZONES[1].pump_id();
    for _ in 0..3 {
        for (command, answer) in [("ON", ON), ("OFF", OFF)] {
            broker.publish(&neighbour.topic(Channel::PumpSet), command, &[]);
            watcher.wait_for_payload(&neighbour.topic(Channel::PumpState), answer);
        }
    }
    let is_answer = |payload: &str| payload.starts_with(ON);
    assert!(
        watcher
            .seen()
            .iter()
            .all(|seen| seen.topic != STATE || !is_answer(&seen.payload))
    );
}

#[test]
fn a_retained_command_is_ignored() {
    let broker = Broker::start();
    broker.publish(SET, "ON", &["-r"]);
    let mut watcher = broker.watch();
    let (_field, _) = Field::start(&broker, &[]);
    watcher.wait_for_payload(STATE, OFF);
    // Commands keep their order, so the answer to this one comes after any to the other.
    broker.publish(SET, r#"{"state":"OFF","id":"after"}"#, &[]);
    watcher.wait_for_payload(STATE, r#"{"state":"OFF","id":"after""#);
    let states = watcher.seen().iter().filter(|seen| seen.topic == STATE);
    assert!(
        states
            .clone()
            .all(|seen| state(&seen.payload).state == Switch::Off),
        "{:?}",
        states.collect::<Vec<_>>()
    );
}

#[test]
fn a_run_ends_in_time_while_the_broker_is_gone() {
    let mut broker = Broker::start();
    let (_field, _) = Field::start(&broker, &[]);
    let mut watcher = broker.watch();
    watcher.wait_for_payload(STATE, OFF);
    broker.publish(SET, r#"{"state":"ON","for":1}"#, &[]);
    let on = state(&watcher.wait_for_payload(STATE, ON));
    broker.restart_after(|| {});
    let off = state(&broker.watch().wait_for_payload(STATE, OFF));
    assert_eq!(off.by.as_deref(), Some("timer"));
    let lateness = off
        .since
        .unwrap()
        .saturating_duration_since(on.until.unwrap());
    assert!(lateness.as_secs() < 10, "{lateness:?}");
}

fn state(payload: &str) -> PumpState {
    PumpState::parse(payload.as_bytes()).unwrap()
}

fn moisture(watcher: &mut Watcher, topic: &str) -> f64 {
    let payload = watcher.wait_for_payload(topic, "{");
    Reading::parse(payload.as_bytes()).unwrap().moisture
}
