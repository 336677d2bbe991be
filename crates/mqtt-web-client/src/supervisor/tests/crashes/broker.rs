//! The Server, and peers on perfect links.

use mqtt_broker_core::{Broker, ConnectionId, Settings};
use mqtt_protocol::{
    ClientConnection, ClientOutput, ClientSession, ClientSettings, Decoder, DecoderSettings,
    Instant, OutgoingMessage, Packet, Properties, ProtocolVersion, PublicationToken, Publish, QoS,
    RetainHandling, Role, Subscription, TopicName,
};

use super::super::{ClientEvent, Connect, START, filter_of};

/// The broker's core with a decoder for each connection.
pub(super) struct Server {
    broker: Broker,
    decoders: Vec<(ConnectionId, Decoder)>,
}

impl Server {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            broker: Broker::new(Settings::default(), seed),
            decoders: Vec::new(),
        }
    }

    pub(super) fn open(&mut self, now: Instant) -> ConnectionId {
        let connection = self.broker.open(now);
        let decoder = Decoder::new(DecoderSettings {
            maximum_packet_size: u32::MAX,
            version: None,
            role: Role::Server,
        });
        self.decoders.push((connection, decoder));
        connection
    }

    /// Gives what the bytes were.
    pub(super) fn receive(
        &mut self,
        connection: ConnectionId,
        bytes: Vec<u8>,
        now: Instant,
    ) -> Vec<Packet> {
        let mut decoders = self.decoders.iter_mut();
        let Some((_, decoder)) = decoders.find(|(known, _)| *known == connection) else {
            return Vec::new();
        };
        decoder.feed(bytes.into());
        let mut packets = Vec::new();
        while let Some(packet) = decoder.next_packet().unwrap() {
            packets.push(packet);
        }
        self.broker.handle_packets(connection, packets.clone(), now);
        packets
    }

    pub(super) fn close(&mut self, connection: ConnectionId, now: Instant) {
        self.broker.handle_close(connection, now);
        self.decoders.retain(|(known, _)| *known != connection);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.broker.handle_timeout(now);
    }

    pub(super) fn drain(&mut self) -> Vec<(ConnectionId, Vec<u8>)> {
        let mut outputs = Vec::new();
        loop {
            match self.broker.poll_output() {
                mqtt_broker_core::Output::Transmit {
                    connection, bytes, ..
                } => outputs.push((connection, bytes)),
                mqtt_broker_core::Output::Close { connection } => {
                    self.decoders.retain(|(known, _)| *known != connection);
                }
                mqtt_broker_core::Output::Event(_) => {}
                mqtt_broker_core::Output::Timeout(_) => return outputs,
            }
        }
    }
}

/// A Client that never fails.
pub(super) struct Peer {
    connection: ClientConnection,
    wire: ConnectionId,
    received: Vec<(String, u64)>,
}

impl Peer {
    pub(super) fn new(name: &str, server: &mut Server) -> Self {
        let connect = Connect {
            protocol_version: ProtocolVersion::V5_0,
            clean_start: true,
            keep_alive: 0,
            properties: Properties::new(),
            client_identifier: name.into(),
            will: None,
            user_name: None,
            password: None,
        };
        let settings = ClientSettings::default();
        let connection = ClientConnection::new(connect, ClientSession::default(), settings, START);
        let wire = server.open(START);
        let mut peer = Self {
            connection,
            wire,
            received: Vec::new(),
        };
        peer.send(server);
        peer.converse(server);
        peer
    }

    pub(super) fn subscribe(&mut self, filters: &[&str], server: &mut Server) {
        let subscriptions = filters.iter().map(|filter| Subscription {
            topic_filter: filter_of(filter),
            maximum_qos: QoS::ExactlyOnce,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::default(),
        });
        let subscribed = self
            .connection
            .subscribe(subscriptions.collect(), Properties::new());
        subscribed.unwrap();
        self.send(server);
        self.converse(server);
    }

    pub(super) fn publish(&mut self, topic: &str, number: u64, server: &mut Server) {
        let message = OutgoingMessage {
            publish: Publish {
                dup: false,
                qos: QoS::ExactlyOnce,
                retain: false,
                topic_name: Some(TopicName::new(topic.to_owned()).unwrap()),
                packet_identifier: None,
                properties: Properties::new(),
                payload: number.to_string().into(),
            },
            token: PublicationToken(number),
            may_wait: true,
            expires_at: None,
        };
        self.connection.publish(message, START).unwrap();
        self.send(server);
    }

    /// Takes what is for it, and answers.
    pub(super) fn receive(&mut self, wire: ConnectionId, bytes: &[u8], server: &mut Server) {
        if wire == self.wire {
            self.connection.handle_input(bytes.to_vec().into(), START);
            self.send(server);
        }
    }

    pub(super) fn take_numbers(&mut self, topic: &str) -> Vec<u64> {
        let received = self.received.iter().filter(|(known, _)| known == topic);
        received.map(|(_, number)| *number).collect()
    }

    fn converse(&mut self, server: &mut Server) {
        loop {
            let outputs = server.drain();
            if outputs.is_empty() {
                return;
            }
            for (wire, bytes) in outputs {
                self.receive(wire, &bytes, server);
            }
        }
    }

    fn send(&mut self, server: &mut Server) {
        loop {
            match self.connection.poll_output() {
                ClientOutput::Transmit(bytes) => drop(server.receive(self.wire, bytes, START)),
                ClientOutput::Event(ClientEvent::Message(publish)) => {
                    let topic = publish.topic_name.unwrap().as_str().to_owned();
                    let number = std::str::from_utf8(&publish.payload).unwrap().parse();
                    self.received.push((topic, number.unwrap()));
                }
                ClientOutput::Event(_) => {}
                ClientOutput::Close => panic!("the Server closed the link of a peer"),
                ClientOutput::Timeout(_) => return,
            }
        }
    }
}
