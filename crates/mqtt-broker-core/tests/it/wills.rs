//! What is published when a Client is gone.

use bytes::Bytes;
use mqtt_protocol::{Connect, Property, ProtocolVersion, ReasonCode};

use crate::world::{
    AtLeastOnce, AtMostOnce, BOTH, ClientId, V3_1_1, V5_0, World, connect, resume, seconds, will,
};

fn watched(version: ProtocolVersion) -> (World, ClientId) {
    let mut world = World::new();
    let watcher = world.client(version, "watcher");
    world.subscribe(watcher, "status", AtLeastOnce);
    (world, watcher)
}

fn with_will(version: ProtocolVersion) -> Connect {
    let mut request = connect(version, "device");
    request.keep_alive = 10;
    request.will = Some(will("status", "offline"));
    request
}

fn with_delayed_will(delay: u32, session_expiry_interval: u32) -> Connect {
    let mut request = with_will(V5_0);
    request.keep_alive = 0;
    request.clean_start = false;
    request
        .properties
        .push(Property::SessionExpiryInterval(session_expiry_interval));
    let will = request.will.as_mut().unwrap();
    will.properties.push(Property::WillDelayInterval(delay));
    request
}

// Shows 3.1.1 [MQTT-3.1.2-8], 5.0 [MQTT-3.1.2-7], 5.0 [MQTT-3.1.2-8].
#[test]
fn a_will_is_published_when_the_connection_is_lost() {
    for version in BOTH {
        let (mut world, watcher) = watched(version);
        let (device, _) = world.connect(with_will(version));
        world.cut(device);
        assert_eq!(world.payloads(watcher), ["offline"]);
        let (device, _) = world.connect(with_will(version));
        world.advance(seconds(15));
        assert!(world.is_closed(device));
        assert_eq!(world.payloads(watcher), ["offline"]);
        let (device, _) = world.connect(with_will(version));
        world.send_bytes(device, &[0xFF, 0xFF]);
        assert!(world.is_closed(device));
        assert_eq!(world.payloads(watcher), ["offline"]);
    }
}

// Shows 3.1.1 [MQTT-3.1.2-10], 3.1.1 [MQTT-3.14.4-3], 5.0 [MQTT-3.1.2-10], 5.0 [MQTT-3.14.4-3].
#[test]
fn a_goodbye_discards_the_will() {
    for version in BOTH {
        let (mut world, watcher) = watched(version);
        let (device, _) = world.connect(with_will(version));
        world.disconnect(device, ReasonCode::NORMAL_DISCONNECTION);
        assert!(world.receive_all(watcher).is_empty());
    }
}

#[test]
fn a_goodbye_may_ask_for_the_will() {
    let (mut world, watcher) = watched(V5_0);
    let (device, _) = world.connect(with_will(V5_0));
    world.disconnect(device, ReasonCode::DisconnectWithWillMessage);
    assert_eq!(world.payloads(watcher), ["offline"]);
}

// Shows 5.0 [MQTT-3.1.3-10].
#[test]
fn a_will_keeps_its_qos_its_retain_and_its_properties() {
    let (mut world, watcher) = watched(V5_0);
    let mut request = with_will(V5_0);
    let message = request.will.as_mut().unwrap();
    message.qos = AtLeastOnce;
    message.retain = true;
    message
        .properties
        .push(Property::UserProperty("b".into(), "1".into()));
    message
        .properties
        .push(Property::UserProperty("a".into(), "2".into()));
    let (device, _) = world.connect(request);
    world.cut(device);
    let message = world.receive_publish(watcher);
    assert_eq!(message.qos, AtLeastOnce);
    let names: Vec<_> = message
        .properties
        .user_properties()
        .map(|(name, _)| name.to_string())
        .collect();
    assert_eq!(names, ["b", "a"]);
    let late = world.client(V5_0, "late");
    world.subscribe(late, "status", AtMostOnce);
    assert!(world.receive_publish(late).retain);
}

// Shows 5.0 [MQTT-3.1.2-8], 5.0 [MQTT-3.1.2-10].
#[test]
fn a_delayed_will_waits() {
    let (mut world, watcher) = watched(V5_0);
    let (device, _) = world.connect(with_delayed_will(10, 100));
    world.cut(device);
    world.advance(seconds(9));
    assert!(world.receive_all(watcher).is_empty());
    world.advance(seconds(1));
    assert_eq!(world.payloads(watcher), ["offline"]);
    world.advance(seconds(1000));
    assert!(
        world.receive_all(watcher).is_empty(),
        "it is published once"
    );
}

// Shows 5.0 [MQTT-3.1.3-9].
#[test]
fn a_client_that_is_back_in_time_needs_no_will() {
    let (mut world, watcher) = watched(V5_0);
    let (device, _) = world.connect(with_delayed_will(10, 100));
    world.cut(device);
    world.advance(seconds(5));
    world.connect(resume(V5_0, "device"));
    world.advance(seconds(1000));
    assert!(world.receive_all(watcher).is_empty());
}

#[test]
fn a_delayed_will_does_not_outlive_its_session() {
    let (mut world, watcher) = watched(V5_0);
    let (device, _) = world.connect(with_delayed_will(100, 10));
    world.cut(device);
    world.advance(seconds(9));
    assert!(world.receive_all(watcher).is_empty());
    world.advance(seconds(1));
    assert_eq!(world.payloads(watcher), ["offline"]);
    let (device, _) = world.connect(with_delayed_will(100, 1000));
    world.cut(device);
    world.connect(connect(V5_0, "device"));
    assert_eq!(
        world.payloads(watcher),
        ["offline"],
        "a clean start ends the session"
    );
    let (device, _) = world.connect(with_delayed_will(100, 0));
    world.cut(device);
    assert_eq!(
        world.payloads(watcher),
        ["offline"],
        "so does the connection's end"
    );
}

#[test]
fn a_take_over_publishes_a_will_without_delay() {
    let (mut world, watcher) = watched(V5_0);
    world.connect(with_will(V5_0));
    world.connect(with_will(V5_0));
    assert_eq!(world.payloads(watcher), ["offline"]);
    let (mut world, watcher) = watched(V5_0);
    world.connect(with_delayed_will(10, 100));
    world.connect(with_delayed_will(10, 100));
    world.advance(seconds(1000));
    assert!(world.receive_all(watcher).is_empty());
}

#[test]
fn a_broker_that_goes_down_publishes_no_wills() {
    let (mut world, watcher) = watched(V3_1_1);
    world.connect(with_will(V3_1_1));
    world.shut_down();
    assert!(world.receive_all(watcher).is_empty());
}

#[test]
fn a_will_that_is_not_the_text_it_says_is_refused() {
    let mut world = World::new();
    let mut request = connect(V5_0, "client");
    let mut message = will("status", "gone");
    message
        .properties
        .push(Property::PayloadFormatIndicator(true));
    request.will = Some(message.clone());
    world.connect(request.clone());
    message.payload = Bytes::from_static(b"\xFF");
    request.will = Some(message);
    let (_, connack) = world.try_connect(request);
    assert_eq!(connack.reason_code, ReasonCode::PayloadFormatInvalid);
}
