use mqtt_protocol::{
    ClientEvent, Packet, Properties, ProtocolVersion, QoS, ReasonCode, RetainHandling, Suback,
    Subscribe, Subscription, TopicFilter, Unsuback, UsageError,
};

use super::{Client, identifier, payload};

const V5: ProtocolVersion = ProtocolVersion::V5_0;
const V3: ProtocolVersion = ProtocolVersion::V3_1_1;

fn filter(filter: &str) -> TopicFilter {
    TopicFilter::new(filter.to_owned()).unwrap()
}

fn subscription(topic_filter: &str) -> Subscription {
    Subscription {
        topic_filter: filter(topic_filter),
        maximum_qos: QoS::AtLeastOnce,
        no_local: false,
        retain_as_published: false,
        retain_handling: RetainHandling::Send,
    }
}

fn suback(number: u16, reason_codes: &[ReasonCode]) -> Packet {
    Packet::Suback(Suback {
        packet_identifier: identifier(number),
        properties: Properties::new(),
        reason_codes: reason_codes.to_vec(),
    })
}

fn subscribe(client: &mut Client, filters: &[&str]) -> Result<u16, UsageError> {
    let subscriptions = filters.iter().map(|filter| subscription(filter)).collect();
    let identifier = client
        .connection
        .subscribe(subscriptions, Properties::new())?;
    client.drain();
    Ok(identifier.value())
}

#[test]
fn the_answer_has_a_code_for_each_filter() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        let number = subscribe(&mut client, &["a/#", "b"]).unwrap();
        let expected = Packet::Subscribe(Subscribe {
            packet_identifier: identifier(number),
            properties: Properties::new(),
            subscriptions: vec![subscription("a/#"), subscription("b")],
        });
        assert_eq!(client.take_sent(), [expected]);
        let reason_codes = [ReasonCode::GrantedQoS1, ReasonCode::UnspecifiedError];
        client.receive(suback(number, &reason_codes));
        let subscribed = ClientEvent::Subscribed {
            packet_identifier: identifier(number),
            reason_codes: reason_codes.to_vec(),
        };
        assert_eq!(client.take_events(), [subscribed]);
    }
}

#[test]
fn an_answer_with_too_few_codes_is_a_violation() {
    let mut client = Client::connected(V5, Properties::new());
    let number = subscribe(&mut client, &["a", "b"]).unwrap();
    client.receive(suback(number, &[ReasonCode::GrantedQoS1]));
    client.check_violation(ReasonCode::ProtocolError);
}

#[test]
fn an_answer_that_nobody_waits_for_is_ignored() {
    let mut client = Client::connected(V5, Properties::new());
    client.receive(suback(9, &[ReasonCode::GrantedQoS1]));
    assert_eq!(client.take_events(), []);
    assert!(!client.is_closed);
}

// Shows 3.1.1 [MQTT-2.3.1-2], 5.0 [MQTT-2.2.1-3].
#[test]
fn requests_and_messages_never_share_an_identifier() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        let first = subscribe(&mut client, &["a"]).unwrap();
        client.take_sent();
        client.publish(1, QoS::AtLeastOnce).unwrap();
        let second = subscribe(&mut client, &["b"]).unwrap();
        let published = client.take_published();
        assert_eq!(published, [(2, false, payload(1))]);
        assert_eq!((first, second), (1, 3));
    }
}

// Shows 3.1.1 [MQTT-2.3.1-2], 5.0 [MQTT-2.2.1-3], 5.0 [MQTT-4.3.2-1].
#[test]
fn an_identifier_comes_again_only_when_it_is_free() {
    let mut client = Client::connected(V5, Properties::new());
    assert_eq!(subscribe(&mut client, &["a"]), Ok(1));
    client.publish(1, QoS::AtLeastOnce).unwrap();
    client.take_sent();
    for number in 3..=u16::MAX {
        client.publish(u64::from(number), QoS::AtLeastOnce).unwrap();
        assert_eq!(client.take_published()[0].0, number);
        let [high, low] = number.to_be_bytes();
        client.receive_bytes(vec![0x40, 0x02, high, low]);
    }
    client.publish(3, QoS::AtLeastOnce).unwrap();
    assert_eq!(client.take_published(), [(3, false, payload(3))]);
}

#[test]
fn unsubscribing_is_answered_on_both_versions() {
    for version in [V3, V5] {
        let mut client = Client::connected(version, Properties::new());
        let filters = vec![filter("a"), filter("b")];
        let packet_identifier = client
            .connection
            .unsubscribe(filters, Properties::new())
            .unwrap();
        client.drain();
        client.receive(Packet::Unsuback(Unsuback {
            packet_identifier,
            properties: Properties::new(),
            reason_codes: match version {
                V3 => Vec::new(),
                V5 => vec![ReasonCode::Success, ReasonCode::Success],
            },
        }));
        let unsubscribed = ClientEvent::Unsubscribed {
            packet_identifier,
            reason_codes: vec![ReasonCode::Success, ReasonCode::Success],
        };
        assert_eq!(client.take_events(), [unsubscribed]);
    }
}

#[test]
fn a_cut_in_the_middle_of_subscribe_frees_the_identifier() {
    let mut client = Client::connected(V5, Properties::new());
    let number = subscribe(&mut client, &["a"]).unwrap();
    let mut client = client.reconnect(true, Properties::new());
    client.receive(suback(number, &[ReasonCode::GrantedQoS1]));
    assert_eq!(client.take_events(), []);
    assert!(!client.is_closed);
}
