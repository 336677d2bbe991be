//! Topic Aliases from the broker to a Client that takes them.

use std::num::{NonZeroU16, NonZeroU32};

use mqtt_broker_core::{Limits, Settings};
use mqtt_protocol::{Connect, Property};

use crate::world::{
    AtLeastOnce, AtMostOnce, ClientId, ExactlyOnce, V3_1_1, V5_0, World, connect, resume,
};

fn taking_aliases(mut connect: Connect, maximum: u16) -> Connect {
    connect
        .properties
        .push(Property::TopicAliasMaximum(maximum));
    connect
}

/// The Topic Name and Topic Alias of the next PUBLISH.
fn next(world: &mut World, client: ClientId) -> (Option<String>, Option<u16>) {
    let publish = world.receive_publish(client);
    (
        publish.topic_name.map(|name| name.as_str().to_owned()),
        publish.properties.topic_alias().map(NonZeroU16::get),
    )
}

fn named(topic: &str, alias: Option<u16>) -> (Option<String>, Option<u16>) {
    (Some(topic.to_owned()), alias)
}

#[test]
fn the_second_message_on_a_topic_has_the_alias_in_place_of_the_name() {
    let mut world = World::new();
    let (client, _) = world.connect(taking_aliases(connect(V5_0, "client"), 10));
    world.subscribe(client, "bed/#", ExactlyOnce);
    let publisher = world.client(V3_1_1, "publisher");
    world.publish(publisher, "bed/1/moisture", "40", AtMostOnce);
    world.publish(publisher, "bed/2/moisture", "41", AtLeastOnce);
    world.publish(publisher, "bed/1/moisture", "42", ExactlyOnce);
    world.publish(publisher, "bed/2/moisture", "43", AtMostOnce);
    assert_eq!(next(&mut world, client), named("bed/1/moisture", Some(1)));
    assert_eq!(next(&mut world, client), named("bed/2/moisture", Some(2)));
    let third = world.receive_publish(client);
    assert_eq!(third.topic_name, None);
    assert_eq!(third.properties.topic_alias(), NonZeroU16::new(1));
    assert_eq!((third.qos, &third.payload[..]), (ExactlyOnce, &b"42"[..]));
    assert!(third.packet_identifier.is_some());
    assert_eq!(next(&mut world, client), (None, Some(2)));
}

// Shows 5.0 [MQTT-3.1.2-26], 5.0 [MQTT-3.3.2-11].
#[test]
fn no_alias_is_above_what_the_client_allows() {
    let mut world = World::new();
    let (client, _) = world.connect(taking_aliases(connect(V5_0, "client"), 1));
    world.subscribe(client, "bed/#", AtMostOnce);
    let publisher = world.client(V5_0, "publisher");
    for _ in 0..2 {
        world.publish(publisher, "bed/1", "x", AtMostOnce);
        world.publish(publisher, "bed/2", "x", AtMostOnce);
    }
    assert_eq!(next(&mut world, client), named("bed/1", Some(1)));
    assert_eq!(next(&mut world, client), named("bed/2", None));
    assert_eq!(next(&mut world, client), (None, Some(1)));
    assert_eq!(next(&mut world, client), named("bed/2", None));
}

// Shows 5.0 [MQTT-3.1.2-27].
#[test]
fn a_client_that_says_nothing_or_0_gets_no_alias() {
    let mut world = World::new();
    let silent = world.client(V5_0, "silent");
    let (zero, _) = world.connect(taking_aliases(connect(V5_0, "zero"), 0));
    let publisher = world.client(V5_0, "publisher");
    for client in [silent, zero] {
        world.subscribe(client, "bed/1", AtMostOnce);
        world.publish(publisher, "bed/1", "x", AtMostOnce);
        assert_eq!(next(&mut world, client), named("bed/1", None));
    }
}

// Shows 5.0 [MQTT-3.3.2-7].
#[test]
fn an_alias_ends_with_its_connection_and_a_message_is_sent_again_with_its_name() {
    let mut world = World::new();
    let request = taking_aliases(resume(V5_0, "client"), 10);
    let (client, _) = world.connect(request.clone());
    world.subscribe(client, "bed/1", AtLeastOnce);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "bed/1", "first", AtLeastOnce);
    world.publish(publisher, "bed/1", "second", AtLeastOnce);
    world.cut(client);
    let (client, _) = world.connect(request);
    let first = world.receive_publish(client);
    assert!(first.dup);
    assert_eq!(first.topic_name.unwrap().as_str(), "bed/1");
    let second = world.receive_publish(client);
    assert!(second.dup && second.topic_name.is_none());
    assert_eq!(&second.payload[..], b"second");
}

#[test]
fn a_message_that_only_fits_without_its_alias_is_sent_without() {
    let mut world = World::new();
    let mut request = taking_aliases(connect(V5_0, "client"), 10);
    // Enough for the CONNACK too.
    let payload = "x".repeat(100);
    let size = 2 + 2 + "bed/1".len() + 1 + payload.len();
    request.properties.push(Property::MaximumPacketSize(
        NonZeroU32::new(size as u32).unwrap(),
    ));
    let (client, _) = world.connect(request);
    world.subscribe(client, "bed/1", AtMostOnce);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "bed/1", &payload, AtMostOnce);
    assert_eq!(next(&mut world, client), named("bed/1", None));
}

#[test]
fn the_broker_remembers_no_more_aliases_than_its_limit() {
    let mut world = World::with(Settings {
        limits: Limits {
            sent_topic_aliases: 1,
            ..Limits::default()
        },
        ..Settings::default()
    });
    let (client, _) = world.connect(taking_aliases(connect(V5_0, "client"), 10));
    world.subscribe(client, "bed/#", AtMostOnce);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "bed/1", "x", AtMostOnce);
    world.publish(publisher, "bed/2", "x", AtMostOnce);
    assert_eq!(next(&mut world, client), named("bed/1", Some(1)));
    assert_eq!(next(&mut world, client), named("bed/2", None));
}

#[test]
fn a_message_that_only_fits_by_its_alias_is_sent_whether_or_not_it_waited() {
    let topic = "bed/".repeat(20);
    for waits in [false, true] {
        let mut world = World::new();
        let mut request = taking_aliases(connect(V5_0, "client"), 10);
        request
            .properties
            .push(Property::MaximumPacketSize(NonZeroU32::new(100).unwrap()));
        let (client, _) = world.connect(request);
        world.subscribe(client, &topic, AtLeastOnce);
        let publisher = world.client(V5_0, "publisher");
        world.publish(publisher, &topic, "x", AtMostOnce);
        assert_eq!(next(&mut world, client), named(&topic, Some(1)));
        world.set_writable(client, !waits);
        world.publish(publisher, &topic, &"x".repeat(60), AtLeastOnce);
        world.set_writable(client, true);
        assert_eq!(next(&mut world, client), (None, Some(1)));
    }
}
