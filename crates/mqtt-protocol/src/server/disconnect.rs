//! The end of a Network Connection.

use bytestring::ByteString;

use super::{Closing, Request, ServerConnection, State};
use crate::{Disconnect, Packet, Properties, Property, ProtocolVersion, ReasonCode};

impl ServerConnection {
    /// Ends the connection; a 5.0 Client is told why.
    pub fn disconnect(&mut self, reason_code: ReasonCode) {
        self.disconnect_because(reason_code, None);
    }

    /// Ends the connection without a word, because the Network Connection is gone.
    pub fn handle_close(&mut self) {
        self.output = Vec::new();
        if self.closing().is_none() {
            self.state = State::Closed(Closing::ConnectionLost);
        }
    }

    /// Ends the connection and explains it to a person.
    pub(super) fn disconnect_because(&mut self, reason_code: ReasonCode, reason: Option<&str>) {
        match self.state {
            State::Connected if self.version == ProtocolVersion::V5_0 => {
                let mut packet = Disconnect {
                    reason_code,
                    properties: Properties::new(),
                };
                if let Some(reason) = reason {
                    packet
                        .properties
                        .push(Property::ReasonString(ByteString::from(reason)));
                }
                // 5.0 [MQTT-3.14.2-3]: the Reason String stays out if the Client could not read the packet with it.
                if !self.transmit(&Packet::Disconnect(packet)) {
                    self.transmit(&Packet::Disconnect(Disconnect {
                        reason_code,
                        properties: Properties::new(),
                    }));
                }
            }
            // 5.0 [MQTT-3.14.0-1]: no DISCONNECT before a CONNACK; on 3.1.1 a Server never sends one.
            State::AwaitingConnect
            | State::Connecting
            | State::Authenticating
            | State::Connected => {}
            State::Closed(_) => return,
        }
        self.state = State::Closed(Closing::ByServer(reason_code));
    }

    pub(super) fn handle_disconnect<M>(&mut self, disconnect: Disconnect) -> Option<Request<M>> {
        if let Some(interval) = disconnect.properties.session_expiry_interval() {
            // 5.0 §3.14.2.2.2: a session that was to end with its connection cannot be prolonged.
            if self.session_expiry_interval == 0 && interval > 0 {
                self.disconnect(ReasonCode::ProtocolError);
                return None;
            }
            self.session_expiry_interval = interval.min(self.settings.session_expiry_interval_max);
        }
        self.state = State::Closed(Closing::ByClient(disconnect.reason_code));
        Some(Request::Disconnect(disconnect))
    }
}
