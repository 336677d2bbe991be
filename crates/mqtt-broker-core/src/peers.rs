//! Connections and sessions, and how a message reaches them.

use std::{collections::VecDeque, num::NonZeroU32, sync::Arc};

use mqtt_protocol::{
    AcknowledgedQoS, Connect, Instant, QoS, ReasonCode, ServerConnection, TopicName, Transmission,
};

use crate::{
    Counters, Exchange, Limits,
    encodings::{Encodings, Form},
    message::{Delivery, Details, Message},
    session::{Session, SessionIndex},
    slab::Slab,
    store::Journal,
    topic_tree::GroupName,
};

/// Everybody whom messages may go to.
#[derive(Debug)]
pub(crate) struct Peers {
    pub(crate) connections: Slab<Connection>,
    pub(crate) sessions: Slab<Session>,
    pub(crate) counters: Counters,
    pub(crate) journal: Journal,
    /// Places of connections that have output or are to be closed, in order.
    touched: VecDeque<u32>,
    /// Memory of outputs that were sent, for those that are next.
    spare_memory: Vec<Vec<u8>>,
}

/// One Network Connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) server: ServerConnection,
    pub(crate) session: Option<SessionIndex>,
    /// A CONNECT whose sender has still to show who it is.
    pub(crate) pending_connect: Option<Box<PendingConnect>>,
    /// With which a connected Client shows it anew.
    pub(crate) exchange: Option<Box<dyn Exchange>>,
    /// How many store operations must be durable before what it has for the Client goes out.
    pub(crate) waits_for: u64,
    /// Whether the Client keeps up.
    pub(crate) writable: bool,
    /// Whether it is among those that are touched.
    touched: bool,
    /// Whether its end was told.
    pub(crate) is_ended: bool,
    /// When its silence is looked at.
    pub(crate) armed: Option<Instant>,
}

/// An authentication that a CONNECT began.
#[derive(Debug)]
pub(crate) struct PendingConnect {
    pub(crate) connect: Box<Connect>,
    pub(crate) exchange: Box<dyn Exchange>,
}

/// A message on its way to many.
#[derive(Debug)]
pub(crate) struct Outbound<'a> {
    pub(crate) message: &'a Message,
    /// Its own, in memory that may be kept.
    pub(crate) topic_name: &'a TopicName,
    /// The message as it is kept, made when the first session needs it.
    pub(crate) kept: Option<Arc<Message>>,
    pub(crate) encodings: &'a mut Encodings,
}

/// How one session gets it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grant<'a> {
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) subscription_identifiers: &'a [NonZeroU32],
    /// Of a Shared Subscription.
    pub(crate) group: Option<&'a Arc<GroupName>>,
}

/// How far [`Peers::send_waiting`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing waits.
    Done,
    /// The Client has to do something first.
    Blocked,
    /// Enough for one turn.
    TurnOver,
}

impl Peers {
    pub(crate) fn new(counters: Counters) -> Self {
        Self {
            connections: Slab::new(),
            sessions: Slab::new(),
            counters,
            journal: Journal::default(),
            touched: VecDeque::new(),
            spare_memory: Vec::new(),
        }
    }

    /// Remembers that a connection has something for its shell.
    pub(crate) fn touch(&mut self, index: u32) {
        if let Some(connection) = self.connections.find_mut(index) {
            connection.touch(index, &mut self.touched);
        }
    }

    /// The next connection that has something for its shell.
    pub(crate) fn next_touched(&mut self) -> Option<u32> {
        let index = self.touched.pop_front()?;
        if let Some(connection) = self.connections.find_mut(index) {
            connection.touched = false;
        }
        Some(index)
    }

    /// Gives a connection memory for its output, if there is some to spare.
    pub(crate) fn lend_memory(&mut self, index: u32) {
        if let Some(connection) = self.connections.find_mut(index) {
            connection.server.lend(|| self.spare_memory.pop());
        }
    }

    /// Keeps memory for a later output.
    pub(crate) fn keep_spare(&mut self, memory: Vec<u8>) {
        if (1..=SPARE_CAPACITY_MAX).contains(&memory.capacity())
            && self.spare_memory.len() < N_SPARE_MAX
        {
            self.spare_memory.push(memory);
        }
    }

    /// Whether a message of this QoS would be sent at once.
    pub(crate) fn is_ready(&self, index: SessionIndex, qos: QoS) -> bool {
        let Some(session) = self.sessions.find(index.0) else {
            return false;
        };
        session
            .connection
            .and_then(|connection| self.connections.find(connection))
            .is_some_and(|connection| {
                connection.writable
                    && (qos == QoS::AtMostOnce || session.exchanges.outgoing.is_ready())
            })
    }

    /// Whether a session has a connection.
    pub(crate) fn is_connected(&self, index: SessionIndex) -> bool {
        self.sessions
            .find(index.0)
            .is_some_and(|session| session.connection.is_some())
    }

