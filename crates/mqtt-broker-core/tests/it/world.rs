//! A broker with Clients that speak in bytes, and a virtual clock.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::disk::Disk;
use bytes::Bytes;
use mqtt_broker_core::{Broker, ConnectionId, DisconnectCause, Event, Output, Settings};
use mqtt_protocol::{
    Connack, Connect, Decoder, DecoderSettings, Disconnect, Instant, Packet, PacketIdentifier,
    Properties, Property, ProtocolVersion, Puback, Pubcomp, Publish, Pubrec, Pubrel, QoS,
    ReasonCode, RetainHandling, Role, Subscribe, Subscription, TopicFilter, TopicName, Unsubscribe,
    WillMessage,
};

pub(crate) use ProtocolVersion::{V3_1_1, V5_0};
pub(crate) use QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

pub(crate) const BOTH: [ProtocolVersion; 2] = [V3_1_1, V5_0];

/// Everything that a test has in hand.
pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) now: Instant,
    pub(crate) events: Vec<Event>,
    clients: Vec<Client>,
    client_by_connection: BTreeMap<ConnectionId, usize>,
    deadline: Option<Instant>,
    pub(crate) disk: Disk,
    /// Whether what there is to store stays undone for now.
    pub(crate) is_disk_busy: bool,
    /// What waits for the disk.
    held: Vec<(u64, usize, Vec<u8>)>,
}

/// One Client's end of one Network Connection.
struct Client {
    connection: ConnectionId,
    version: ProtocolVersion,
    at_server: Decoder,
    at_client: Decoder,
    received: VecDeque<Packet>,
    n_bytes: usize,
    is_closed: bool,
}

