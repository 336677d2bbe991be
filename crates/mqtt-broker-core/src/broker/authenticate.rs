//! A Client shows who it is, in one step or several.

use bytestring::ByteString;
use mqtt_protocol::{Auth, Connect, Instant, Packet, ReasonCode};

use super::Broker;
use crate::{
    authentication::{Claimant, Step},
    peers::PendingConnect,
    session::SessionIndex,
};

impl Broker {
    /// The first packet of a connection, or the answer to a challenge.
    pub(super) fn handle_packet_before_session(
        &mut self,
        index: u32,
        packet: Packet,
        now: Instant,
    ) {
        let Some(connection) = self.peers.connections.find_mut(index) else {
            return;
        };
        if let Some(pending) = connection.pending_connect.take() {
            if let Some(auth) = connection.server.handle_answer(packet, now) {
                let mut pending = *pending;
                let data = auth.properties.authentication_data();
                let step = pending.exchange.step(data);
                self.conclude(index, pending, step, now);
            }
        } else if let Some(connect) = connection.server.handle_first_packet(packet, now) {
            self.authenticate(index, connect, now);
        }
    }

    /// A connected Client shows anew who it is.
    pub(super) fn handle_auth(&mut self, index: u32, session: SessionIndex, auth: &Auth) {
        let (Some(connection), Some(session)) = (
            self.peers.connections.find_mut(index),
            self.peers.sessions.find(session.0),
        ) else {
            return;
        };
        let exchange = if auth.reason_code == ReasonCode::ReAuthenticate {
            let claimant = Claimant::Connected(&session.client_identifier);
            let method = connection.server.authentication_method();
            method.and_then(|method| self.authenticator.as_mut()?.begin(method, claimant))
        } else {
            connection.exchange.take()
        };
        let Some(mut exchange) = exchange else {
            connection
                .server
                .disconnect(ReasonCode::BadAuthenticationMethod);
            return;
        };
        match exchange.step(auth.properties.authentication_data()) {
            Step::Continue(data) => {
                connection.server.challenge(Some(data));
                connection.exchange = Some(exchange);
            }
            Step::Success(data) => connection.server.reauthenticated(data),
            Step::Failure(reason_code) => connection.server.disconnect(reason_code),
        }
    }

    fn authenticate(&mut self, index: u32, connect: Box<Connect>, now: Instant) {
        if let Some(reason_code) = self.reason_to_refuse(&connect) {
            self.refuse(index, reason_code);
            return;
        }
        let method: Option<ByteString> = connect.properties.authentication_method().cloned();
        let Some(method) = method else {
            let checked = match &mut self.authenticator {
                Some(authenticator) => authenticator.check(&connect),
                None => Ok(()),
            };
            match checked {
                Ok(()) => self.connect(index, &connect, None, now),
                Err(reason_code) => self.refuse(index, reason_code),
            }
            return;
        };
        let claimant = Claimant::Connecting(&connect);
        let exchange = self
            .authenticator
            .as_mut()
            .and_then(|authenticator| authenticator.begin(&method, claimant));
        let Some(mut exchange) = exchange else {
            // 5.0 [MQTT-4.12.0-1]
            self.refuse(index, ReasonCode::BadAuthenticationMethod);
            return;
        };
        let step = exchange.step(connect.properties.authentication_data());
        self.conclude(index, PendingConnect { connect, exchange }, step, now);
    }

    fn conclude(&mut self, index: u32, pending: PendingConnect, step: Step, now: Instant) {
        match step {
            Step::Continue(data) => {
                if let Some(connection) = self.peers.connections.find_mut(index) {
                    connection.server.challenge(Some(data));
                    connection.pending_connect = Some(Box::new(pending));
                }
            }
            Step::Success(data) => match self.reason_to_refuse(&pending.connect) {
                // Much may have happened since the CONNECT came.
                Some(reason_code) => self.refuse(index, reason_code),
                None => self.connect(index, &pending.connect, data, now),
            },
            Step::Failure(reason_code) => self.refuse(index, reason_code),
        }
    }
}
