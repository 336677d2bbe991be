//! MQTT over WebSocket, frame by frame.

use rustix::process::Signal;

use crate::{
    broker::Broker,
    http::{receive_head, send_request},
    mosquitto,
    raw::{CONNECT_5, PINGREQ, PINGRESP, Raw},
};

pub(crate) const BINARY: u8 = 0x82;
pub(crate) const BINARY_BEGINS: u8 = 0x02;
pub(crate) const MIDDLE: u8 = 0x00;
pub(crate) const END: u8 = 0x80;
const TEXT: u8 = 0x81;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8A;

pub(crate) const HANDSHAKE: [(&str, &str); 5] = [
    ("upgrade", "websocket"),
    ("connection", "Upgrade"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-protocol", "mqtt"),
];

/// A client's frame; this mask shows every byte in its place.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [1, 2, 3, 4];
    let mut bytes = vec![first];
    match u16::try_from(payload.len()) {
        Ok(length @ ..126) => bytes.push(0x80 | length as u8),
        Ok(length) => {
            bytes.push(0x80 | 126);
            bytes.extend(length.to_be_bytes());
        }
        Err(_) => {
            bytes.push(0x80 | 127);
            bytes.extend((payload.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

/// A WebSocket whose handshake is done.
struct WebSocket(Raw);

impl WebSocket {
    fn open(broker: &Broker) -> Self {
        let mut raw = Raw::connect(broker.http);
        send_request(&mut raw, "GET", broker.http, "/mqtt", &HANDSHAKE);
        let response = receive_head(&mut raw);
        assert_eq!(response.status, 101);
        assert_eq!(
            response.header("sec-websocket-accept"),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        assert_eq!(response.header("sec-websocket-protocol"), "mqtt");
        Self(raw)
    }

    fn open_mqtt(broker: &Broker) -> Self {
        let mut socket = Self::open(broker);
        socket.0.send(&frame(BINARY, CONNECT_5));
        let (first, connack) = socket.receive();
        assert_eq!((first, connack[0], connack[3]), (BINARY, 0x20, 0x00));
        socket
    }

    /// One frame: its first byte and its payload.
    fn receive(&mut self) -> (u8, Vec<u8>) {
        let [first, length] = self.0.receive();
        assert!(length < 126, "no answer here is longer");
        (first, self.0.receive_n(length.into()))
    }

    fn check_alive(&mut self) {
        self.0.send(&frame(BINARY, PINGREQ));
        assert_eq!(self.receive(), (BINARY, PINGRESP.to_vec()));
    }

    /// Sends bytes and expects a Close frame with this code, then the end.
    #[track_caller]
    fn check_closes(mut self, bytes: &[u8], code: u16) {
        self.0.send(bytes);
        assert_eq!(self.receive(), (CLOSE, code.to_be_bytes().to_vec()));
        assert_eq!(self.0.receive_rest(), b"");
    }
}

// Shows 3.1.1 [MQTT-6.0.0-2], 5.0 [MQTT-6.0.0-2], 3.1.1 [MQTT-6.0.0-4], 5.0 [MQTT-6.0.0-4].
#[test]
fn several_packets_come_in_one_frame() {
    let broker = Broker::start();
    let mut socket = WebSocket::open_mqtt(&broker);
    socket.0.send(&frame(BINARY, &PINGREQ.repeat(3)));
    assert_eq!(socket.receive(), (BINARY, PINGRESP.repeat(3)));
}

// Shows 3.1.1 [MQTT-6.0.0-2], 5.0 [MQTT-6.0.0-2].
#[test]
fn one_packet_comes_over_several_frames_and_fragments() {
    let broker = Broker::start();
    let mut socket = WebSocket::open(&broker);
    let [a, b, c] = [&CONNECT_5[..1], &CONNECT_5[1..9], &CONNECT_5[9..]];
    let frames = [
        frame(BINARY, a),
        frame(BINARY_BEGINS, b""),
        frame(MIDDLE, b),
        frame(PING, b"hello"),
        frame(END, c),
    ];
    for byte in frames.concat() {
        socket.0.send(&[byte]);
    }
    // RFC 6455 lets a Pong overtake the answer and be overtaken.
    let mut answers = [socket.receive(), socket.receive()];
    answers.sort();
    assert_eq!((answers[0].0, answers[0].1[0]), (BINARY, 0x20));
    assert_eq!(answers[1], (PONG, b"hello".to_vec()));
    socket.check_alive();
}

#[test]
fn what_comes_right_behind_the_handshake_is_not_lost() {
    let broker = Broker::start();
    let mut raw = Raw::connect(broker.http);
    let mut request = format!("GET /mqtt HTTP/1.1\r\nhost: {}\r\n", broker.http);
    for (name, value) in HANDSHAKE {
        request += &format!("{name}: {value}\r\n");
    }
    request += "\r\n";
    raw.send(&[request.as_bytes(), &frame(BINARY, CONNECT_5)].concat());
    assert_eq!(receive_head(&mut raw).status, 101);
    let mut socket = WebSocket(raw);
    assert_eq!(socket.receive().1[0], 0x20);
    socket.check_alive();
}

#[test]
fn close_is_answered_and_the_will_is_published() {
    let broker = Broker::start();
    let mut watcher = mosquitto::Subscriber::start(&broker, &["-t", "will"]);
    let mut socket = WebSocket::open(&broker);
    let connect = b"\x10\x18\x00\x04MQTT\x05\x06\x00\x00\x00\x00\x00\x00\x00\x04will\x00\x02hi";
    socket.0.send(&frame(BINARY, connect));
    assert_eq!(socket.receive().1[0], 0x20);
    socket.check_closes(&frame(CLOSE, &1000_u16.to_be_bytes()), 1000);
    assert_eq!(watcher.next_line(), "will 0 0 hi");
}

// Shows 3.1.1 [MQTT-6.0.0-1], 5.0 [MQTT-6.0.0-1].
#[test]
fn what_breaks_the_rules_closes_with_its_code() {
    let broker = Broker::start();
    let mut bystander = WebSocket::open_mqtt(&broker);
    WebSocket::open_mqtt(&broker).check_closes(&frame(TEXT, b"hello"), 1003);
    WebSocket::open_mqtt(&broker).check_closes(&[BINARY, 2, 0xC0, 0x00], 1002);
    WebSocket::open_mqtt(&broker).check_closes(&frame(0xF2, b""), 1002);
    WebSocket::open_mqtt(&broker).check_closes(&frame(END, b""), 1002);
    WebSocket::open_mqtt(&broker).check_closes(&frame(PING, &[0; 126]), 1002);
    WebSocket::open_mqtt(&broker).check_closes(&frame(PING & 0x0F, b""), 1002);
    WebSocket::open_mqtt(&broker).check_closes(&frame(BINARY_BEGINS, b"\xC0").repeat(2), 1002);
    WebSocket::open_mqtt(&broker).check_closes(&frame(CLOSE, b"\x03"), 1002);
    WebSocket::open_mqtt(&broker).check_closes(&frame(CLOSE, b"\x03\xED"), 1002);
    WebSocket::open_mqtt(&broker).check_closes(&frame(CLOSE, b"\x03\xE8\xFF"), 1007);
    bystander.check_alive();
}

#[test]
fn close_is_answered_as_it_came_and_is_the_last_that_is_heard() {
    let broker = Broker::start();
    let mut bystander = WebSocket::open_mqtt(&broker);
    for (close, answer) in [
        (&b""[..], &b""[..]),
        (b"\x03\xE8", b"\x03\xE8"),
        (b"\x03\xE9going away", b"\x03\xE9"),
        (b"\x0F\xA0", b"\x0F\xA0"),
    ] {
        let mut socket = WebSocket::open_mqtt(&broker);
        let behind = [frame(PING, b"?"), frame(BINARY, PINGREQ)].concat();
        socket.0.send(&[frame(CLOSE, close), behind].concat());
        assert_eq!(socket.receive(), (CLOSE, answer.to_vec()), "{close:02X?}");
        assert_eq!(socket.0.receive_rest(), b"");
    }
    bystander.check_alive();
}

#[test]
fn pings_are_answered_and_pongs_are_not() {
    let broker = Broker::start();
    let mut socket = WebSocket::open(&broker);
    socket.0.send(&frame(PONG, b"unasked"));
    for payload in [&b""[..], b"?", &[0xFF; 125]] {
        socket.0.send(&frame(PING, payload));
        assert_eq!(socket.receive(), (PONG, payload.to_vec()));
    }
}

#[test]
fn malformed_packets_are_answered_before_the_close() {
    let broker = Broker::start();
    let mut socket = WebSocket::open_mqtt(&broker);
    socket.0.send(&frame(BINARY, b"\x36\x05\x00\x01a\x00\x01"));
    let (first, disconnect) = socket.receive();
    assert_eq!((first, disconnect[0], disconnect[2]), (BINARY, 0xE0, 0x81));
    assert_eq!(socket.receive(), (CLOSE, 1000_u16.to_be_bytes().to_vec()));
}

#[test]
fn the_end_of_the_broker_is_going_away() {
    let broker = Broker::start();
    let mut socket = WebSocket::open_mqtt(&broker);
    broker.signal(Signal::TERM);
    assert_eq!(socket.receive(), (BINARY, b"\xE0\x01\x8B".to_vec()));
    assert_eq!(socket.receive(), (CLOSE, 1001_u16.to_be_bytes().to_vec()));
}

#[test]
fn a_wrong_handshake_is_told_what_is_wrong() {
    let broker = Broker::start();
    for (name, value, status, word) in [
        (
            "sec-websocket-protocol",
            "mqttv3.1",
            400,
            "subprotocol `mqtt`",
        ),
        ("sec-websocket-protocol", "", 400, "subprotocol `mqtt`"),
        ("sec-websocket-protocol", "MQTT", 400, "subprotocol `mqtt`"),
        ("sec-websocket-key", "", 400, "Sec-WebSocket-Key"),
        ("sec-websocket-key", "c2hvcnQ=", 400, "Sec-WebSocket-Key"),
        ("sec-websocket-version", "8", 426, "version 13"),
        ("upgrade", "h2c", 426, "WebSocket"),
        ("origin", "https://evil.example", 403, "--allow-origin"),
    ] {
        let mut headers = HANDSHAKE.to_vec();
        headers.retain(|(other, _)| *other != name);
        if !value.is_empty() {
            headers.push((name, value));
        }
        let response = crate::http::get(broker.http, "/mqtt", &headers);
        let body = String::from_utf8_lossy(&response.body).into_owned();
        assert!(
            response.status == status && body.contains(word),
            "{name}: {value}: {response:?}"
        );
    }
}

#[test]
fn the_subprotocol_may_be_one_of_several_and_in_a_line_of_its_own() {
    let broker = Broker::start();
    let others = &HANDSHAKE[..4];
    for protocols in [
        &["mqtt"][..],
        &["mqttv3.1, mqtt"],
        &["mqtt,mqttv3.1"],
        &["mqttv3.1", "mqtt"],
    ] {
        let lines = protocols
            .iter()
            .map(|protocol| ("sec-websocket-protocol", *protocol));
        let headers: Vec<_> = others.iter().copied().chain(lines).collect();
        let mut raw = Raw::connect(broker.http);
        send_request(&mut raw, "GET", broker.http, "/mqtt", &headers);
        let response = receive_head(&mut raw);
        assert_eq!(response.status, 101, "{protocols:?}");
        assert_eq!(response.header("sec-websocket-protocol"), "mqtt");
    }
}
