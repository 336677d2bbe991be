#![no_main]

#[path = "../bodies/decode.rs"]
mod decode;

libfuzzer_sys::fuzz_target!(|input: &[u8]| decode::check(mqtt_protocol::Role::Server, input));
