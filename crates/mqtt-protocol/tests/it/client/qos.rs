use std::time::Duration;

use mqtt_protocol::{
    ClientEvent, Packet, Properties, Property, ProtocolVersion, Puback, Pubcomp,
    PublicationFailure, PublicationToken, Pubrec, Pubrel, QoS, ReasonCode, UsageError,
};

use super::{Client, identifier, message, payload, properties, publish};

const V5: ProtocolVersion = ProtocolVersion::V5_0;
const V3: ProtocolVersion = ProtocolVersion::V3_1_1;

fn puback(number: u16, reason_code: ReasonCode) -> Packet {
    Packet::Puback(Puback {
        packet_identifier: identifier(number),
        reason_code,
        properties: Properties::new(),
    })
}

fn pubrec(number: u16, reason_code: ReasonCode) -> Packet {
    Packet::Pubrec(Pubrec {
        packet_identifier: identifier(number),
        reason_code,
        properties: Properties::new(),
    })
}

fn pubrel(number: u16, reason_code: ReasonCode) -> Packet {
    Packet::Pubrel(Pubrel {
        packet_identifier: identifier(number),
        reason_code,
        properties: Properties::new(),
    })
}

fn pubcomp(number: u16, reason_code: ReasonCode) -> Packet {
    Packet::Pubcomp(Pubcomp {
        packet_identifier: identifier(number),
        reason_code,
        properties: Properties::new(),
    })
}

fn acknowledged(token: u64, reason_code: ReasonCode) -> ClientEvent {
    ClientEvent::PublicationAcknowledged {
        token: PublicationToken(token),
        reason_code,
    }
}

fn failed(token: u64, failure: PublicationFailure) -> ClientEvent {
    ClientEvent::PublicationFailed {
        token: PublicationToken(token),
        failure,
    }
}

// Shows 3.1.1 [MQTT-2.3.1-5], 3.1.1 [MQTT-4.3.1-1], 5.0 [MQTT-2.2.1-2], 5.0 [MQTT-4.3.1-1].
#[test]
fn qos_0_has_no_identifier_and_no_answer() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        client.publish(1, QoS::AtMostOnce).unwrap();
        assert_eq!(client.take_published(), [(0, false, payload(1))]);
        assert_eq!(client.take_events(), []);
    }
}

// Shows 3.1.1 [MQTT-4.3.2-1], 5.0 [MQTT-4.3.2-1], 5.0 [MQTT-4.3.2-2].
#[test]
fn qos_1_ends_with_puback() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        client.publish(7, QoS::AtLeastOnce).unwrap();
        assert_eq!(client.take_published(), [(1, false, payload(7))]);
        client.receive(puback(1, ReasonCode::Success));
        let expected = acknowledged(7, ReasonCode::Success);
        assert_eq!(client.take_events(), [expected]);
    }
}

// Shows 3.1.1 [MQTT-2.3.1-6], 3.1.1 [MQTT-4.3.3-1], 5.0 [MQTT-2.2.1-5], 5.0 [MQTT-4.3.3-1].
// Shows 5.0 [MQTT-4.3.3-2], 5.0 [MQTT-4.3.3-4].
#[test]
fn qos_2_ends_with_pubcomp() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        client.publish(7, QoS::ExactlyOnce).unwrap();
        assert_eq!(client.take_published(), [(1, false, payload(7))]);
        client.receive(pubrec(1, ReasonCode::Success));
        assert_eq!(client.take_sent(), [pubrel(1, ReasonCode::Success)]);
        assert_eq!(client.take_events(), []);
        client.receive(pubcomp(1, ReasonCode::Success));
        let expected = acknowledged(7, ReasonCode::Success);
        assert_eq!(client.take_events(), [expected]);
    }
}

#[test]
fn an_error_code_reaches_the_caller() {
    let mut client = Client::connected(V5, Properties::new());
    client.publish(7, QoS::AtLeastOnce).unwrap();
    client.receive(puback(1, ReasonCode::NotAuthorized));
    let expected = acknowledged(7, ReasonCode::NotAuthorized);
    assert_eq!(client.take_events(), [expected]);
}

// Shows 5.0 [MQTT-4.4.0-2].
#[test]
fn a_pubrec_with_an_error_ends_the_exchange_and_frees_its_place() {
    let mut client = Client::connected(
        V5,
        properties(Property::ReceiveMaximum(1.try_into().unwrap())),
    );
    client.publish(7, QoS::ExactlyOnce).unwrap();
    client.publish(8, QoS::ExactlyOnce).unwrap();
    assert_eq!(client.take_published(), [(1, false, payload(7))]);
    client.receive(pubrec(1, ReasonCode::QuotaExceeded));
    let expected = acknowledged(7, ReasonCode::QuotaExceeded);
    assert_eq!(client.take_events(), [expected]);
    assert_eq!(client.take_published(), [(2, false, payload(8))]);
}

