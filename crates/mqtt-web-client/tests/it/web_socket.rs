use mqtt_protocol::{Connack, Packet, Properties, ProtocolVersion, ReasonCode};
use mqtt_web_client::{
    Client, Events, Failure, Options, Publication, PublishError, Status, StopReason, TopicName,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    connected,
    fake_web_socket::{FakeWebSockets, Socket},
    status, tick, within_10_s,
};

#[wasm_bindgen_test]
async fn a_broker_that_is_not_there_is_unreachable() {
    // Port 1 is one that browsers never connect to.
    let (_client, mut events) = Client::connect(Options::new("ws://127.0.0.1:1/mqtt"));
    assert_eq!(failure(&mut events).await, Failure::Unreachable);
}

#[wasm_bindgen_test]
async fn an_address_of_another_protocol_stops_the_client() {
    let (_client, mut events) = Client::connect(Options::new("mqtt://127.0.0.1:1883"));
    let stopped = status(&mut events, |status| {
        matches!(status, Status::Stopped { .. })
    });
    let reason = StopReason::InvalidAddress;
    assert_eq!(stopped.await, Status::Stopped { reason });
}

/// Why the next attempt has to wait.
async fn failure(events: &mut Events) -> Failure {
    let waiting = status(events, |status| matches!(status, Status::Waiting { .. }));
    let Status::Waiting { failure, .. } = waiting.await else {
        unreachable!()
    };
    failure
}

/// A client whose first socket is being opened.
async fn opening() -> (FakeWebSockets, Client, Events, Socket) {
    let fakes = FakeWebSockets::new();
    let (client, events) = Client::connect(Options::new("ws://fake/mqtt"));
    tick().await;
    let socket = fakes.last();
    (fakes, client, events, socket)
}

/// A client whose connection the Server has accepted.
async fn open() -> (FakeWebSockets, Client, Events, Socket) {
    let (fakes, client, mut events, socket) = opening().await;
    socket.open("mqtt");
    tick().await;
    socket.receive(&connack());
    connected(&mut events).await;
    socket.take_sent();
    (fakes, client, events, socket)
}

fn connack() -> Vec<u8> {
    let mut bytes = Vec::new();
    let connack = Packet::Connack(Connack {
        session_present: false,
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    });
    connack.encode(ProtocolVersion::V5_0, &mut bytes).unwrap();
    bytes
}

fn publication() -> Publication {
    Publication::new(TopicName::new("a").unwrap(), "x")
}

#[wasm_bindgen_test]
async fn mqtt_is_offered_and_has_to_be_chosen() {
    let (_fakes, client, mut events, socket) = opening().await;
    assert_eq!(socket.offered, "mqtt");
    assert_eq!(socket.binary_type().as_deref(), Some("arraybuffer"));
    socket.open("");
    assert_eq!(failure(&mut events).await, Failure::SubprotocolMissing);
    assert!(socket.is_closed());
    assert_eq!(socket.take_sent(), <[Vec<u8>; 0]>::default());
    client.disconnect();
}

#[wasm_bindgen_test]
async fn the_connect_is_sent_when_the_socket_is_open() {
    let (_fakes, _client, _events, socket) = opening().await;
    assert_eq!(socket.take_sent(), <[Vec<u8>; 0]>::default());
    socket.open("mqtt");
    tick().await;
    let sent = socket.take_sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0][0], 0x10);
}

#[wasm_bindgen_test]
async fn a_text_frame_closes() {
    let (_fakes, _client, mut events, socket) = open().await;
    socket.receive_data(&JsValue::from_str("hello"));
    assert_eq!(failure(&mut events).await, Failure::TextFrame);
    assert!(socket.is_closed());
}

#[wasm_bindgen_test]
async fn one_byte_frames_and_many_packets_in_a_frame_are_the_same() {
    let (_fakes, _client, mut events, socket) = opening().await;
    socket.open("mqtt");
    tick().await;
    for byte in connack() {
        socket.receive(&[byte]);
    }
    connected(&mut events).await;
    // A PINGRESP is ignored however often it comes.
    socket.receive(&[0xD0, 0x00, 0xD0, 0x00, 0xD0]);
    socket.receive(&[0x00]);
    tick().await;
    assert!(!socket.is_closed());
}

#[wasm_bindgen_test]
async fn a_close_before_open_is_told_as_unreachable() {
    let (_fakes, _client, mut events, socket) = opening().await;
    // An error event says nothing; what follows it does.
    socket.error();
    socket.close();
    assert_eq!(failure(&mut events).await, Failure::Unreachable);
}

#[wasm_bindgen_test]
async fn a_close_is_told_as_a_lost_connection() {
    let (_fakes, _client, mut events, socket) = open().await;
    socket.error();
    socket.close();
    assert_eq!(failure(&mut events).await, Failure::ConnectionLost);
}

#[wasm_bindgen_test]
async fn an_old_socket_is_not_listened_to() {
    let (fakes, client, mut events, socket) = open().await;
    socket.close();
    failure(&mut events).await;
    client.reconnect_now();
    tick().await;
    assert!(!socket.has_listeners());
    assert!(socket.is_closed());
    assert_eq!(fakes.n_opened(), 2);
    assert!(fakes.last().has_listeners());
    drop(client);
    assert!(!fakes.last().has_listeners());
    assert!(fakes.last().is_closed());
}

#[wasm_bindgen_test]
async fn a_full_socket_is_not_written_to() {
    let (_fakes, client, _events, socket) = open().await;
    socket.set_buffered_amount(5 << 20);
    // Found out with the first publication, which still goes.
    assert_eq!(
        within_10_s(client.publish(publication())).await,
        Ok(ReasonCode::Success)
    );
    tick().await;
    socket.take_sent();
    let result = within_10_s(client.publish(publication())).await;
    assert_eq!(result, Err(PublishError::Busy));
    // Between the marks it is not yet written to again. What is there is looked at once a turn.
    socket.set_buffered_amount(2 << 20);
    tick().await;
    for _ in 0..2 {
        let result = within_10_s(client.publish(publication())).await;
        assert_eq!(result, Err(PublishError::Busy));
        tick().await;
    }
    assert_eq!(socket.take_sent(), <[Vec<u8>; 0]>::default());
    socket.set_buffered_amount(1 << 20);
    drop(client.publish(publication()));
    tick().await;
    let result = within_10_s(client.publish(publication())).await;
    assert_eq!(result, Ok(ReasonCode::Success));
}
