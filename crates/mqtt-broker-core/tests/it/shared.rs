//! Shared Subscriptions: each message goes to one member of the group.

use crate::world::{
    AtLeastOnce, AtMostOnce, ClientId, ExactlyOnce, V5_0, World, resume, subscription,
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
