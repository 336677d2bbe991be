//! A broker made of what a store kept.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use bytestring::ByteString;
use mqtt_protocol::{
    AcknowledgedQoS, InFlightState, Incoming, Instant, PacketIdentifier, TopicName,
};

use super::{Broker, store::Left};
use crate::{
    Settings,
    message::{Delivery, Details, Message},
    session::{Replay, SessionIndex},
    store::{
        CorruptRecord, Found, FoundDelivery, Journal, KeyKind, ReplayRecord, SessionKey,
        SessionRecord, SessionState, read, read_key,
    },
    timers::Timer,
    topic_tree::{GroupName, Subscriber},
};

/// Takes all records of a store, in the order of their keys, and makes a [`Broker`] of them that goes on storing.
#[derive(Debug)]
pub struct Restoration {
    broker: Broker,
    messages: BTreeMap<u64, Arc<Message>>,
    sessions: BTreeMap<SessionKey, Restored>,
    /// Sessions that are over, and what they leave.
    ended: BTreeMap<SessionKey, VecDeque<Left>>,
    /// So that messages of one topic, and of one group, share its name.
    topic_names: BTreeSet<TopicName>,
    groups: BTreeMap<(ByteString, ByteString), Arc<GroupName>>,
    /// What is damaged or belongs to what is, and of no use to anybody.
    corrupt: Vec<KeyKind>,
    last_key: u64,
}

/// A session that is not whole yet.
#[derive(Debug)]
struct Restored {
    index: SessionIndex,
    state: SessionState,
    /// By their place among the deliveries of the session.
    in_flight: BTreeMap<u64, (PacketIdentifier, InFlightState, Option<Delivery>)>,
    receipts: Vec<PacketIdentifier>,
}

