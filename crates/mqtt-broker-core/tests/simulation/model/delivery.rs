//! Who has to get a message, and who got it.

use std::{collections::BTreeMap, rc::Rc};

use mqtt_protocol::{Instant, Properties, Publish, QoS};

use super::{
    Message, Model, SessionNumber, Tally, Terms, application_properties, number_in, topics,
};
use crate::{ClientNumber, LinkNumber};

/// A message that a session is to be sent.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) message: Rc<Message>,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    /// Sorted.
    pub(super) identifiers: Vec<u32>,
    pub(super) kind: Kind,
    /// Whether it may not be left out.
    pub(super) must: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// QoS 0: with what caused it or never.
    AtOnce,
    /// It waits for the Client.
    Queued,
    /// A retained message for a new subscription; it waits behind all others.
    Replay,
}

/// A message for one member of a Shared Subscription, until that member has it.
#[derive(Debug)]
pub(super) struct Shared {
    message: Rc<Message>,
    /// The same, published again: nobody can say which of them is where.
    alike: Vec<Rc<Message>>,
    filter: String,
    candidates: Vec<(SessionNumber, Terms)>,
    /// To whom it was sent at QoS 1, until it is acknowledged.
    pub(super) holder: Option<SessionNumber>,
    must: bool,
}

/// A member of a Shared Subscription as it is at one moment.
struct Member {
    session: SessionNumber,
    terms: Terms,
    is_connected: bool,
    is_writable: bool,
    reads_large_packets: bool,
}

impl Model {
    /// A message goes to all who subscribe; says whether there is anybody.
    pub(super) fn route(&mut self, message: Rc<Message>, now: Instant) -> bool {
        self.numbers.published += 1;
        if message.retain {
            self.forget_replays(&message.topic);
            if message.payload.is_empty() {
                self.retained.remove(&message.topic);
            } else {
                self.retained
                    .insert(message.topic.clone(), Rc::clone(&message));
            }
        }
        let mut is_reached = false;
        for session in self.sessions.values_mut() {
            let number = session.number;
            let matching: Vec<&Terms> = session
                .subscriptions
                .iter()
                .filter(|(filter, terms)| {
                    topics::share(filter).is_none()
                        && topics::matches(filter, &message.topic)
                        && !(terms.no_local && message.publisher_session == number)
                })
                .map(|(_, terms)| terms)
                .collect();
            let Some(maximum_qos) = matching.iter().map(|terms| terms.maximum_qos).max() else {
                continue;
            };
            is_reached = true;
            let qos = message.qos.min(maximum_qos);
            let link = session.link.map(|link| &self.links[link]);
            let is_readable =
                !message.is_large() || link.is_none_or(|link| link.reads_large_packets);
            let kind = if qos > QoS::AtMostOnce {
                Kind::Queued
            } else if link.is_some_and(|link| link.writable) {
                Kind::AtOnce
            } else {
                continue;
            };
            let mut identifiers: Vec<u32> = matching
                .iter()
                .filter_map(|terms| terms.identifier)
                .collect();
            identifiers.sort_unstable();
            let retain = message.retain && matching.iter().any(|terms| terms.retain_as_published);
            session.expected.push_back(Expected {
                message: Rc::clone(&message),
                qos,
                retain,
                identifiers,
                kind,
                must: is_readable,
            });
        }
        is_reached | self.route_to_groups(&message, now)
    }

    fn route_to_groups(&mut self, message: &Rc<Message>, now: Instant) -> bool {
        let filters = self.sessions.values().flat_map(|session| {
            session.subscriptions.keys().filter(|filter| {
                topics::share(filter).is_some() && topics::matches(filter, &message.topic)
            })
        });
        let mut filters: Vec<String> = filters.cloned().collect();
        filters.sort_unstable();
        filters.dedup();
        let mut is_reached = false;
        for filter in filters {
            let members = self.members(&filter);
            let mut candidates: Vec<_> = members
                .iter()
                .map(|member| (member.session, member.terms))
                .collect();
            let mut alike = vec![Rc::clone(message)];
            for shared in self.shared.values_mut() {
                if shared.is_alike(message, &filter) {
                    let own = candidates.clone();
                    candidates.extend_from_slice(&shared.candidates);
                    shared.candidates.extend(own);
                    // Also of those that are done with: it may have been this one that was sent instead.
                    alike.extend_from_slice(&shared.alike);
                    shared.alike.push(Rc::clone(message));
                }
            }
            is_reached |= members
                .iter()
                .any(|member| member.is_connected || member.qos_of(message) > QoS::AtMostOnce);
            self.n_shared += 1;
            self.numbers.shared += 1;
            let shared = Shared {
                message: Rc::clone(message),
                alike,
                must: is_deliverable(message, &members, now),
                filter,
                candidates,
                holder: None,
            };
            self.shared.insert(self.n_shared, shared);
        }
        is_reached
    }

