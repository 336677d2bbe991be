//! A Network Connection that takes its time, cuts bytes where it likes, and ends when it likes.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU16,
    time::Duration,
};

use bytes::Bytes;
use fastrand::Rng;
use mqtt_broker_core::{ConnectionId, Settings};
use mqtt_protocol::{
    Decoder, DecoderSettings, Instant, Packet, Property, ProtocolVersion, Publish, Role,
};

use crate::ClientNumber;

/// One Network Connection, from the moment at which it opens.
pub(crate) struct Link {
    pub(crate) client: ClientNumber,
    pub(crate) connection: ConnectionId,
    /// The broker's.
    pub(crate) decoder: Decoder,
    pub(crate) is_cut: bool,
    pub(crate) to_server: Direction,
    pub(crate) to_client: Direction,
    aliases: Option<Aliases>,
}

/// What is on the way.
#[derive(Default)]
pub(crate) struct Direction {
    pieces: VecDeque<Piece>,
    last_arrival: Instant,
}

/// What arrives at once.
pub(crate) enum Piece {
    Bytes(Bytes),
    /// The other side has closed.
    End,
}

impl Link {
    pub(crate) fn new(
        client: ClientNumber,
        connection: ConnectionId,
        version: ProtocolVersion,
        settings: &Settings,
        rng: &mut Rng,
    ) -> Self {
        let uses_aliases = version == ProtocolVersion::V5_0 && rng.bool();
        Self {
            client,
            connection,
            decoder: Decoder::new(settings.decoder_settings()),
            is_cut: false,
            to_server: Direction::default(),
            to_client: Direction::default(),
            aliases: uses_aliases.then(|| Aliases::new(settings)),
        }
    }

    /// Both directions lose what is on the way, but perhaps not all of it.
    pub(crate) fn cut(&mut self, rng: &mut Rng) {
        self.is_cut = true;
        for direction in [&mut self.to_server, &mut self.to_client] {
            let kept = rng.usize(0..=direction.pieces.len());
            direction.pieces.truncate(if rng.bool() { kept } else { 0 });
        }
    }

    /// What a Client wants to send, some Topic Names replaced by aliases.
    pub(crate) fn abbreviate(&mut self, bytes: Vec<u8>, rng: &mut Rng) -> Vec<u8> {
        match &mut self.aliases {
            Some(aliases) => aliases.abbreviate(bytes, rng),
            None => bytes,
        }
    }
}

impl Direction {
    /// Puts bytes on the way; gives the moments at which their pieces arrive.
    pub(crate) fn send(
        &mut self,
        mut bytes: Bytes,
        now: Instant,
        is_calm: bool,
        rng: &mut Rng,
    ) -> Vec<Instant> {
        let mut arrivals = Vec::new();
        while !bytes.is_empty() {
            let is_split = rng.u8(..) < 100;
            let length = if is_split {
                rng.usize(1..=bytes.len())
            } else {
                bytes.len()
            };
            let piece = Piece::Bytes(bytes.split_to(length));
            arrivals.push(self.push(piece, now, is_calm, rng));
        }
        arrivals
    }

    /// Puts the end on the way, behind all bytes; gives the moment at which it arrives.
    pub(crate) fn end(&mut self, now: Instant, is_calm: bool, rng: &mut Rng) -> Instant {
        self.push(Piece::End, now, is_calm, rng)
    }

    /// What arrives next; nothing if a cut took it.
    pub(crate) fn arrive(&mut self) -> Option<Piece> {
        self.pieces.pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    fn push(&mut self, piece: Piece, now: Instant, is_calm: bool, rng: &mut Rng) -> Instant {
        let milliseconds = match rng.u8(..) {
            0..5 if !is_calm => rng.u64(500..4000),
            0..40 => rng.u64(50..300),
            _ => rng.u64(1..30),
        };
        let arrival = (now + Duration::from_millis(milliseconds)).max(self.last_arrival);
        self.last_arrival = arrival;
        self.pieces.push_back(piece);
        arrival
    }
}

/// Topic Aliases of a Client whose library has none.
struct Aliases {
    decoder: Decoder,
    maximum: u16,
    alias_by_topic: BTreeMap<String, NonZeroU16>,
}

impl Aliases {
    fn new(settings: &Settings) -> Self {
        Self {
            decoder: Decoder::new(DecoderSettings {
                maximum_packet_size: u32::MAX,
                version: None,
                role: Role::Server,
            }),
            maximum: settings.limits.topic_alias_maximum,
            alias_by_topic: BTreeMap::new(),
        }
    }

    fn abbreviate(&mut self, bytes: Vec<u8>, rng: &mut Rng) -> Vec<u8> {
        self.decoder.feed(bytes.into());
        let mut output = Vec::new();
        while let Some(mut packet) = self
            .decoder
            .next_packet()
            .expect("a Client sends whole, sound packets")
        {
            if let Packet::Publish(publish) = &mut packet
                && rng.bool()
            {
                self.abbreviate_publish(publish, rng);
            }
            packet
                .encode(ProtocolVersion::V5_0, &mut output)
                .expect("what was decoded can be encoded");
        }
        output
    }

    fn abbreviate_publish(&mut self, publish: &mut Publish, rng: &mut Rng) {
        let Some(topic) = &publish.topic_name else {
            return;
        };
        let known = self.alias_by_topic.get(topic.as_str()).copied();
        let alias = match known {
            Some(alias) => {
                publish.topic_name = None;
                alias
            }
            None => {
                let Some(alias) = NonZeroU16::new(rng.u16(1..=self.maximum)) else {
                    return;
                };
                self.alias_by_topic.retain(|_, other| *other != alias);
                self.alias_by_topic.insert(topic.as_str().to_owned(), alias);
                alias
            }
        };
        publish.properties.push(Property::TopicAlias(alias));
    }
}