impl Restoration {
    /// Begins with nothing; the parameters are those of [`Broker::new`].
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        Self {
            broker: Broker::new(settings, seed),
            messages: BTreeMap::new(),
            sessions: BTreeMap::new(),
            ended: BTreeMap::new(),
            topic_names: BTreeSet::new(),
            groups: BTreeMap::new(),
            corrupt: Vec::new(),
            last_key: 0,
        }
    }

    /// Takes one record.
    ///
    /// # Errors
    ///
    /// It cannot be read, or something that it refers to was not there. The others are not affected,
    /// and the first thing that the broker wants of the store is to forget it.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), CorruptRecord> {
        // Without a name it can neither be forgotten nor taken for something else.
        let key = read_key(key)?;
        // Even of what is forgotten: nothing may be taken for a part of what comes later.
        self.use_key(key.number());
        let added = read(key.clone(), value).and_then(|found| self.add_found(found));
        if added.is_err() {
            self.corrupt.push(key);
        }
        added
    }

    fn add_found(&mut self, found: Found) -> Result<(), CorruptRecord> {
        match found {
            Found::Message { key, message } => self.add_message(key, &message),
            Found::Session(record) => return self.add_session(record),
            Found::Subscription {
                session,
                topic_filter,
                options,
                replay,
            } => {
                let index = self.session(session, "subscription")?.index;
                let subscriber = Subscriber {
                    session: index,
                    subscription_identifier: options.subscription_identifier,
                    maximum_qos: options.maximum_qos,
                    no_local: options.no_local,
                    retain_as_published: options.retain_as_published,
                };
                let session = self.broker.peers.sessions.find_mut(index.0);
                if let (Some(session), Some(ReplayRecord { after, up_to })) = (session, replay) {
                    let replay = Replay {
                        subscriber,
                        after,
                        has_moved: false,
                    };
                    session
                        .replays
                        .insert((topic_filter.clone(), up_to), replay);
                    // What is retained from now on comes by itself.
                    self.use_key(up_to);
                }
                self.broker.insert_subscription(topic_filter, subscriber);
            }
            Found::Delivery(found) => return self.add_delivery(found),
            Found::Release {
                session,
                packet_identifier,
                position,
            } => {
                self.use_key(position);
                let session = self.session(session, "acknowledgement")?;
                session.in_flight.insert(
                    position,
                    (packet_identifier, InFlightState::AwaitingPubcomp, None),
                );
            }
            Found::Receipt {
                session,
                packet_identifier,
            } => self
                .session(session, "acknowledgement")?
                .receipts
                .push(packet_identifier),
            Found::Retained {
                topic_name,
                message,
            } => {
                let what = "retained message";
                let message = self.message(message, what)?;
                if message.topic_name != topic_name {
                    return Err(CorruptRecord {
                        record: what,
                        fault: "its content is on another topic",
                    });
                }
                message.references.add_found();
                self.broker.retained.restore(message);
            }
        }
        Ok(())
    }

    /// Makes the broker. Whoever was connected when the store was last written has lost the connection `now`.
    #[must_use]
    pub fn finish(self, now: Instant) -> Broker {
        let mut broker = self.broker;
        broker.peers.journal = Journal::kept(self.last_key);
        for key in self.corrupt {
            broker.peers.journal.remove(key);
        }
        for (key, message) in self.messages {
            if !message.references.are_any() {
                broker.peers.journal.remove(KeyKind::Message(key));
            }
        }
        for (key, left) in self.ended {
            if left.is_empty() {
                broker.peers.journal.remove(KeyKind::Session(key));
            }
            broker.left.extend(left);
        }
        broker.left_due = (!broker.left.is_empty()).then_some(now);
        let mut lost = Vec::new();
        for restored in self.sessions.into_values() {
            lost.extend(broker.complete_session(restored));
        }
        for index in lost {
            broker.let_wait(index, now);
        }
        broker.handle_timeout(now);
        broker
    }

    fn add_message(&mut self, key: u64, message: &Message) {
        let topic_name = match self.topic_names.get(&message.topic_name) {
            Some(known) => known.clone(),
            None => {
                let topic_name = message.topic_name.detached();
                self.topic_names.insert(topic_name.clone());
                topic_name
            }
        };
        let message = Arc::new(message.detached(&topic_name, key));
        self.messages.insert(key, message);
    }

    fn add_session(&mut self, record: SessionRecord) -> Result<(), CorruptRecord> {
        let key = record.key;
        if record.state == SessionState::Ended {
            self.ended.insert(key, VecDeque::new());
            return Ok(());
        }
        let identifiers = &self.broker.session_by_client_identifier;
        if identifiers.contains_key(&record.client_identifier) {
            return Err(CorruptRecord {
                record: "session",
                fault: "there is another of its Client Identifier",
            });
        }
        let index = self.broker.begin_session(&record.client_identifier);
        if let Some(session) = self.broker.peers.sessions.find_mut(index.0) {
            session.key = Some(key);
            session.expiry_interval = record.expiry_interval;
            session.will = record.will;
        }
        self.sessions.insert(
            key,
            Restored {
                index,
                state: record.state,
                in_flight: BTreeMap::new(),
                receipts: Vec::new(),
            },
        );
        Ok(())
    }

    fn add_delivery(&mut self, found: FoundDelivery) -> Result<(), CorruptRecord> {
        let what = "queued message";
        let message = self.message(found.message, what)?;
        let group = found.group.map(|(share_name, filter)| {
            let new = || Arc::new(GroupName::new(&share_name, &filter));
            let known = self.groups.entry((share_name.clone(), filter.clone()));
            Arc::clone(known.or_insert_with(new))
        });
        let delivery = Delivery {
            message,
            position: found.position,
            retain: found.retain,
            details: Details::new(found.subscription_identifiers, group),
        };
        if let Some(left) = self.ended.get_mut(&found.session) {
            delivery.message.references.add_found();
            left.push_back(Left {
                delivery,
                session: Some(found.session),
            });
            return Ok(());
        }
        let session = self.session(found.session, what)?;
        delivery.message.references.add_found();
        match found.packet_identifier {
            Some(packet_identifier) => {
                let state = match found.qos {
                    AcknowledgedQoS::AtLeastOnce => InFlightState::AwaitingPuback,
                    AcknowledgedQoS::ExactlyOnce => InFlightState::AwaitingPubrec,
                };
                let in_flight = (packet_identifier, state, Some(delivery));
                session.in_flight.insert(found.position, in_flight);
            }
            None => {
                let index = session.index;
                self.broker.peers.restore_queued(index, delivery, found.qos);
            }
        }
        Ok(())
    }

    fn session(
        &mut self,
        key: SessionKey,
        record: &'static str,
    ) -> Result<&mut Restored, CorruptRecord> {
        self.sessions.get_mut(&key).ok_or(CorruptRecord {
            record,
            fault: "its session is missing",
        })
    }

    /// A message that a record names. It is referred to once the record is taken.
    fn message(&self, key: u64, record: &'static str) -> Result<Arc<Message>, CorruptRecord> {
        self.messages.get(&key).cloned().ok_or(CorruptRecord {
            record,
            fault: "its content is missing",
        })
    }

    fn use_key(&mut self, key: u64) {
        self.last_key = self.last_key.max(key);
    }
}

impl Broker {
    /// Puts the parts of a session together; says which, if its Client was connected.
    fn complete_session(&mut self, restored: Restored) -> Option<SessionIndex> {
        let index = restored.index;
        let session = self.peers.sessions.find_mut(index.0)?;
        session.exchanges.incoming = Incoming::restore(restored.receipts);
        for (packet_identifier, state, delivery) in restored.in_flight.into_values() {
            session.in_flight_bytes += delivery.as_ref().map_or(0, Delivery::size);
            let outgoing = &mut session.exchanges.outgoing;
            outgoing.restore_in_flight(packet_identifier, state, delivery);
        }
        match restored.state {
            SessionState::Waiting {
                expires_at,
                will_due,
            } => {
                let timers = &mut session.timers;
                let expiry = Timer::SessionExpiry(index);
                self.timers.set(&mut timers.expiry, expires_at, expiry);
                self.timers
                    .set(&mut timers.will, will_due, Timer::Will(index));
                None
            }
            SessionState::Connected | SessionState::Ended => Some(index),
        }
    }
}
