use std::num::NonZeroU16;

use bytes::Bytes;
use mqtt_protocol::{
    ClientEvent, ClientSession, EncodeError, OutgoingLimits, Packet, Properties, Property,
    ProtocolVersion, Puback, PublicationFailure, PublicationToken, Publish, QoS, ReasonCode,
    Session, TopicName, UsageError,
};

use super::{Client, connect, identifier, message, payload, properties, publish};

const V5: ProtocolVersion = ProtocolVersion::V5_0;

fn receive_maximum(number: u16) -> Properties {
    properties(Property::ReceiveMaximum(number.try_into().unwrap()))
}

fn puback(number: u16) -> Packet {
    Packet::Puback(Puback {
        packet_identifier: identifier(number),
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    })
}

fn aliased(alias: u16, topic: Option<&str>) -> Packet {
    let Packet::Publish(publish) = publish(1, QoS::AtMostOnce, false) else {
        unreachable!()
    };
    Packet::Publish(Publish {
        topic_name: topic.map(|topic| TopicName::new(topic.to_owned()).unwrap()),
        packet_identifier: None,
        properties: properties(Property::TopicAlias(alias.try_into().unwrap())),
        ..publish
    })
}

fn accepting_aliases(maximum: u16) -> Client {
    let mut asked = connect(V5);
    asked.properties = properties(Property::TopicAliasMaximum(maximum));
    Client::accepted(asked, ClientSession::default(), false, Properties::new())
}

// Shows 5.0 [MQTT-3.3.4-7], 5.0 [MQTT-4.9.0-1], 5.0 [MQTT-4.9.0-2].
#[test]
fn the_servers_receive_maximum_is_kept() {
    let mut client = Client::connected(V5, receive_maximum(1));
    for token in 1..=3 {
        client.publish(token, QoS::AtLeastOnce).unwrap();
    }
    assert_eq!(client.take_published(), [(1, false, payload(1))]);
    client.receive(puback(1));
    assert_eq!(client.take_published(), [(2, false, payload(2))]);
    client.receive(puback(2));
    assert_eq!(client.take_published(), [(3, false, payload(3))]);
}

// Shows 5.0 [MQTT-3.3.4-8], 5.0 [MQTT-4.9.0-3].
#[test]
fn the_quota_blocks_no_other_packets() {
    let mut client = Client::connected(V5, receive_maximum(1));
    client.publish(1, QoS::AtLeastOnce).unwrap();
    client.publish(2, QoS::AtLeastOnce).unwrap();
    client.take_sent();
    client.publish(3, QoS::AtMostOnce).unwrap();
    assert_eq!(client.take_published(), [(0, false, payload(3))]);
    client.receive(publish(1, QoS::AtLeastOnce, false));
    assert_eq!(client.take_sent(), [puback(1)]);
}

#[test]
fn the_queue_behind_the_quota_is_bounded() {
    let session = ClientSession {
        is_established: false,
        exchanges: Session::new(OutgoingLimits {
            queue_len_max: 2,
            in_flight_max: NonZeroU16::MAX,
        }),
        keeper: None,
    };
    let mut client = Client::accepted(connect(V5), session, false, receive_maximum(1));
    for token in 1..=3 {
        client.publish(token, QoS::AtLeastOnce).unwrap();
    }
    let result = client.publish(4, QoS::AtLeastOnce);
    assert_eq!(result, Err(UsageError::QueueFull));
    client.receive(puback(1));
    client.publish(4, QoS::AtLeastOnce).unwrap();
}

#[test]
fn a_smaller_receive_maximum_after_a_reconnection_is_kept() {
    let mut client = Client::connected(V5, Properties::new());
    for token in 1..=3 {
        client.publish(token, QoS::AtLeastOnce).unwrap();
    }
    let mut client = client.reconnect(true, receive_maximum(2));
    let first = [(1, true, payload(1)), (2, true, payload(2))];
    assert_eq!(client.take_published(), first);
    client.publish(4, QoS::AtLeastOnce).unwrap();
    client.receive(puback(2));
    assert_eq!(client.take_published(), [(3, true, payload(3))]);
    client.receive(puback(1));
    assert_eq!(client.take_published(), [(4, false, payload(4))]);
}

// Shows 5.0 [MQTT-2.2.1-3], 5.0 [MQTT-4.3.2-1].
#[test]
fn as_many_as_there_are_identifiers_can_be_in_flight() {
    let session = ClientSession {
        is_established: false,
        exchanges: Session::new(OutgoingLimits {
            queue_len_max: 10,
            in_flight_max: NonZeroU16::MAX,
        }),
        keeper: None,
    };
    let mut client = Client::accepted(connect(V5), session, false, Properties::new());
    for token in 1..=65_536 {
        client.publish(token, QoS::AtLeastOnce).unwrap();
    }
    let published = client.take_published();
    assert_eq!(published.len(), 65_535);
    let mut identifiers: Vec<u16> = published.iter().map(|published| published.0).collect();
    identifiers.sort_unstable();
    identifiers.dedup();
    assert_eq!(identifiers.len(), 65_535);

    client.receive(puback(777));
    assert_eq!(client.take_published(), [(777, false, payload(65_536))]);
}

