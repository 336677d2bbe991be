//! A bare socket that speaks MQTT byte for byte.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// CONNECT of 5.0, Clean Start, no Keep Alive, Client Identifier assigned by the Server.
pub(crate) const CONNECT_5: &[u8] = b"\x10\x0D\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00";
/// CONNECT of 3.1.1, the same otherwise.
pub(crate) const CONNECT_3: &[u8] = b"\x10\x0C\x00\x04MQTT\x04\x02\x00\x00\x00\x00";
pub(crate) const PINGREQ: &[u8] = b"\xC0\x00";
pub(crate) const PINGRESP: &[u8] = b"\xD0\x00";

/// A connection on which nothing is waited for longer than a test may take.
pub(crate) struct Raw {
    stream: TcpStream,
}

impl Raw {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream }
    }

    /// Connects and says CONNECT; the CONNACK must be good.
    pub(crate) fn connect_mqtt(address: SocketAddr, connect: &[u8]) -> Self {
        let mut raw = Self::connect(address);
        raw.send(connect);
        let connack = raw.receive_packet();
        assert_eq!(
            (connack[0], connack[3]),
            (0x20, 0x00),
            "CONNACK {connack:02X?}"
        );
        raw
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    pub(crate) fn receive<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn receive_n(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// One MQTT packet, with its fixed header.
    pub(crate) fn receive_packet(&mut self) -> Vec<u8> {
        let mut packet = self.receive::<1>().to_vec();
        let mut remaining = 0;
        for shift in [0, 7, 14, 21] {
            let [byte] = self.receive();
            packet.push(byte);
            remaining |= usize::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        packet.extend(self.receive_n(remaining));
        packet
    }

    /// Everything until the broker closes, whether it does so with a word of TCP's own or without.
    pub(crate) fn receive_rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the broker did not close: {error}"),
        }
        bytes
    }

    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Asserts that the connection is alive and that nothing else came on it.
    pub(crate) fn check_alive(&mut self) {
        self.send(PINGREQ);
        assert_eq!(self.receive_n(2), PINGRESP);
    }
}

/// Long enough for a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_secs(30);
