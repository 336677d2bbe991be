//! What was promised and what came of it, as the Clients saw it. It knows nothing of the broker.

use std::collections::{BTreeMap, BTreeSet};

use mqtt_protocol::{QoS, RetainHandling};

use crate::ClientNumber;

/// Names one Application Message: its place in [`Book::messages`].
pub(crate) type MessageNumber = usize;

/// The place of somebody who was promised messages.
pub(crate) type AudienceNumber = usize;

#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) messages: Vec<Message>,
    pub(crate) audiences: Vec<Audience>,
    /// Whether a message may have been refused at first, and one after it taken, as the disk failed for a while.
    pub(crate) may_refuse: bool,
    /// How often a message came, Wills and retained ones left out.
    pub(crate) n_deliveries: u64,
    /// Grows with everything that is written down, so that it tells what was before what.
    moment: u64,
    /// For each retained topic, what a new subscription got.
    retained: BTreeMap<String, MessageNumber>,
}

/// A message that somebody published, or left as a Will.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) qos: QoS,
    pub(crate) is_removal: bool,
    began: u64,
    acknowledged: Option<u64>,
    /// How often it was sent, by whatever session.
    n_transmissions: u32,
    /// In how many sessions.
    n_publications: u32,
}

impl Message {
    const fn may_come_again(&self) -> bool {
        self.n_transmissions == u32::MAX
    }
}

/// A Client with a subscription, or all that share one.
#[derive(Debug, Clone)]
pub(crate) struct Audience {
    /// What its topics begin with.
    prefix: &'static str,
    is_shared: bool,
    /// When the broker acknowledged its subscription.
    covered_since: Option<u64>,
    /// When it acknowledged the end of it.
    uncovered_since: Option<u64>,
    /// Of a subscription that has ended.
    owed: BTreeSet<MessageNumber>,
    /// What its SUBSCRIBEs asked for, each with the moment since when another was certainly in its place.
    maximum_qos: Vec<(QoS, Option<u64>)>,
    /// What begins later does not come as a retained message; `None` while nobody knows when its replay begins.
    replayed_until: Option<u64>,
    /// Retained messages that are to come once the SUBSCRIBE is acknowledged.
    asked: BTreeSet<MessageNumber>,
    /// Retained messages that are to come.
    promised: BTreeSet<MessageNumber>,
    arrivals: BTreeMap<MessageNumber, Arrivals>,
}

impl Audience {
    /// Whether one of the subscriptions that a message may have met gives it this QoS.
    fn may_get(&self, message: &Message, qos: QoS) -> bool {
        self.maximum_qos.iter().any(|(maximum_qos, over_since)| {
            over_since.is_none_or(|over_since| message.began < over_since)
                && message.qos.min(*maximum_qos) == qos
        })
    }
}

/// How often a message came, repetitions with DUP left out.
#[derive(Debug, Clone, Copy, Default)]
struct Arrivals {
    n_new: u32,
    n_exactly_once: u32,
}

/// A PUBLISH that a Client took as one of its own, and not as the repetition of one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) message: MessageNumber,
    pub(crate) qos: QoS,
    pub(crate) dup: bool,
    pub(crate) packet_identifier: u16,
}

/// What one Client remembers of a session in order to see that the broker remembers it too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reader {
    /// The last of each topic and QoS that came for the first time.
    last_new: BTreeMap<(String, QoS), MessageNumber>,
    /// The last of each topic and QoS on this connection.
    last_on_connection: BTreeMap<(String, QoS), MessageNumber>,
    /// Under which Packet Identifiers a message came in this session.
    identifiers: BTreeMap<MessageNumber, BTreeSet<u16>>,
    is_resumed: bool,
}

impl Reader {
    pub(crate) fn begin_connection(&mut self, is_resumed: bool) {
        self.last_on_connection.clear();
        self.is_resumed = is_resumed;
        if !is_resumed {
            *self = Self::default();
        }
    }
}

impl Book {
    pub(crate) fn audience(&mut self, prefix: &'static str, is_shared: bool) -> AudienceNumber {
        self.audiences.push(Audience {
            prefix,
            is_shared,
            covered_since: None,
            uncovered_since: None,
            owed: BTreeSet::new(),
            maximum_qos: Vec::new(),
            replayed_until: Some(0),
            asked: BTreeSet::new(),
            promised: BTreeSet::new(),
            arrivals: BTreeMap::new(),
        });
        self.audiences.len() - 1
    }

    pub(crate) fn new_message(
        &mut self,
        topic: String,
        qos: QoS,
        is_removal: bool,
    ) -> MessageNumber {
        let began = self.tick();
        self.messages.push(Message {
            topic,
            qos,
            is_removal,
            began,
            acknowledged: None,
            n_transmissions: 0,
            n_publications: 1,
        });
        self.messages.len() - 1
    }

