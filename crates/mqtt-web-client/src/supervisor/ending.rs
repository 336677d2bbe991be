//! How attempts and connections end, and what follows.

use mqtt_protocol::{CloseReason, Instant, Properties, ReasonCode};

use super::{FollowServerReference, Output, State, Supervisor};
use crate::{Failure, Status, StopReason};

impl Supervisor {
    pub(super) fn handle_closed(&mut self, reason: CloseReason, now: Instant) {
        match reason {
            CloseReason::Refused(connack) => {
                let reason_code = connack.reason_code;
                let reason_string = reason_string(&connack.properties);
                if self.goes_elsewhere(reason_code, &connack.properties, now) {
                    return;
                }
                // Fresh credentials may fare better, once.
                let is_renewable = self.options.credentials_provider.is_some()
                    && is_about_credentials(reason_code)
                    && !std::mem::replace(&mut self.was_refused, true);
                if is_final(reason_code) && !is_renewable {
                    self.refuse(reason_code, reason_string);
                } else {
                    let failure = Failure::Refused {
                        reason_code,
                        reason_string,
                    };
                    self.fail(failure, now);
                }
            }
            CloseReason::Disconnected(disconnect) => {
                let reason_code = disconnect.reason_code;
                let reason_string = reason_string(&disconnect.properties);
                if reason_code == ReasonCode::SessionTakenOver {
                    self.stop(StopReason::SessionTakenOver);
                } else if self.goes_elsewhere(reason_code, &disconnect.properties, now) {
                    // The next attempt does.
                } else if is_elsewhere(reason_code) {
                    self.refuse(reason_code, reason_string);
                } else {
                    let failure = Failure::Disconnected {
                        reason_code,
                        reason_string,
                    };
                    self.fail(failure, now);
                }
            }
            CloseReason::Violation(reason_code) => {
                self.fail(Failure::Violation { reason_code }, now);
            }
            CloseReason::ConnackTimeout => self.fail(Failure::ConnackTimeout, now),
            CloseReason::PingrespTimeout => self.fail(Failure::PingrespTimeout, now),
            CloseReason::ConnectionLost => self.fail(Failure::ConnectionLost, now),
            CloseReason::ConnectNotEncodable(_) => self.stop(StopReason::InvalidOptions),
            CloseReason::ByCaller => self.stop(StopReason::ByCaller),
        }
    }

    /// Ends an attempt or a connection, and waits for the next attempt.
    pub(super) fn fail(&mut self, failure: Failure, now: Instant) {
        if let State::Open {
            connected_at: Some(connected_at),
            ..
        } = &self.state
        {
            // A Server that breaks the rules again and again is not to be met without a growing wait.
            if !matches!(failure, Failure::Violation { .. }) {
                let duration = now.saturating_duration_since(*connected_at);
                self.backoff.handle_connection(duration);
            }
        }
        self.end_link();
        let is_away = self.return_home();
        if matches!(failure, Failure::InvalidAddress) && !is_away {
            self.stop(StopReason::InvalidAddress);
            return;
        }
        let random = self.random.next();
        let retry_at = now + self.backoff.handle_failure(self.is_visible, random);
        self.state = State::Waiting { retry_at };
        self.set_status(Status::Waiting {
            failure,
            retry_at,
            attempt: self.backoff.n_failures().saturating_add(1),
        });
    }

    /// Makes the next attempt go where the Server said, if it may; says whether it does.
    fn goes_elsewhere(
        &mut self,
        reason_code: ReasonCode,
        properties: &Properties,
        now: Instant,
    ) -> bool {
        match self.options.follow_server_reference {
            Some(FollowServerReference(go)) if is_elsewhere(reason_code) => {
                go(self, reason_code, properties, now)
            }
            Some(_) | None => false,
        }
    }

    fn refuse(&mut self, reason_code: ReasonCode, reason_string: Option<String>) {
        self.end_link();
        self.set_status(Status::Refused {
            reason_code,
            reason_string,
        });
    }

    pub(super) fn stop(&mut self, reason: StopReason) {
        self.end_link();
        let is_kept = self.session.keeper.is_some();
        let outgoing = &mut self.session.exchanges.outgoing;
        drop(outgoing.abandon(|message| !(is_kept && message.may_wait)));
        self.publications.stop(&mut self.outputs);
        self.requests.stop(&mut self.outputs);
        self.must_renew = true;
        self.set_status(Status::Stopped { reason });
    }

    /// Closes the link, keeps the session.
    pub(super) fn end_link(&mut self) {
        // Callbacks of the old link are to do nothing.
        self.generation = self.generation.next();
        self.congestion = None;
        self.buffered_amount = 0;
        self.n_bytes_published = 0;
        self.publications.is_congested = false;
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Open { connection, .. } => {
                self.session = connection.into_session();
                self.requests.handle_close();
                let keeper = self.session.keeper.as_deref_mut();
                self.publications.handle_close(keeper, &mut self.outputs);
                self.outputs.push_back(Output::Close);
            }
            State::Asking { .. } | State::Opening { .. } => self.outputs.push_back(Output::Close),
            State::Waiting { .. } | State::Idle => {}
        }
    }
}

/// Whether trying again cannot change the answer.
fn is_final(reason_code: ReasonCode) -> bool {
    is_elsewhere(reason_code)
        || matches!(
            reason_code,
            ReasonCode::UnsupportedProtocolVersion
                | ReasonCode::ClientIdentifierNotValid
                | ReasonCode::BadUserNameOrPassword
                | ReasonCode::NotAuthorized
                | ReasonCode::Banned
                | ReasonCode::BadAuthenticationMethod
                | ReasonCode::TopicNameInvalid
                | ReasonCode::PacketTooLarge
                | ReasonCode::PayloadFormatInvalid
                | ReasonCode::RetainNotSupported
                | ReasonCode::QoSNotSupported
        )
}

fn is_about_credentials(reason_code: ReasonCode) -> bool {
    matches!(
        reason_code,
        ReasonCode::BadUserNameOrPassword | ReasonCode::NotAuthorized
    )
}

fn is_elsewhere(reason_code: ReasonCode) -> bool {
    matches!(
        reason_code,
        ReasonCode::UseAnotherServer | ReasonCode::ServerMoved
    )
}

fn reason_string(properties: &Properties) -> Option<String> {
    properties.reason_string().map(ToString::to_string)
}
