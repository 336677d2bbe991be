//! A subscriber that reads nothing costs the broker a bounded amount of memory and others nothing.

use crate::{
    broker::Broker,
    metrics::check_number,
    raw::{CONNECT_3, Raw},
};

#[test]
fn a_subscriber_that_reads_nothing_is_bounded() {
    const N_MESSAGES: usize = 20_000;
    const PAYLOAD_BYTES: usize = 10_000;

    let broker = Broker::start();
    let mut subscriber = Raw::connect_mqtt(broker.mqtt, CONNECT_3);
    subscriber.send(b"\x82\x06\x00\x01\x00\x01a\x00");
    assert_eq!(subscriber.receive_packet(), b"\x90\x03\x00\x01\x00");

    let mut publish = b"\x30\x93\x4E\x00\x01a".to_vec();
    publish.resize(publish.len() + PAYLOAD_BYTES, b'x');
    let mut publisher = Raw::connect_mqtt(broker.mqtt, CONNECT_3);
    let batch = publish.repeat(100);
    for _ in 0..N_MESSAGES / 100 {
        publisher.send(&batch);
    }
    publisher.check_alive();

    // Of 200 MB that nobody reads.
    broker.check_memory_below(50_000_000);
    // What was kept arrives whole, and after it the connection works as before.
    subscriber.send(b"\xC0\x00");
    let mut n_received = 0;
    loop {
        let packet = subscriber.receive_packet();
        if packet == b"\xD0\x00" {
            break;
        }
        assert!(packet == publish);
        n_received += 1;
    }
    check_number(
        broker.http,
        "messages_dropped_slow_subscriber_total",
        (N_MESSAGES - n_received) as u64,
    );
}