    /// A session has ended: what it had of Shared Subscriptions goes to others.
    pub(super) fn pass_on(&mut self, ended: SessionNumber, now: Instant) {
        for number in self.shared.keys().copied().collect::<Vec<_>>() {
            let shared = &self.shared[&number];
            let may_have_it = match shared.holder {
                Some(holder) => holder == ended,
                None => shared
                    .candidates
                    .iter()
                    .any(|(session, _)| *session == ended),
            };
            if !may_have_it {
                continue;
            }
            let members = self.members(&shared.filter);
            let shared = self.shared.get_mut(&number).expect("it was just there");
            self.numbers.passed_on += 1;
            shared.holder = None;
            shared.candidates.retain(|(session, _)| *session != ended);
            shared.must &=
                !shared.may_be_expired(now) && is_deliverable(&shared.message, &members, now);
            let (message, filter) = (Rc::clone(&shared.message), shared.filter.clone());
            // It may have been any of those that look the same, also one that another session holds.
            for alike in self.shared.values_mut() {
                if alike.is_alike(&message, &filter) {
                    let terms = members.iter().map(|member| (member.session, member.terms));
                    alike.candidates.extend(terms);
                }
            }
        }
    }

    fn members(&self, filter: &str) -> Vec<Member> {
        self.sessions
            .values()
            .filter_map(|session| {
                let terms = *session.subscriptions.get(filter)?;
                let link = session.link.map(|link| &self.links[link]);
                Some(Member {
                    session: session.number,
                    terms,
                    is_connected: link.is_some(),
                    is_writable: link.is_some_and(|link| link.writable),
                    reads_large_packets: link.is_none_or(|link| link.reads_large_packets),
                })
            })
            .collect()
    }

    /// A retained message is another one or none from here on: it need not be sent any more.
    pub(super) fn forget_replays(&mut self, topic: &str) {
        for session in self.sessions.values_mut() {
            for expected in &mut session.expected {
                if expected.kind == Kind::Replay && expected.message.topic == topic {
                    expected.must = false;
                }
            }
        }
    }

    /// A Client reads small packets only: what is large counts as sent and acknowledged.
    pub(super) fn give_up_large(&mut self, client: ClientNumber) {
        let session = self.sessions.get_mut(&client).expect("it has connected");
        for expected in &mut session.expected {
            expected.must &= !expected.message.is_large();
        }
        let number = session.number;
        for in_flight in session.in_flight.values_mut() {
            if in_flight.message.is_large() && !in_flight.may_be_given_up {
                in_flight.may_be_given_up = true;
                let key = (number, in_flight.message.number, in_flight.qos);
                let tally = self.tallies.get_mut(&key).expect("it was sent");
                tally.given_up += 1;
                tally.order = None;
            }
        }
        for shared in self.shared.values_mut() {
            let is_candidate = shared
                .candidates
                .iter()
                .any(|(session, _)| *session == number);
            shared.must &= !(shared.message.is_large() && is_candidate);
        }
    }

