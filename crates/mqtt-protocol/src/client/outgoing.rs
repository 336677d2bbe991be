//! What the session has to send.

use super::{ClientConnection, State};
use crate::{
    ClientEvent, EncodeError, Instant, Packet, PacketIdentifier, Properties, PublicationFailure,
    Publish, Pubrel, ReasonCode, Transmission,
};

impl ClientConnection {
    /// Sends what the session has to send, as far as the Server's Receive Maximum goes.
    pub(super) fn send_session(&mut self, now: Instant) {
        if self.state != State::Connected {
            return;
        }
        loop {
            let outgoing = &mut self.session.exchanges.outgoing;
            while let Some(message) = outgoing.pop_queued_if(|message| {
                message
                    .expires_at
                    .is_some_and(|expires_at| expires_at <= now)
            }) {
                self.events.push_back(ClientEvent::PublicationFailed {
                    token: message.token,
                    failure: PublicationFailure::Expired,
                });
            }
            let (packet, packet_identifier, dup) = match outgoing.poll_transmission() {
                None => break,
                Some(Transmission::Pubrel { packet_identifier }) => {
                    (pubrel(packet_identifier), packet_identifier, true)
                }
                Some(Transmission::Publish {
                    packet_identifier,
                    dup,
                    message,
                    ..
                }) => {
                    let publish = Publish {
                        dup,
                        packet_identifier: Some(packet_identifier),
                        ..message.publish.clone()
                    };
                    (Packet::Publish(publish), packet_identifier, dup)
                }
            };
            if let Err(error) = self.send(&packet) {
                self.withdraw(packet_identifier, dup, error);
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
            self.send_fixed(&pubrel(packet_identifier));
        }
        if let Some(message) = message {
            self.events.push_back(ClientEvent::PublicationFailed {
                token: message.token,
                failure: PublicationFailure::NotEncodable(error),
            });
        }
    }
}

pub(super) fn pubrel(packet_identifier: PacketIdentifier) -> Packet {
    Packet::Pubrel(Pubrel {
        packet_identifier,
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    })
}
