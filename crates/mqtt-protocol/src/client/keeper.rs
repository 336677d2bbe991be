//! The seam between a session and what keeps it beyond the life of its process.

use std::fmt;

use super::{ClientConnection, ClientEvent, OutgoingMessage, PublicationToken, State};
use crate::{Instant, PacketIdentifier, PublicationFailure, Publish, PublishParts, Session};

/// What keeps a session beyond the life of its process: it takes note of the changes, and holds back what must not
/// happen before they are durable. [`SessionJournal`](crate::SessionJournal) is the one.
///
/// Behind a trait so that a client without a store does not carry it.
pub trait SessionKeeper {
    /// Takes note of a change.
    fn note(&mut self, change: SessionChange<'_>);

    /// Holds something back until all changes so far are durable, if it `rests_on_store`, and after what was held back
    /// before it in the same lane. Gives it back if it may happen at once.
    fn hold(&mut self, lane: Lane, rests_on_store: bool, held: Held) -> Option<Held>;

    /// Whether something is held back in a lane.
    fn is_holding(&self, lane: Lane) -> bool;

    /// Gives the next that was held back and may happen.
    fn release(&mut self) -> Option<Held>;

    /// Forgets the packets that were held back, as their Network Connection is over.
    /// Messages from the Server stay, as it may not send them again.
    fn forget_packets(&mut self);

    /// What a store has to do since the last call, in this order.
    fn take_operations(&mut self) -> Vec<StoreOperation>;

    /// How many operations there were so far, those of the last call included.
    fn sequence(&self) -> u64;

    /// Takes note that this many operations are durable.
    fn handle_stored(&mut self, sequence: u64);

    /// Takes note that the store takes nothing any more: nothing is noted from here on, and nothing held back.
    fn handle_store_failed(&mut self);
}

// Not what it holds: a page would carry what writes all of it.
impl fmt::Debug for dyn SessionKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKeeper")
    }
}

/// Something that the next process has to know.
#[derive(Debug, Clone, Copy)]
pub enum SessionChange<'a> {
    /// Whose session it is.
    Identity(&'a SessionIdentity),
    /// A message waits and was never sent.
    Queued {
        /// What it is called.
        token: PublicationToken,
        /// When it is not to be sent any more.
        expires_at: Option<Instant>,
        /// The message.
        publish: PublishParts<'a>,
    },
    /// A message that may wait is about to be sent.
    Sent(PacketIdentifier, &'a OutgoingMessage),
    /// The Server has a message of QoS 2, or it was given up: only the exchange is to be brought to its end.
    Released(PacketIdentifier, &'a OutgoingMessage),
    /// A message that was queued or sent is acknowledged or given up.
    MessageEnded(PublicationToken),
    /// The exchange of a message that was released is over.
    ReleaseEnded(PacketIdentifier),
    /// A message of QoS 2 came.
    Received(PacketIdentifier),
    /// The Server has released it.
    ReceiptEnded(PacketIdentifier),
    /// The Server has lost the session, or is to: this is what it was.
    Lost(&'a Session<Box<OutgoingMessage>>),
}

/// Whose session it is, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionIdentity {
    /// The address that the application named.
    pub address: String,
    /// That of the Server which has the session, as it accepted it last; empty before one has.
    pub server: String,
    /// As the Client chose it or the Server assigned it.
    pub client_identifier: String,
    /// 4 for 3.1.1, 5 for 5.0: a session of one is none for the other.
    pub protocol_level: u8,
}

/// What keeps its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Our messages.
    Outgoing,
    /// The Server's.
    Incoming,
}

/// Something that is held back.
#[derive(Debug)]
pub enum Held {
    /// Whole packets.
    Packets(Vec<u8>),
    /// A PUBLISH that may not wait for long.
    Urgent {
        /// Its identifier.
        packet_identifier: PacketIdentifier,
        /// After which it is not to be sent any more.
        give_up_at: Instant,
        /// The packet.
        bytes: Vec<u8>,
    },
    /// Something for the application.
    Event(ClientEvent),
}

/// One thing for a store to do. A key is below 2⁵³, so that it is a number of JavaScript too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreOperation {
    /// Keep these bytes, perhaps in the place of earlier ones.
    Put {
        /// Under which they are found again.
        key: u64,
        /// What is kept.
        value: Vec<u8>,
    },
    /// Forget what is kept under this key, if there is something.
    Remove {
        /// Which.
        key: u64,
    },
}

impl ClientConnection {
    pub(super) fn note(&mut self, change: SessionChange<'_>) {
        if let Some(keeper) = &mut self.session.keeper {
            keeper.note(change);
        }
    }

    /// A message is acknowledged or given up.
    pub(super) fn note_end(&mut self, message: &OutgoingMessage) {
        if message.may_wait {
            self.note(SessionChange::MessageEnded(message.token));
        }
    }

    /// Holds back what is to be transmitted from `start` on, if it has to wait for the store or for others that do.
    pub(super) fn hold_back(&mut self, start: usize, lane: Lane, rests_on_store: bool) {
        if let Some(keeper) = &mut self.session.keeper {
            let bytes = self.transmit.split_off(start);
            if let Some(Held::Packets(bytes)) =
                keeper.hold(lane, rests_on_store, Held::Packets(bytes))
            {
                self.transmit.extend_from_slice(&bytes);
            }
        }
    }

    /// The same for a PUBLISH of QoS 2 that may not wait for long.
    pub(super) fn hold_back_urgent(
        &mut self,
        start: usize,
        packet_identifier: PacketIdentifier,
        give_up_at: Instant,
    ) {
        if let Some(keeper) = &mut self.session.keeper {
            let urgent = Held::Urgent {
                packet_identifier,
                give_up_at,
                bytes: self.transmit.split_off(start),
            };
            if let Some(Held::Urgent { bytes, .. }) = keeper.hold(Lane::Outgoing, true, urgent) {
                self.transmit.extend_from_slice(&bytes);
            }
        }
    }

    /// Gives a message to the application, as soon as it may have it.
    pub(super) fn give(&mut self, publish: Publish, rests_on_store: bool) {
        let event = ClientEvent::Message(publish);
        match &mut self.session.keeper {
            None => self.events.push_back(event),
            Some(keeper) => {
                let held = keeper.hold(Lane::Incoming, rests_on_store, Held::Event(event));
                if let Some(Held::Event(event)) = held {
                    self.events.push_back(event);
                }
            }
        }
    }

    /// Does what was held back and may happen.
    pub(super) fn release(&mut self, now: Instant) {
        while let Some(keeper) = &mut self.session.keeper
            && let Some(held) = keeper.release()
        {
            match held {
                Held::Event(event) => self.events.push_back(event),
                Held::Packets(_) | Held::Urgent { .. } if self.state != State::Connected => {}
                Held::Packets(bytes) => self.transmit.extend_from_slice(&bytes),
                Held::Urgent {
                    give_up_at, bytes, ..
                } if now < give_up_at => self.transmit.extend_from_slice(&bytes),
                Held::Urgent {
                    packet_identifier, ..
                } => {
                    self.note(SessionChange::ReleaseEnded(packet_identifier));
                    let outgoing = &mut self.session.exchanges.outgoing;
                    if let Some(message) = outgoing.withdraw(packet_identifier) {
                        self.events.push_back(ClientEvent::PublicationFailed {
                            token: message.token,
                            failure: PublicationFailure::HeldTooLong,
                        });
                    }
                }
            }
        }
    }
}
