//! What the Server's packets do.

use std::num::NonZeroU16;

use super::{
    ClientConnection, ClientSession, Lane, Request, RequestKind, ServerLimits, SessionChange, State,
};
use crate::{
    AcknowledgedQoS, AcknowledgementOutcome, ClientEvent, CloseReason, Connack, Incoming, Instant,
    OutgoingMessage, Packet, PacketIdentifier, PacketType, PingTimer, ProtocolVersion,
    PublicationFailure, Publish, Pubrec, PubrecOutcome, Pubrel, PubrelOutcome, QoS, ReasonCode,
    ReceivedPublish,
};

impl ClientConnection {
    pub(super) fn handle_packet(&mut self, packet: Packet, now: Instant) {
        match self.state {
            State::AwaitingConnack => {
                if let Packet::Connack(connack) = packet {
                    self.handle_connack(connack, now);
                } else {
                    self.fail(ReasonCode::ProtocolError);
                }
            }
            State::Connected => self.handle_packet_while_connected(packet, now),
            State::Closing | State::Closed => {}
        }
    }

    fn handle_connack(&mut self, connack: Connack, now: Instant) {
        if connack.reason_code.is_error() {
            self.close(CloseReason::Refused(connack));
            return;
        }
        if connack.session_present && (self.clean_start || !self.session.is_established) {
            // [MQTT-3.2.2-4]: the Server has state that we have not.
            self.fail(ReasonCode::ProtocolError);
            return;
        }
        let properties = &connack.properties;
        self.server_limits = ServerLimits {
            maximum_packet_size: properties
                .maximum_packet_size()
                .map_or(u32::MAX, Into::into),
            maximum_qos: properties.maximum_qos().unwrap_or(QoS::ExactlyOnce),
            retain_available: properties.retain_available().unwrap_or(true),
        };
        let keep_alive = properties.server_keep_alive().unwrap_or(self.keep_alive);
        let server_receive_maximum = properties.receive_maximum().unwrap_or(NonZeroU16::MAX);
        self.ping_timer = (keep_alive > 0)
            .then(|| PingTimer::new(keep_alive, self.settings.pingresp_timeout, now));
        self.state = State::Connected;
        let session_present = connack.session_present;
        self.events.push_back(ClientEvent::Connected(connack));

        self.session.is_established = true;
        if !session_present {
            self.restart_session();
        }
        let exchanges = &mut self.session.exchanges;
        exchanges.incoming.resume(self.receive_maximum);
        exchanges.outgoing.resume(server_receive_maximum);
    }

    /// Goes on without what the Server has lost.
    pub(super) fn restart_session(&mut self) {
        let ClientSession {
            exchanges, keeper, ..
        } = &mut self.session;
        if let Some(keeper) = keeper {
            keeper.note(SessionChange::Lost(exchanges));
        }
        exchanges.incoming = Incoming::default();
        for message in exchanges.outgoing.restart() {
            self.events.push_back(ClientEvent::PublicationFailed {
                token: message.token,
                failure: PublicationFailure::Indeterminate,
            });
        }
    }

    fn handle_packet_while_connected(&mut self, packet: Packet, now: Instant) {
        match packet {
            Packet::Publish(publish) => self.handle_publish(publish),
            Packet::Puback(puback) => {
                let outgoing = &mut self.session.exchanges.outgoing;
                let outcome = outgoing.handle_puback(puback.packet_identifier);
                if let AcknowledgementOutcome::Completed(Some(message)) = &outcome {
                    self.note_end(message);
                }
                self.handle_acknowledgement(outcome, puback.reason_code);
            }
            Packet::Pubrec(pubrec) => self.handle_pubrec(&pubrec),
            Packet::Pubcomp(pubcomp) => {
                let outgoing = &mut self.session.exchanges.outgoing;
                let outcome = outgoing.handle_pubcomp(pubcomp.packet_identifier);
                if let AcknowledgementOutcome::Completed(_) = outcome {
                    self.note(SessionChange::ReleaseEnded(pubcomp.packet_identifier));
                }
                // Its only other code, 0x92, says that the PUBREL had come before: the message has arrived.
                self.handle_acknowledgement(outcome, ReasonCode::Success);
            }
            Packet::Pubrel(pubrel) => self.handle_pubrel(&pubrel),
            Packet::Suback(suback) => {
                let packet_identifier = suback.packet_identifier;
                let reason_codes = suback.reason_codes;
                if self
                    .end_request(
                        packet_identifier,
                        RequestKind::Subscribe,
                        reason_codes.len(),
                    )
                    .is_some()
                {
                    self.events.push_back(ClientEvent::Subscribed {
                        packet_identifier,
                        reason_codes,
                    });
                }
            }
            Packet::Unsuback(unsuback) => {
                let packet_identifier = unsuback.packet_identifier;
                let n_codes = unsuback.reason_codes.len();
                if let Some(n_filters) =
                    self.end_request(packet_identifier, RequestKind::Unsubscribe, n_codes)
                {
                    let mut reason_codes = unsuback.reason_codes;
                    reason_codes.resize(n_filters, ReasonCode::Success);
                    self.events.push_back(ClientEvent::Unsubscribed {
                        packet_identifier,
                        reason_codes,
                    });
                }
            }
            Packet::Pingresp => {
                let timer = self.ping_timer.as_mut();
                if let Some(round_trip_time) = timer.and_then(|timer| timer.handle_pingresp(now)) {
                    self.events.push_back(ClientEvent::Pong { round_trip_time });
                }
            }
            Packet::Disconnect(disconnect) => self.close(CloseReason::Disconnected(disconnect)),
            // We never begin an enhanced authentication, and the rest is for Servers to receive.
            Packet::Auth(_)
            | Packet::Connack(_)
            | Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq => self.fail(ReasonCode::ProtocolError),
        }
    }

