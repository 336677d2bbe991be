//! What each of the two decoders makes of the same bytes.

use bytes::Bytes;
use mqtt_protocol::{Decoder, DecoderSettings, ProtocolVersion, Role};

use crate::{content::Content, theirs};

/// The end of a Network Connection at which the bytes arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Receiver {
    pub(crate) role: Role,
    /// `None` for a Server that awaits the CONNECT.
    pub(crate) version: Option<ProtocolVersion>,
}

/// What becomes of the first packet of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted {
        content: Content,
        /// How long a decoder would write the same, if it is known.
        length_again: Option<usize>,
        n_bytes: usize,
    },
    Refused(String),
    /// More bytes may make a packet of it.
    Incomplete,
}

impl Verdict {
    pub(crate) const fn content(&self) -> Option<&Content> {
        match self {
            Self::Accepted { content, .. } => Some(content),
            Self::Refused(_) | Self::Incomplete => None,
        }
    }

    /// Same content, both refused, or both waiting.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Accepted {
                    content, n_bytes, ..
                },
                Self::Accepted {
                    content: other_content,
                    n_bytes: other_n_bytes,
                    ..
                },
            ) => content == other_content && n_bytes == other_n_bytes,
            (Self::Refused(_), Self::Refused(_)) | (Self::Incomplete, Self::Incomplete) => true,
            (Self::Accepted { .. } | Self::Refused(_) | Self::Incomplete, _) => false,
        }
    }
}

/// One packet, or the beginning of one, and both verdicts.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub(crate) receiver: Receiver,
    pub(crate) bytes: &'a [u8],
    pub(crate) ours: Verdict,
    pub(crate) theirs: Verdict,
}

/// Gives a stream to both, packet after packet, until one of them has enough.
pub(crate) fn compare<'a>(
    mut receiver: Receiver,
    mut bytes: &'a [u8],
    mut handle: impl FnMut(&Case<'a>),
) {
    loop {
        let case = Case {
            receiver,
            bytes,
            ours: ours(receiver, bytes),
            theirs: theirs::decode(receiver, bytes),
        };
        handle(&case);
        let (
            Verdict::Accepted {
                n_bytes, content, ..
            },
            Verdict::Accepted { .. },
        ) = (&case.ours, &case.theirs)
        else {
            return;
        };
        receiver.version = receiver
            .version
            .or(match content.number("protocol_version") {
                Some(4) => Some(ProtocolVersion::V3_1_1),
                _ => Some(ProtocolVersion::V5_0),
            });
        bytes = &bytes[*n_bytes..];
        if bytes.is_empty() {
            return;
        }
    }
}

/// A decoder for each packet: that one goes on well is what its own tests show.
fn ours(receiver: Receiver, bytes: &[u8]) -> Verdict {
    let mut decoder = Decoder::new(DecoderSettings {
        maximum_packet_size: u32::MAX,
        version: receiver.version,
        role: receiver.role,
    });
    decoder.feed(Bytes::copy_from_slice(bytes));
    match decoder.next_packet() {
        Ok(Some(packet)) => {
            let version = decoder.version().expect("a packet has come");
            Verdict::Accepted {
                content: Content::of(&packet, version),
                length_again: None,
                n_bytes: packet_length(bytes).expect("a packet has come"),
            }
        }
        Ok(None) => Verdict::Incomplete,
        Err(error) => Verdict::Refused(error.to_string()),
    }
}

/// The length of the first packet with its fixed header, as far as the bytes tell.
pub(crate) fn packet_length(bytes: &[u8]) -> Option<usize> {
    let (length, length_of_length) = variable_byte_integer(bytes.get(1..)?)?;
    Some(1 + length_of_length + length)
}

/// The value and how many bytes it takes, in as few bytes as possible or not.
pub(crate) fn variable_byte_integer(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}
