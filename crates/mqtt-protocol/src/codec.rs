//! From a stream of bytes to packets.

use bytes::{Buf, Bytes};

use crate::{
    DecodeError, Fault, MalformedPacket, Packet, PacketType, ProtocolError, ProtocolVersion, Stage,
    data_type::{Reader, decode_variable_byte_integer},
    packet::{
        Connect, FirstByte,
        receiver::{self, Receiver},
    },
};

/// Cuts a stream of bytes into packets.
///
/// Payloads and strings of packets are slices of what was fed, so they keep it alive;
/// only a packet that spans several `feed`s is copied together.
#[derive(Debug)]
pub struct Decoder {
    settings: DecoderSettings,
    /// What was fed and not yet read.
    input: Bytes,
    /// The beginning of a packet whose end is not in yet.
    partial: Vec<u8>,
    failure: Option<DecodeError>,
}

/// What a `Decoder` must know about its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecoderSettings {
    /// The largest packet that is accepted, counted with its fixed header.
    pub maximum_packet_size: u32,
    /// `None` for a Server that has yet to read the CONNECT; a Client knows which version it asked for.
    pub version: Option<ProtocolVersion>,
    /// Whose incoming bytes these are.
    pub role: Role,
}

/// The two sides of a Network Connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that sent the CONNECT.
    Client,
    /// The side that accepted it.
    Server,
}

impl Decoder {
    /// A decoder for one Network Connection.
    ///
    /// A Client that names no version expects 5.0.
    #[must_use]
    pub const fn new(mut settings: DecoderSettings) -> Self {
        if matches!(
            settings,
            DecoderSettings {
                version: None,
                role: Role::Client,
                ..
            }
        ) {
            settings.version = Some(ProtocolVersion::V5_0);
        }
        Self {
            settings,
            input: Bytes::new(),
            partial: Vec::new(),
            failure: None,
        }
    }

    /// Takes what was read from the connection.
    ///
    /// Cheapest when `next_packet` has returned `None` since the last time, as then nothing is copied.
    pub fn feed(&mut self, bytes: Bytes) {
        if self.failure.is_some() {
            return;
        }
        self.input = if self.input.is_empty() {
            bytes
        } else {
            [&self.input[..], &bytes].concat().into()
        };
    }

