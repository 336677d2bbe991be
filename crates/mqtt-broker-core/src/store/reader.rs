//! Reads what was stored, and trusts nothing: a file may have been damaged.

use std::{num::NonZeroU32, time::Duration};

use bytes::{Buf, Bytes};
use bytestring::ByteString;
use mqtt_protocol::{
    AcknowledgedQoS, Decoder, DecoderSettings, Instant, Packet, PacketIdentifier, Property,
    ProtocolVersion, Publish, QoS, Role, TopicFilter, TopicName, WillMessage,
};

use super::{
    encoding::{NONE, kind},
    record::{KeyKind, ReplayRecord, SessionKey, SessionRecord, SessionState, SubscriptionOptions},
};
use crate::message::{Extra, Message};

/// A record cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {record} is damaged or of another version: {fault}")]
pub struct CorruptRecord {
    /// What it was to be.
    pub record: &'static str,
    /// What is wrong with it.
    pub fault: &'static str,
}

/// What was found, still without the things that it refers to.
#[derive(Debug)]
pub(crate) enum Found {
    Message {
        key: u64,
        message: Message,
    },
    Session(SessionRecord),
    Subscription {
        session: SessionKey,
        topic_filter: TopicFilter,
        options: SubscriptionOptions,
        replay: Option<ReplayRecord>,
    },
    Delivery(FoundDelivery),
    Release {
        session: SessionKey,
        packet_identifier: PacketIdentifier,
        position: u64,
    },
    Receipt {
        session: SessionKey,
        packet_identifier: PacketIdentifier,
    },
    Retained {
        topic_name: TopicName,
        message: u64,
    },
}

#[derive(Debug)]
pub(crate) struct FoundDelivery {
    pub(crate) session: SessionKey,
    pub(crate) position: u64,
    pub(crate) message: u64,
    pub(crate) packet_identifier: Option<PacketIdentifier>,
    pub(crate) qos: AcknowledgedQoS,
    pub(crate) retain: bool,
    pub(crate) subscription_identifiers: Box<[NonZeroU32]>,
    /// Share Name and Topic Filter.
    pub(crate) group: Option<(ByteString, ByteString)>,
}

/// Reads the name of a record.
pub(crate) fn read_key(key: &[u8]) -> Result<KeyKind, CorruptRecord> {
    let read = || {
        let mut key = Reader(key);
        let read = match key.u8()? {
            kind::MESSAGE => KeyKind::Message(key.u64()?),
            kind::SESSION => KeyKind::Session(key.session_key()?),
            kind::SUBSCRIPTION => {
                let session = key.session_key()?;
                let topic_filter = TopicFilter::new(key.rest_as_text()?);
                KeyKind::Subscription(
                    session,
                    topic_filter.map_err(|_| "its Topic Filter is none")?,
                )
            }
            kind::DELIVERY => KeyKind::Delivery(key.session_key()?, key.u64()?),
            kind::RELEASE => KeyKind::Release(key.session_key()?, key.used_packet_identifier()?),
            kind::RECEIPT => KeyKind::Receipt(key.session_key()?, key.used_packet_identifier()?),
            kind::RETAINED => {
                let topic_name = TopicName::new(key.rest_as_text()?);
                KeyKind::Retained(topic_name.map_err(|_| "its Topic Name is none")?)
            }
            _ => return Err("it was written by another version"),
        };
        match key.0 {
            [] => Ok(read),
            _ => Err("it does not end"),
        }
    };
    read().map_err(|fault| CorruptRecord {
        record: "name of a record",
        fault,
    })
}

/// Reads what is kept under a name.
pub(crate) fn read(key: KeyKind, value: &[u8]) -> Result<Found, CorruptRecord> {
    let record = match key {
        KeyKind::Message(_) => "message",
        KeyKind::Session(_) => "session",
        KeyKind::Subscription(..) => "subscription",
        KeyKind::Delivery(..) => "queued message",
        KeyKind::Release(..) | KeyKind::Receipt(..) => "acknowledgement",
        KeyKind::Retained(_) => "retained message",
    };
    read_value(key, Reader(value)).map_err(|fault| CorruptRecord { record, fault })
}

fn read_value(key: KeyKind, mut value: Reader<'_>) -> Result<Found, Fault> {
    Ok(match key {
        KeyKind::Message(key) => Found::Message {
            key,
            message: value.message()?,
        },
        KeyKind::Session(session) => Found::Session(value.session(session)?),
        KeyKind::Subscription(session, topic_filter) => Found::Subscription {
            session,
            topic_filter,
            options: value.options()?,
            replay: value.replay()?,
        },
        KeyKind::Delivery(session, position) => Found::Delivery(value.delivery(session, position)?),
        KeyKind::Release(session, packet_identifier) => Found::Release {
            session,
            packet_identifier,
            position: value.u64()?,
        },
        KeyKind::Receipt(session, packet_identifier) => Found::Receipt {
            session,
            packet_identifier,
        },
        KeyKind::Retained(topic_name) => Found::Retained {
            topic_name,
            message: value.u64()?,
        },
    })
}

type Fault = &'static str;

const TOO_SHORT: Fault = "it ends too early";

