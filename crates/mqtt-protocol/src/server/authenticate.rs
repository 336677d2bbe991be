//! Enhanced authentication: AUTH in both directions.

use bytes::Bytes;
use bytestring::ByteString;

use super::{Closing, Request, ServerConnection, State};
use crate::{Auth, Connect, Instant, Packet, Properties, Property, ReasonCode, Secret};

/// The Authentication Method that a Client named in its CONNECT, which is that of the whole connection.
#[derive(Debug)]
pub(super) struct Authentication {
    method: ByteString,
    /// By when it is to be shown anew, while that goes on, on a connection that is in use.
    due: Option<Instant>,
}

impl Authentication {
    pub(super) fn of(connect: &Connect) -> Option<Box<Self>> {
        let method = connect.properties.authentication_method()?;
        Some(Box::new(Self {
            // In memory of its own, as it lives as long as the connection.
            method: ByteString::from(method.to_string()),
            due: None,
        }))
    }
}

impl ServerConnection {
    /// The Authentication Method of the CONNECT.
    #[must_use]
    pub fn authentication_method(&self) -> Option<&ByteString> {
        Some(&self.authentication.as_ref()?.method)
    }

    /// Asks the Client for the next step.
    pub fn challenge(&mut self, data: Option<Bytes>) {
        let is_sent = match self.state {
            State::Connecting | State::Connected => {
                self.send_auth(ReasonCode::ContinueAuthentication, data)
            }
            State::AwaitingConnect | State::Authenticating | State::Closed(_) => return,
        };
        // A Client that cannot read the question cannot answer.
        match (self.state, is_sent) {
            (State::Connecting, true) => self.state = State::Authenticating,
            (State::Connecting, false) => self.send_refusal(ReasonCode::PacketTooLarge),
            (_, true) => {}
            (_, false) => self.disconnect(ReasonCode::PacketTooLarge),
        }
    }

    /// Handles what came after a [challenge](Self::challenge) to a CONNECT: gives the answer, which is then to be
    /// accepted, refused or challenged as the CONNECT was.
    pub fn handle_answer(&mut self, packet: Packet, now: Instant) -> Option<Auth> {
        if self.state != State::Authenticating {
            return None;
        }
        self.silence.handle_packet(now);
        match packet {
            Packet::Auth(auth)
                if auth.reason_code == ReasonCode::ContinueAuthentication
                    && self.is_by_the_same_method(&auth) =>
            {
                self.state = State::Connecting;
                return Some(auth);
            }
            Packet::Disconnect(disconnect) => {
                self.state = State::Closed(Closing::ByClient(disconnect.reason_code));
            }
            // 5.0 [MQTT-3.1.2-30]: nothing else before the CONNACK.
            Packet::Connect(_)
            | Packet::Connack(_)
            | Packet::Publish(_)
            | Packet::Puback(_)
            | Packet::Pubrec(_)
            | Packet::Pubrel(_)
            | Packet::Pubcomp(_)
            | Packet::Subscribe(_)
            | Packet::Suback(_)
            | Packet::Unsubscribe(_)
            | Packet::Unsuback(_)
            | Packet::Pingreq
            | Packet::Pingresp
            | Packet::Auth(_) => self.send_refusal(ReasonCode::ProtocolError),
        }
        None
    }

    /// Tells the Client that it has shown anew who it is.
    pub fn reauthenticated(&mut self, data: Option<Bytes>) {
        if self.state != State::Connected {
            return;
        }
        if let Some(authentication) = &mut self.authentication {
            authentication.due = None;
        }
        if !self.send_auth(ReasonCode::Success, data) {
            self.disconnect(ReasonCode::PacketTooLarge);
        }
    }

    pub(super) fn handle_auth<M>(&mut self, auth: Auth, now: Instant) -> Option<Request<M>> {
        // 5.0 [MQTT-4.12.1-1]: by the method of the CONNECT, which had one.
        let is_by_the_same_method = self.is_by_the_same_method(&auth);
        if let Some(authentication) = &mut self.authentication
            && is_by_the_same_method
        {
            match (authentication.due, auth.reason_code) {
                (None, ReasonCode::ReAuthenticate) => {
                    authentication.due = Some(now + self.settings.connect_timeout);
                    return Some(Request::Authenticate(auth));
                }
                (Some(_), ReasonCode::ContinueAuthentication) => {
                    return Some(Request::Authenticate(auth));
                }
                _ => {}
            }
        }
        self.disconnect(ReasonCode::ProtocolError);
        None
    }

    /// By when a Client that is connected is to have shown anew who it is.
    pub(super) fn reauthentication_due(&self) -> Option<Instant> {
        self.authentication.as_ref()?.due
    }

    /// Puts the method into a packet that ends or continues an authentication by it.
    pub(super) fn push_authentication(&self, data: Option<Bytes>, properties: &mut Properties) {
        if let Some(authentication) = &self.authentication {
            properties.push(Property::AuthenticationMethod(
                authentication.method.clone(),
            ));
            if let Some(data) = data {
                properties.push(Property::AuthenticationData(Secret(data)));
            }
        }
    }

    fn send_auth(&mut self, reason_code: ReasonCode, data: Option<Bytes>) -> bool {
        let mut properties = Properties::new();
        self.push_authentication(data, &mut properties);
        self.transmit(&Packet::Auth(Auth {
            reason_code,
            properties,
        }))
    }

    fn is_by_the_same_method(&self, auth: &Auth) -> bool {
        let method = auth.properties.authentication_method();
        method.is_some() && method == self.authentication_method()
    }
}