    /// Sends a message to a session, or lets it wait there.
    pub(crate) fn deliver(
        &mut self,
        outbound: &mut Outbound<'_>,
        to: SessionIndex,
        grant: Grant<'_>,
        limits: &Limits,
        now: Instant,
    ) {
        let Some(session) = self.sessions.find_mut(to.0) else {
            return;
        };
        let acknowledged = AcknowledgedQoS::new(grant.qos);
        let connection = session
            .connection
            .and_then(|index| Some((index, self.connections.find_mut(index)?)))
            .filter(|(_, connection)| connection.server.is_connected());
        let is_connected = connection.is_some();
        let may_send = acknowledged.is_none() || session.may_send(limits);
        let Some((index, connection)) =
            connection.filter(|(_, connection)| connection.writable && may_send)
        else {
            if let Some(qos) = acknowledged {
                let delivery = outbound.delivery(grant, &mut self.journal);
                let mut books = Books {
                    counters: &mut self.counters,
                    journal: &mut self.journal,
                };
                enqueue(session, delivery, qos, limits, &mut books, now);
            } else if is_connected {
                self.counters.dropped_slow_subscriber += 1;
            }
            return;
        };
        let form = grant.form(connection);
        let fits = outbound
            .encodings
            .encode(outbound.message, form, now)
            .is_some_and(|encoded| connection.server.may_transmit(encoded));
        if !fits {
            // 5.0 [MQTT-3.1.2-25]: as if it had been sent and acknowledged.
            self.counters.dropped_too_large += 1;
            return;
        }
        let mut packet_identifier = None;
        if let Some(qos) = acknowledged {
            let delivery = outbound.delivery(grant, &mut self.journal);
            session.in_flight_bytes += delivery.size();
            let outgoing = &mut session.exchanges.outgoing;
            if outgoing.push(delivery, qos).is_err() {
                return;
            }
            if let Some(Transmission::Publish {
                packet_identifier: identifier,
                message: delivery,
                ..
            }) = outgoing.poll_transmission()
            {
                packet_identifier = Some(identifier);
                if let Some(key) = session.key {
                    self.journal
                        .insert_delivery(key, delivery, qos, packet_identifier);
                    // A QoS 1 message that is lost with the power is published again under no identifier
                    // that matters; of QoS 2 the Client must never see one that we do not know.
                    if qos == AcknowledgedQoS::ExactlyOnce {
                        connection.waits_for = self.journal.sequence();
                    }
                }
            }
        }
        if let Some(encoded) = outbound.encodings.encode(outbound.message, form, now) {
            connection.server.lend(|| self.spare_memory.pop());
            connection
                .server
                .transmit_publish(encoded, packet_identifier, false);
            self.counters.messages_sent += 1;
            connection.touch(index, &mut self.touched);
        }
    }

    /// Lets a message wait in a session as it did when it was stored.
    pub(crate) fn restore_queued(
        &mut self,
        to: SessionIndex,
        delivery: Delivery,
        qos: AcknowledgedQoS,
    ) {
        if let Some(session) = self.sessions.find_mut(to.0) {
            let size = delivery.size();
            session.queued_bytes += size;
            self.counters.queued_messages += 1;
            self.counters.queued_bytes += size as u64;
            session.exchanges.outgoing.restore_queued(delivery, qos);
        }
    }

    /// Sends what waits in a session as far as the Client and its turn allow.
    pub(crate) fn send_waiting(
        &mut self,
        index: SessionIndex,
        encodings: &mut Encodings,
        limits: &Limits,
        now: Instant,
    ) -> Progress {
        let Some(session) = self.sessions.find_mut(index.0) else {
            return Progress::Done;
        };
        let Some((connection_index, connection)) = session
            .connection
            .and_then(|index| Some((index, self.connections.find_mut(index)?)))
        else {
            return Progress::Blocked;
        };
        loop {
            if !connection.writable || !connection.server.is_connected() {
                return Progress::Blocked;
            }
            if connection.server.output_len() >= limits.bytes_per_turn {
                return Progress::TurnOver;
            }
            let mut books = Books {
                counters: &mut self.counters,
                journal: &mut self.journal,
            };
            drop_expired(session, &mut books, now);
            if !session.exchanges.outgoing.is_resending() && !session.has_room_in_flight(limits) {
                return Progress::Blocked;
            }
            let outgoing = &mut session.exchanges.outgoing;
            let Some(transmission) = outgoing.poll_transmission() else {
                break;
            };
            let (packet_identifier, qos, dup, size, sent) = match transmission {
                Transmission::Pubrel { packet_identifier } => {
                    if session.key.is_some() {
                        connection.waits_for = self.journal.sequence();
                    }
                    connection
                        .server
                        .transmit_pubrel(packet_identifier, ReasonCode::Success);
                    connection.touch(connection_index, &mut self.touched);
                    continue;
                }
                Transmission::Publish {
                    packet_identifier,
                    qos,
                    dup,
                    message: delivery,
                } => {
                    let form = delivery.grant(qos).form(connection);
                    let sent = encodings
                        .encode_own(&delivery.message, form, now)
                        .is_some_and(|encoded| {
                            connection.server.transmit_publish(
                                encoded,
                                Some(packet_identifier),
                                dup,
                            )
                        });
                    let size = if dup { None } else { Some(delivery.size()) };
                    if let Some(key) = session.key {
                        if !dup && sent {
                            self.journal
                                .send_delivery(key, delivery, qos, packet_identifier);
                        }
                        // After a power cut it must come again under the same identifier, with DUP.
                        connection.waits_for = self.journal.sequence();
                    }
                    (packet_identifier, qos, dup, size, sent)
                }
            };
            if let Some(size) = size {
                session.queued_bytes = session.queued_bytes.saturating_sub(size);
                self.counters.leave_queue(size);
            }
            if sent {
                self.counters.messages_sent += 1;
                connection.touch(connection_index, &mut self.touched);
            } else {
                // 5.0 [MQTT-3.1.2-25]: as if it had been sent and acknowledged.
                self.counters.dropped_too_large += 1;
                let outgoing = &mut session.exchanges.outgoing;
                let dropped = if qos == AcknowledgedQoS::ExactlyOnce && dup {
                    outgoing.abandon_in_flight(packet_identifier)
                } else {
                    outgoing.withdraw(packet_identifier)
                };
                if let Some(dropped) = &dropped {
                    self.journal.remove_delivery(session.key, dropped);
                }
                if qos == AcknowledgedQoS::ExactlyOnce && dup {
                    // The Client may know its identifier from before, and would take what has it next for a duplicate.
                    if let (Some(key), Some(dropped)) = (session.key, dropped) {
                        self.journal
                            .release(key, packet_identifier, dropped.position);
                        connection.waits_for = self.journal.sequence();
                    }
                    connection
                        .server
                        .transmit_pubrel(packet_identifier, ReasonCode::Success);
                    connection.touch(connection_index, &mut self.touched);
                }
            }
        }
        if session.exchanges.outgoing.is_ready() {
            Progress::Done
        } else {
            Progress::Blocked
        }
    }
}

