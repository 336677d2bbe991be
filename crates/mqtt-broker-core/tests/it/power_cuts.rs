//! The power goes, and comes back: what was acknowledged is still there.

use mqtt_broker_core::Settings;
use mqtt_protocol::{Packet, Property, QoS, ReasonCode, RetainHandling};

use crate::world::*;

/// A Client with a session that outlives everything, subscribed to `a/#`.
fn subscriber(world: &mut World, version: mqtt_protocol::ProtocolVersion, qos: QoS) -> ClientId {
    let (client, _) = world.connect(resume(version, "subscriber"));
    world.subscribe(client, "a/#", qos);
    client
}

#[test]
fn a_subscription_is_there_again() {
    for version in BOTH {
        let mut world = World::new();
        subscriber(&mut world, version, AtLeastOnce);
        world.power_cut();
        let publisher = world.client(version, "publisher");
        world.publish(publisher, "a/b", "x", AtMostOnce);
        world.publish(publisher, "a/b", "y", AtLeastOnce);
        let (client, connack) = world.connect(resume(version, "subscriber"));
        assert!(connack.session_present);
        assert_eq!(world.payloads(client), ["y"]);
        world.publish(publisher, "a/b", "z", AtMostOnce);
        assert_eq!(world.payloads(client), ["z"]);
    }
}

#[test]
fn messages_wait_in_their_order() {
    let mut world = World::new();
    let client = subscriber(&mut world, V5_0, ExactlyOnce);
    world.cut(client);
    let publisher = world.client(V5_0, "publisher");
    for (payload, qos) in [("1", AtLeastOnce), ("2", ExactlyOnce), ("3", AtLeastOnce)] {
        world.publish(publisher, "a/b", payload, qos);
    }
    world.power_cut();
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    assert_eq!(world.payloads(client), ["1", "2", "3"]);
}

#[test]
fn nothing_is_acknowledged_that_is_not_durable() {
    for qos in [AtLeastOnce, ExactlyOnce] {
        let mut world = World::new();
        let client = subscriber(&mut world, V5_0, qos);
        world.cut(client);
        let publisher = world.client(V5_0, "publisher");
        world.is_disk_busy = true;
        world.publish(publisher, "a/b", "x", qos);
        assert_eq!(world.receive(publisher), None);
        world.power_cut();
        let (client, _) = world.connect(resume(V5_0, "subscriber"));
        assert_eq!(
            world.receive(client),
            None,
            "it was lost, and nobody said otherwise"
        );
    }
}

#[test]
fn what_nobody_persistent_gets_is_acknowledged_at_once() {
    let mut world = World::new();
    let subscriber = world.client(V5_0, "subscriber");
    world.subscribe(subscriber, "a/#", AtLeastOnce);
    let publisher = world.client(V5_0, "publisher");
    world.is_disk_busy = true;
    for qos in [AtLeastOnce, ExactlyOnce] {
        world.publish(publisher, "a/b", "x", qos);
        assert!(world.receive(publisher).is_some());
    }
    assert_eq!(world.disk.len(), 0);
}

#[test]
fn a_message_comes_again_under_its_identifier_with_dup() {
    for version in BOTH {
        for qos in [AtLeastOnce, ExactlyOnce] {
            let mut world = World::new();
            let client = subscriber(&mut world, version, qos);
            let publisher = world.client(version, "publisher");
            world.publish(publisher, "a/b", "x", qos);
            let first = world.receive_publish(client);
            assert!(!first.dup);
            world.power_cut();
            let (client, _) = world.connect(resume(version, "subscriber"));
            let again = world.receive_publish(client);
            assert!(again.dup);
            assert_eq!(again.packet_identifier, first.packet_identifier);
            assert_eq!(world.receive(client), None);
        }
    }
}

#[test]
fn a_message_of_qos_2_is_sent_only_under_an_identifier_that_is_known() {
    let mut world = World::new();
    let client = subscriber(&mut world, V5_0, ExactlyOnce);
    let publisher = world.client(V5_0, "publisher");
    world.is_disk_busy = true;
    world.publish(publisher, "a/b", "x", ExactlyOnce);
    assert_eq!(world.receive(client), None);
    world.commit();
    assert_eq!(world.payloads(client), ["x"]);
}

