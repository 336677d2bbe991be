//! The two to fourteen bytes before a frame's payload (RFC 6455, section 5.2).

use super::CloseCode;

/// Bytes of the longest header of a client: two, eight of length, four of mask.
pub(super) const LENGTH_MAX: usize = 14;

/// What a client says about the frame that follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) opcode: Opcode,
    pub(super) is_final: bool,
    pub(super) length: u64,
    pub(super) mask: [u8; 4],
}

/// The kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Opcode {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
}

impl Opcode {
    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }

    const fn parse(bits: u8) -> Result<Self, CloseCode> {
        Ok(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return Err(CloseCode::PROTOCOL_ERROR),
        })
    }
}

/// How far a header has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed {
    /// It goes on at least to this many bytes in all.
    Needs(usize),
    Complete(FrameHeader),
}

/// Reads a client's header from its beginning, refusing it as soon as the bytes show the fault.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, CloseCode> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(Parsed::Needs(2));
    };
    let is_final = first & FIN != 0;
    let opcode = Opcode::parse(first & OPCODE_BITS)?;
    let short_length = second & LENGTH_BITS;
    let is_allowed = first & RESERVED_BITS == 0
        && second & MASKED != 0
        && (!opcode.is_control() || (is_final && short_length <= CONTROL_LENGTH_MAX));
    if !is_allowed {
        return Err(CloseCode::PROTOCOL_ERROR);
    }
    let (length, mask) = match short_length {
        LENGTH_16 => {
            let Some((length, mask)) = rest.split_first_chunk::<2>() else {
                return Ok(Parsed::Needs(2 + 2 + 4));
            };
            let length = u64::from(u16::from_be_bytes(*length));
            refuse_unless(length >= u64::from(LENGTH_16))?;
            (length, mask)
        }
        LENGTH_64 => {
            let Some((length, mask)) = rest.split_first_chunk::<8>() else {
                return Ok(Parsed::Needs(2 + 8 + 4));
            };
            let length = u64::from_be_bytes(*length);
            refuse_unless(length > u64::from(u16::MAX) && length >> 63 == 0)?;
            (length, mask)
        }
        length => (u64::from(length), rest),
    };
    match mask.first_chunk::<4>() {
        Some(mask) => Ok(Parsed::Complete(FrameHeader {
            opcode,
            is_final,
            length,
            mask: *mask,
        })),
        None => Ok(Parsed::Needs(bytes.len() - mask.len() + 4)),
    }
}

/// Appends a server's header: final and not masked.
pub(super) fn append(opcode: Opcode, length: u64, output: &mut Vec<u8>) {
    let first = FIN | opcode as u8;
    if length <= u64::from(CONTROL_LENGTH_MAX) {
        output.extend_from_slice(&[first, length as u8]);
    } else if let Ok(length) = u16::try_from(length) {
        output.extend_from_slice(&[first, LENGTH_16]);
        output.extend_from_slice(&length.to_be_bytes());
    } else {
        output.extend_from_slice(&[first, LENGTH_64]);
        output.extend_from_slice(&length.to_be_bytes());
    }
}

/// Lengths in more bytes than they need are not allowed.
const fn refuse_unless(is_allowed: bool) -> Result<(), CloseCode> {
    if is_allowed {
        Ok(())
    } else {
        Err(CloseCode::PROTOCOL_ERROR)
    }
}

const FIN: u8 = 0b1000_0000;
const RESERVED_BITS: u8 = 0b0111_0000;
const OPCODE_BITS: u8 = 0b0000_1111;
const MASKED: u8 = 0b1000_0000;
const LENGTH_BITS: u8 = 0b0111_1111;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;
const CONTROL_LENGTH_MAX: u8 = 125;
