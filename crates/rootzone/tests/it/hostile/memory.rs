//! What one peer can make the broker keep.

use super::bystander::Bystander;
use crate::{
    broker::Broker,
    peer::{Peer, Transport},
    raw::{CONNECT_3, CONNECT_5, Raw},
    script::bytes,
};

/// Of a broker that has nothing to do: its program and its threads.
const IDLE: usize = 20_000_000;

#[test]
fn packets_that_are_announced_and_never_come_cost_nothing() {
    const MEMORY: usize = IDLE + 20_000_000;
    let broker = Broker::start();
    let bystander = Bystander::start(&broker);
    let mut crowd = Vec::new();
    for _ in 0..200 {
        let mut raw = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
        // Of 32 MB there are 1000 bytes.
        raw.send(&[b"\x30\x80\x80\x80\x0F\x00\x01a\x00", &[b'x'; 1000][..]].concat());
        crowd.push(raw);
    }
    bystander.check();
    broker.check_memory_below(MEMORY);
}

#[test]
fn every_packet_identifier_in_flight_is_bounded() {
    const MEMORY: usize = IDLE + 40_000_000;
    let broker = Broker::start();
    let bystander = Bystander::start(&broker);
    let mut hostile = Raw::connect_mqtt(broker.mqtt, CONNECT_3);
    for first in (1..=u16::MAX).step_by(1000) {
        let identifiers = first..=first.saturating_add(999);
        let publishes: Vec<u8> = identifiers
            .clone()
            .flat_map(|identifier| bytes(&format!("34 't' {identifier:04X} [x]")))
            .collect();
        hostile.send(&publishes);
        for identifier in identifiers {
            let [high, low] = identifier.to_be_bytes();
            assert_eq!(hostile.receive_packet(), [0x50, 2, high, low]);
        }
    }
    broker.check_memory_below(MEMORY);
    for identifier in 1..=u16::MAX {
        let [high, low] = identifier.to_be_bytes();
        hostile.send(&[0x62, 2, high, low]);
        if identifier % 1000 == 0 {
            for _ in 0..1000 {
                assert_eq!(hostile.receive_packet()[0], 0x70);
            }
        }
    }
    bystander.check();
}

#[test]
fn a_receiver_that_acknowledges_nothing_is_bounded() {
    const MEMORY: usize = IDLE + 40_000_000;
    let broker = Broker::start();
    let mut hostile = Raw::connect(broker.mqtt);
    hostile.send(&bytes("10 'MQTT' 05 02 0000 { 21 FFFF } ''"));
    assert_eq!(hostile.receive_packet()[3], 0x00);
    hostile.send(&bytes("82 0001 {} 'flood' 02"));
    assert_eq!(hostile.receive_packet()[0], 0x90);
    let bystander = Bystander::start(&broker);
    let mut publisher = Raw::connect_mqtt(broker.mqtt, CONNECT_3);
    for i in 0..20_000 {
        let identifier = i % 1000 + 1;
        publisher.send(&bytes(&format!("32 'flood' {identifier:04X} [x]*100")));
        assert_eq!(publisher.receive_packet()[0], 0x40);
    }
    broker.check_memory_below(MEMORY);
    // No more than 1024 are sent; the session keeps 10,000 and has dropped the rest.
    for _ in 0..1024 {
        assert_eq!(hostile.receive_packet()[0], 0x32);
    }
    hostile.check_alive();
    bystander.check();
}

#[test]
fn readers_of_everything_that_read_nothing_are_bounded() {
    // For each, of 100 MB that are published: 1 MB of output and what is cut into it, and kernel memory, which is not ours.
    const N_READERS: usize = 10;
    const MEMORY: usize = IDLE + N_READERS * 4_000_000 + 70_000_000;
    let broker = Broker::start();
    let bystander = Bystander::start(&broker);
    let mut readers = Vec::new();
    for (i, transport) in
        (0..N_READERS).zip([Transport::Tcp, Transport::WebSocket].into_iter().cycle())
    {
        let mut reader = Peer::connect(&broker, transport);
        reader.send(CONNECT_3).unwrap();
        assert_eq!(reader.receive_packet().unwrap(), b"\x20\x02\x00\x00");
        let qos = i % 2;
        reader.send(&bytes(&format!("82 0001 '#' 0{qos}"))).unwrap();
        readers.push(reader);
    }
    let mut publisher = Raw::connect_mqtt(broker.mqtt, CONNECT_3);
    for i in 0..1000 {
        let identifier = i + 1;
        publisher.send(&bytes(&format!("32 'flood' {identifier:04X} [x]*100000")));
        assert_eq!(publisher.receive_packet()[0], 0x40);
    }
    broker.check_memory_below(MEMORY);
    bystander.check();
    drop(readers);
}

#[test]
fn a_client_that_asks_without_reading_the_answers_is_bounded() {
    const MEMORY: usize = IDLE + 20_000_000;
    let broker = Broker::start();
    let bystander = Bystander::start(&broker);
    let mut hostile = Raw::connect_mqtt(broker.mqtt, CONNECT_5).into_stream();
    hostile
        .set_write_timeout(Some(std::time::Duration::from_secs(1)))
        .unwrap();
    let batch = bytes("82 0001 {} 'a' 00").repeat(10_000);
    // The broker stops reading it at some point, and it cannot write.
    let n_batches = (0..1000)
        .take_while(|_| std::io::Write::write_all(&mut hostile, &batch).is_ok())
        .count();
    assert!(n_batches < 1000, "everything was taken");
    broker.check_memory_below(MEMORY);
    bystander.check();
}

#[test]
fn user_properties_and_identifiers_without_end_are_bounded() {
    let broker = Broker::start();
    let bystander = Bystander::start(&broker);
    let mut hostile = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    let properties = "26 'k' 'v' ".repeat(129);
    hostile.send(&bytes(&format!("32 't' 0001 {{ {properties} }}")));
    assert_eq!(hostile.receive_packet(), b"\x40\x03\x00\x01\x97");
    let mut hostile = Raw::connect(broker.mqtt);
    let identifier = "x".repeat(1025);
    hostile.send(&bytes(&format!("10 'MQTT' 05 02 0000 {{}} '{identifier}'")));
    assert_eq!(hostile.receive_packet()[3], 0x85);
    bystander.check();
}