    fn handle_publish(&mut self, mut publish: Publish) {
        if let Err(reason_code) = self.topic_aliases.resolve(&mut publish) {
            self.fail(reason_code);
            return;
        }
        let (Some(qos), Some(packet_identifier)) =
            (AcknowledgedQoS::new(publish.qos), publish.packet_identifier)
        else {
            self.give(publish, false);
            return;
        };
        let incoming = &mut self.session.exchanges.incoming;
        match incoming.handle_publish(packet_identifier, qos) {
            ReceivedPublish::New => {
                let is_kept = qos == AcknowledgedQoS::ExactlyOnce;
                if is_kept {
                    self.note(SessionChange::Received(packet_identifier));
                }
                self.give(publish, is_kept);
            }
            ReceivedPublish::Duplicate => {}
            ReceivedPublish::QuotaExceeded => {
                self.fail(ReasonCode::ReceiveMaximumExceeded);
                return;
            }
        }
        let start = self.transmit.len();
        let packet_type = match qos {
            AcknowledgedQoS::AtLeastOnce => {
                self.session.exchanges.incoming.puback_sent();
                PacketType::Puback
            }
            AcknowledgedQoS::ExactlyOnce => PacketType::Pubrec,
        };
        self.acknowledge(packet_type, packet_identifier, ReasonCode::Success);
        let rests_on_store = qos == AcknowledgedQoS::ExactlyOnce;
        self.hold_back(start, Lane::Incoming, rests_on_store);
    }

    fn handle_pubrec(&mut self, pubrec: &Pubrec) {
        let packet_identifier = pubrec.packet_identifier;
        let outgoing = &mut self.session.exchanges.outgoing;
        match outgoing.handle_pubrec(packet_identifier, pubrec.reason_code) {
            PubrecOutcome::Release => {
                let message = outgoing.in_flight_message(packet_identifier);
                if let (Some(keeper), Some(message)) = (&mut self.session.keeper, message) {
                    keeper.note(SessionChange::Released(packet_identifier, message));
                }
                let start = self.transmit.len();
                self.release_message(packet_identifier);
                self.hold_back(start, Lane::Outgoing, true);
            }
            PubrecOutcome::Rejected(message) => {
                match &message {
                    Some(message) if message.may_wait => self.note_end(message),
                    // One that may not wait is stored as if it were released.
                    Some(_) | None => self.note(SessionChange::ReleaseEnded(packet_identifier)),
                }
                self.acknowledged(message, pubrec.reason_code);
            }
            PubrecOutcome::Unknown => self.acknowledge(
                PacketType::Pubrel,
                packet_identifier,
                ReasonCode::PacketIdentifierNotFound,
            ),
            PubrecOutcome::ProtocolError => self.fail(ReasonCode::ProtocolError),
        }
    }

    fn handle_pubrel(&mut self, pubrel: &Pubrel) {
        let packet_identifier = pubrel.packet_identifier;
        let incoming = &mut self.session.exchanges.incoming;
        let outcome = incoming.handle_pubrel(packet_identifier);
        let reason_code = match outcome {
            PubrelOutcome::Known => {
                self.note(SessionChange::ReceiptEnded(packet_identifier));
                ReasonCode::Success
            }
            PubrelOutcome::Unknown => ReasonCode::PacketIdentifierNotFound,
        };
        let start = self.transmit.len();
        self.acknowledge(PacketType::Pubcomp, packet_identifier, reason_code);
        // If it were forgotten after this that the exchange is over, the next message under this identifier
        // would be taken for the same.
        self.hold_back(start, Lane::Incoming, true);
    }

    fn handle_acknowledgement(
        &mut self,
        outcome: AcknowledgementOutcome<Box<OutgoingMessage>>,
        reason_code: ReasonCode,
    ) {
        match outcome {
            AcknowledgementOutcome::Completed(message) => self.acknowledged(message, reason_code),
            AcknowledgementOutcome::Unknown => {}
            AcknowledgementOutcome::ProtocolError => self.fail(ReasonCode::ProtocolError),
        }
    }

    fn acknowledged(&mut self, message: Option<Box<OutgoingMessage>>, reason_code: ReasonCode) {
        if let Some(message) = message {
            self.events.push_back(ClientEvent::PublicationAcknowledged {
                token: message.token,
                reason_code,
            });
        }
    }

    /// Ends what waited for a SUBACK or UNSUBACK and gives the number of its Topic Filters.
    fn end_request(
        &mut self,
        packet_identifier: PacketIdentifier,
        kind: RequestKind,
        n_codes: usize,
    ) -> Option<usize> {
        let mut requests = self.requests.iter();
        let position =
            requests.position(|request| request.packet_identifier == packet_identifier)?;
        let Request {
            kind: expected,
            n_filters,
            ..
        } = self.requests.swap_remove(position);
        let has_codes = kind == RequestKind::Subscribe || self.version == ProtocolVersion::V5_0;
        if kind != expected || (has_codes && n_codes != n_filters) {
            self.fail(ReasonCode::ProtocolError);
            return None;
        }
        let outgoing = &mut self.session.exchanges.outgoing;
        outgoing.release_packet_identifier(packet_identifier);
        Some(n_filters)
    }
}