#[test]
fn a_message_of_qos_1_does_not_wait() {
    let mut world = World::new();
    let client = subscriber(&mut world, V5_0, AtLeastOnce);
    let publisher = world.client(V5_0, "publisher");
    world.is_disk_busy = true;
    world.publish(publisher, "a/b", "x", AtLeastOnce);
    assert_eq!(world.payloads(client), ["x"]);
    assert_eq!(world.receive(publisher), None);
}

#[test]
fn what_was_queued_goes_out_when_it_is_known_that_it_did() {
    let mut world = World::new();
    let client = subscriber(&mut world, V5_0, AtLeastOnce);
    world.cut(client);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "a/b", "x", AtLeastOnce);
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    assert_eq!(
        world.receive_publish(client).packet_identifier,
        Some(packet_identifier(1))
    );
    world.power_cut();
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    let again = world.receive_publish(client);
    assert!(again.dup);
    assert_eq!(again.packet_identifier, Some(packet_identifier(1)));
}

#[test]
fn a_received_message_is_released_and_does_not_come_again() {
    let mut world = World::new();
    let client = subscriber(&mut world, V5_0, ExactlyOnce);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "a/b", "x", ExactlyOnce);
    let packet_identifier = world.receive_publish(client).packet_identifier.unwrap();
    world.is_disk_busy = true;
    world.pubrec(client, packet_identifier);
    assert_eq!(world.receive(client), None, "the PUBREL waits");
    world.commit();
    assert!(matches!(world.receive(client), Some(Packet::Pubrel(_))));
    world.power_cut();
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    let [Packet::Pubrel(pubrel)] = &world.receive_all(client)[..] else {
        panic!("only the PUBREL comes again");
    };
    assert_eq!(pubrel.packet_identifier, packet_identifier);
    world.pubcomp(client, packet_identifier);
    world.power_cut();
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    assert_eq!(world.receive(client), None);
}

#[test]
fn a_repeated_message_of_qos_2_is_known_until_it_is_released() {
    let mut world = World::new();
    let client = subscriber(&mut world, V5_0, ExactlyOnce);
    world.cut(client);
    let (publisher, _) = world.connect(resume(V5_0, "publisher"));
    world.publish(publisher, "a/b", "x", ExactlyOnce);
    world.power_cut();
    let (publisher, _) = world.connect(resume(V5_0, "publisher"));
    let mut repeated = publish("a/b", "x", ExactlyOnce);
    repeated.dup = true;
    world.send(publisher, Packet::Publish(repeated));
    world.is_disk_busy = true;
    world.receive_all(publisher);
    world.pubrel(publisher, packet_identifier(1));
    assert_eq!(world.receive(publisher), None, "the PUBCOMP waits");
    world.commit();
    assert!(matches!(world.receive(publisher), Some(Packet::Pubcomp(_))));
    world.power_cut();
    let (publisher, _) = world.connect(resume(V5_0, "publisher"));
    world.publish(publisher, "a/b", "y", ExactlyOnce);
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    assert_eq!(world.payloads(client), ["x", "y"]);
}

#[test]
fn a_retained_message_is_there_again() {
    let mut world = World::new();
    let publisher = world.client(V5_0, "publisher");
    for payload in ["old", "new"] {
        world.retain(publisher, "a/b", payload);
    }
    world.retain(publisher, "a/c", "x");
    world.retain(publisher, "a/c", "");
    world.power_cut();
    let client = world.client(V5_0, "subscriber");
    world.subscribe(client, "#", AtMostOnce);
    assert_eq!(world.payloads(client), ["new"]);
}

