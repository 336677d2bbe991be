//! Requests to the broker's owner, and the answers, which go to nobody but the asker.

use std::num::NonZeroU32;

use mqtt_protocol::{Instant, Property, ProtocolVersion, QoS, ReasonCode, TopicName};

use super::{Broker, publish::merge};
use crate::{
    Action, ConnectionId, Refusal, Request, Responded, Responder, Response,
    message::Message,
    peers::Outbound,
    session::SessionIndex,
    topic_tree::{MatchCache, Subscriber, TopicTree},
};

impl Broker {
    /// Gives the messages of one topic to `responder` instead of to those who subscribe to it.
    pub fn set_responder(&mut self, responder: Box<dyn Responder>) {
        self.responder = Some(responder);
    }

    /// Whether the authenticator lets this Client do something; nobody who is gone may do anything.
    pub fn is_authorized(&mut self, connection: ConnectionId, action: Action<'_>) -> bool {
        let session = self.session_of(connection);
        session.is_some_and(|session| self.may(session, action))
    }

    /// Whether an answer on this topic would reach the Client: it is there and subscribed, not by a share alone.
    pub fn is_reachable(&mut self, connection: ConnectionId, topic_name: &TopicName) -> bool {
        let session = self.session_of(connection);
        let (cache, tree) = (&mut self.match_cache, &mut self.topic_tree);
        session.is_some_and(|session| !subscriptions(session, topic_name, cache, tree).is_empty())
    }

    /// Sends an answer to the session of the Client that asked, if it is subscribed to the topic, and to nobody else.
    pub fn respond(
        &mut self,
        connection: ConnectionId,
        response: Response,
        now: Instant,
    ) -> Responded {
        let Some(index) = self.index_of(connection) else {
            return Responded::Refused;
        };
        let asker = self.peers.connections.find(index);
        let Some((session, asker)) = asker.and_then(|asker| Some((asker.session?, asker))) else {
            return Responded::Refused;
        };
        if !asker.writable {
            return Responded::Later;
        }
        let of_5_0 = asker.server.version() == ProtocolVersion::V5_0;
        let correlation_data = response.correlation_data.filter(|_| of_5_0);
        let properties = correlation_data.map(Property::CorrelationData);
        let message = Message::new(
            response.topic_name,
            response.payload,
            properties.into_iter().collect(),
            QoS::AtMostOnce,
            false,
            now,
        );
        let (cache, tree) = (&mut self.match_cache, &mut self.topic_tree);
        let own = subscriptions(session, &message.topic_name, cache, tree);
        let mut identifiers: Vec<NonZeroU32> = Vec::new();
        let Some(grant) = merge(own, &message, None, &mut identifiers) else {
            return Responded::Refused;
        };
        self.encodings.clear();
        let mut outbound = Outbound {
            message: &message,
            topic_name: &message.topic_name,
            kept: None,
            encodings: &mut self.encodings,
        };
        let limits = &self.settings.limits;
        self.peers
            .deliver(&mut outbound, session, grant, limits, now);
        Responded::Sent
    }

    pub(super) fn is_request(&self, topic_name: &TopicName) -> bool {
        let responder = self.responder.as_ref();
        responder.is_some_and(|responder| responder.topic() == topic_name.as_str())
    }

    pub(super) fn handle_request(
        &mut self,
        index: u32,
        asker: SessionIndex,
        message: &Message,
    ) -> Result<(), Refusal> {
        let outcome = self.accept_request(index, asker, message);
        if outcome.is_err() {
            self.peers.counters.requests_refused += 1;
        }
        outcome
    }

    fn accept_request(
        &mut self,
        index: u32,
        asker: SessionIndex,
        message: &Message,
    ) -> Result<(), Refusal> {
        let refused = |reason_code, reason| {
            Err(Refusal {
                reason_code,
                reason,
            })
        };
        let properties = message.properties();
        if !self.may(asker, Action::Publish(message.topic_name.as_str())) {
            return refused(ReasonCode::NotAuthorized, "you may not ask here");
        }
        let response_topic = properties.response_topic();
        if let Some(topic_name) = response_topic {
            let (cache, tree) = (&mut self.match_cache, &mut self.topic_tree);
            if subscriptions(asker, topic_name, cache, tree).is_empty() {
                let reason = "you are not subscribed to the Response Topic";
                return refused(ReasonCode::NotAuthorized, reason);
            }
        } else if message.qos > QoS::AtMostOnce && self.speaks_reason_codes(index) {
            // Who can be told has to say it where it is seen before the acknowledgement, which is not in the payload.
            let reason = "set a Response Topic that you are subscribed to";
            return refused(ReasonCode::ImplementationSpecificError, reason);
        }
        let generation = self.peers.connections.generation(index);
        let connection = self.peers.connections.find(index);
        let (Some(generation), Some(connection)) = (generation, connection) else {
            return Ok(());
        };
        let request = Request {
            connection: ConnectionId { index, generation },
            packet_size_max: connection.server.client().maximum_packet_size.get(),
            response_topic: response_topic.cloned(),
            correlation_data: properties.correlation_data().cloned(),
            payload: message.payload.clone(),
        };
        match &mut self.responder {
            Some(responder) => responder.accept(request),
            None => Ok(()),
        }
    }

    fn session_of(&self, connection: ConnectionId) -> Option<SessionIndex> {
        let index = self.index_of(connection)?;
        self.peers.connections.find(index)?.session
    }

    fn may(&mut self, session: SessionIndex, action: Action<'_>) -> bool {
        let Some(session) = self.peers.sessions.find(session.0) else {
            return false;
        };
        match &mut self.authenticator {
            Some(authenticator) => authenticator.authorize(&session.client_identifier, action),
            None => true,
        }
    }
}

/// A session's own subscriptions to a topic, those that it shares aside.
fn subscriptions<'a>(
    session: SessionIndex,
    topic_name: &TopicName,
    cache: &'a mut MatchCache,
    tree: &mut TopicTree,
) -> &'a [Subscriber] {
    let subscribers = &cache.find(topic_name, tree).matches.subscribers;
    let from = subscribers.partition_point(|subscriber| subscriber.session < session);
    let to = subscribers.partition_point(|subscriber| subscriber.session <= session);
    &subscribers[from..to]
}
