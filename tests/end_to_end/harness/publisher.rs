//! A publisher of a few lines that stays out of the way of what is measured: MQTT 3.1.1 over TCP, QoS 0.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use super::Broker;

pub(crate) struct Publisher {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Publisher {
    /// Returns when the Server has accepted the connection.
    pub(crate) fn connect(broker: &Broker) -> Self {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, broker.mqtt_port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(CONNECT).unwrap();
        let mut connack = [0; 4];
        stream.read_exact(&mut connack).unwrap();
        assert_eq!(connack, *CONNACK);
        Self {
            stream,
            buffer: Vec::new(),
        }
    }

    /// Adds a message to those that are sent next.
    pub(crate) fn add(&mut self, topic: &str, payload: &[u8]) {
        let mut remaining_length = 2 + topic.len() + payload.len();
        self.buffer.push(0x30);
        loop {
            let byte = (remaining_length % 128) as u8;
            remaining_length /= 128;
            self.buffer
                .push(byte | if remaining_length > 0 { 0x80 } else { 0 });
            if remaining_length == 0 {
                break;
            }
        }
        let topic_length = u16::try_from(topic.len()).unwrap();
        self.buffer.extend(topic_length.to_be_bytes());
        self.buffer.extend(topic.as_bytes());
        self.buffer.extend(payload);
    }

    /// Sends all that were added.
    pub(crate) fn send(&mut self) {
        self.stream.write_all(&self.buffer).unwrap();
        self.buffer.clear();
    }
}

/// Clean Session, no Keep Alive, no Client Identifier.
const CONNECT: &[u8] = b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0";
const CONNACK: &[u8; 4] = b"\x20\x02\0\0";
