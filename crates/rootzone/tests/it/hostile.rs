//! Peers and bytes that are not what they should be. Nobody else may notice.

mod bystander;
mod crowds;
mod memory;
mod slow;

use crate::{
    broker::Broker,
    raw::{CONNECT_3, CONNECT_5, Raw},
};

/// Sends bytes on a connection of their own while another one lives; the answer ends with a close.
#[track_caller]
fn check_answer(broker: &Broker, connect: Option<&[u8]>, bytes: &[u8], answer: &[u8]) {
    assert_eq!(answer_to(broker, connect, bytes), answer, "to {bytes:02X?}");
}

/// The same for a DISCONNECT of 5.0, whatever else it says than its Reason Code.
#[track_caller]
fn check_disconnect(broker: &Broker, bytes: &[u8], reason_code: u8) {
    let answer = answer_to(broker, Some(CONNECT_5), bytes);
    assert_eq!(
        (answer[0], answer[2]),
        (0xE0, reason_code),
        "to {bytes:02X?}"
    );
}

fn answer_to(broker: &Broker, connect: Option<&[u8]>, bytes: &[u8]) -> Vec<u8> {
    let mut bystander = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    let mut hostile = match connect {
        Some(connect) => Raw::connect_mqtt(broker.mqtt, connect),
        None => Raw::connect(broker.mqtt),
    };
    hostile.send(bytes);
    let answer = hostile.receive_rest();
    bystander.check_alive();
    answer
}

#[test]
fn garbage_before_connect_is_closed_in_silence() {
    let broker = Broker::start();
    check_answer(&broker, None, b"GET / HTTP/1.1\r\n\r\n", b"");
    check_answer(&broker, None, &[0xFF; 100], b"");
    check_answer(&broker, None, b"\xC0\x00", b"");
    check_answer(
        &broker,
        None,
        b"\x10\x0D\x00\x04HTTP\x05\x02\x00\x00\x00\x00\x00",
        b"",
    );
}

#[test]
fn a_malformed_connect_of_5_0_is_answered_with_0x81() {
    let broker = Broker::start();
    // The reserved bit of the Connect Flags is set.
    let connect = b"\x10\x0D\x00\x04MQTT\x05\x03\x00\x00\x00\x00\x00";
    check_answer(&broker, None, connect, b"\x20\x03\x00\x81\x00");
}

// Shows 3.1.1 [MQTT-3.1.2-2], 5.0 [MQTT-3.1.2-2].
#[test]
fn versions_that_are_not_spoken_are_refused_in_their_own_form() {
    let broker = Broker::start();
    let version_6 = b"\x10\x0D\x00\x04MQTT\x06\x02\x00\x00\x00\x00\x00";
    check_answer(&broker, None, version_6, b"\x20\x03\x00\x84\x00");
    let version_3_1 = b"\x10\x0E\x00\x06MQIsdp\x03\x02\x00\x00\x00\x00";
    check_answer(&broker, None, version_3_1, b"\x20\x02\x00\x01");
}

#[test]
fn a_malformed_packet_ends_a_5_0_connection_with_its_reason_code() {
    let broker = Broker::start();
    // PUBLISH with QoS 3; SUBSCRIBE without a Topic Filter; a second CONNECT.
    check_disconnect(&broker, b"\x36\x05\x00\x01a\x00\x01", 0x81);
    check_disconnect(&broker, b"\x82\x03\x00\x01\x00", 0x82);
    check_disconnect(&broker, CONNECT_5, 0x82);
}

#[test]
fn a_malformed_packet_ends_a_3_1_1_connection_in_silence() {
    let broker = Broker::start();
    check_answer(&broker, Some(CONNECT_3), b"\x36\x05\x00\x01a\x00\x01", b"");
    check_answer(&broker, Some(CONNECT_3), b"\x82\x02\x00\x01", b"");
}

#[test]
fn running_out_of_open_files_harms_no_connection_and_passes() {
    let broker = Broker::start_with_open_files(40);
    let mut bystander = Raw::connect_mqtt(broker.mqtt, CONNECT_5);
    let crowd: Vec<Raw> = (0..60).map(|_| Raw::connect(broker.mqtt)).collect();
    bystander.check_alive();
    drop(crowd);
    Raw::connect_mqtt(broker.mqtt, CONNECT_5).check_alive();
    bystander.check_alive();
}
