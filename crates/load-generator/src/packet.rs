//! The few packets that a generator needs, written and read by hand.

use crate::{
    Error,
    plan::{QoS, Version},
};

pub(crate) const CONNACK: u8 = 0x20;
pub(crate) const PUBLISH: u8 = 0x30;
pub(crate) const PUBACK: u8 = 0x40;
pub(crate) const PUBREC: u8 = 0x50;
pub(crate) const PUBREL: u8 = 0x62;
pub(crate) const PUBCOMP: u8 = 0x70;
pub(crate) const SUBACK: u8 = 0x90;
pub(crate) const DISCONNECT: [u8; 2] = [0xe0, 0x00];

/// What becomes of a session when its connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionKind {
    /// It ends too.
    Clean,
    /// It goes on.
    Kept,
}

/// A CONNECT with a Keep Alive that outlives every measurement.
pub(crate) fn connect(version: Version, client_identifier: &str, kind: SessionKind) -> Vec<u8> {
    let mut body = Vec::new();
    push_string(&mut body, "MQTT");
    body.push(match version {
        Version::V3 => 4,
        Version::V5 => 5,
    });
    body.push(match kind {
        SessionKind::Clean => CLEAN_START,
        SessionKind::Kept => 0,
    });
    body.extend(KEEP_ALIVE_SECS.to_be_bytes());
    match (version, kind) {
        (Version::V5, SessionKind::Kept) => body.extend(SESSION_NEVER_EXPIRES),
        (Version::V3 | Version::V5, _) => push_no_properties(&mut body, version),
    }
    push_string(&mut body, client_identifier);
    packet(0x10, &body)
}

/// A SUBSCRIBE to one filter.
pub(crate) fn subscribe(version: Version, filter: &str, qos: QoS) -> Vec<u8> {
    let mut body = vec![0, 1];
    push_no_properties(&mut body, version);
    push_string(&mut body, filter);
    body.push(qos.bits());
    packet(0x82, &body)
}

/// A PUBLISH, and where its Packet Identifier stands if it has one.
pub(crate) fn publish(
    version: Version,
    topic: &str,
    qos: QoS,
    payload: &[u8],
) -> (Vec<u8>, Option<usize>) {
    let mut body = Vec::new();
    push_string(&mut body, topic);
    let from_end = (qos > QoS::AtMostOnce).then(|| {
        body.extend([0, 0]);
        body.len()
    });
    push_no_properties(&mut body, version);
    body.extend(payload);
    let bytes = packet(PUBLISH | qos.bits() << 1, &body);
    let identifier_at = from_end.map(|end| bytes.len() - body.len() + end - 2);
    (bytes, identifier_at)
}

/// A PUBACK, PUBREC, PUBREL or PUBCOMP that says success: the same in both versions.
pub(crate) const fn acknowledgement(first_byte: u8, identifier: [u8; 2]) -> [u8; 4] {
    [first_byte, 2, identifier[0], identifier[1]]
}

fn packet(first_byte: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first_byte];
    let mut length = body.len();
    loop {
        let seven = (length & 0x7f) as u8;
        length >>= 7;
        if length == 0 {
            bytes.push(seven);
            break;
        }
        bytes.push(seven | 0x80);
    }
    bytes.extend(body);
    bytes
}

fn push_string(body: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).expect("our own strings are short");
    body.extend(length.to_be_bytes());
    body.extend(text.as_bytes());
}

fn push_no_properties(body: &mut Vec<u8>, version: Version) {
    if version == Version::V5 {
        body.push(0);
    }
}

/// One whole packet from the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Incoming<'a> {
    pub(crate) first_byte: u8,
    pub(crate) body: &'a [u8],
}

impl<'a> Incoming<'a> {
    pub(crate) const fn kind(self) -> u8 {
        self.first_byte & 0xf0
    }

    /// The Packet Identifier of an acknowledgement.
    pub(crate) fn identifier(self) -> Result<[u8; 2], Error> {
        let bytes = self.body.get(..2).ok_or(Error::Unexpected(SHORT))?;
        Ok([bytes[0], bytes[1]])
    }

