use mqtt_web_client::{Client, Failure, Options, Status, StopReason};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::status;

#[wasm_bindgen_test]
async fn a_broker_that_is_not_there_is_unreachable() {
    // Port 1 is one that browsers never connect to.
    let (_client, mut events) = Client::connect(Options::new("ws://127.0.0.1:1/mqtt"));
    let waiting = status(&mut events, |status| {
        matches!(status, Status::Waiting { .. })
    });
    let Status::Waiting { failure, .. } = waiting.await else {
        unreachable!()
    };
    assert_eq!(failure, Failure::Unreachable);
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