#[test]
fn a_retained_message_that_is_removed_again_is_removed_for_good() {
    let mut world = World::new();
    let publisher = world.client(V5_0, "publisher");
    world.retain(publisher, "a/b", "x");
    world.is_disk_busy = true;
    let mut removal = publish("a/b", "", AtLeastOnce);
    removal.retain = true;
    for _ in 0..2 {
        world.send(publisher, Packet::Publish(removal.clone()));
        assert_eq!(world.receive(publisher), None, "the PUBACK waits");
    }
    world.commit();
    world.power_cut();
    let client = world.client(V5_0, "subscriber");
    world.subscribe(client, "#", AtMostOnce);
    assert_eq!(world.receive(client), None);
}

#[test]
fn time_goes_on() {
    let mut world = World::new();
    let mut connect = resume(V5_0, "subscriber");
    connect.properties = [Property::SessionExpiryInterval(100)].into_iter().collect();
    let (client, _) = world.connect(connect.clone());
    world.subscribe(client, "a/#", AtLeastOnce);
    world.cut(client);
    let publisher = world.client(V5_0, "publisher");
    let mut message = publish("a/b", "short", AtLeastOnce);
    message.properties.push(Property::MessageExpiryInterval(20));
    world.send(publisher, Packet::Publish(message));
    world.publish(publisher, "a/b", "long", AtLeastOnce);
    world.advance(seconds(30));
    world.power_cut();
    let (client, connack) = world.connect(connect.clone());
    assert!(connack.session_present);
    assert_eq!(world.payloads(client), ["long"]);
    world.cut(client);
    world.advance(seconds(60));
    world.power_cut();
    world.advance(seconds(39));
    world.power_cut();
    world.advance(seconds(1));
    let (_, connack) = world.connect(connect);
    assert!(!connack.session_present);
}

#[test]
fn the_will_of_a_client_that_was_connected_is_published() {
    let mut world = World::new();
    subscriber(&mut world, V5_0, AtLeastOnce);
    let mut connect = resume(V5_0, "device");
    let mut will = will("a/status", "offline");
    will.qos = AtLeastOnce;
    will.properties.push(Property::WillDelayInterval(10));
    connect.will = Some(will);
    world.connect(connect);
    world.power_cut();
    world.advance(seconds(9));
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    assert_eq!(world.receive(client), None);
    world.advance(seconds(1));
    assert_eq!(world.payloads(client), ["offline"]);
    world.power_cut();
    world.advance(seconds(20));
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    assert_eq!(
        world.payloads(client),
        ["offline"],
        "once, though unacknowledged"
    );
}

#[test]
fn a_session_that_ends_leaves_nothing() {
    let mut world = World::new();
    let client = subscriber(&mut world, V5_0, ExactlyOnce);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "a/b", "x", ExactlyOnce);
    world.publish(publisher, "a/b", "y", AtLeastOnce);
    world.publish(client, "a/b", "z", ExactlyOnce);
    assert!(world.disk.len() > 5);
    world.cut(client);
    world.connect(connect(V5_0, "subscriber"));
    assert_eq!(world.disk.len(), 0);
}

#[test]
fn a_session_that_has_ended_does_not_come_back() {
    for clean_start in [true, false] {
        let mut world = World::new();
        let client = subscriber(&mut world, V5_0, AtLeastOnce);
        world.cut(client);
        world.is_disk_busy = true;
        let mut connect = connect(V5_0, "subscriber");
        connect.clean_start = clean_start;
        for _ in 0..2 {
            let client = world.open(V5_0);
            world.send(client, Packet::Connect(Box::new(connect.clone())));
            assert_eq!(world.receive(client), None, "the CONNACK waits");
            world.cut(client);
        }
        let stranger = world.open(V5_0);
        connect.client_identifier = "stranger".into();
        world.send(stranger, Packet::Connect(Box::new(connect)));
        assert!(matches!(world.receive(stranger), Some(Packet::Connack(_))));
    }
}

