//! The bodies of the fuzz targets, on their seeds: what once was found stays fixed, on a stable toolchain too.

use std::{fs, path::Path};

use mqtt_protocol::Role;

#[path = "../../../fuzz/bodies/decode.rs"]
mod decode;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "most packets are of no interest to what it checks"
)]
#[path = "../../../fuzz/bodies/server_connection.rs"]
mod server_connection;
#[path = "../../../fuzz/bodies/topic_filter.rs"]
mod topic_filter;

#[test]
fn decode_client_bytes() {
    replay("decode_client_bytes", |input| {
        decode::check(Role::Server, input);
    });
}

#[test]
fn decode_server_bytes() {
    replay("decode_server_bytes", |input| {
        decode::check(Role::Client, input);
    });
}

#[test]
fn server_connection() {
    replay("server_connection", server_connection::check);
}

#[test]
fn topic_filter() {
    replay("topic_filter", topic_filter::check);
}

/// Runs the target on each of its seeds, naming the one at which it stands.
#[expect(clippy::print_stdout, reason = "the last name is the seed that failed")]
fn replay(target: &str, check: impl Fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(target);
    let mut seeds: Vec<_> = fs::read_dir(&folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    seeds.sort();
    assert!(!seeds.is_empty(), "{} is empty", folder.display());
    for seed in seeds {
        println!("{}", seed.display());
        let input = fs::read(&seed).expect("it was just listed");
        check(&input);
    }
}