    /// The next whole packet; `None` until more is fed. After an error it gives that error for ever.
    ///
    /// # Errors
    ///
    /// What the peer did wrong; the connection is to be closed.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        match self.settings.role {
            Role::Client => self.next_packet_for::<receiver::Client>(),
            Role::Server => self.next_packet_for::<receiver::Server>(),
        }
    }

    /// The same for a receiver that is known when this is compiled: a page that only ever is a Client
    /// is not to carry what only a Server reads.
    pub(crate) fn next_packet_for<R: Receiver>(&mut self) -> Result<Option<Packet>, DecodeError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        // The result is built where the caller wants it: to move it costs as much as to decode it.
        let result = self.decode_next::<R>();
        match &result {
            Ok(Some(Packet::Connect(connect))) => {
                self.settings.version = Some(connect.protocol_version);
            }
            Ok(_) => {}
            // What follows a violation is not read, so its memory is given back.
            Err(failure) => {
                *self = Self {
                    failure: Some(*failure),
                    ..Self::new(self.settings)
                }
            }
        }
        result
    }

    /// The version of the connection, once it is known.
    #[must_use]
    pub const fn version(&self) -> Option<ProtocolVersion> {
        self.settings.version
    }

    fn decode_next<R: Receiver>(&mut self) -> Result<Option<Packet>, DecodeError> {
        if !self.partial.is_empty() {
            let whole = self
                .complete_partial::<R>()
                .map_err(|fault| self.failure(fault))?;
            let Some((header, whole)) = whole else {
                return Ok(None);
            };
            return self.decode_body::<R>(header, &whole);
        }
        let header = self
            .decode_header::<R>(&self.input)
            .map_err(|fault| self.failure(fault))?;
        let Some(header) = header.filter(|header| header.packet_length <= self.input.len()) else {
            self.partial.extend_from_slice(&self.input);
            self.input = Bytes::new();
            return Ok(None);
        };
        let result = self.decode_body::<R>(header, &self.input);
        self.input.advance(header.packet_length);
        result
    }

    /// Moves what belongs to the begun packet from `input` to `partial`, and out once it is whole.
    fn complete_partial<R: Receiver>(&mut self) -> Result<Option<(FixedHeader, Bytes)>, Fault> {
        loop {
            if let Some(header) = self.decode_header::<R>(&self.partial)? {
                let missing = header.packet_length - self.partial.len();
                let available = missing.min(self.input.len());
                // A peer gets memory for twice what it has sent, not for what it announces.
                if missing <= self.partial.len() + available {
                    self.partial.reserve_exact(missing);
                }
                self.partial.extend_from_slice(&self.input[..available]);
                self.input.advance(available);
                let is_whole = available == missing;
                return Ok(is_whole.then(|| (header, std::mem::take(&mut self.partial).into())));
            }
            if self.input.is_empty() {
                return Ok(None);
            }
            self.partial.push(self.input.get_u8());
        }
    }

    /// Reads and checks the fixed header; `None` if `bytes` end within it.
    fn decode_header<R: Receiver>(&self, bytes: &[u8]) -> Result<Option<FixedHeader>, Fault> {
        let Some((&first_byte, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        let first_byte = FirstByte::decode(first_byte)?;
        self.check_expected::<R>(first_byte.packet_type)?;
        let Some((remaining_length, length_of_length)) = decode_variable_byte_integer(rest)? else {
            return Ok(None);
        };
        let body_start = 1 + length_of_length;
        let packet_length = body_start + remaining_length as usize;
        if packet_length > self.settings.maximum_packet_size as usize {
            return Err(Fault::PacketTooLarge {
                length: packet_length as u32,
                maximum: self.settings.maximum_packet_size,
            });
        }
        Ok(Some(FixedHeader {
            first_byte,
            body_start,
            packet_length,
        }))
    }

    /// Refuses what the peer may not send, as soon as the first byte is in.
    fn check_expected<R: Receiver>(&self, packet_type: PacketType) -> Result<(), Fault> {
        let expected = match (self.settings.version, R::ROLE) {
            (None, _) => bit(PacketType::Connect),
            (Some(ProtocolVersion::V3_1_1), _) if packet_type == PacketType::Auth => {
                return Err(MalformedPacket::UnknownPacketType(packet_type as u8).into());
            }
            (Some(ProtocolVersion::V3_1_1), Role::Client) => {
                FROM_SERVER & !bit(PacketType::Disconnect)
            }
            (Some(ProtocolVersion::V5_0), Role::Client) => FROM_SERVER,
            (Some(_), Role::Server) => FROM_CLIENT,
        };
        if expected & bit(packet_type) == 0 {
            return Err(ProtocolError::UnexpectedPacket(packet_type).into());
        }
        Ok(())
    }

    /// Reads a whole packet at the start of `bytes`.
    fn decode_body<R: Receiver>(
        &self,
        header: FixedHeader,
        bytes: &Bytes,
    ) -> Result<Option<Packet>, DecodeError> {
        let mut reader = Reader::new(bytes, header.body_start, header.packet_length);
        let Some(version) = self.settings.version else {
            // A Client knows its version from the beginning.
            if R::ROLE == Role::Client {
                return Ok(None);
            }
            let mut stage = Stage::BeforeConnect;
            return match Connect::decode(&mut reader, &mut stage) {
                Ok(connect) => Ok(Some(connect.into())),
                Err(fault) => Err(DecodeError { fault, stage }),
            };
        };
        match Packet::decode::<R>(header.first_byte, reader, version) {
            Ok(packet) => Ok(Some(packet)),
            Err(fault) => Err(self.failure(fault)),
        }
    }

    fn failure(&self, fault: Fault) -> DecodeError {
        let stage = self
            .settings
            .version
            .map_or(Stage::BeforeConnect, Stage::Connected);
        DecodeError { fault, stage }
    }
}

#[derive(Clone, Copy)]
struct FixedHeader {
    first_byte: FirstByte,
    body_start: usize,
    /// With the fixed header.
    packet_length: usize,
}

/// What a Client may send after its CONNECT.
const FROM_CLIENT: u16 = FROM_EITHER
    | bit(PacketType::Subscribe)
    | bit(PacketType::Unsubscribe)
    | bit(PacketType::Pingreq);
const FROM_SERVER: u16 = FROM_EITHER
    | bit(PacketType::Connack)
    | bit(PacketType::Suback)
    | bit(PacketType::Unsuback)
    | bit(PacketType::Pingresp);
const FROM_EITHER: u16 = bit(PacketType::Publish)
    | bit(PacketType::Puback)
    | bit(PacketType::Pubrec)
    | bit(PacketType::Pubrel)
    | bit(PacketType::Pubcomp)
    | bit(PacketType::Disconnect)
    | bit(PacketType::Auth);

const fn bit(packet_type: PacketType) -> u16 {
    1 << packet_type as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::testing::bytes;

    fn decoder(version: Option<ProtocolVersion>, role: Role) -> Decoder {
        Decoder::new(DecoderSettings {
            maximum_packet_size: 100,
            version,
            role,
        })
    }

    /// What comes of bytes on a connection of this version.
    fn decode(
        version: Option<ProtocolVersion>,
        role: Role,
        text: &str,
    ) -> Result<Option<Packet>, DecodeError> {
        let mut decoder = decoder(version, role);
        decoder.feed(bytes(text).into());
        decoder.next_packet()
    }

    #[test]
    fn payloads_are_slices_of_what_was_fed() {
        let mut decoder = decoder(Some(ProtocolVersion::V3_1_1), Role::Client);
        let input = Bytes::from(bytes("30 05 00 01 'a' 'hi' 30 05 00 01 'b' 'ho'"));
        decoder.feed(input.clone());
        for offset in [5, 12] {
            let Ok(Some(Packet::Publish(publish))) = decoder.next_packet() else {
                panic!("a PUBLISH was fed");
            };
            assert_eq!(publish.payload.as_ptr(), input[offset..].as_ptr());
        }
    }

    #[test]
    fn a_server_learns_the_version_from_the_connect() {
        let mut decoder = decoder(None, Role::Server);
        assert_eq!(decoder.version(), None);
        decoder.feed(bytes("10 0C 00 04 'MQTT' 04 02 00 00 00 00 C0 00").into());
        assert!(matches!(
            decoder.next_packet(),
            Ok(Some(Packet::Connect(_)))
        ));
        assert_eq!(decoder.version(), Some(ProtocolVersion::V3_1_1));
        assert_eq!(decoder.next_packet(), Ok(Some(Packet::Pingreq)));
    }

    #[test]
    fn garbage_is_refused_at_its_first_byte() {
        for text in ["'G'", "16", "00", "FF", "C0", "30", "20"] {
            let error = decode(None, Role::Server, text).unwrap_err();
            assert_eq!(error.stage, Stage::BeforeConnect, "{text}");
        }
    }

    #[test]
    fn each_side_has_its_packets() {
        let connect = "10 0C 00 04 'MQTT' 04 02 00 00 00 00";
        for version in [ProtocolVersion::V3_1_1, ProtocolVersion::V5_0] {
            for (role, text) in [
                (Role::Server, connect),
                (Role::Server, "20 02 00 00"),
                (Role::Server, "90"),
                (Role::Server, "B0"),
                (Role::Server, "D0 00"),
                (Role::Client, connect),
                (Role::Client, "82"),
                (Role::Client, "A2"),
                (Role::Client, "C0 00"),
            ] {
                let error = decode(Some(version), role, text).unwrap_err();
                assert!(
                    matches!(
                        error.fault,
                        Fault::ProtocolError(ProtocolError::UnexpectedPacket(_))
                    ),
                    "{version:?} {role:?} {text}"
                );
                assert_eq!(error.stage, Stage::Connected(version));
            }
        }
    }

    #[test]
    fn pings_have_no_body() {
        let version = Some(ProtocolVersion::V5_0);
        assert_eq!(
            decode(version, Role::Server, "C0 00"),
            Ok(Some(Packet::Pingreq))
        );
        assert_eq!(
            decode(version, Role::Client, "D0 00"),
            Ok(Some(Packet::Pingresp))
        );
        for (role, text) in [(Role::Server, "C0 01 00"), (Role::Client, "D0 01 00")] {
            let error = decode(version, role, text).unwrap_err();
            assert_eq!(error.fault, MalformedPacket::TrailingBytes.into());
        }
    }

    #[test]
    fn a_packet_above_the_maximum_is_refused_by_its_header() {
        let version = Some(ProtocolVersion::V5_0);
        assert_eq!(decode(version, Role::Client, "30 62"), Ok(None));
        let error = decode(version, Role::Client, "30 63").unwrap_err();
        assert_eq!(
            error.fault,
            Fault::PacketTooLarge {
                length: 101,
                maximum: 100
            }
        );
        let error = decode(version, Role::Client, "30 FF FF FF 7F").unwrap_err();
        assert_eq!(
            error.fault,
            Fault::PacketTooLarge {
                length: 268_435_460,
                maximum: 100
            }
        );
    }

    #[test]
    fn a_remaining_length_of_five_bytes_is_malformed() {
        for text in ["30 80 80 80 80", "30 FF FF FF FF 01", "30 80 00"] {
            let error = decode(Some(ProtocolVersion::V3_1_1), Role::Client, text).unwrap_err();
            assert_eq!(
                error.fault,
                MalformedPacket::VariableByteInteger.into(),
                "{text}"
            );
        }
    }

    #[test]
    fn what_follows_an_error_is_dropped() {
        let mut decoder = decoder(Some(ProtocolVersion::V5_0), Role::Server);
        decoder.feed(bytes("C0 00 C1 00 C0 00").into());
        assert_eq!(decoder.next_packet(), Ok(Some(Packet::Pingreq)));
        let error = decoder.next_packet().unwrap_err();
        decoder.feed(bytes("C0 00").into());
        assert_eq!(decoder.next_packet(), Err(error));
        assert!(decoder.input.is_empty());
    }

    #[test]
    fn an_announced_length_takes_no_memory() {
        let mut decoder = Decoder::new(DecoderSettings {
            maximum_packet_size: u32::MAX,
            version: Some(ProtocolVersion::V5_0),
            role: Role::Server,
        });
        for byte in bytes("30 FF FF FF 7F 00 01 'a' 00") {
            decoder.feed(vec![byte].into());
            assert_eq!(decoder.next_packet(), Ok(None));
        }
        assert!(decoder.partial.capacity() < 100);
    }

    #[test]
    fn nothing_is_kept_between_packets() {
        let mut decoder = decoder(Some(ProtocolVersion::V5_0), Role::Server);
        let input = Bytes::from(bytes("C0 00 C0"));
        decoder.feed(input.clone());
        assert_eq!(decoder.next_packet(), Ok(Some(Packet::Pingreq)));
        assert_eq!(decoder.next_packet(), Ok(None));
        assert!(input.is_unique());
        decoder.feed(vec![0].into());
        assert_eq!(decoder.next_packet(), Ok(Some(Packet::Pingreq)));
        assert_eq!(decoder.partial.capacity(), 0);
    }
}