#[test]
fn a_session_that_is_to_end_with_its_connection_is_not_stored_any_more() {
    let mut world = World::new();
    let client = subscriber(&mut world, V5_0, AtLeastOnce);
    world.cut(client);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "a/b", "x", AtLeastOnce);
    let mut connect = connect(V5_0, "subscriber");
    connect.clean_start = false;
    let (client, connack) = world.connect(connect);
    assert!(connack.session_present);
    assert_eq!(world.payloads(client), ["x"]);
    assert_eq!(world.disk.len(), 0);
    world.puback(client, packet_identifier(1));
    assert_eq!(world.disk.len(), 0);
}

#[test]
fn the_messages_of_a_group_go_to_another_member_over_a_restart() {
    let mut world = World::new();
    let mut connect = resume(V5_0, "first");
    connect.properties = [Property::SessionExpiryInterval(10)].into_iter().collect();
    let (first, _) = world.connect(connect);
    world.subscribe(first, "$share/group/a/#", AtLeastOnce);
    world.cut(first);
    let publisher = world.client(V5_0, "publisher");
    // More than are handed over in one turn.
    let payloads: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    for payload in &payloads {
        world.publish(publisher, "a/b", payload, AtLeastOnce);
    }
    let (second, _) = world.connect(resume(V5_0, "second"));
    world.subscribe(second, "$share/group/a/#", AtLeastOnce);
    world.cut(second);
    world.now += seconds(10);
    world.broker.handle_timeout(world.now);
    world.drain();
    world.power_cut();
    world.advance(seconds(1));
    let (second, _) = world.connect(resume(V5_0, "second"));
    assert_eq!(world.payloads(second), payloads);
}

/// A Client with a session that has got the first of twenty retained messages on `a/…`.
fn reader_of_many(world: &mut World) -> (ClientId, usize) {
    let publisher = world.client(V5_0, "publisher");
    for number in 0..20 {
        world.retain(publisher, &format!("a/{number:02}"), "twenty bytes of text");
    }
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    world.subscribe(client, "a/#", AtMostOnce);
    let n_received = world.payloads(client).len();
    assert!(n_received < 20, "{n_received}");
    (client, n_received)
}

fn world_with_short_turns() -> World {
    let mut settings = Settings::default();
    settings.limits.bytes_per_turn = 100;
    World::with(settings)
}

#[test]
fn retained_messages_that_were_promised_still_come() {
    let mut world = world_with_short_turns();
    let (_, n_received) = reader_of_many(&mut world);
    world.power_cut();
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    world.advance(seconds(1));
    assert_eq!(world.payloads(client).len(), 20 - n_received);
}

#[test]
fn retained_messages_that_were_promised_still_come_after_another_subscribe() {
    for retain_handling in [RetainHandling::SendIfNew, RetainHandling::DoNotSend] {
        for is_cut in [false, true] {
            let mut world = world_with_short_turns();
            let (mut client, n_received) = reader_of_many(&mut world);
            world.set_writable(client, false);
            let mut again = subscription("a/#", AtMostOnce);
            again.retain_handling = retain_handling;
            world.subscribe_with(client, again, None);
            if is_cut {
                world.power_cut();
                (client, _) = world.connect(resume(V5_0, "subscriber"));
            } else {
                world.set_writable(client, true);
            }
            world.advance(seconds(1));
            assert_eq!(world.payloads(client).len(), 20 - n_received);
        }
    }
}

#[test]
fn retained_messages_that_are_promised_again_come_again() {
    let mut world = world_with_short_turns();
    let (client, _) = reader_of_many(&mut world);
    world.subscribe(client, "a/#", AtMostOnce);
    world.receive_all(client);
    world.power_cut();
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    world.advance(seconds(1));
    assert_eq!(world.payloads(client).len(), 20);
}

#[test]
fn a_subscription_stays_as_it_was_changed_while_retained_messages_come() {
    let mut world = world_with_short_turns();
    let (client, _) = reader_of_many(&mut world);
    let mut changed = subscription("a/#", AtLeastOnce);
    changed.retain_handling = RetainHandling::DoNotSend;
    world.subscribe_with(client, changed, None);
    world.advance(seconds(1));
    world.cut(client);
    world.power_cut();
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "a/b", "x", AtLeastOnce);
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    assert_eq!(world.payloads(client), ["x"]);
}

