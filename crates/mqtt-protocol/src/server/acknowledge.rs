//! Acknowledgements in both directions.

use bytestring::ByteString;

use super::{Request, ServerConnection};
use crate::{
    AcknowledgementOutcome, Packet, PacketIdentifier, Properties, Property, ProtocolVersion,
    Puback, Pubcomp, Pubrec, PubrecOutcome, Pubrel, PubrelOutcome, QoS, ReasonCode, Session,
    Suback, Unsuback,
};

impl ServerConnection {
    /// Answers a PUBLISH above QoS 0: the Server is responsible for it from here on, or refuses it. A `reason` explains
    /// that to a person, if the Client takes explanations.
    pub fn acknowledge<M>(
        &mut self,
        qos: QoS,
        packet_identifier: PacketIdentifier,
        reason_code: ReasonCode,
        reason: Option<&str>,
        session: &mut Session<M>,
    ) {
        // 3.1.1 has no word for a refusal.
        let (reason_code, reason) = match self.version {
            ProtocolVersion::V5_0 => (reason_code, reason),
            ProtocolVersion::V3_1_1 => (ReasonCode::Success, None),
        };
        match qos {
            QoS::AtMostOnce => return,
            QoS::AtLeastOnce => session.incoming.puback_sent(),
            QoS::ExactlyOnce if reason_code.is_error() => {
                session.incoming.reject(packet_identifier);
            }
            QoS::ExactlyOnce => {}
        }
        let packet = |properties| match qos {
            QoS::AtMostOnce | QoS::AtLeastOnce => Packet::Puback(Puback {
                packet_identifier,
                reason_code,
                properties,
            }),
            QoS::ExactlyOnce => Packet::Pubrec(Pubrec {
                packet_identifier,
                reason_code,
                properties,
            }),
        };
        // 5.0 [MQTT-3.1.2-29], 5.0 [MQTT-3.4.2-2], 5.0 [MQTT-3.5.2-2]: not for a Client that wants none, nor where
        // the packet would be too large with it.
        let reason = reason.filter(|_| self.client.request_problem_information);
        let reason = reason.map(|reason| Property::ReasonString(ByteString::from(reason)));
        let is_explained =
            reason.is_some_and(|reason| self.transmit(&packet(Properties::from_iter([reason]))));
        if !is_explained {
            self.transmit(&packet(Properties::new()));
        }
    }

    /// Answers a SUBSCRIBE with one Reason Code for each Topic Filter.
    pub fn suback(
        &mut self,
        packet_identifier: PacketIdentifier,
        mut reason_codes: Vec<ReasonCode>,
    ) {
        if self.version == ProtocolVersion::V3_1_1 {
            // 3.1.1 [MQTT-3.9.3-2]: there is one code for all failures.
            for reason_code in &mut reason_codes {
                if reason_code.is_error() {
                    *reason_code = ReasonCode::UnspecifiedError;
                }
            }
        }
        self.transmit(&Packet::Suback(Suback {
            packet_identifier,
            properties: Properties::new(),
            reason_codes,
        }));
    }

    /// Answers an UNSUBSCRIBE with one Reason Code for each Topic Filter.
    pub fn unsuback(&mut self, packet_identifier: PacketIdentifier, reason_codes: Vec<ReasonCode>) {
        self.transmit(&Packet::Unsuback(Unsuback {
            packet_identifier,
            properties: Properties::new(),
            reason_codes: match self.version {
                ProtocolVersion::V5_0 => reason_codes,
                ProtocolVersion::V3_1_1 => Vec::new(),
            },
        }));
    }

    /// Sends a PUBREL, for the first time or again.
    pub fn transmit_pubrel(
        &mut self,
        packet_identifier: PacketIdentifier,
        reason_code: ReasonCode,
    ) {
        self.transmit(&Packet::Pubrel(Pubrel {
            packet_identifier,
            reason_code: self.unless_silent(reason_code),
            properties: Properties::new(),
        }));
    }

    pub(super) fn handle_puback<M>(
        &mut self,
        puback: &Puback,
        session: &mut Session<M>,
    ) -> Option<Request<M>> {
        let packet_identifier = puback.packet_identifier;
        let outcome = session.outgoing.handle_puback(packet_identifier);
        self.completed(packet_identifier, outcome)
    }

    pub(super) fn handle_pubrec<M>(
        &mut self,
        pubrec: &Pubrec,
        session: &mut Session<M>,
    ) -> Option<Request<M>> {
        let packet_identifier = pubrec.packet_identifier;
        match session
            .outgoing
            .handle_pubrec(packet_identifier, pubrec.reason_code)
        {
            PubrecOutcome::Release => {
                self.transmit_pubrel(packet_identifier, ReasonCode::Success);
                Some(Request::Received(packet_identifier))
            }
            PubrecOutcome::Unknown if pubrec.reason_code.is_error() => None,
            PubrecOutcome::Unknown => {
                self.transmit_pubrel(packet_identifier, ReasonCode::PacketIdentifierNotFound);
                None
            }
            PubrecOutcome::Rejected(message) => Some(Request::Completed {
                packet_identifier,
                message,
            }),
            PubrecOutcome::ProtocolError => {
                self.disconnect(ReasonCode::ProtocolError);
                None
            }
        }
    }

    pub(super) fn handle_pubrel<M>(
        &mut self,
        pubrel: &Pubrel,
        session: &mut Session<M>,
    ) -> Option<Request<M>> {
        let packet_identifier = pubrel.packet_identifier;
        let reason_code = match session.incoming.handle_pubrel(packet_identifier) {
            PubrelOutcome::Known => ReasonCode::Success,
            PubrelOutcome::Unknown => self.unless_silent(ReasonCode::PacketIdentifierNotFound),
        };
        self.transmit(&Packet::Pubcomp(Pubcomp {
            packet_identifier,
            reason_code,
            properties: Properties::new(),
        }));
        Some(Request::Released(packet_identifier))
    }

    pub(super) fn handle_pubcomp<M>(
        &mut self,
        pubcomp: &Pubcomp,
        session: &mut Session<M>,
    ) -> Option<Request<M>> {
        let packet_identifier = pubcomp.packet_identifier;
        let outcome = session.outgoing.handle_pubcomp(packet_identifier);
        self.completed(packet_identifier, outcome)
    }

    fn completed<M>(
        &mut self,
        packet_identifier: PacketIdentifier,
        outcome: AcknowledgementOutcome<M>,
    ) -> Option<Request<M>> {
        match outcome {
            AcknowledgementOutcome::Completed(message) => Some(Request::Completed {
                packet_identifier,
                message,
            }),
            AcknowledgementOutcome::Unknown => None,
            AcknowledgementOutcome::ProtocolError => {
                self.disconnect(ReasonCode::ProtocolError);
                None
            }
        }
    }

    /// On 3.1.1 these packets carry no Reason Code.
    const fn unless_silent(&self, reason_code: ReasonCode) -> ReasonCode {
        match self.version {
            ProtocolVersion::V5_0 => reason_code,
            ProtocolVersion::V3_1_1 => ReasonCode::Success,
        }
    }
}