    pub(crate) fn transmitted(&mut self, message: MessageNumber) {
        self.messages[message].n_transmissions += 1;
    }

    /// The session that began to publish it is lost, and another begins.
    pub(crate) fn published_anew(&mut self, message: MessageNumber) {
        self.messages[message].n_publications += 1;
    }

    /// A Will may be published again, behind a later one, for each time that nobody knows whether it was.
    pub(crate) fn may_come_again(&mut self, message: MessageNumber) {
        self.messages[message].n_transmissions = u32::MAX;
    }

    pub(crate) fn acknowledged(&mut self, message: MessageNumber) {
        let moment = self.tick();
        self.messages[message].acknowledged.get_or_insert(moment);
    }

    pub(crate) fn subscribed(&mut self, audience: AudienceNumber) {
        let moment = self.tick();
        let audience = &mut self.audiences[audience];
        audience.covered_since.get_or_insert(moment);
        audience.replayed_until.get_or_insert(moment);
        audience.promised.append(&mut audience.asked);
        if let Some((_, earlier)) = audience.maximum_qos.split_last_mut() {
            for (_, over_since) in earlier {
                over_since.get_or_insert(moment);
            }
        }
    }

    /// From here on the broker may know of the subscription, or that it is another.
    pub(crate) fn subscribing(
        &mut self,
        audience: AudienceNumber,
        maximum_qos: QoS,
        retain_handling: RetainHandling,
    ) {
        let audience = &mut self.audiences[audience];
        audience.uncovered_since = None;
        audience.maximum_qos.push((maximum_qos, None));
        if retain_handling != RetainHandling::DoNotSend {
            audience.replayed_until = None;
        }
        if retain_handling == RetainHandling::Send && !audience.is_shared {
            let messages = self.messages.iter().enumerate();
            let is_there = |message: &Message| {
                message.qos > QoS::AtMostOnce
                    && message.acknowledged.is_some()
                    && message.topic.starts_with(SHELF)
                    && message.topic.starts_with(audience.prefix)
            };
            audience.asked = messages
                .filter(|(_, message)| is_there(message))
                .map(|(number, _)| number)
                .collect();
        }
    }

    /// From here on the broker may have forgotten the subscription.
    pub(crate) fn unsubscribing(&mut self, audience: AudienceNumber) {
        let mut owed = self.covered(audience);
        // The broker may hear of a lost connection, and publish its Will, after the UNSUBSCRIBE.
        owed.retain(|&message| !self.messages[message].may_come_again());
        let audience = &mut self.audiences[audience];
        audience.owed.extend(owed);
        audience.covered_since = None;
        audience.promised.clear();
    }

    /// From here on the broker may have ended the session, with all that waited in it.
    pub(crate) fn leaving(&mut self, audience: AudienceNumber) {
        let audience = &mut self.audiences[audience];
        audience.owed.clear();
        audience.covered_since = None;
        audience.promised.clear();
    }

    pub(crate) fn unsubscribed(&mut self, audience: AudienceNumber) {
        let moment = self.tick();
        self.audiences[audience].uncovered_since = Some(moment);
    }

    /// A retained message came because of a SUBSCRIBE.
    pub(crate) fn replayed(
        &mut self,
        client: ClientNumber,
        audience: AudienceNumber,
        message: MessageNumber,
    ) {
        let audience = &mut self.audiences[audience];
        let began = self.messages[message].began;
        assert!(
            audience.replayed_until.is_none_or(|until| began < until),
            "client {client}: message {message} came after the SUBSCRIBE, and is no retained one for it"
        );
        audience.asked.remove(&message);
        audience.promised.remove(&message);
    }