    /// Finds why a message is sent to a session, and takes that reason away.
    /// Gives the message and its number among the shared ones that are still open.
    pub(super) fn take_reason(
        &mut self,
        client: ClientNumber,
        sent: &Sent<'_>,
        now: Instant,
    ) -> Option<(Rc<Message>, Option<u64>)> {
        let session = self.sessions.get_mut(&client)?;
        for kind in [Kind::AtOnce, Kind::Queued, Kind::Replay] {
            let position = session
                .expected
                .iter()
                .position(|expected| expected.kind == kind && expected.is(sent, now));
            let Some(position) = position else { continue };
            let found = session.expected.remove(position)?;
            // Of two that look the same it may have been the one that had to come.
            if !found.must
                && let Some(other) = session
                    .expected
                    .iter_mut()
                    .find(|other| other.must && other.is(sent, now))
            {
                other.must = false;
            }
            if kind != Kind::Replay {
                // What was to come before it on the same way cannot come any more.
                let mut index = 0;
                session.expected.retain(|earlier| {
                    let is_overtaken = index < position
                        && earlier.kind == found.kind
                        && earlier.qos == found.qos
                        && earlier.message.is_on_the_way_of(&found.message);
                    index += 1;
                    let is_missed =
                        is_overtaken && earlier.must && !earlier.message.is_expired(now);
                    assert!(!is_missed, "{found:?} overtook {earlier:?}");
                    !is_overtaken
                });
            }
            return Some((found.message, None));
        }
        let number = session.number;
        let is_meant = |shared: &Shared| {
            let is_meant = |(session, terms): &(SessionNumber, Terms)| {
                let explains = |message: &Rc<Message>| terms.explain(message, sent, now);
                *session == number && shared.alike.iter().any(explains)
            };
            shared.holder.is_none() && shared.candidates.iter().any(is_meant)
        };
        // Of two that look the same the one that has to come, and at QoS 0 what has just been published.
        let alike = self
            .shared
            .iter_mut()
            .filter(|(_, shared)| is_meant(shared));
        let (&shared_number, shared) = if sent.qos == QoS::AtMostOnce {
            alike.max_by_key(|(_, shared)| shared.must)?
        } else {
            alike.min_by_key(|(_, shared)| !shared.must)?
        };
        let message = Rc::clone(&shared.message);
        // At QoS 2 nobody else may get it, whatever becomes of this session.
        if sent.qos == QoS::AtLeastOnce {
            shared.holder = Some(number);
            return Some((message, Some(shared_number)));
        }
        self.shared.remove(&shared_number);
        Some((message, None))
    }

    /// What a member was to get at QoS 0 it got at once or never will.
    pub(super) fn check_shared_at_once(&mut self) {
        self.shared.retain(|_, shared| {
            let may_wait = |(_, terms): &(SessionNumber, Terms)| {
                shared.message.qos.min(terms.maximum_qos) > QoS::AtMostOnce
            };
            let stays = shared.holder.is_some() || shared.candidates.iter().any(may_wait);
            assert!(stays || !shared.must, "nobody got {shared:?}");
            stays
        });
    }

    /// An application got a message.
    pub(crate) fn handle_received(&mut self, link: LinkNumber, publish: &Publish) {
        self.numbers.delivered += 1;
        let session = self.links[link].session.expect("it was connected");
        let number = number_in(&publish.payload);
        let key = (session, number, publish.qos);
        let Some(tally) = self.tallies.get_mut(&key) else {
            panic!("nobody sent {number} at {:?}", publish.qos);
        };
        tally.received += 1;
        assert!(
            publish.qos == QoS::AtLeastOnce || tally.received <= tally.sent,
            "{number} was received {} times, but sent {} times",
            tally.received,
            tally.sent
        );
        let Some((order, place)) = tally.order.clone() else {
            return;
        };
        if publish.qos > QoS::AtMostOnce && tally.received == 1 && !publish.retain && number > 0 {
            let last = self.last_received.entry(order).or_default();
            assert!(*last < place, "{number} was overtaken by {last}");
            *last = place;
        }
    }

    /// When all are connected and everything has come: was anything left out?
    pub(crate) fn check_complete(&self, now: Instant) {
        for session in self.sessions.values() {
            for expected in &session.expected {
                assert!(
                    !expected.must || expected.message.is_expired(now),
                    "client {} never got {expected:?}",
                    session.client
                );
            }
            for (packet_identifier, in_flight) in &session.in_flight {
                assert!(
                    in_flight.may_be_given_up,
                    "client {} has {packet_identifier} in flight: {in_flight:?}",
                    session.client
                );
            }
        }
        for shared in self.shared.values() {
            let is_missing = shared.must && shared.holder.is_none() && !shared.may_be_expired(now);
            assert!(!is_missing, "nobody got {shared:?}");
        }
        let alive: BTreeMap<SessionNumber, ClientNumber> = self
            .sessions
            .values()
            .map(|session| (session.number, session.client))
            .collect();
        for ((session, number, qos), tally) in &self.tallies {
            let Some(client) = alive.get(session) else {
                continue;
            };
            let Tally {
                sent,
                given_up,
                received,
                ..
            } = tally;
            assert!(
                *qos == QoS::AtMostOnce
                    || self.uncertain.contains(session)
                    || received + given_up >= *sent,
                "client {client} was sent {number} at {qos:?} {sent} times and got it {received} times"
            );
        }
    }

