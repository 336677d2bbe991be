//! Who may not read a series learns nothing of it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at what it does not expect"
)]

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use mqtt_broker::store::DataDirectory;
use mqtt_broker::{Action, Authenticator, Claimant, Exchange, STORE_FORMAT, Server, Settings};
use mqtt_protocol::{
    Connect, Decoder, DecoderSettings, Packet, PacketIdentifier, Properties, Property,
    ProtocolVersion, Publish, QoS, ReasonCode, RetainHandling, Role, Subscribe, Subscription,
    TopicFilter, TopicName,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::history_service::{HistoryLimits, HistoryService};

const OPEN: &str = "rootzone/beds/open/moisture";
const SECRET: &str = "rootzone/beds/secret/moisture";

/// Lets everybody in. Strangers may not ask, and nobody may read what is secret.
#[derive(Debug)]
struct Guard;

impl Authenticator for Guard {
    fn check(&mut self, _: &Connect) -> Result<(), ReasonCode> {
        Ok(())
    }

    fn begin(&mut self, _: &str, _: Claimant<'_>) -> Option<Box<dyn Exchange>> {
        None
    }

    fn authorize(&mut self, client_identifier: &str, action: Action<'_>) -> bool {
        match action {
            Action::Publish(_) => client_identifier != "stranger",
            Action::Receive(topic) => topic != SECRET,
        }
    }
}

struct Client {
    stream: TcpStream,
    decoder: Decoder,
}

impl Client {
    async fn connect(address: SocketAddr, name: &str) -> Self {
        let mut client = Self {
            stream: TcpStream::connect(address).await.unwrap(),
            decoder: Decoder::new(DecoderSettings {
                maximum_packet_size: u32::MAX,
                version: Some(ProtocolVersion::V5_0),
                role: Role::Client,
            }),
        };
        let connect = Connect {
            protocol_version: ProtocolVersion::V5_0,
            clean_start: true,
            keep_alive: 0,
            properties: Properties::new(),
            client_identifier: name.to_owned().into(),
            will: None,
            user_name: None,
            password: None,
        };
        client.send(Packet::Connect(Box::new(connect))).await;
        client.receive().await;
        let subscribe = Subscribe {
            packet_identifier: PacketIdentifier::new(1).unwrap(),
            properties: Properties::new(),
            subscriptions: vec![Subscription {
                topic_filter: TopicFilter::new("answers").unwrap(),
                maximum_qos: QoS::AtMostOnce,
                no_local: false,
                retain_as_published: false,
                retain_handling: RetainHandling::Send,
            }],
        };
        client.send(Packet::Subscribe(subscribe)).await;
        client.receive().await;
        client
    }

    async fn send(&mut self, packet: Packet) {
        let mut bytes = Vec::new();
        packet.encode(ProtocolVersion::V5_0, &mut bytes).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }

    async fn receive(&mut self) -> Packet {
        loop {
            if let Some(packet) = self.decoder.next_packet().unwrap() {
                return packet;
            }
            let mut bytes = vec![0; 4_096];
            let n = self.stream.read(&mut bytes).await.unwrap();
            assert!(n > 0, "the broker has closed the connection");
            self.decoder.feed(Bytes::copy_from_slice(&bytes[..n]));
        }
    }

    /// Publishes at QoS 1; the result is what the PUBACK says.
    async fn publish(&mut self, topic: &str, payload: &str) -> ReasonCode {
        let response_topic = TopicName::new("answers").map(Property::ResponseTopic);
        let publish = Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: false,
            topic_name: TopicName::new(topic.to_owned()).ok(),
            packet_identifier: PacketIdentifier::new(1),
            properties: Properties::from_iter(response_topic),
            payload: Bytes::from(payload.to_owned()),
        };
        self.send(Packet::Publish(publish)).await;
        match self.receive().await {
            Packet::Puback(puback) => puback.reason_code,
            other => panic!("expected a PUBACK, got {other:?}"),
        }
    }

    async fn answer(&mut self) -> String {
        match self.receive().await {
            Packet::Publish(publish) => String::from_utf8(publish.payload.to_vec()).unwrap(),
            other => panic!("expected a PUBLISH, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_may_not_be_read_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let opened = DataDirectory::open(folder.path(), STORE_FORMAT).unwrap();
    let (service, store) = HistoryService::open(opened.store, HistoryLimits::default()).unwrap();
    let (server, _) = Server::open(Settings::default(), 42, Box::new(store)).unwrap();
    let counting = service.serve(&server);
    server.set_authenticator(Box::new(Guard));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { server.serve_tcp(listener).await });

    let mut stranger = Client::connect(address, "stranger").await;
    let refused = stranger.publish("rootzone/history/get", "{}").await;
    assert_eq!(refused, ReasonCode::NotAuthorized);

    let mut member = Client::connect(address, "member").await;
    for series in [OPEN, SECRET] {
        assert!(!member.publish(series, "37.2").await.is_error());
    }
    let request = format!("{{\"series\":[\"{OPEN}\",\"{SECRET}\"],\"from\":0}}");
    let asked = member.publish("rootzone/history/get", &request).await;
    assert_eq!(asked, ReasonCode::Success);
    let (open, secret) = (member.answer().await, member.answer().await);
    assert!(open.contains("\"last\":[372]"), "{open}");
    assert!(secret.contains("there is no such series"), "{secret}");
    assert_eq!(counting.counters().bad_requests, 1);
    let request = r##"{"list":"#"}"##;
    member.publish("rootzone/history/get", request).await;
    let list = member.answer().await;
    assert!(list.contains(OPEN) && !list.contains(SECRET), "{list}");
}
