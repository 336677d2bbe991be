//! The data types that packets are made of: integers, Variable Byte Integer, UTF-8 Encoded String, Binary Data.

use bytes::Bytes;
use bytestring::ByteString;

use crate::{
    EncodeError, Fault, MalformedPacket, PacketIdentifier, ProtocolVersion, TopicFilter, TopicName,
};

/// The largest Variable Byte Integer, and so the largest Remaining Length.
pub(crate) const VARIABLE_BYTE_INTEGER_MAX: u32 = 268_435_455;

/// Reads fields from a range of shared bytes; strings and binary data are slices of them.
pub(crate) struct Reader<'a> {
    bytes: &'a Bytes,
    position: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// Reads from `position` up to `end`, both within `bytes`.
    pub(crate) const fn new(bytes: &'a Bytes, position: usize, end: usize) -> Self {
        Self {
            bytes,
            position,
            end,
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.position == self.end
    }

    pub(crate) const fn remaining(&self) -> usize {
        self.end - self.position
    }

    /// The next bytes without reading them.
    pub(crate) fn peek(&self) -> &'a [u8] {
        // It is within bounds; `get` needs no words for where it is not.
        let bytes = self.bytes.get(self.position..self.end);
        bytes.unwrap_or_default()
    }

    pub(crate) fn u8(&mut self) -> Result<u8, MalformedPacket> {
        Ok(self.bytes[self.skip(1)?])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, MalformedPacket> {
        let at = self.skip(2)?;
        Ok(u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]]))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, MalformedPacket> {
        Ok(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }

    pub(crate) fn variable_byte_integer(&mut self) -> Result<u32, MalformedPacket> {
        let (value, length) =
            decode_variable_byte_integer(self.peek())?.ok_or(MalformedPacket::UnexpectedEnd)?;
        self.position += length;
        Ok(value)
    }

    pub(crate) fn packet_identifier(&mut self) -> Result<PacketIdentifier, MalformedPacket> {
        PacketIdentifier::new(self.u16()?).ok_or(MalformedPacket::PacketIdentifierZero)
    }

    pub(crate) fn binary(&mut self) -> Result<Bytes, MalformedPacket> {
        let length = usize::from(self.u16()?);
        let start = self.skip(length)?;
        Ok(self.bytes.slice(start..start + length))
    }

    pub(crate) fn string(&mut self) -> Result<ByteString, MalformedPacket> {
        let string = self.unchecked_string()?;
        if has_null_character(string.as_bytes()) {
            return Err(MalformedPacket::NullCharacter);
        }
        Ok(string)
    }

    pub(crate) fn topic_name(&mut self) -> Result<TopicName, Fault> {
        Ok(TopicName::new(self.unchecked_string()?)?)
    }

    pub(crate) fn topic_filter(&mut self, version: ProtocolVersion) -> Result<TopicFilter, Fault> {
        let text = self.unchecked_string()?;
        Ok(match version {
            ProtocolVersion::V3_1_1 => TopicFilter::of_3_1_1(text)?,
            ProtocolVersion::V5_0 => TopicFilter::new(text)?,
        })
    }

    /// A reader of the next `length` bytes, which are skipped here.
    pub(crate) fn section(&mut self, length: u32) -> Result<Self, MalformedPacket> {
        let start = self.skip(length as usize)?;
        Ok(Self {
            bytes: self.bytes,
            position: start,
            end: self.position,
        })
    }

    /// All that is left.
    pub(crate) fn rest(self) -> Bytes {
        self.bytes.slice(self.position..self.end)
    }

    /// Checks that nothing is left.
    pub(crate) const fn finish(&self) -> Result<(), MalformedPacket> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(MalformedPacket::TrailingBytes)
        }
    }

    /// UTF-8 that may contain U+0000.
    fn unchecked_string(&mut self) -> Result<ByteString, MalformedPacket> {
        ByteString::try_from(self.binary()?).map_err(|_| MalformedPacket::InvalidUtf8)
    }

    /// Moves on by `length` and returns where the skipped bytes begin.
    const fn skip(&mut self, length: usize) -> Result<usize, MalformedPacket> {
        if length > self.remaining() {
            return Err(MalformedPacket::UnexpectedEnd);
        }
        let start = self.position;
        self.position += length;
        Ok(start)
    }
}