    /// Whether the Client's half of a link's session may belong to another one.
    pub(crate) fn is_uncertain(&self, link: LinkNumber) -> bool {
        self.links[link]
            .session
            .is_some_and(|session| self.uncertain.contains(&session))
    }

    /// Whether all that is left is without a session.
    pub(crate) fn check_empty(&self) {
        assert!(self.sessions.is_empty(), "sessions are left");
        assert!(self.open_links.is_empty(), "links are left");
    }
}

/// A PUBLISH that the broker sent for the first time.
pub(super) struct Sent<'a> {
    pub(super) topic: &'a str,
    pub(super) publish: &'a Publish,
    pub(super) qos: QoS,
    /// There are none on 3.1.1.
    pub(super) properties: Option<SentProperties>,
}

/// The properties of a PUBLISH.
pub(super) struct SentProperties {
    /// Sorted.
    subscription_identifiers: Vec<u32>,
    of_application: Properties,
    /// In seconds.
    expiry: Option<u64>,
}

impl SentProperties {
    pub(super) fn of(publish: &Publish) -> Self {
        let properties = &publish.properties;
        let identifiers = properties.subscription_identifiers();
        let mut subscription_identifiers: Vec<u32> = identifiers.map(Into::into).collect();
        subscription_identifiers.sort_unstable();
        Self {
            subscription_identifiers,
            of_application: application_properties(properties),
            expiry: properties.message_expiry_interval().map(Into::into),
        }
    }
}

impl Sent<'_> {
    fn carries(&self, message: &Message, identifiers: &[u32], now: Instant) -> bool {
        let has_properties = self.properties.as_ref().is_none_or(|properties| {
            // Less the whole seconds that it waited.
            let expiry = message.expires_at.map(|expires_at| {
                let left = expires_at - now;
                left.as_secs() + u64::from(left.subsec_nanos() > 0)
            });
            properties.expiry == expiry
                && properties.of_application == message.properties
                && properties.subscription_identifiers == identifiers
        });
        has_properties && self.topic == message.topic && self.publish.payload == message.payload
    }
}

impl Expected {
    fn is(&self, sent: &Sent<'_>, now: Instant) -> bool {
        self.qos == sent.qos
            && self.retain == sent.publish.retain
            && !self.message.is_expired(now)
            && sent.carries(&self.message, &self.identifiers, now)
    }
}

impl Shared {
    /// Whether it is the same message for the same group, published once more.
    fn is_alike(&self, message: &Message, filter: &str) -> bool {
        self.message.number == message.number && self.filter == filter
    }

    /// Whether the broker may have dropped it as expired: what counts as another one that looks the same may
    /// have been this one, and what is left the other.
    fn may_be_expired(&self, now: Instant) -> bool {
        self.alike.iter().any(|message| message.is_expired(now))
    }
}

impl Terms {
    /// Whether a member with these terms could be sent this.
    fn explain(&self, message: &Message, sent: &Sent<'_>, now: Instant) -> bool {
        sent.qos == message.qos.min(self.maximum_qos)
            && sent.publish.retain == (message.retain && self.retain_as_published)
            && !message.is_expired(now)
            && sent.carries(message, self.identifier.as_slice(), now)
    }
}

impl Member {
    fn qos_of(&self, message: &Message) -> QoS {
        message.qos.min(self.terms.maximum_qos)
    }
}

impl Message {
    /// Whether the order of the two matters.
    fn is_on_the_way_of(&self, other: &Self) -> bool {
        self.publisher == other.publisher && self.topic == other.topic && self.qos == other.qos
    }
}

/// Whether one of the members gets the message for sure, whomever the broker chooses.
fn is_deliverable(message: &Message, members: &[Member], now: Instant) -> bool {
    let is_at_most_once = |member: &Member| member.qos_of(message) == QoS::AtMostOnce;
    let can_have_it =
        |member: &Member| !is_at_most_once(member) || (member.is_connected && member.is_writable);
    let loses_it = |member: &Member| {
        (is_at_most_once(member) && member.is_connected && !member.is_writable)
            || (message.is_large() && !member.reads_large_packets)
    };
    !message.is_expired(now) && members.iter().any(can_have_it) && !members.iter().any(loses_it)
}