#[test]
fn what_is_retained_after_a_restart_comes_once_although_older_messages_are_still_to_come() {
    let mut world = world_with_short_turns();
    let (client, _) = reader_of_many(&mut world);
    let publisher = world.client(V5_0, "publisher");
    // The numbers of these are the last, and when they are gone the store does not know them.
    for payload in ["x", "y", "z", ""] {
        world.retain(publisher, "b", payload);
    }
    world.subscribe(client, "a/#", AtMostOnce);
    world.power_cut();
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    let publisher = world.client(V5_0, "publisher");
    world.retain(publisher, "a/99", "new");
    world.advance(seconds(1));
    let payloads = world.payloads(client);
    assert_eq!(payloads.iter().filter(|it| *it == "new").count(), 1);
}

#[test]
fn while_the_store_fails_only_what_needs_it_is_refused() {
    let mut world = World::new();
    let client = subscriber(&mut world, V5_0, AtLeastOnce);
    let publisher = world.client(V5_0, "publisher");
    let old_publisher = world.client(V3_1_1, "old");
    world.broker.set_store_failing(true);
    world.publish(publisher, "a/b", "x", AtLeastOnce);
    let Some(Packet::Puback(puback)) = world.receive(publisher) else {
        panic!("a PUBACK");
    };
    assert_eq!(puback.reason_code, ReasonCode::QuotaExceeded);
    world.publish(publisher, "a/b", "y", AtMostOnce);
    assert_eq!(world.payloads(client), ["y"]);
    world.publish(publisher, "b", "z", AtLeastOnce);
    assert!(
        matches!(world.receive(publisher), Some(Packet::Puback(puback)) if !puback.reason_code.is_error())
    );
    world.publish(old_publisher, "a/b", "x", AtLeastOnce);
    assert!(world.is_closed(old_publisher));
    assert_eq!(world.receive(old_publisher), None);
    let (_, connack) = world.try_connect(resume(V5_0, "another"));
    assert_eq!(connack.reason_code, ReasonCode::QuotaExceeded);
    let code = world.subscribe_with(client, subscription("b", AtLeastOnce), None);
    assert_eq!(code, ReasonCode::QuotaExceeded);
    assert_eq!(world.broker.counters().store_refused, 4);
    world.broker.set_store_failing(false);
    world.publish(publisher, "a/b", "x", AtLeastOnce);
    assert_eq!(world.payloads(client), ["x"]);
}

#[test]
fn a_message_that_was_refused_without_a_word_is_new_when_it_comes_again() {
    let mut world = World::new();
    let client = subscriber(&mut world, V5_0, ExactlyOnce);
    let (publisher, _) = world.connect(resume(V3_1_1, "publisher"));
    world.broker.set_store_failing(true);
    world.publish(publisher, "a/b", "x", ExactlyOnce);
    assert!(world.is_closed(publisher));
    world.broker.set_store_failing(false);
    let (publisher, _) = world.connect(resume(V3_1_1, "publisher"));
    let mut again = publish("a/b", "x", ExactlyOnce);
    again.dup = true;
    world.send(publisher, Packet::Publish(again));
    assert!(matches!(world.receive(publisher), Some(Packet::Pubrec(_))));
    assert_eq!(world.payloads(client), ["x"]);
}

#[test]
fn a_connection_that_is_ended_gets_nothing_that_waits_for_the_store() {
    let mut world = World::new();
    let client = subscriber(&mut world, V5_0, ExactlyOnce);
    let mut connect = resume(V5_0, "device");
    let mut will = will("a/status", "offline");
    will.qos = ExactlyOnce;
    connect.will = Some(will);
    let (device, _) = world.connect(connect);
    world.is_disk_busy = true;
    world.end(device, ReasonCode::QuotaExceeded);
    world.end(client, ReasonCode::QuotaExceeded);
    world.drain();
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::QuotaExceeded)
    );
    world.is_disk_busy = false;
    let (client, _) = world.connect(resume(V5_0, "subscriber"));
    assert_eq!(world.payloads(client), ["offline"]);
}