#[test]
fn acknowledgements_of_unknown_identifiers_do_no_harm() {
    let mut client = Client::connected(V5, Properties::new());
    client.receive(puback(9, ReasonCode::Success));
    client.receive(pubcomp(9, ReasonCode::Success));
    assert_eq!(client.take_sent(), []);
    client.receive(pubrec(9, ReasonCode::Success));
    let not_found = ReasonCode::PacketIdentifierNotFound;
    assert_eq!(client.take_sent(), [pubrel(9, not_found)]);
    client.receive(pubrel(9, ReasonCode::Success));
    assert_eq!(client.take_sent(), [pubcomp(9, not_found)]);
    assert!(!client.is_closed);
}

#[test]
fn an_acknowledgement_of_the_wrong_kind_is_a_violation() {
    for answer in [
        pubrec(1, ReasonCode::Success),
        pubcomp(1, ReasonCode::Success),
    ] {
        let mut client = Client::connected(V5, Properties::new());
        client.publish(7, QoS::AtLeastOnce).unwrap();
        client.receive(answer);
        client.check_violation(ReasonCode::ProtocolError);
    }
}

// Shows 3.1.1 [MQTT-4.3.3-2], 5.0 [MQTT-4.3.3-8], 5.0 [MQTT-4.3.3-10], 5.0 [MQTT-4.3.3-11].
#[test]
fn a_duplicate_of_qos_2_is_delivered_once_and_released_twice() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        client.receive(publish(5, QoS::ExactlyOnce, false));
        client.receive(publish(5, QoS::ExactlyOnce, true));
        assert_eq!(client.take_events().len(), 1);
        let success = pubrec(5, ReasonCode::Success);
        assert_eq!(client.take_sent(), [success.clone(), success]);
        client.receive(pubrel(5, ReasonCode::Success));
        assert_eq!(client.take_sent(), [pubcomp(5, ReasonCode::Success)]);
        client.receive(pubrel(5, ReasonCode::Success));
        let not_found = match version {
            V5 => ReasonCode::PacketIdentifierNotFound,
            V3 => ReasonCode::Success,
        };
        assert_eq!(client.take_sent(), [pubcomp(5, not_found)]);
    }
}

// Shows 5.0 [MQTT-3.1.2-23].
#[test]
fn a_duplicate_of_qos_2_after_a_reconnection_is_delivered_once() {
    let mut client = Client::connected(V5, Properties::new());
    client.receive(publish(5, QoS::ExactlyOnce, false));
    assert_eq!(client.take_events().len(), 1);
    let mut client = client.reconnect(true, Properties::new());
    client.receive(publish(5, QoS::ExactlyOnce, true));
    assert_eq!(client.take_events(), []);
    assert_eq!(client.take_sent(), [pubrec(5, ReasonCode::Success)]);
}

// Shows 3.1.1 [MQTT-4.3.3-2], 5.0 [MQTT-4.3.3-12].
#[test]
fn the_identifier_of_a_released_message_is_new_again() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        for _ in 0..2 {
            client.receive(publish(5, QoS::ExactlyOnce, false));
            assert_eq!(client.take_events().len(), 1);
            client.receive(pubrel(5, ReasonCode::Success));
        }
    }
}

// Shows 3.1.1 [MQTT-2.3.1-3], 3.1.1 [MQTT-3.3.1-1], 3.1.1 [MQTT-4.1.0-1], 3.1.1 [MQTT-4.4.0-1].
// Shows 3.1.1 [MQTT-4.6.0-1], 5.0 [MQTT-3.3.1-1], 5.0 [MQTT-4.3.2-3], 5.0 [MQTT-4.3.3-3].
// Shows 5.0 [MQTT-4.4.0-1], 5.0 [MQTT-4.6.0-1].
#[test]
fn what_is_in_flight_is_sent_again_in_order_with_dup() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        client.publish(1, QoS::AtLeastOnce).unwrap();
        client.publish(2, QoS::ExactlyOnce).unwrap();
        client.publish(3, QoS::AtLeastOnce).unwrap();
        client.receive(puback(1, ReasonCode::Success));
        client.publish(4, QoS::AtLeastOnce).unwrap();

        let mut client = client.reconnect(true, Properties::new());
        assert_eq!(
            client.take_published(),
            [
                (2, true, payload(2)),
                (3, true, payload(3)),
                (4, true, payload(4))
            ]
        );
    }
}

// Shows 3.1.1 [MQTT-4.4.0-1], 5.0 [MQTT-4.3.3-5], 5.0 [MQTT-4.3.3-6], 5.0 [MQTT-4.4.0-1].
#[test]
fn after_pubrec_the_pubrel_is_sent_again_and_not_the_message() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        client.publish(1, QoS::ExactlyOnce).unwrap();
        client.receive(pubrec(1, ReasonCode::Success));
        let mut client = client.reconnect(true, Properties::new());
        assert_eq!(client.take_sent(), [pubrel(1, ReasonCode::Success)]);
        client.receive(pubcomp(1, ReasonCode::Success));
        let expected = acknowledged(1, ReasonCode::Success);
        assert_eq!(client.take_events(), [expected]);
    }
}

