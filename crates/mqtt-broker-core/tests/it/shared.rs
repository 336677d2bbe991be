//! Shared Subscriptions: each message goes to one member of the group.

use mqtt_protocol::{Packet, Properties, Property, Puback, QoS, ReasonCode};

use crate::world::{
    AtLeastOnce, AtMostOnce, ClientId, ExactlyOnce, V5_0, World, packet_identifier, resume,
    seconds, subscription,
};

fn group(world: &mut World, n_members: usize) -> Vec<ClientId> {
    (0..n_members)
        .map(|number| {
            let client = world.client(V5_0, &format!("member-{number}"));
            world.subscribe(client, "$share/workers/job/+", AtLeastOnce);
            client
        })
        .collect()
}

#[test]
fn members_take_turns() {
    let mut world = World::new();
    let members = group(&mut world, 3);
    let publisher = world.client(V5_0, "publisher");
    for number in 0..9 {
        world.publish(publisher, "job/1", &number.to_string(), AtMostOnce);
    }
    let taken: Vec<_> = members
        .iter()
        .map(|&member| world.payloads(member).len())
        .collect();
    assert_eq!(taken, [3, 3, 3]);
}

#[test]
fn groups_and_ordinary_subscriptions_do_not_take_from_each_other() {
    let mut world = World::new();
    let members = group(&mut world, 2);
    let other = world.client(V5_0, "other group");
    world.subscribe(other, "$share/others/job/#", AtMostOnce);
    let ordinary = world.client(V5_0, "ordinary");
    world.subscribe(ordinary, "job/+", AtMostOnce);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "job/1", "x", AtMostOnce);
    let taken: usize = members
        .iter()
        .map(|&member| world.payloads(member).len())
        .sum();
    assert_eq!(taken, 1);
    assert_eq!(world.payloads(other), ["x"]);
    assert_eq!(world.payloads(ordinary), ["x"]);
}

#[test]
fn retained_messages_are_not_for_groups() {
    let mut world = World::new();
    let publisher = world.client(V5_0, "publisher");
    world.retain(publisher, "job/1", "x");
    let members = group(&mut world, 1);
    assert!(world.receive_all(members[0]).is_empty());
}

#[test]
fn a_member_that_can_take_the_message_is_preferred() {
    let mut world = World::new();
    let members = group(&mut world, 3);
    let publisher = world.client(V5_0, "publisher");
    world.set_writable(members[0], false);
    world.cut(members[1]);
    for number in 0..4 {
        world.publish(publisher, "job/1", &number.to_string(), AtMostOnce);
    }
    assert_eq!(world.payloads(members[2]).len(), 4);
}

#[test]
fn with_nobody_there_a_session_keeps_the_message() {
    let mut world = World::new();
    let (member, _) = world.connect(resume(V5_0, "member"));
    world.subscribe(member, "$share/workers/job", AtLeastOnce);
    world.cut(member);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "job", "x", ExactlyOnce);
    let (member, _) = world.connect(resume(V5_0, "member"));
    assert_eq!(world.payloads(member), ["x"]);
}

#[test]
fn leaving_a_group_ends_the_turns() {
    let mut world = World::new();
    let members = group(&mut world, 2);
    world.unsubscribe(members[0], "$share/workers/job/+");
    let publisher = world.client(V5_0, "publisher");
    for _ in 0..2 {
        world.publish(publisher, "job/1", "x", AtMostOnce);
    }
    assert_eq!(world.payloads(members[1]).len(), 2);
    world.unsubscribe(members[1], "$share/workers/job/+");
    world.publish(publisher, "job/1", "x", AtMostOnce);
    assert!(world.receive_all(members[1]).is_empty());
    world.subscribe_with(
        members[1],
        subscription("$share/workers/job/+", AtMostOnce),
        Some(8),
    );
    world.publish(publisher, "job/1", "x", AtMostOnce);
    let message = world.receive_publish(members[1]);
    assert_eq!(message.properties.subscription_identifiers().count(), 1);
}