    /// Whether an acknowledgement says success: in 5.0 the Reason Code may be left out.
    pub(crate) fn check_success(self) -> Result<(), Error> {
        match self.body.get(2) {
            // 0x10: no matching subscribers.
            None | Some(0 | 0x10) => Ok(()),
            Some(&code) => Err(Error::Refused {
                packet: "PUBLISH",
                code,
            }),
        }
    }

    /// The QoS bits of a PUBLISH, and its Packet Identifier if it has one.
    pub(crate) fn delivery(self) -> Result<(u8, [u8; 2]), Error> {
        let qos = self.first_byte >> 1 & 3;
        if qos == 0 {
            return Ok((0, [0, 0]));
        }
        let short = || Error::Unexpected(SHORT);
        let length = self.body.first_chunk::<2>().ok_or_else(short)?;
        let at = 2 + usize::from(u16::from_be_bytes(*length));
        let identifier = self.body.get(at..at + 2).ok_or_else(short)?;
        Ok((qos, [identifier[0], identifier[1]]))
    }

    /// The last eight bytes, in which a paced PUBLISH has its time.
    pub(crate) fn stamp(self) -> Option<u64> {
        self.body.last_chunk::<8>().copied().map(u64::from_be_bytes)
    }

    /// Takes the first packet off a stream of them; `None`: it is not whole yet.
    pub(crate) fn take(stream: &mut &'a [u8]) -> Result<Option<Self>, Error> {
        let bytes = *stream;
        let mut length = 0;
        for index in 0..4 {
            let Some(&byte) = bytes.get(1 + index) else {
                return Ok(None);
            };
            length |= usize::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                let begin = 2 + index;
                let Some(body) = bytes.get(begin..begin + length) else {
                    return Ok(None);
                };
                *stream = &bytes[begin + length..];
                let first_byte = bytes[0];
                return Ok(Some(Self { first_byte, body }));
            }
        }
        Err(Error::Unexpected("a Remaining Length of five bytes"))
    }
}

const SHORT: &str = "a packet that is too short";
const CLEAN_START: u8 = 0x02;
/// The one property Session Expiry Interval, with the length of all.
const SESSION_NEVER_EXPIRES: [u8; 6] = [5, 0x11, 0xff, 0xff, 0xff, 0xff];
const KEEP_ALIVE_SECS: u16 = 3_600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publish_is_read_as_it_was_written() {
        for version in [Version::V3, Version::V5] {
            for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                let payload = [7; 300];
                let (mut bytes, at) = publish(version, "a/b", qos, &payload);
                if let Some(at) = at {
                    bytes[at..at + 2].copy_from_slice(&[0x12, 0x34]);
                }
                let mut stream = bytes.as_slice();
                let packet = Incoming::take(&mut stream).unwrap().unwrap();
                assert!(stream.is_empty());
                assert_eq!(packet.kind(), PUBLISH);
                let (bits, identifier) = packet.delivery().unwrap();
                assert_eq!(bits, qos.bits());
                assert_eq!(at.is_some(), qos > QoS::AtMostOnce);
                assert!(at.is_none() || identifier == [0x12, 0x34]);
                assert!(packet.body.ends_with(&payload));
            }
        }
    }

    #[test]
    fn a_packet_is_waited_for_until_it_is_whole() {
        let (bytes, _) = publish(Version::V3, "a", QoS::AtMostOnce, &[0; 200]);
        for end in 0..bytes.len() {
            let mut stream = &bytes[..end];
            assert_eq!(Incoming::take(&mut stream).unwrap(), None);
            assert_eq!(stream.len(), end);
        }
    }

    #[test]
    fn a_length_that_does_not_end_is_an_error() {
        let mut stream = [0x30, 0xff, 0xff, 0xff, 0xff, 1].as_slice();
        assert!(Incoming::take(&mut stream).is_err());
    }
}