#[test]
fn a_pubrel_that_came_before_the_connection_was_lost_is_no_refusal() {
    let mut client = Client::connected(V5, Properties::new());
    client.publish(1, QoS::ExactlyOnce).unwrap();
    client.receive(pubrec(1, ReasonCode::Success));
    let mut client = client.reconnect(true, Properties::new());
    client.take_events();
    client.receive(pubcomp(1, ReasonCode::PacketIdentifierNotFound));
    assert_eq!(client.take_events(), [acknowledged(1, ReasonCode::Success)]);
}

// Shows 5.0 [MQTT-3.2.2-5].
#[test]
fn after_a_lost_session_qos_1_goes_as_new_and_qos_2_is_indeterminate() {
    let mut client = Client::connected(V5, Properties::new());
    client.publish(1, QoS::AtLeastOnce).unwrap();
    client.publish(2, QoS::ExactlyOnce).unwrap();
    client.publish(3, QoS::AtLeastOnce).unwrap();
    client.receive(publish(5, QoS::ExactlyOnce, false));

    let mut client = client.reconnect(false, Properties::new());
    let published = client.take_published();
    let without_identifiers: Vec<_> = published
        .iter()
        .map(|(_, dup, payload)| (*dup, payload))
        .collect();
    assert_eq!(
        without_identifiers,
        [(false, &payload(1)), (false, &payload(3))]
    );
    let expected = failed(2, PublicationFailure::Indeterminate);
    assert_eq!(client.take_events(), [expected]);
    // The Server begins anew too: its identifier 5 is a new message.
    client.receive(publish(5, QoS::ExactlyOnce, false));
    assert_eq!(client.take_events().len(), 1);
}

#[test]
fn what_may_not_wait_is_never_sent_again() {
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut client = Client::connected(V5, Properties::new());
        let mut pump_on = message(1, qos);
        pump_on.may_wait = false;
        client.publish_message(pump_on).unwrap();
        client.connection.handle_close();
        client.drain();
        let indeterminate = failed(1, PublicationFailure::Indeterminate);
        assert_eq!(client.take_events()[0], indeterminate);

        let mut client = client.reconnect(true, Properties::new());
        match qos {
            // The Server may know the identifier, so the exchange is brought to its end.
            QoS::ExactlyOnce => {
                assert_eq!(client.take_sent(), [pubrel(1, ReasonCode::Success)]);
                client.receive(pubcomp(1, ReasonCode::PacketIdentifierNotFound));
            }
            QoS::AtMostOnce | QoS::AtLeastOnce => assert_eq!(client.take_sent(), []),
        }
        assert_eq!(client.take_events(), []);
    }
}

#[test]
fn what_may_not_wait_is_refused_when_it_would_have_to() {
    let mut client = Client::connected(
        V5,
        properties(Property::ReceiveMaximum(1.try_into().unwrap())),
    );
    client.publish(1, QoS::AtLeastOnce).unwrap();
    let mut pump_on = message(2, QoS::AtLeastOnce);
    pump_on.may_wait = false;
    let result = client.publish_message(pump_on.clone());
    assert_eq!(result, Err(UsageError::ReceiveMaximumReached));
    client.receive(puback(1, ReasonCode::Success));
    client.publish_message(pump_on).unwrap();
}

#[test]
fn what_expired_while_waiting_is_not_sent() {
    let mut client = Client::connected(
        V5,
        properties(Property::ReceiveMaximum(1.try_into().unwrap())),
    );
    client.publish(1, QoS::AtLeastOnce).unwrap();
    let mut short_lived = message(2, QoS::AtLeastOnce);
    short_lived.expires_at = Some(client.now + Duration::from_secs(5));
    client.publish_message(short_lived).unwrap();
    client.publish(3, QoS::AtLeastOnce).unwrap();
    client.take_sent();

    client.wait(Duration::from_secs(6));
    client.receive(puback(1, ReasonCode::Success));
    assert_eq!(client.take_published(), [(2, false, payload(3))]);
    let expected = [
        acknowledged(1, ReasonCode::Success),
        failed(2, PublicationFailure::Expired),
    ];
    assert_eq!(client.take_events(), expected);
}

// Shows 5.0 [MQTT-3.2.2-11], 5.0 [MQTT-3.2.2-14].
#[test]
fn qos_and_retain_that_the_server_has_not_are_refused() {
    let qos_1 = properties(Property::MaximumQoS(QoS::AtLeastOnce));
    let mut client = Client::connected(V5, qos_1);
    let result = client.publish(1, QoS::ExactlyOnce);
    assert_eq!(result, Err(UsageError::QoSNotSupported));
    client.publish(2, QoS::AtLeastOnce).unwrap();

    let no_retain = properties(Property::RetainAvailable(false));
    let mut client = Client::connected(V5, no_retain);
    let mut retained = message(1, QoS::AtMostOnce);
    retained.publish.retain = true;
    let result = client.publish_message(retained);
    assert_eq!(result, Err(UsageError::RetainNotSupported));
}