/// Two members of which the first has its messages and has not acknowledged them; then its session ends.
fn after_the_first_left(qos: QoS, before: impl FnOnce(&mut World, ClientId)) -> (World, ClientId) {
    let mut world = World::new();
    let first = world.client(V5_0, "first");
    world.subscribe(first, "$share/workers/job", qos);
    let publisher = world.client(V5_0, "publisher");
    for number in 0..3 {
        world.publish(publisher, "job", &number.to_string(), qos);
        world.pubrel(publisher, packet_identifier(1));
    }
    let second = world.client(V5_0, "second");
    world.subscribe(second, "$share/workers/job", qos);
    before(&mut world, first);
    world.cut(first);
    (world, second)
}

#[test]
fn what_a_member_did_not_acknowledge_goes_to_another_when_its_session_ends() {
    let (mut world, second) = after_the_first_left(AtLeastOnce, |world, first| {
        let publish = world.receive_publish(first);
        world.puback(first, publish.packet_identifier.unwrap());
    });
    let messages = world.receive_all(second);
    let payloads: Vec<_> = messages
        .iter()
        .map(|packet| match packet {
            Packet::Publish(publish) => (publish.dup, &publish.payload[..]),
            other => panic!("expected a PUBLISH, got {other:?}"),
        })
        .collect();
    assert_eq!(payloads, [(false, &b"1"[..]), (false, &b"2"[..])]);
}

// Shows 5.0 [MQTT-4.8.2-5].
#[test]
fn what_was_sent_at_qos_2_goes_to_nobody_else() {
    let (mut world, second) = after_the_first_left(ExactlyOnce, |_, _| {});
    assert!(world.receive_all(second).is_empty());
}

// Shows 5.0 [MQTT-4.8.2-6].
#[test]
fn what_a_member_refused_goes_to_nobody_else() {
    let (mut world, second) = after_the_first_left(AtLeastOnce, |world, first| {
        for _ in 0..3 {
            let packet_identifier = world.receive_publish(first).packet_identifier.unwrap();
            world.send(
                first,
                Packet::Puback(Puback {
                    packet_identifier,
                    reason_code: ReasonCode::UnspecifiedError,
                    properties: Properties::new(),
                }),
            );
        }
    });
    assert!(world.receive_all(second).is_empty());
}

#[test]
fn what_waited_for_a_member_goes_to_another_when_its_session_expires() {
    let mut world = World::new();
    let mut request = resume(V5_0, "first");
    request.properties = [Property::SessionExpiryInterval(60)].into_iter().collect();
    let (first, _) = world.connect(request);
    world.subscribe(first, "$share/workers/job", ExactlyOnce);
    world.cut(first);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "job", "x", ExactlyOnce);
    let second = world.client(V5_0, "second");
    world.subscribe(second, "$share/workers/job", AtMostOnce);
    let other = world.client(V5_0, "other group");
    world.subscribe(other, "$share/others/job", ExactlyOnce);
    world.advance(seconds(59));
    assert!(world.receive_all(second).is_empty());
    world.advance(seconds(1));
    assert_eq!(world.payloads(second), ["x"]);
    assert!(world.receive_all(other).is_empty());
}

#[test]
fn a_long_queue_of_a_lost_member_is_handed_over_in_turns_and_in_order() {
    let mut world = World::new();
    let mut request = resume(V5_0, "first");
    request.properties = [Property::SessionExpiryInterval(60)].into_iter().collect();
    let (first, _) = world.connect(request);
    world.subscribe(first, "$share/workers/job", AtLeastOnce);
    world.cut(first);
    let publisher = world.client(V5_0, "publisher");
    for number in 0..500 {
        world.publish(publisher, "job", &number.to_string(), AtLeastOnce);
    }
    let second = world.client(V5_0, "second");
    world.subscribe(second, "$share/workers/job", AtMostOnce);
    world.advance(seconds(60));
    let expected: Vec<_> = (0..500).map(|number| number.to_string()).collect();
    assert_eq!(world.payloads(second), expected);
}