#[test]
fn a_damaged_record_costs_no_more_than_itself() {
    let mut world = World::new();
    let client = subscriber(&mut world, V5_0, ExactlyOnce);
    world.cut(client);
    let publisher = world.client(V5_0, "publisher");
    world.publish(publisher, "a/b", "x", ExactlyOnce);
    world.retain(publisher, "a/c", "y");
    for damaged in world.disk.entries().keys() {
        for len in 0..world.disk.entries()[damaged].len() {
            let mut restoration = mqtt_broker_core::Restoration::new(Settings::default(), 7);
            for (key, value) in world.disk.entries() {
                let len = if key == damaged { len } else { value.len() };
                let outcome = restoration.add(key, &value[..len]);
                // Of the kinds of records, the first two are those that others need: messages and sessions.
                if key == damaged && key[0] == 1 {
                    assert!(outcome.is_err(), "half a message is none");
                } else if key != damaged && damaged[0] > 2 {
                    assert_eq!(outcome, Ok(()), "{key:?}");
                }
            }
            drop(restoration.finish(world.now));
        }
    }
}

#[test]
fn what_cannot_be_read_is_forgotten() {
    let whole = {
        let mut world = World::new();
        let client = subscriber(&mut world, V5_0, ExactlyOnce);
        let publisher = world.client(V5_0, "publisher");
        world.publish(client, "b", "v", ExactlyOnce);
        for payload in ["w", "x"] {
            world.publish(publisher, "a/b", payload, ExactlyOnce);
        }
        world.pubrec(client, packet_identifier(1));
        world.retain(publisher, "a/c", "y");
        world.cut(client);
        world.disk.entries().clone()
    };
    for damaged in whole.keys() {
        for is_there in [false, true] {
            let mut world = World::new();
            *world.disk.damage() = whole.clone();
            if is_there {
                world.disk.damage().insert(damaged.clone(), Vec::new());
            } else {
                world.disk.damage().remove(damaged);
            }
            world.power_cut();
            // From here on all of it can be read.
            world.power_cut();
            world.connect(connect(V5_0, "subscriber"));
            let publisher = world.client(V5_0, "publisher");
            world.retain(publisher, "a/c", "");
            assert_eq!(world.disk.len(), 0, "{damaged:?}");
        }
    }
}

#[test]
fn what_a_damaged_session_or_message_leaves_goes_to_nobody() {
    const MESSAGE: u8 = 1;
    const SESSION: u8 = 2;
    for damaged in [MESSAGE, SESSION] {
        let mut world = World::new();
        let (victim, _) = world.connect(resume(V5_0, "victim"));
        world.subscribe(victim, "secret/#", AtLeastOnce);
        world.cut(victim);
        let publisher = world.client(V5_0, "publisher");
        world.publish(publisher, "secret/a", "1", AtLeastOnce);
        world.disk.damage().retain(|key, _| key[0] != damaged);
        world.power_cut();
        // What is new might be given the numbers of what was lost.
        for name in ["first", "second"] {
            let (client, _) = world.connect(resume(V5_0, name));
            world.subscribe(client, "public/#", AtLeastOnce);
            world.cut(client);
        }
        let publisher = world.client(V5_0, "publisher");
        world.publish(publisher, "public/a", "2", AtLeastOnce);
        world.power_cut();
        let publisher = world.client(V5_0, "publisher");
        world.publish(publisher, "secret/a", "3", AtLeastOnce);
        for name in ["first", "second"] {
            let (client, _) = world.connect(resume(V5_0, name));
            assert_eq!(world.payloads(client), ["2"]);
        }
        let (victim, connack) = world.connect(resume(V5_0, "victim"));
        assert_eq!(connack.session_present, damaged == MESSAGE);
        let expected: &[&str] = if damaged == MESSAGE { &["3"] } else { &[] };
        assert_eq!(world.payloads(victim), expected);
    }
}