    /// A message came to one of the audience.
    pub(crate) fn arrived(
        &mut self,
        client: ClientNumber,
        audience: AudienceNumber,
        reader: &mut Reader,
        arrival: Arrival,
    ) {
        let audience = &mut self.audiences[audience];
        let message = &self.messages[arrival.message];
        self.n_deliveries += u64::from(audience.prefix != WILL);
        let what = format!("client {client}: message {}, {arrival:?}", arrival.message);
        assert!(
            message.topic.starts_with(audience.prefix),
            "{what} comes from its topic"
        );
        assert!(
            audience
                .uncovered_since
                .is_none_or(|uncovered| message.began < uncovered),
            "{what} comes only while there is a subscription"
        );
        assert!(
            audience.is_shared || audience.may_get(message, arrival.qos),
            "{what} comes as the subscription of its time says: {:?}",
            audience.maximum_qos
        );
        let is_plain = message.n_transmissions == 1;
        let arrivals = audience.arrivals.entry(arrival.message).or_default();
        // What was sent before may be published again, in its turn of today.
        let is_covered = audience
            .covered_since
            .is_some_and(|since| message.began > since);
        let is_first = !reader.identifiers.contains_key(&arrival.message);
        let identifiers = reader.identifiers.entry(arrival.message).or_default();
        if arrival.dup {
            assert!(
                reader.is_resumed,
                "{what} cannot have been sent before in a new session"
            );
            assert!(
                !is_plain || is_first || identifiers.contains(&arrival.packet_identifier),
                "{what} comes again under its Packet Identifier"
            );
        } else {
            arrivals.n_new += 1;
            assert!(
                arrivals.n_new <= message.n_transmissions,
                "{what} comes again only with DUP"
            );
        }
        if arrival.qos == QoS::ExactlyOnce {
            arrivals.n_exactly_once += 1;
            assert!(
                arrivals.n_exactly_once <= message.n_publications,
                "{what} comes exactly once"
            );
        }
        identifiers.insert(arrival.packet_identifier);
        let stream = (message.topic.clone(), message.qos);
        let is_alone =
            is_covered && !audience.is_shared && !self.may_refuse && !message.may_come_again();
        if is_first && (is_plain || is_alone) {
            let last = reader.last_new.insert(stream.clone(), arrival.message);
            assert!(last < Some(arrival.message), "{what} comes after {last:?}");
        }
        if is_plain {
            let last = reader.last_on_connection.insert(stream, arrival.message);
            assert!(
                last < Some(arrival.message),
                "{what} comes after {last:?} on this connection"
            );
        }
    }

    /// A new subscription got a retained message.
    pub(crate) fn found_retained(&mut self, topic: String, message: MessageNumber) {
        assert_eq!(self.messages[message].topic, topic);
        let other = self.retained.insert(topic, message);
        assert_eq!(other, None, "one message is retained for a topic");
    }

    /// What was promised has come: everybody is connected, and nothing happens any more.
    pub(crate) fn check(&self) {
        for (number, audience) in self.audiences.iter().enumerate() {
            let covered = self.covered(number);
            for message in covered.iter().chain(&audience.owed) {
                assert!(
                    audience.arrivals.contains_key(message),
                    "audience {number} ({}) never got message {message}: {:?}",
                    audience.prefix,
                    self.messages[*message]
                );
            }
            assert!(
                audience.promised.is_empty(),
                "audience {number} never got retained messages: {:?}",
                audience.promised
            );
        }
    }

    /// What is retained is what was acknowledged last, or something later.
    pub(crate) fn check_retained(&self) {
        let mut last_acknowledged = BTreeMap::new();
        for (number, message) in self.messages.iter().enumerate() {
            if [KEPT, SHELF].iter().any(|it| message.topic.starts_with(it))
                && message.acknowledged.is_some()
                && message.qos > QoS::AtMostOnce
            {
                last_acknowledged.insert(&message.topic, number);
            }
        }
        for (topic, number) in last_acknowledged {
            let found = self.retained.get(topic);
            let later_removal = || {
                let mut later = self.messages.iter().skip(number);
                later.any(|message| message.topic == *topic && message.is_removal)
            };
            assert!(
                found.map_or_else(later_removal, |found| *found >= number),
                "{topic} retains {found:?}, and {number} was acknowledged"
            );
        }
        for number in self.retained.values() {
            assert!(!self.messages[*number].is_removal);
        }
    }

    pub(crate) fn n_retained(&self) -> usize {
        self.retained.len()
    }

    pub(crate) fn n_acknowledged(&self) -> u64 {
        let messages = self.messages.iter();
        messages
            .filter(|message| message.acknowledged.is_some())
            .count() as u64
    }

    pub(crate) fn n_arrived(&self) -> u64 {
        let audiences = self.audiences.iter();
        audiences
            .map(|audience| audience.arrivals.len() as u64)
            .sum()
    }

    /// What an audience has to get, as far as it is acknowledged.
    fn covered(&self, audience: AudienceNumber) -> Vec<MessageNumber> {
        let audience = &self.audiences[audience];
        let Some(since) = audience.covered_since else {
            return Vec::new();
        };
        let is_covered = |message: &Message| {
            message.qos > QoS::AtMostOnce
                && !message.is_removal
                && message.began > since
                && message.acknowledged.is_some()
                && message.topic.starts_with(audience.prefix)
        };
        let messages = self.messages.iter().enumerate();
        messages
            .filter(|(_, message)| is_covered(message))
            .map(|(number, _)| number)
            .collect()
    }

    fn tick(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }
}

pub(crate) const DATA: &str = "data/";
/// Retained messages that follow each other on few topics.
pub(crate) const KEPT: &str = "kept/";
/// Retained messages that stay for ever, each on a topic of its own.
pub(crate) const SHELF: &str = "shelf/";
pub(crate) const WILL: &str = "will/";
