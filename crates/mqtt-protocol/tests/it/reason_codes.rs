//! Each packet has its Reason Codes, on both sides of the wire.

use mqtt_protocol::{
    Auth, Connack, Decoder, DecoderSettings, Disconnect, Packet, PacketIdentifier, Properties,
    Property, ProtocolVersion, Puback, Pubcomp, Pubrec, Pubrel, ReasonCode, Role, Suback, Unsuback,
};

/// A packet's name, its receiver, its Reason Codes, and how to make it with one.
type Row = (&'static str, Role, &'static [u8], fn(ReasonCode) -> Packet);

/// The Reason Codes of each packet, and who receives it with those.
///
/// Of 0x8C in a DISCONNECT the specification says both: table 2-6 has it, that of the packet does not.
fn packets() -> Vec<Row> {
    vec![
        (
            "CONNACK",
            Role::Client,
            &[
                0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90,
                0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
            ],
            |reason_code| {
                Packet::Connack(Connack {
                    session_present: false,
                    reason_code,
                    properties: Properties::new(),
                })
            },
        ),
        (
            "PUBACK",
            Role::Client,
            &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
            |reason_code| {
                Packet::Puback(Puback {
                    packet_identifier: identifier(),
                    reason_code,
                    properties: Properties::new(),
                })
            },
        ),
        (
            "PUBREC",
            Role::Client,
            &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
            |reason_code| {
                Packet::Pubrec(Pubrec {
                    packet_identifier: identifier(),
                    reason_code,
                    properties: Properties::new(),
                })
            },
        ),
        ("PUBREL", Role::Client, &[0x00, 0x92], |reason_code| {
            Packet::Pubrel(Pubrel {
                packet_identifier: identifier(),
                reason_code,
                properties: Properties::new(),
            })
        }),
        ("PUBCOMP", Role::Client, &[0x00, 0x92], |reason_code| {
            Packet::Pubcomp(Pubcomp {
                packet_identifier: identifier(),
                reason_code,
                properties: Properties::new(),
            })
        }),
        (
            "SUBACK",
            Role::Client,
            &[
                0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2,
            ],
            |reason_code| {
                Packet::Suback(Suback {
                    packet_identifier: identifier(),
                    properties: Properties::new(),
                    reason_codes: vec![reason_code],
                })
            },
        ),
        (
            "UNSUBACK",
            Role::Client,
            &[0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91],
            |reason_code| {
                Packet::Unsuback(Unsuback {
                    packet_identifier: identifier(),
                    properties: Properties::new(),
                    reason_codes: vec![reason_code],
                })
            },
        ),
        (
            "DISCONNECT of a Server",
            Role::Client,
            &[
                0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93,
                0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1,
                0xA2,
            ],
            disconnect,
        ),
        (
            "DISCONNECT of a Client",
            Role::Server,
            &[
                0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x8C, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98,
                0x99,
            ],
            disconnect,
        ),
        ("AUTH of a Server", Role::Client, &[0x00, 0x18], auth),
        ("AUTH of a Client", Role::Server, &[0x18, 0x19], auth),
    ]
}

fn identifier() -> PacketIdentifier {
    PacketIdentifier::new(1).unwrap()
}

fn disconnect(reason_code: ReasonCode) -> Packet {
    Packet::Disconnect(Disconnect {
        reason_code,
        properties: Properties::new(),
    })
}

fn auth(reason_code: ReasonCode) -> Packet {
    Packet::Auth(Auth {
        reason_code,
        properties: Properties::new().with(Property::AuthenticationMethod("m".into())),
    })
}

// Shows 5.0 [MQTT-3.2.2-8], 5.0 [MQTT-3.4.2-1], 5.0 [MQTT-3.5.2-1], 5.0 [MQTT-3.6.2-1].
// Shows 5.0 [MQTT-3.7.2-1], 5.0 [MQTT-3.8.4-7], 5.0 [MQTT-3.9.3-2], 5.0 [MQTT-3.11.3-2].
// Shows 5.0 [MQTT-3.14.2-1], 5.0 [MQTT-3.15.2-1].
#[test]
fn a_packet_passes_with_its_own_reason_codes_only() {
    let version = ProtocolVersion::V5_0;
    for (name, role, allowed, packet) in packets() {
        for number in 0..=u8::MAX {
            let Some(reason_code) = ReasonCode::from_value(number) else {
                assert!(!allowed.contains(&number), "{name} {number:02X}");
                continue;
            };
            let packet = packet(reason_code);
            let mut bytes = Vec::new();
            let passes = packet.encode(version, &mut bytes).is_ok() && {
                let mut decoder = Decoder::new(DecoderSettings {
                    maximum_packet_size: u32::MAX,
                    version: Some(version),
                    role,
                });
                decoder.feed(bytes.into());
                decoder.next_packet() == Ok(Some(packet))
            };
            assert_eq!(passes, allowed.contains(&number), "{name} {number:02X}");
        }
    }
}