/// Names one Network Connection of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClientId(usize);

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let mut disk = Disk::default();
        Self {
            broker: disk.restart(settings, Instant::START),
            now: Instant::START,
            events: Vec::new(),
            clients: Vec::new(),
            client_by_connection: BTreeMap::new(),
            deadline: None,
            disk,
            is_disk_busy: false,
            held: Vec::new(),
        }
    }

    /// Opens a Network Connection without sending anything.
    pub(crate) fn open(&mut self, version: ProtocolVersion) -> ClientId {
        let connection = self.broker.open(self.now);
        self.clients.push(Client {
            connection,
            version,
            at_server: Decoder::new(self.broker.settings().decoder_settings()),
            at_client: Decoder::new(DecoderSettings {
                maximum_packet_size: u32::MAX,
                version: Some(version),
                role: Role::Client,
            }),
            received: VecDeque::new(),
            n_bytes: 0,
            is_closed: false,
        });
        let id = ClientId(self.clients.len() - 1);
        self.client_by_connection.insert(connection, id.0);
        self.drain();
        id
    }

    /// Connects and takes the CONNACK, which must say success.
    pub(crate) fn connect(&mut self, connect: Connect) -> (ClientId, Connack) {
        let (client, connack) = self.try_connect(connect);
        assert_eq!(connack.reason_code, ReasonCode::Success);
        (client, connack)
    }

    /// Connects and takes the CONNACK.
    pub(crate) fn try_connect(&mut self, connect: Connect) -> (ClientId, Connack) {
        let client = self.open(connect.protocol_version);
        self.send(client, Packet::Connect(Box::new(connect)));
        let Some(Packet::Connack(connack)) = self.receive(client) else {
            panic!("the first packet is a CONNACK");
        };
        (client, connack)
    }

    /// Connects a Client with a session that ends with its connection.
    pub(crate) fn client(&mut self, version: ProtocolVersion, client_identifier: &str) -> ClientId {
        self.connect(connect(version, client_identifier)).0
    }

    /// Sends a packet as bytes.
    pub(crate) fn send(&mut self, client: ClientId, packet: Packet) {
        let mut bytes = Vec::new();
        packet
            .encode(self.clients[client.0].version, &mut bytes)
            .expect("a test sends valid packets");
        self.send_bytes(client, &bytes);
    }

    /// Sends any bytes, as a shell would: all packets of the read in one batch, then what is no packet.
    pub(crate) fn send_bytes(&mut self, client: ClientId, bytes: &[u8]) {
        let Client {
            at_server,
            connection,
            ..
        } = &mut self.clients[client.0];
        at_server.feed(Bytes::copy_from_slice(bytes));
        let mut packets = Vec::new();
        let error = loop {
            match at_server.next_packet() {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let connection = *connection;
        self.broker.handle_packets(connection, packets, self.now);
        if let Some(error) = error {
            self.broker
                .handle_decode_error(connection, &error, self.now);
        }
        self.drain();
    }

    /// Cuts the Network Connection without a word.
    pub(crate) fn cut(&mut self, client: ClientId) {
        let connection = self.clients[client.0].connection;
        self.broker.handle_close(connection, self.now);
        self.clients[client.0].is_closed = true;
        self.drain();
    }

    /// Says goodbye.
    pub(crate) fn disconnect(&mut self, client: ClientId, reason_code: ReasonCode) {
        self.send(
            client,
            Packet::Disconnect(Disconnect {
                reason_code,
                properties: Properties::new(),
            }),
        );
    }

    /// Ends a connection as a shell does; what comes of it stays in the broker until the next drain.
    pub(crate) fn end(&mut self, client: ClientId, reason_code: ReasonCode) {
        let connection = self.clients[client.0].connection;
        self.broker.disconnect(connection, reason_code, self.now);
    }

    pub(crate) fn set_writable(&mut self, client: ClientId, writable: bool) {
        let connection = self.clients[client.0].connection;
        self.broker.set_writable(connection, writable, self.now);
        self.drain();
    }

    pub(crate) fn shut_down(&mut self) {
        self.broker.shut_down(self.now);
        self.drain();
    }

    /// Lets time pass; every deadline on the way is met.
    pub(crate) fn advance(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(deadline) = self.deadline.filter(|&deadline| deadline <= end) {
            self.now = self.now.max(deadline);
            self.broker.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// The next packet that came.
    pub(crate) fn receive(&mut self, client: ClientId) -> Option<Packet> {
        self.clients[client.0].received.pop_front()
    }

    /// All packets that came.
    pub(crate) fn receive_all(&mut self, client: ClientId) -> Vec<Packet> {
        self.clients[client.0].received.drain(..).collect()
    }

    /// The next packet, which must be a PUBLISH.
    pub(crate) fn receive_publish(&mut self, client: ClientId) -> Publish {
        match self.receive(client) {
            Some(Packet::Publish(publish)) => publish,
            other => panic!("expected a PUBLISH, got {other:?}"),
        }
    }

    /// The payloads of all that came, which must all be PUBLISH.
    pub(crate) fn payloads(&mut self, client: ClientId) -> Vec<String> {
        self.receive_all(client)
            .into_iter()
            .map(|packet| match packet {
                Packet::Publish(publish) => String::from_utf8(publish.payload.to_vec()).unwrap(),
                other => panic!("expected a PUBLISH, got {other:?}"),
            })
            .collect()
    }

    /// The Reason Code of the DISCONNECT that came last; the connection must be closed.
    pub(crate) fn disconnect_reason(&mut self, client: ClientId) -> Option<ReasonCode> {
        assert!(self.is_closed(client), "the connection is closed");
        match self.receive_all(client).pop() {
            Some(Packet::Disconnect(disconnect)) => Some(disconnect.reason_code),
            Some(_) | None => None,
        }
    }

    pub(crate) fn is_closed(&self, client: ClientId) -> bool {
        self.clients[client.0].is_closed
    }

    pub(crate) fn n_bytes(&self, client: ClientId) -> usize {
        self.clients[client.0].n_bytes
    }

    /// Why a Client's connection ended, as the log has it.
    pub(crate) fn disconnect_cause(&self, client: ClientId) -> Option<DisconnectCause> {
        let id = self.clients[client.0].connection;
        self.events.iter().find_map(|event| match event {
            Event::Disconnected {
                connection, cause, ..
            }
            | Event::Refused { connection, cause }
                if *connection == id =>
            {
                Some(*cause)
            }
            Event::Connected { .. }
            | Event::Refused { .. }
            | Event::Disconnected { .. }
            | Event::SessionEnded { .. } => None,
        })
    }

    /// Subscribes and takes the SUBACK, which must grant it; retained messages stay to be received.
    pub(crate) fn subscribe(&mut self, client: ClientId, filter: &str, qos: QoS) {
        let code = self.subscribe_with(client, subscription(filter, qos), None);
        assert_eq!(code, ReasonCode::from_value(qos as u8).unwrap());
    }

    /// Subscribes and takes the SUBACK.
    pub(crate) fn subscribe_with(
        &mut self,
        client: ClientId,
        subscription: Subscription,
        subscription_identifier: Option<u32>,
    ) -> ReasonCode {
        let mut properties = Properties::new();
        if let Some(number) = subscription_identifier {
            properties.push(Property::SubscriptionIdentifier(number.try_into().unwrap()));
        }
        self.send(
            client,
            Packet::Subscribe(Subscribe {
                packet_identifier: packet_identifier(900),
                properties,
                subscriptions: vec![subscription],
            }),
        );
        let received = &mut self.clients[client.0].received;
        let position = received
            .iter()
            .position(|packet| matches!(packet, Packet::Suback(_)))
            .expect("a SUBSCRIBE is answered");
        match received.remove(position) {
            Some(Packet::Suback(suback)) => {
                assert_eq!(suback.packet_identifier, packet_identifier(900));
                suback.reason_codes[0]
            }
            other => panic!("expected a SUBACK, got {other:?}"),
        }
    }

    /// Unsubscribes and takes the UNSUBACK.
    pub(crate) fn unsubscribe(&mut self, client: ClientId, filter: &str) -> Option<ReasonCode> {
        self.send(
            client,
            Packet::Unsubscribe(Unsubscribe {
                packet_identifier: packet_identifier(901),
                properties: Properties::new(),
                topic_filters: vec![TopicFilter::new(filter.to_owned()).unwrap()],
            }),
        );
        match self.receive(client) {
            Some(Packet::Unsuback(unsuback)) => unsuback.reason_codes.first().copied(),
            other => panic!("expected an UNSUBACK, got {other:?}"),
        }
    }

    /// Publishes; what the broker answers stays to be received.
    pub(crate) fn publish(&mut self, client: ClientId, topic: &str, payload: &str, qos: QoS) {
        self.send(client, Packet::Publish(publish(topic, payload, qos)));
    }

    /// Publishes a retained message at QoS 0.
    pub(crate) fn retain(&mut self, client: ClientId, topic: &str, payload: &str) {
        let mut publish = publish(topic, payload, AtMostOnce);
        publish.retain = true;
        self.send(client, Packet::Publish(publish));
    }

    pub(crate) fn puback(&mut self, client: ClientId, packet_identifier: PacketIdentifier) {
        self.send(
            client,
            Packet::Puback(Puback {
                packet_identifier,
                reason_code: ReasonCode::Success,
                properties: Properties::new(),
            }),
        );
    }

    pub(crate) fn pubrec(&mut self, client: ClientId, packet_identifier: PacketIdentifier) {
        self.send(
            client,
            Packet::Pubrec(Pubrec {
                packet_identifier,
                reason_code: ReasonCode::Success,
                properties: Properties::new(),
            }),
        );
    }

    pub(crate) fn pubrel(&mut self, client: ClientId, packet_identifier: PacketIdentifier) {
        self.send(
            client,
            Packet::Pubrel(Pubrel {
                packet_identifier,
                reason_code: ReasonCode::Success,
                properties: Properties::new(),
            }),
        );
    }

    pub(crate) fn pubcomp(&mut self, client: ClientId, packet_identifier: PacketIdentifier) {
        self.send(
            client,
            Packet::Pubcomp(Pubcomp {
                packet_identifier,
                reason_code: ReasonCode::Success,
                properties: Properties::new(),
            }),
        );
    }

    /// Lets the disk finish what it has to do, and sends what waited for it.
    pub(crate) fn commit(&mut self) {
        self.disk.commit();
        for (after, client, bytes) in std::mem::take(&mut self.held) {
            assert!(
                after <= self.disk.n_durable(),
                "what waits waits for what there is"
            );
            self.deliver(client, &bytes);
        }
    }

    /// The power goes and comes back: every connection is gone, and what was not durable too.
    pub(crate) fn power_cut(&mut self) {
        self.held.clear();
        for client in &mut self.clients {
            client.is_closed = true;
        }
        self.client_by_connection.clear();
        self.is_disk_busy = false;
        self.broker = self.disk.restart(self.broker.settings().clone(), self.now);
        self.drain();
    }

    /// What a Client reads.
    fn deliver(&mut self, client: usize, bytes: &[u8]) {
        let client = &mut self.clients[client];
        if client.is_closed {
            return;
        }
        client.n_bytes += bytes.len();
        client.at_client.feed(Bytes::copy_from_slice(bytes));
        while let Some(packet) = client
            .at_client
            .next_packet()
            .expect("the broker sends valid packets")
        {
            client.received.push_back(packet);
        }
    }

    /// Does what a shell does.
    pub(crate) fn drain(&mut self) {
        self.drain_outputs();
        self.disk.take_from(&mut self.broker);
        if !self.is_disk_busy {
            self.commit();
        }
    }

    fn drain_outputs(&mut self) {
        loop {
            match self.broker.poll_output() {
                Output::Transmit {
                    connection,
                    after,
                    bytes,
                } => {
                    let client = self.client_by_connection[&connection];
                    assert!(
                        !self.clients[client].is_closed,
                        "nothing is sent on a closed connection"
                    );
                    let is_behind = self.held.iter().any(|(_, other, _)| *other == client);
                    if after > self.disk.n_durable() || is_behind {
                        self.held.push((after, client, bytes));
                    } else {
                        self.deliver(client, &bytes);
                        self.broker.recycle(bytes);
                    }
                }
                Output::Close { connection } => {
                    let client = self.client_by_connection.remove(&connection).unwrap();
                    if self.held.iter().any(|(_, other, _)| *other == client) {
                        self.disk.take_from(&mut self.broker);
                        self.commit();
                    }
                    self.clients[client].is_closed = true;
                }
                Output::Event(event) => self.events.push(event),
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    return;
                }
            }
        }
    }
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn packet_identifier(number: u16) -> PacketIdentifier {
    PacketIdentifier::new(number).unwrap()
}

pub(crate) fn topic(topic: &str) -> TopicName {
    TopicName::new(topic.to_owned()).unwrap()
}

/// A CONNECT with a clean start, no Keep Alive and nothing else.
pub(crate) fn connect(version: ProtocolVersion, client_identifier: &str) -> Connect {
    Connect {
        protocol_version: version,
        clean_start: true,
        keep_alive: 0,
        properties: Properties::new(),
        client_identifier: client_identifier.to_owned().into(),
        will: None,
        user_name: None,
        password: None,
    }
}

/// A CONNECT that goes on with its session, which never expires.
pub(crate) fn resume(version: ProtocolVersion, client_identifier: &str) -> Connect {
    let mut connect = connect(version, client_identifier);
    connect.clean_start = false;
    if version == V5_0 {
        connect
            .properties
            .push(Property::SessionExpiryInterval(u32::MAX));
    }
    connect
}

pub(crate) fn will(topic_name: &str, payload: &str) -> WillMessage {
    WillMessage {
        topic_name: topic(topic_name),
        payload: Bytes::from(payload.to_owned()),
        qos: AtMostOnce,
        retain: false,
        properties: Properties::new(),
    }
}

pub(crate) fn subscription(filter: &str, qos: QoS) -> Subscription {
    Subscription {
        topic_filter: TopicFilter::new(filter.to_owned()).unwrap(),
        maximum_qos: qos,
        no_local: false,
        retain_as_published: false,
        retain_handling: RetainHandling::Send,
    }
}

/// A PUBLISH with Packet Identifier 1 above QoS 0.
pub(crate) fn publish(topic_name: &str, payload: &str, qos: QoS) -> Publish {
    Publish {
        dup: false,
        qos,
        retain: false,
        topic_name: Some(topic(topic_name)),
        packet_identifier: (qos > AtMostOnce).then(|| packet_identifier(1)),
        properties: Properties::new(),
        payload: Bytes::from(payload.to_owned()),
    }
}