#[test]
fn a_server_that_exceeds_our_receive_maximum_is_told_so() {
    let mut asked = connect(V5);
    asked.properties = receive_maximum(2);
    let session = ClientSession::default();
    let mut client = Client::accepted(asked, session, false, Properties::new());
    client.receive(publish(1, QoS::ExactlyOnce, false));
    client.receive(publish(2, QoS::ExactlyOnce, false));
    // Again the same one: not one more.
    client.receive(publish(2, QoS::ExactlyOnce, true));
    assert!(!client.is_closed);
    client.receive(publish(3, QoS::ExactlyOnce, false));
    client.check_violation(ReasonCode::ReceiveMaximumExceeded);
}

// Shows 5.0 [MQTT-3.2.2-15].
#[test]
fn the_servers_maximum_packet_size_is_kept() {
    let maximum = properties(Property::MaximumPacketSize(100.try_into().unwrap()));
    let mut client = Client::connected(V5, maximum);
    let mut large = message(1, QoS::AtMostOnce);
    large.publish.payload = Bytes::from(vec![0; 100]);
    let result = client.publish_message(large.clone());
    assert!(matches!(
        result,
        Err(UsageError::Encode(EncodeError::PacketTooLarge { .. }))
    ));

    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        large.publish.qos = qos;
        client.publish_message(large.clone()).unwrap();
        let events = client.take_events();
        assert!(matches!(
            events[..],
            [ClientEvent::PublicationFailed {
                token: PublicationToken(1),
                failure: PublicationFailure::NotEncodable(EncodeError::PacketTooLarge { .. }),
            }]
        ));
    }
    assert_eq!(client.take_sent(), []);
    assert!(!client.is_closed);
}

#[test]
fn a_smaller_maximum_packet_size_after_a_reconnection_is_kept() {
    let mut client = Client::connected(V5, Properties::new());
    let mut large = message(1, QoS::AtLeastOnce);
    large.publish.payload = Bytes::from(vec![0; 100]);
    client.publish_message(large).unwrap();
    client.publish(2, QoS::AtLeastOnce).unwrap();
    let maximum = properties(Property::MaximumPacketSize(100.try_into().unwrap()));
    let mut client = client.reconnect(true, maximum);
    assert_eq!(client.take_published(), [(2, true, payload(2))]);
    assert_eq!(client.take_events().len(), 1);
}

// Shows 5.0 [MQTT-4.13.1-1].
#[test]
fn a_packet_above_our_maximum_packet_size_is_a_violation() {
    let mut asked = connect(V5);
    asked.properties = properties(Property::MaximumPacketSize(20.try_into().unwrap()));
    let session = ClientSession::default();
    let mut client = Client::accepted(asked, session, false, Properties::new());
    let Packet::Publish(mut large) = publish(1, QoS::AtLeastOnce, false) else {
        unreachable!()
    };
    large.payload = Bytes::from(vec![0; 20]);
    client.receive(Packet::Publish(large));
    client.check_violation(ReasonCode::PacketTooLarge);
}

// Shows 5.0 [MQTT-3.3.2-10].
#[test]
fn a_topic_alias_stands_for_its_topic() {
    let mut client = accepting_aliases(2);
    client.receive(aliased(1, Some("x")));
    client.receive(aliased(2, Some("y")));
    client.receive(aliased(1, None));
    client.receive(aliased(1, Some("z")));
    client.receive(aliased(1, None));
    let topics: Vec<String> = client
        .take_events()
        .into_iter()
        .map(|event| {
            let ClientEvent::Message(publish) = event else {
                panic!("{event:?}")
            };
            publish.topic_name.unwrap().as_str().to_owned()
        })
        .collect();
    assert_eq!(topics, ["x", "y", "x", "z", "z"]);
}

#[test]
fn a_topic_alias_above_the_maximum_is_a_violation() {
    for maximum in [0, 2] {
        let mut client = accepting_aliases(maximum);
        client.receive(aliased(maximum + 1, Some("x")));
        client.check_violation(ReasonCode::TopicAliasInvalid);
    }
}

#[test]
fn an_unknown_topic_alias_is_a_violation() {
    let mut client = accepting_aliases(2);
    client.receive(aliased(2, None));
    client.check_violation(ReasonCode::ProtocolError);
}

// Shows 5.0 [MQTT-4.13.1-1].
#[test]
fn topic_alias_zero_is_a_violation() {
    let mut client = accepting_aliases(2);
    // PUBLISH, topic "x", Topic Alias 0.
    client.receive_bytes(vec![0x30, 0x07, 0x00, 0x01, b'x', 0x03, 0x23, 0x00, 0x00]);
    client.check_violation(ReasonCode::TopicAliasInvalid);
}

// Shows 5.0 [MQTT-3.3.2-7].
#[test]
fn topic_aliases_end_with_the_connection() {
    let mut client = accepting_aliases(2);
    client.receive(aliased(1, Some("x")));
    let mut asked = connect(V5);
    asked.properties = properties(Property::TopicAliasMaximum(2));
    asked.clean_start = false;
    client.connection.handle_close();
    let session = client.connection.into_session();
    let mut client = Client::accepted(asked, session, true, Properties::new());
    client.receive(aliased(1, None));
    client.check_violation(ReasonCode::ProtocolError);
}