impl Connection {
    pub(crate) const fn new(server: ServerConnection) -> Self {
        Self {
            server,
            session: None,
            pending_connect: None,
            exchange: None,
            waits_for: 0,
            writable: true,
            touched: false,
            is_ended: false,
            armed: None,
        }
    }

    fn touch(&mut self, index: u32, touched: &mut VecDeque<u32>) {
        if !self.touched {
            self.touched = true;
            touched.push_back(index);
        }
    }
}

impl Outbound<'_> {
    fn delivery(&mut self, grant: Grant<'_>, journal: &mut Journal) -> Delivery {
        let message = self.kept.get_or_insert_with(|| {
            Arc::new(self.message.detached(self.topic_name, journal.next_key()))
        });
        Delivery {
            message: Arc::clone(message),
            position: journal.next_key(),
            retain: grant.retain,
            details: Details::new(grant.subscription_identifiers, grant.group.cloned()),
        }
    }
}

impl<'a> Grant<'a> {
    fn form(self, connection: &Connection) -> Form<'a> {
        Form {
            version: connection.server.version(),
            qos: self.qos,
            retain: self.retain,
            subscription_identifiers: self.subscription_identifiers,
        }
    }
}

impl Delivery {
    fn grant(&self, qos: AcknowledgedQoS) -> Grant<'_> {
        Grant {
            qos: qos.into(),
            retain: self.retain,
            subscription_identifiers: self.subscription_identifiers(),
            group: self.group(),
        }
    }
}

/// What is written down as messages come and go.
struct Books<'a> {
    counters: &'a mut Counters,
    journal: &'a mut Journal,
}

fn enqueue(
    session: &mut Session,
    delivery: Delivery,
    qos: AcknowledgedQoS,
    limits: &Limits,
    books: &mut Books<'_>,
    now: Instant,
) {
    let size = delivery.size();
    drop_expired(session, books, now);
    let is_full = session.queued_bytes + size > limits.queued_bytes_per_session
        || books.counters.queued_bytes as usize + size > limits.queued_bytes
        || session.exchanges.outgoing.is_full();
    if is_full {
        books.counters.dropped_queue_full += 1;
        return;
    }
    if let Some(key) = session.key {
        books.journal.insert_delivery(key, &delivery, qos, None);
    }
    // There is room, as was just asked.
    let _ = session.exchanges.outgoing.push(delivery, qos);
    session.queued_bytes += size;
    books.counters.queued_messages += 1;
    books.counters.queued_bytes += size as u64;
}

/// 5.0 [MQTT-3.3.2-5]: what was not sent in time is not sent.
fn drop_expired(session: &mut Session, books: &mut Books<'_>, now: Instant) {
    let outgoing = &mut session.exchanges.outgoing;
    while let Some(delivery) = outgoing.pop_queued_if(|delivery| delivery.message.is_expired(now)) {
        books.journal.remove_delivery(session.key, &delivery);
        session.queued_bytes = session.queued_bytes.saturating_sub(delivery.size());
        books.counters.leave_queue(delivery.size());
        books.counters.expired += 1;
    }
}

/// Enough for the connections that one batch touches.
const N_SPARE_MAX: usize = 256;

/// Larger memory is given back to the system.
const SPARE_CAPACITY_MAX: usize = 64 * 1024;