/// The value at the start of `bytes` and how many bytes it takes; `None` if they end too early.
pub(crate) fn decode_variable_byte_integer(
    bytes: &[u8],
) -> Result<Option<(u32, usize)>, MalformedPacket> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            // 5.0 [MQTT-1.5.5-1]: in as few bytes as possible.
            return if byte == 0 && index > 0 {
                Err(MalformedPacket::VariableByteInteger)
            } else {
                Ok(Some((value, index + 1)))
            };
        }
    }
    if bytes.len() < 4 {
        Ok(None)
    } else {
        Err(MalformedPacket::VariableByteInteger)
    }
}

pub(crate) fn encode_u16(value: u16, output: &mut Vec<u8>) {
    output.extend_from_slice(&value.to_be_bytes());
}

pub(crate) fn encode_u32(value: u32, output: &mut Vec<u8>) {
    output.extend_from_slice(&value.to_be_bytes());
}

pub(crate) fn encode_binary(bytes: &[u8], output: &mut Vec<u8>) -> Result<(), EncodeError> {
    let length = u16::try_from(bytes.len()).map_err(|_| EncodeError::FieldTooLong)?;
    encode_u16(length, output);
    output.extend_from_slice(bytes);
    Ok(())
}

pub(crate) fn encode_string(string: &str, output: &mut Vec<u8>) -> Result<(), EncodeError> {
    if has_null_character(string.as_bytes()) {
        return Err(EncodeError::NullCharacter);
    }
    encode_binary(string.as_bytes(), output)
}

/// Whether U+0000 is in UTF-8. Without an early exit the loop runs on many bytes at once.
pub(crate) fn has_null_character(text: &[u8]) -> bool {
    text.iter().fold(false, |found, &byte| found | (byte == 0))
}

