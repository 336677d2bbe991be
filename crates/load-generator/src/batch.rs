//! Messages that were encoded before the measurement began.

use crate::{
    packet,
    plan::{PAYLOAD_LEN, QoS, Target, Transport},
    websocket::{self, MASK},
};

/// Some PUBLISH packets of one topic, ready to be written together.
#[derive(Debug)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    /// Where the Packet Identifiers are; none at QoS 0.
    identifiers_at: Vec<usize>,
    /// Where the last eight bytes of the payloads are.
    stamps_at: Vec<usize>,
    /// What every byte is masked with.
    mask: u8,
    len: usize,
}

impl Batch {
    pub(crate) fn new(target: &Target, topic: &str, qos: QoS, len: usize) -> Self {
        let (message, identifier_at) =
            packet::publish(target.version, topic, qos, &[b'.'; PAYLOAD_LEN]);
        let mut batch = Self {
            bytes: Vec::new(),
            identifiers_at: Vec::new(),
            stamps_at: Vec::new(),
            mask: match target.transport {
                Transport::Tcp => 0,
                Transport::WebSocket => MASK,
            },
            len,
        };
        for _ in 0..len {
            let begin = push_packet(target.transport, &mut batch.bytes, &message);
            batch
                .identifiers_at
                .extend(identifier_at.map(|at| begin + at));
            batch.stamps_at.push(batch.bytes.len() - STAMP_LEN);
        }
        batch
    }

    /// How many messages it has.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// What to write, with the Packet Identifiers that follow this one, and the time if there is one.
    pub(crate) fn bytes(&mut self, identifier: &mut u16, stamp: Option<u64>) -> &[u8] {
        for &at in &self.identifiers_at {
            let bytes = identifier.to_be_bytes().map(|byte| byte ^ self.mask);
            self.bytes[at..at + 2].copy_from_slice(&bytes);
            *identifier = identifier.checked_add(1).unwrap_or(1);
        }
        if let Some(stamp) = stamp {
            let bytes = stamp.to_be_bytes().map(|byte| byte ^ self.mask);
            for &at in &self.stamps_at {
                self.bytes[at..at + STAMP_LEN].copy_from_slice(&bytes);
            }
        }
        &self.bytes
    }
}

/// Appends a packet as it goes over this transport; gives back where it begins.
pub(crate) fn push_packet(transport: Transport, bytes: &mut Vec<u8>, packet: &[u8]) -> usize {
    match transport {
        Transport::Tcp => {
            bytes.extend(packet);
            bytes.len() - packet.len()
        }
        Transport::WebSocket => websocket::push_frame(bytes, websocket::BINARY, packet),
    }
}

const STAMP_LEN: usize = 8;
