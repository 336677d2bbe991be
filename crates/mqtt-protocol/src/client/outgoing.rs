//! What the session has to send.

use std::time::Duration;

use super::{ClientConnection, ClientSession, Lane, SessionChange, State};
use crate::{
    AcknowledgedQoS, ClientEvent, EncodeError, Instant, PacketIdentifier, PacketType,
    PublicationFailure, PublishParts, QoS, ReasonCode, Transmission,
};

impl ClientConnection {
    /// Sends what the session has to send, as far as the Server's Receive Maximum goes.
    pub(super) fn send_session(&mut self, now: Instant) {
        if self.state != State::Connected {
            return;
        }
        loop {
            while let Some(message) = self.session.exchanges.outgoing.pop_queued_if(|message| {
                message
                    .expires_at
                    .is_some_and(|expires_at| expires_at <= now)
            }) {
                self.note_end(&message);
                self.events.push_back(ClientEvent::PublicationFailed {
                    token: message.token,
                    failure: PublicationFailure::Expired,
                });
            }
            let ClientSession {
                exchanges, keeper, ..
            } = &mut self.session;
            let mut is_urgent = false;
            let mut rests_on_store = true;
            let start = self.transmit.len();
            let (result, packet_identifier, dup) = match exchanges.outgoing.poll_transmission() {
                None => break,
                Some(Transmission::Pubrel { packet_identifier }) => {
                    self.release_message(packet_identifier);
                    (Ok(()), packet_identifier, true)
                }
                Some(Transmission::Publish {
                    packet_identifier,
                    qos,
                    dup,
                    message,
                }) => {
                    if let Some(keeper) = keeper.as_mut().filter(|_| !dup) {
                        if message.may_wait {
                            keeper.note(SessionChange::Sent(packet_identifier, message));
                        } else if qos == AcknowledgedQoS::ExactlyOnce {
                            // Not the message, but that the Server may know its identifier.
                            keeper.note(SessionChange::Released(packet_identifier, message));
                            is_urgent = true;
                        } else {
                            rests_on_store = false;
                        }
                    }
                    let publish = PublishParts {
                        dup,
                        packet_identifier: Some(packet_identifier),
                        ..message.publish.parts()
                    };
                    let result = publish.encode_within(
                        self.version,
                        self.server_limits.maximum_packet_size,
                        &mut self.transmit,
                    );
                    (result, packet_identifier, dup)
                }
            };
            match result {
                Ok(()) if is_urgent => {
                    self.hold_back_urgent(start, packet_identifier, now + URGENT_HOLD_MAX);
                }
                // What may not wait does not wait for the others either.
                Ok(()) if !rests_on_store => {}
                Ok(()) => self.hold_back(start, Lane::Outgoing, true),
                Err(error) => self.withdraw(packet_identifier, dup, error),
            }
        }
    }

    /// Gives up a message that turned out not to be encodable for this Server.
    fn withdraw(&mut self, packet_identifier: PacketIdentifier, dup: bool, error: EncodeError) {
        let outgoing = &mut self.session.exchanges.outgoing;
        let message = if dup {
            outgoing.abandon_in_flight(packet_identifier)
        } else {
            outgoing.withdraw(packet_identifier)
        };
        if dup {
            self.release_message(packet_identifier);
        }
        if let Some(mut message) = message {
            self.note_end(&message);
            message.may_wait = false;
            if dup && message.publish.qos == QoS::ExactlyOnce {
                self.note(SessionChange::Released(packet_identifier, &message));
            } else {
                self.note(SessionChange::ReleaseEnded(packet_identifier));
            }
            self.events.push_back(ClientEvent::PublicationFailed {
                token: message.token,
                failure: PublicationFailure::NotEncodable(error),
            });
        }
    }

    /// Sends a PUBREL.
    pub(super) fn release_message(&mut self, packet_identifier: PacketIdentifier) {
        self.acknowledge(PacketType::Pubrel, packet_identifier, ReasonCode::Success);
    }
}

/// How long a message of QoS 2 that may not wait is held back for the store.
const URGENT_HOLD_MAX: Duration = Duration::from_secs(1);
