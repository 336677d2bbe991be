//! A bare HTTP client: one request, one answer.

use std::{collections::HashMap, net::SocketAddr};

use crate::raw::Raw;

/// The answer to one request.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// A header's value, empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

pub(crate) fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Response {
    request("GET", address, path, headers)
}

pub(crate) fn request(
    method: &str,
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    let headers = [headers, &[("connection", "close")]].concat();
    let mut raw = Raw::connect(address);
    send_request(&mut raw, method, address, path, &headers);
    let bytes = raw.receive_rest();
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let mut response = parse_head(&bytes[..end]);
    response.body = bytes[end + 4..].to_vec();
    response
}

pub(crate) fn send_request(
    raw: &mut Raw,
    method: &str,
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
) {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    raw.send((request + "\r\n").as_bytes());
}

/// Reads an answer's head byte by byte, so that nothing behind it is taken.
pub(crate) fn receive_head(raw: &mut Raw) -> Response {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.extend(raw.receive::<1>());
    }
    parse_head(&bytes[..bytes.len() - 4])
}

fn parse_head(head: &[u8]) -> Response {
    let head = str::from_utf8(head).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    Response {
        status: status.parse().unwrap(),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: Vec::new(),
    }
}
