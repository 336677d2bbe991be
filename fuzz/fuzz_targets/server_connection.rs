#![no_main]

#[path = "../bodies/server_connection.rs"]
mod server_connection;

libfuzzer_sys::fuzz_target!(|input: &[u8]| server_connection::check(input));
