//! A PUBLISH from bytes and into bytes.

use std::hint::black_box;

use bytes::Bytes;
use mqtt_protocol::{
    Decoder, DecoderSettings, EncodedPublish, Packet, PacketIdentifier, Properties, Property,
    ProtocolVersion, Publish, QoS, Role, TopicName,
};

use crate::measure::report;

pub(crate) fn measure_all() {
    for (version, name) in [
        (ProtocolVersion::V3_1_1, "3.1.1"),
        (ProtocolVersion::V5_0, "5.0"),
    ] {
        decode(version, &format!("micro-decode-{name}"));
        encode(version, &format!("micro-encode-{name}"));
        append(version, None, &format!("micro-append-{name}"));
    }
    append(
        ProtocolVersion::V3_1_1,
        PacketIdentifier::new(7),
        "micro-append-qos1",
    );
}

/// Reads of as many packets as a socket gives at once.
fn decode(version: ProtocolVersion, scenario: &str) {
    let mut one = Vec::new();
    Packet::Publish(publish(version, None))
        .encode(version, &mut one)
        .expect("it follows the rules");
    let mut decoder = Decoder::new(DecoderSettings {
        maximum_packet_size: 1 << 20,
        version: Some(version),
        role: Role::Client,
    });
    let bytes = || Bytes::from(one.repeat(N));
    report(scenario, N, bytes, |bytes| {
        decoder.feed(bytes);
        let mut n = 0;
        while let Some(packet) = decoder.next_packet().expect("it was encoded so") {
            black_box(packet);
            n += 1;
        }
        assert_eq!(n, N, "all are whole");
    });
}

/// As the broker does it once for each message.
fn encode(version: ProtocolVersion, scenario: &str) {
    let publish = publish(version, None);
    let mut encoded = EncodedPublish::default();
    report(
        scenario,
        N,
        || (),
        |()| {
            for _ in 0..N {
                encoded
                    .encode(black_box(&publish).parts(), version)
                    .expect("it follows the rules");
                black_box(&encoded);
            }
        },
    );
}

/// As the broker does it for each receiver.
fn append(version: ProtocolVersion, identifier: Option<PacketIdentifier>, scenario: &str) {
    let mut encoded = EncodedPublish::default();
    encoded
        .encode(publish(version, identifier).parts(), version)
        .expect("it follows the rules");
    let mut buffers = vec![Vec::new(); RECEIVERS];
    report(
        scenario,
        N,
        || (),
        |()| {
            for _ in 0..N / RECEIVERS {
                for buffer in &mut buffers {
                    black_box(&encoded).append_to(buffer, identifier, false);
                }
            }
            for buffer in &mut buffers {
                black_box(buffer).clear();
            }
        },
    );
}

/// 73 bytes on 3.1.1 with QoS 0; on 5.0 a few properties more.
fn publish(version: ProtocolVersion, packet_identifier: Option<PacketIdentifier>) -> Publish {
    let properties = match version {
        ProtocolVersion::V3_1_1 => Properties::new(),
        ProtocolVersion::V5_0 => Properties::new()
            .with(Property::PayloadFormatIndicator(true))
            .with(Property::ContentType("text/plain".into()))
            .with(Property::UserProperty("unit".into(), "percent".into())),
    };
    let topic = "rootzone/bed-0/probe-17/moisture";
    Publish {
        dup: false,
        qos: match packet_identifier {
            None => QoS::AtMostOnce,
            Some(_) => QoS::AtLeastOnce,
        },
        retain: false,
        topic_name: Some(TopicName::new(topic).expect("it is valid")),
        packet_identifier,
        properties,
        payload: Bytes::from(vec![b'4'; 73 - 2 - 2 - topic.len()]),
    }
}

/// In a round. So many of 73 bytes are a read of 64 KiB.
const N: usize = 800;
const RECEIVERS: usize = 200;
