use std::time::Duration;

use mqtt_protocol::{
    ClientEvent, ClientSession, CloseReason, Packet, Properties, Property, ProtocolVersion, QoS,
};

use super::{Client, START, connect, properties, publish};

const V5: ProtocolVersion = ProtocolVersion::V5_0;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn n_pings(client: &mut Client) -> usize {
    let sent = client.take_sent();
    let pings = sent.iter().filter(|packet| **packet == Packet::Pingreq);
    pings.count()
}

fn is_given_up(client: &Client) -> bool {
    let reason = ClientEvent::Closed(CloseReason::PingrespTimeout);
    client.is_closed && client.events.contains(&reason)
}

// Shows 3.1.1 [MQTT-3.1.2-23], 5.0 [MQTT-3.1.2-20].
#[test]
fn a_ping_goes_out_at_half_of_the_keep_alive_and_its_time_is_told() {
    for version in [ProtocolVersion::V3_1_1, V5] {
        let mut client = Client::connected(version, Properties::new());
        assert_eq!(client.deadline, Some(START + secs(30)));
        client.wait(secs(29));
        assert_eq!(n_pings(&mut client), 0);
        client.wait(secs(1));
        assert_eq!(n_pings(&mut client), 1);
        client.now += Duration::from_millis(40);
        client.receive(Packet::Pingresp);
        let pong = ClientEvent::Pong {
            round_trip_time: Duration::from_millis(40),
        };
        assert_eq!(client.take_events(), [pong]);
        assert_eq!(client.deadline, Some(START + secs(60)));
    }
}

#[test]
fn neither_inbound_data_nor_writes_put_a_ping_off() {
    let mut client = Client::connected(V5, Properties::new());
    for number in 1..=29 {
        client.wait(secs(1));
        client.receive(publish(number, QoS::AtLeastOnce, false));
        client.publish(u64::from(number), QoS::AtMostOnce).unwrap();
    }
    assert_eq!(n_pings(&mut client), 0);
    client.wait(secs(1));
    assert_eq!(n_pings(&mut client), 1);
}

#[test]
fn a_lost_pingresp_ends_the_connection() {
    let mut client = Client::connected(V5, Properties::new());
    client.wait(secs(30));
    assert_eq!(client.deadline, Some(START + secs(50)));
    client.wait(secs(20));
    assert!(is_given_up(&client));
}

#[test]
fn a_pingresp_may_wait_behind_a_large_packet() {
    let mut client = Client::connected(V5, Properties::new());
    client.wait(secs(30));
    // A PUBLISH of 1 MB that trickles in.
    client.receive_bytes(vec![0x30, 0x80, 0x80, 0x3D]);
    for _ in 0..10 {
        client.wait(secs(15));
        client.receive_bytes(vec![0x00, 0x01]);
    }
    assert!(!client.is_closed);
    assert!(n_pings(&mut client) > 1);
    client.wait(secs(20));
    assert!(is_given_up(&client));
}

// Shows 5.0 [MQTT-3.1.2-21], 5.0 [MQTT-3.2.2-21].
#[test]
fn the_servers_keep_alive_overrides_ours() {
    let mut client = Client::connected(V5, properties(Property::ServerKeepAlive(10)));
    client.wait(secs(5));
    assert_eq!(n_pings(&mut client), 1);

    let client = Client::connected(V5, properties(Property::ServerKeepAlive(0)));
    assert_eq!(client.deadline, None);
}

#[test]
fn a_keep_alive_of_zero_sends_no_pings() {
    let mut asked = connect(V5);
    asked.keep_alive = 0;
    let session = ClientSession::default();
    let mut client = Client::accepted(asked, session, false, Properties::new());
    assert_eq!(client.deadline, None);
    client.wait(secs(100_000));
    assert_eq!(n_pings(&mut client), 0);
    assert!(!client.is_closed);
}

#[test]
fn a_late_timer_pings_at_once() {
    for late in [60, 8 * 3600] {
        let mut client = Client::connected(V5, Properties::new());
        client.wait(secs(30 + late));
        assert_eq!(n_pings(&mut client), 1, "{late} s late");
        assert_eq!(client.deadline, Some(client.now + secs(20)));
        client.receive(Packet::Pingresp);
        assert!(!client.is_closed);
    }
}

#[test]
fn a_late_timer_does_not_overtake_a_pingresp_that_is_there() {
    for late in [60, 8 * 3600] {
        let mut client = Client::connected(V5, Properties::new());
        client.wait(secs(30));
        client.wait(secs(20 + late));
        assert!(!client.is_closed, "{late} s late");
        client.receive(Packet::Pingresp);
        client.wait(secs(10));
        assert!(!client.is_closed, "{late} s late");
    }
}

#[test]
fn a_late_timer_gives_up_soon_if_nothing_is_there() {
    let mut client = Client::connected(V5, Properties::new());
    client.wait(secs(30));
    client.wait(secs(8 * 3600));
    assert_eq!(client.deadline, Some(client.now + secs(1)));
    client.wait(secs(1));
    assert!(is_given_up(&client));
}

#[test]
fn a_probe_asks_at_once_and_is_impatient() {
    for keep_alive in [0, 60] {
        let server_keep_alive = properties(Property::ServerKeepAlive(keep_alive));
        let mut client = Client::connected(V5, server_keep_alive);
        client.connection.probe(secs(2), client.now);
        client.drain();
        assert_eq!(n_pings(&mut client), 1);
        assert_eq!(client.deadline, Some(START + secs(2)));
        client.wait(secs(2));
        assert!(is_given_up(&client));
    }
}

#[test]
fn a_probe_that_is_answered_changes_nothing() {
    let mut client = Client::connected(V5, properties(Property::ServerKeepAlive(0)));
    client.connection.probe(secs(2), client.now);
    client.drain();
    client.receive(Packet::Pingresp);
    assert_eq!(client.deadline, None);
}

#[test]
fn a_probe_makes_a_ping_that_is_on_its_way_impatient() {
    let mut client = Client::connected(V5, Properties::new());
    client.wait(secs(30));
    client.connection.probe(secs(2), client.now);
    client.drain();
    assert_eq!(n_pings(&mut client), 1);
    client.wait(secs(2));
    assert!(is_given_up(&client));
}
