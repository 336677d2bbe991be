//! A Server of a few lines behind the transport seam. It answers from inside `send`, as an in-page broker may.

use std::{cell::RefCell, rc::Rc};

use mqtt_protocol::{
    Connack, Decoder, DecoderSettings, Packet, Properties, Property, ProtocolVersion, Puback,
    Publish, ReasonCode, Role, Suback, Subscribe, TopicName, Unsuback,
};
use mqtt_web_client::{Failure, Link, LinkHandler, Options, Transport};

/// The page's side of the Server; the test keeps a clone.
#[derive(Clone, Default)]
pub(crate) struct InPageServer(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    handler: Option<LinkHandler>,
    received: Vec<Packet>,
    subscribed: Vec<Subscribe>,
    n_sends: usize,
    n_links: usize,
    is_silent: bool,
}

struct InPageLink {
    server: InPageServer,
    handler: LinkHandler,
    decoder: Decoder,
}

impl InPageServer {
    pub(crate) fn transport(&self) -> Rc<dyn Transport> {
        Rc::new(self.clone())
    }

    /// One that keeps sessions and answers no PUBLISH.
    pub(crate) fn silent() -> Self {
        let server = Self::default();
        server.0.borrow_mut().is_silent = true;
        server
    }

    /// Options for a Server that needs none.
    pub(crate) fn options() -> Options {
        Options::new("in-page")
    }

    /// What the client sent since the last call.
    pub(crate) fn take_received(&self) -> Vec<Packet> {
        std::mem::take(&mut self.0.borrow_mut().received)
    }

    /// How many times the client called `send` since the last call.
    pub(crate) fn take_n_sends(&self) -> usize {
        std::mem::take(&mut self.0.borrow_mut().n_sends)
    }

    /// Links that are not dropped.
    pub(crate) fn n_links(&self) -> usize {
        self.0.borrow().n_links
    }

    pub(crate) fn cut(&self) {
        let handler = self.0.borrow_mut().handler.take();
        handler.unwrap().closed(Failure::ConnectionLost);
    }
}

impl Transport for InPageServer {
    fn open(&self, _url: &str, handler: LinkHandler) -> Result<Box<dyn Link>, Failure> {
        let mut state = self.0.borrow_mut();
        state.handler = Some(handler.clone());
        state.n_links += 1;
        drop(state);
        handler.opened();
        Ok(Box::new(InPageLink {
            server: self.clone(),
            handler,
            decoder: Decoder::new(DecoderSettings {
                maximum_packet_size: u32::MAX,
                version: None,
                role: Role::Server,
            }),
        }))
    }
}

impl Link for InPageLink {
    fn send(&mut self, bytes: &[u8]) {
        self.server.0.borrow_mut().n_sends += 1;
        self.decoder.feed(bytes.to_vec().into());
        while let Some(packet) = self.decoder.next_packet().unwrap() {
            for answer in self.server.answers(&packet) {
                let mut bytes = Vec::new();
                answer.encode(ProtocolVersion::V5_0, &mut bytes).unwrap();
                self.handler.received(bytes.into());
            }
            self.server.0.borrow_mut().received.push(packet);
        }
    }

    fn buffered_amount(&self) -> usize {
        0
    }

    fn close(&mut self) {}
}

impl Drop for InPageLink {
    fn drop(&mut self) {
        self.server.0.borrow_mut().n_links -= 1;
    }
}

impl InPageServer {
    /// Accepts everything and sends every message back, with the Subscription Identifiers that it was given.
    fn answers(&self, packet: &Packet) -> Vec<Packet> {
        let properties = Properties::new();
        let reason_code = ReasonCode::Success;
        match packet {
            Packet::Connect(connect) => vec![Packet::Connack(Connack {
                session_present: self.0.borrow().is_silent && !connect.clean_start,
                reason_code,
                properties,
            })],
            Packet::Subscribe(subscribe) => {
                self.0.borrow_mut().subscribed.push(subscribe.clone());
                vec![Packet::Suback(Suback {
                    packet_identifier: subscribe.packet_identifier,
                    properties,
                    reason_codes: vec![reason_code; subscribe.subscriptions.len()],
                })]
            }
            Packet::Unsubscribe(unsubscribe) => {
                let is_kept = |subscribe: &Subscribe| {
                    let filter = &subscribe.subscriptions[0].topic_filter;
                    !unsubscribe.topic_filters.contains(filter)
                };
                self.0.borrow_mut().subscribed.retain(is_kept);
                vec![Packet::Unsuback(Unsuback {
                    packet_identifier: unsubscribe.packet_identifier,
                    properties,
                    reason_codes: vec![reason_code; unsubscribe.topic_filters.len()],
                })]
            }
            Packet::Publish(_) if self.0.borrow().is_silent => Vec::new(),
            Packet::Publish(publish) => {
                let echo = Packet::Publish(Publish {
                    qos: mqtt_protocol::QoS::AtMostOnce,
                    packet_identifier: None,
                    properties: self.with_identifiers(publish),
                    ..publish.clone()
                });
                let puback = publish.packet_identifier.map(|packet_identifier| {
                    Packet::Puback(Puback {
                        packet_identifier,
                        reason_code,
                        properties,
                    })
                });
                puback.into_iter().chain([echo]).collect()
            }
            Packet::Pingreq => vec![Packet::Pingresp],
            Packet::Connack(_)
            | Packet::Puback(_)
            | Packet::Pubrec(_)
            | Packet::Pubrel(_)
            | Packet::Pubcomp(_)
            | Packet::Suback(_)
            | Packet::Unsuback(_)
            | Packet::Pingresp
            | Packet::Disconnect(_)
            | Packet::Auth(_) => Vec::new(),
        }
    }

    fn with_identifiers(&self, publish: &Publish) -> Properties {
        let mut properties = publish.properties.clone();
        let topic_name = publish.topic_name.as_ref().unwrap();
        for subscribe in &self.0.borrow().subscribed {
            if subscribe.subscriptions[0].topic_filter.matches(topic_name) {
                for identifier in subscribe.properties.subscription_identifiers() {
                    properties.push(Property::SubscriptionIdentifier(identifier));
                }
            }
        }
        properties
    }

    /// Sends a message, as another client's.
    pub(crate) fn publish(&self, topic: &'static str, payload: &'static str) {
        let publish = Publish {
            dup: false,
            qos: mqtt_protocol::QoS::AtMostOnce,
            retain: false,
            topic_name: Some(TopicName::new(topic).unwrap()),
            packet_identifier: None,
            properties: Properties::new(),
            payload: payload.into(),
        };
        let properties = self.with_identifiers(&publish);
        let mut bytes = Vec::new();
        let packet = Packet::Publish(Publish {
            properties,
            ..publish
        });
        packet.encode(ProtocolVersion::V5_0, &mut bytes).unwrap();
        let handler = self.0.borrow().handler.clone();
        handler.unwrap().received(bytes.into());
    }
}
