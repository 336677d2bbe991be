//! What the packets with one Reason Code have in common: code and properties, of which the end may be left out.

use crate::{
    EncodeError, Fault, PacketIdentifier, PacketType, Properties, ProtocolVersion, ReasonCode,
    data_type::{Reader, encode_u16},
    packet::Context,
    property::PropertyOwner,
};

/// Reads Reason Code and properties up to the packet's end; both may be missing, the latter alone too.
pub(super) fn decode_reason(
    reader: &mut Reader<'_>,
    packet_type: PacketType,
    context: Context,
) -> Result<(ReasonCode, Properties), Fault> {
    let mut reason_code = ReasonCode::Success;
    let mut properties = Properties::new();
    if context.version == ProtocolVersion::V5_0 {
        if !reader.is_empty() {
            reason_code = ReasonCode::decode(reader.u8()?, packet_type, context.receiver)?;
        }
        if !reader.is_empty() {
            let owner = PropertyOwner::Packet(packet_type);
            properties = Properties::decode(reader, owner, context.version)?;
        }
    }
    reader.finish()?;
    Ok((reason_code, properties))
}

/// Writes Reason Code and properties in their shortest form; on 3.1.1 nothing.
pub(super) fn encode_reason(
    reason_code: ReasonCode,
    properties: &Properties,
    packet_type: PacketType,
    version: ProtocolVersion,
    output: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    if version == ProtocolVersion::V3_1_1 {
        return Ok(());
    }
    if !reason_code.is_allowed_in(packet_type) {
        return Err(EncodeError::ReasonCodeNotAllowed(reason_code));
    }
    if reason_code == ReasonCode::Success && properties.is_empty() {
        return Ok(());
    }
    output.push(reason_code.value());
    // An AUTH has no form with a Reason Code and without properties (5.0 §3.15.2.1).
    if properties.is_empty() && packet_type != PacketType::Auth {
        return Ok(());
    }
    properties.encode(PropertyOwner::Packet(packet_type), version, output)
}

/// Reads a packet that acknowledges another.
#[inline]
pub(super) fn decode_acknowledgement(
    reader: &mut Reader<'_>,
    packet_type: PacketType,
    context: Context,
) -> Result<(PacketIdentifier, ReasonCode, Properties), Fault> {
    let packet_identifier = reader.packet_identifier()?;
    if reader.is_empty() {
        return Ok((packet_identifier, ReasonCode::Success, Properties::new()));
    }
    let (reason_code, properties) = decode_reason(reader, packet_type, context)?;
    Ok((packet_identifier, reason_code, properties))
}

/// Writes a whole packet that acknowledges another and says no more than its Reason Code.
pub(crate) fn acknowledge(
    packet_type: PacketType,
    packet_identifier: PacketIdentifier,
    reason_code: ReasonCode,
    version: ProtocolVersion,
    output: &mut Vec<u8>,
) {
    let has_code = version == ProtocolVersion::V5_0 && reason_code != ReasonCode::Success;
    output.push((packet_type as u8) << 4 | packet_type.flags());
    output.push(2 + u8::from(has_code));
    encode_u16(packet_identifier.value(), output);
    if has_code {
        output.push(reason_code.value());
    }
}

/// Writes a packet that acknowledges another.
pub(super) fn encode_acknowledgement(
    packet_identifier: PacketIdentifier,
    reason_code: ReasonCode,
    properties: &Properties,
    packet_type: PacketType,
    version: ProtocolVersion,
    output: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    encode_u16(packet_identifier.value(), output);
    encode_reason(reason_code, properties, packet_type, version, output)
}