/// What is left of a record.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn u8(&mut self) -> Result<u8, Fault> {
        self.0.try_get_u8().map_err(|_| TOO_SHORT)
    }

    fn u16(&mut self) -> Result<u16, Fault> {
        self.0.try_get_u16().map_err(|_| TOO_SHORT)
    }

    fn u32(&mut self) -> Result<u32, Fault> {
        self.0.try_get_u32().map_err(|_| TOO_SHORT)
    }

    fn u64(&mut self) -> Result<u64, Fault> {
        self.0.try_get_u64().map_err(|_| TOO_SHORT)
    }

    fn flag(&mut self) -> Result<bool, Fault> {
        Ok(self.u8()? != 0)
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.0.split_at_checked(n).ok_or(TOO_SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn text(&mut self) -> Result<ByteString, Fault> {
        let len = self.u32()?;
        as_text(self.take(len as usize)?)
    }

    fn rest_as_text(&mut self) -> Result<ByteString, Fault> {
        as_text(std::mem::take(&mut self.0))
    }

    fn moment(&mut self) -> Result<Option<Instant>, Fault> {
        let nanoseconds = self.u64()?;
        Ok((nanoseconds != NONE).then(|| Instant::from_start(Duration::from_nanos(nanoseconds))))
    }

    fn packet_identifier(&mut self) -> Result<Option<PacketIdentifier>, Fault> {
        Ok(PacketIdentifier::new(self.u16()?))
    }

    fn used_packet_identifier(&mut self) -> Result<PacketIdentifier, Fault> {
        self.packet_identifier()?
            .ok_or("it has no Packet Identifier")
    }

    fn session_key(&mut self) -> Result<SessionKey, Fault> {
        Ok(SessionKey(self.u64()?))
    }

    fn qos(&mut self) -> Result<QoS, Fault> {
        match self.u8()? {
            0 => Ok(QoS::AtMostOnce),
            1 => Ok(QoS::AtLeastOnce),
            2 => Ok(QoS::ExactlyOnce),
            _ => Err("its QoS is none"),
        }
    }

    /// A PUBLISH that fills the rest.
    fn publish(&mut self) -> Result<(TopicName, Publish), Fault> {
        let mut decoder = Decoder::new(DecoderSettings {
            maximum_packet_size: u32::MAX,
            version: Some(ProtocolVersion::V5_0),
            role: Role::Server,
        });
        decoder.feed(Bytes::copy_from_slice(std::mem::take(&mut self.0)));
        match decoder.next_packet() {
            Ok(Some(Packet::Publish(mut publish))) => match publish.topic_name.take() {
                Some(topic_name) => Ok((topic_name, publish)),
                None => Err("it has no Topic Name"),
            },
            Ok(_) | Err(_) => Err("its content is no PUBLISH"),
        }
    }

    fn message(&mut self) -> Result<Message, Fault> {
        let expires_at = self.moment()?;
        let qos = self.qos()?;
        let retain = self.flag()?;
        let (topic_name, publish) = self.publish()?;
        Ok(Message {
            topic_name,
            payload: publish.payload,
            extra: Extra::new(publish.properties, expires_at),
            qos,
            retain,
            key: 0,
            references: super::References::default(),
        })
    }

    fn session(&mut self, key: SessionKey) -> Result<SessionRecord, Fault> {
        Ok(SessionRecord {
            key,
            client_identifier: self.text()?,
            expiry_interval: self.u32()?,
            state: match self.u8()? {
                0 => SessionState::Connected,
                1 => SessionState::Waiting {
                    expires_at: self.moment()?,
                    will_due: self.moment()?,
                },
                2 => SessionState::Ended,
                _ => return Err("its state is none"),
            },
            will: match self.0.is_empty() {
                true => None,
                false => Some(Box::new(self.will()?)),
            },
        })
    }

    fn will(&mut self) -> Result<WillMessage, Fault> {
        let qos = self.qos()?;
        let retain = self.flag()?;
        let delay = self.u64()?;
        let (topic_name, mut publish) = self.publish()?;
        if delay != NONE {
            let delay = u32::try_from(delay).unwrap_or(u32::MAX);
            publish.properties.push(Property::WillDelayInterval(delay));
        }
        Ok(WillMessage {
            topic_name,
            payload: publish.payload,
            qos,
            retain,
            properties: publish.properties,
        })
    }

    fn options(&mut self) -> Result<SubscriptionOptions, Fault> {
        Ok(SubscriptionOptions {
            subscription_identifier: NonZeroU32::new(self.u32()?),
            maximum_qos: self.qos()?,
            no_local: self.flag()?,
            retain_as_published: self.flag()?,
        })
    }

    fn replay(&mut self) -> Result<Option<ReplayRecord>, Fault> {
        if self.0.is_empty() {
            return Ok(None);
        }
        Ok(Some(ReplayRecord {
            up_to: self.u64()?,
            after: match self.0.is_empty() {
                true => None,
                false => Some(self.text()?),
            },
        }))
    }

    fn delivery(&mut self, session: SessionKey, position: u64) -> Result<FoundDelivery, Fault> {
        let message = self.u64()?;
        let packet_identifier = self.packet_identifier()?;
        let qos = AcknowledgedQoS::new(self.qos()?).ok_or("its QoS is 0")?;
        let retain = self.flag()?;
        let n_identifiers = self.u32()? as usize;
        if n_identifiers > self.0.len() / size_of::<u32>() {
            return Err(TOO_SHORT);
        }
        let subscription_identifiers: Result<_, Fault> = (0..n_identifiers)
            .map(|_| NonZeroU32::new(self.u32()?).ok_or("a Subscription Identifier is 0"))
            .collect();
        Ok(FoundDelivery {
            session,
            position,
            message,
            packet_identifier,
            qos,
            retain,
            subscription_identifiers: subscription_identifiers?,
            group: match self.0.is_empty() {
                true => None,
                false => Some((self.text()?, self.text()?)),
            },
        })
    }
}

fn as_text(bytes: &[u8]) -> Result<ByteString, Fault> {
    std::str::from_utf8(bytes)
        .map(|text| ByteString::from(text.to_owned()))
        .map_err(|_| "it is not UTF-8")
}
