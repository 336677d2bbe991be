//! What `/metrics` says of a broker at work.

use crate::{
    broker::Broker,
    http::{get, request},
};

#[test]
fn the_numbers_are_told_in_the_format_of_open_metrics() {
    let broker = Broker::start();
    let response = get(broker.http, "/metrics", &[]);
    assert_eq!(response.status, 200);
    assert_eq!(
        response.header("content-type"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert_eq!(response.header("cache-control"), "no-store");
    assert!(response.body.ends_with(b"# EOF\n"));
    assert_eq!(request("POST", broker.http, "/metrics", &[]).status, 405);
}