/// Writes a value that is at most `VARIABLE_BYTE_INTEGER_MAX`.
pub(crate) fn encode_variable_byte_integer(mut value: u32, output: &mut Vec<u8>) {
    while value > 0x7F {
        output.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    output.push(value as u8);
}

/// How many bytes a value takes.
pub(crate) const fn variable_byte_integer_len(value: u32) -> usize {
    match value {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        _ => 4,
    }
}

/// Leaves room for the length of what follows; `end_length` needs what this returns.
pub(crate) fn begin_length(output: &mut Vec<u8>) -> usize {
    output.push(0);
    output.len()
}

/// Writes the length of all since `begin_length`, with `more` bytes that the caller will append.
///
/// Returns by how many bytes that moved what had been written since.
pub(crate) fn end_length(
    start: usize,
    more: usize,
    output: &mut Vec<u8>,
) -> Result<usize, EncodeError> {
    let length = output.len() - start + more;
    let mut value = match u32::try_from(length) {
        Ok(value) if value <= VARIABLE_BYTE_INTEGER_MAX => value,
        Ok(_) | Err(_) => {
            return Err(EncodeError::PacketTooLarge {
                length,
                maximum: VARIABLE_BYTE_INTEGER_MAX,
            });
        }
    };
    let mut last = start - 1;
    // Each byte beyond the first makes its own room; hardly any packet needs more than one of them.
    while value > 0x7F {
        output[last] = (value & 0x7F) as u8 | 0x80;
        value >>= 7;
        last += 1;
        output.insert(last, 0);
    }
    output[last] = value as u8;
    Ok(last + 1 - start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded_length(length: usize) -> Vec<u8> {
        let mut output = Vec::new();
        let start = begin_length(&mut output);
        end_length(start, length, &mut output).unwrap();
        output
    }

    // Shows 5.0 [MQTT-1.5.5-1].
    #[test]
    fn variable_byte_integers_at_their_borders() {
        for (value, bytes) in [
            (0, &[0x00][..]),
            (127, &[0x7F]),
            (128, &[0x80, 0x01]),
            (16_383, &[0xFF, 0x7F]),
            (16_384, &[0x80, 0x80, 0x01]),
            (2_097_151, &[0xFF, 0xFF, 0x7F]),
            (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
            (268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]),
        ] {
            assert_eq!(
                decode_variable_byte_integer(bytes),
                Ok(Some((value, bytes.len())))
            );
            assert_eq!(encoded_length(value as usize), bytes);
        }
    }

    // Shows 5.0 [MQTT-1.5.5-1].
    #[test]
    fn variable_byte_integers_that_are_too_long() {
        for bytes in [
            &[0x80, 0x00][..],
            &[0xFF, 0x00],
            &[0x80, 0x80, 0x80, 0x00],
            &[0x80, 0x80, 0x80, 0x80],
            &[0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        ] {
            assert_eq!(
                decode_variable_byte_integer(bytes),
                Err(MalformedPacket::VariableByteInteger),
                "{bytes:x?}"
            );
        }
        assert_eq!(decode_variable_byte_integer(&[0x80, 0x80, 0x80]), Ok(None));
        assert_eq!(decode_variable_byte_integer(&[]), Ok(None));
    }

    #[test]
    fn a_length_moves_what_it_measures() {
        for written in [127, 128, 16_384] {
            let mut output = vec![9];
            let start = begin_length(&mut output);
            output.extend((0..written).map(|index| index as u8));
            let moved = end_length(start, 0, &mut output).unwrap();
            assert_eq!(output.len(), start + moved + written);
            assert!(
                output[start + moved..]
                    .iter()
                    .enumerate()
                    .all(|(i, &b)| b == i as u8)
            );
        }
    }

    #[test]
    fn a_length_beyond_the_protocol_is_an_error() {
        let mut output = Vec::new();
        let start = begin_length(&mut output);
        assert!(end_length(start, 268_435_455, &mut output.clone()).is_ok());
        assert!(end_length(start, 268_435_456, &mut output).is_err());
    }

    #[test]
    fn fields_never_reach_beyond_the_packet() {
        let bytes = Bytes::from_static(b"\0\x03abcd");
        assert_eq!(Reader::new(&bytes, 0, 5).string().unwrap(), "abc");
        assert_eq!(
            Reader::new(&bytes, 0, 4).string(),
            Err(MalformedPacket::UnexpectedEnd)
        );
        assert_eq!(
            Reader::new(&bytes, 0, 1).u16(),
            Err(MalformedPacket::UnexpectedEnd)
        );
        assert_eq!(
            Reader::new(&bytes, 0, 3).u32(),
            Err(MalformedPacket::UnexpectedEnd)
        );
    }

    // Shows 3.1.1 [MQTT-1.5.3-1], 3.1.1 [MQTT-1.5.3-2], 3.1.1 [MQTT-1.5.3-3], 5.0 [MQTT-1.5.4-1], 5.0 [MQTT-1.5.4-2].
    // Shows 5.0 [MQTT-1.5.4-3].
    #[test]
    fn strings_are_checked() {
        for (bytes, error) in [
            (&b"\0\x02\xC3\x28"[..], MalformedPacket::InvalidUtf8),
            (b"\0\x03\xED\xA0\x80", MalformedPacket::InvalidUtf8),
            (b"\0\x02\xC0\x80", MalformedPacket::InvalidUtf8),
            (b"\0\x01\0", MalformedPacket::NullCharacter),
        ] {
            let bytes = Bytes::copy_from_slice(bytes);
            assert_eq!(
                Reader::new(&bytes, 0, bytes.len()).string(),
                Err(error),
                "{bytes:x?}"
            );
        }
        // 5.0 [MQTT-1.5.4-3]: U+FEFF is an ordinary character and is kept.
        let bytes = Bytes::from_static(b"\0\x03\xEF\xBB\xBF");
        assert_eq!(Reader::new(&bytes, 0, 5).string().unwrap(), "\u{FEFF}");
    }
}
