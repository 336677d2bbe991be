//! One Client: the project's own connection, and somebody who does with it what comes to mind.

use std::{
    collections::BTreeMap,
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};

use bytes::Bytes;
use fastrand::Rng;
use mqtt_protocol::{
    ClientConnection, ClientSession, ClientSettings, Connect, Disconnect, Instant, OutgoingMessage,
    Properties, Property, ProtocolVersion, PublicationToken, Publish, QoS, ReasonCode,
    RetainHandling, Subscription, TopicFilter, TopicName, WillMessage,
};

use crate::{ClientNumber, LARGE, LinkNumber};

/// A Client and all that it remembers.
pub(crate) struct Client {
    pub(crate) number: ClientNumber,
    version: ProtocolVersion,
    /// The Shared Subscription of which it is a member now and then.
    shared_filter: Option<&'static str>,
    /// While there is no connection.
    session: Option<ClientSession>,
    pub(crate) online: Option<Online>,
    /// Whether the Server has a session that this Client knows nothing of.
    pub(crate) has_to_start_anew: bool,
    /// Messages above QoS 0 of which it has not heard; with whether they have a payload.
    pub(crate) unfinished: BTreeMap<u64, bool>,
}

/// A Client's end of a connection.
pub(crate) struct Online {
    pub(crate) link: LinkNumber,
    pub(crate) connection: ClientConnection,
    pub(crate) version: ProtocolVersion,
    /// What its session outlives the connection by, as it asked.
    session_expiry: u32,
    /// The deadline that is on the agenda.
    pub(crate) deadline: Option<Instant>,
}

/// How a Client behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It does what it likes.
    Wild,
    /// It stays connected, so that everything comes to an end.
    Calm,
    /// It connects once more, without a session.
    Leaving,
}

impl Client {
    pub(crate) fn new(number: ClientNumber, rng: &mut Rng) -> Self {
        let is_member = rng.u8(0..3) == 0;
        Self {
            number,
            version: a_version(rng),
            shared_filter: is_member.then(|| one_of(rng, &SHARED_FILTERS)),
            session: Some(ClientSession::default()),
            online: None,
            has_to_start_anew: false,
            unfinished: BTreeMap::new(),
        }
    }

    /// Chooses how to connect.
    pub(crate) fn choose_connect(
        &mut self,
        mood: Mood,
        next_message: &mut u64,
        rng: &mut Rng,
    ) -> Connect {
        if rng.u8(0..10) == 0 {
            self.version = a_version(rng);
        }
        let is_wild = mood == Mood::Wild;
        let clean_start = mood == Mood::Leaving
            || std::mem::take(&mut self.has_to_start_anew)
            || (is_wild && rng.u8(0..7) == 0);
        let mut properties = Properties::new();
        if self.version == ProtocolVersion::V5_0 {
            match mood {
                Mood::Wild => push_wishes(&mut properties, rng),
                Mood::Calm => properties.push(Property::SessionExpiryInterval(u32::MAX)),
                Mood::Leaving => {}
            }
        }
        Connect {
            protocol_version: self.version,
            clean_start,
            keep_alive: if is_wild {
                one_of(rng, &[0, 10, 30])
            } else {
                30
            },
            properties,
            client_identifier: format!("client-{}", self.number).into(),
            will: (is_wild && rng.u8(0..5) < 2).then(|| a_will(self.version, next_message, rng)),
            user_name: None,
            password: None,
        }
    }

    /// Begins with a CONNECT on a new connection; an older one is left to itself.
    pub(crate) fn begin(&mut self, link: LinkNumber, connect: Connect, now: Instant) {
        let session = match self.online.take() {
            Some(online) => online.connection.into_session(),
            None => self.session.take().unwrap_or_default(),
        };
        let version = connect.protocol_version;
        let session_expiry = connect.properties.session_expiry_interval().unwrap_or(0);
        self.online = Some(Online {
            link,
            connection: ClientConnection::new(connect, session, ClientSettings::default(), now),
            version,
            session_expiry,
            deadline: None,
        });
    }

    /// The connection is over.
    pub(crate) fn end(&mut self) {
        if let Some(online) = self.online.take() {
            self.session = Some(online.connection.into_session());
        }
    }

    /// Whether it has a session that a Server knows.
    pub(crate) fn is_connected(&self) -> bool {
        let online = self.online.as_ref();
        online.is_some_and(|online| online.connection.is_connected())
    }

    /// Whether it knows of no session at a Server.
    pub(crate) fn is_without_session(&self) -> bool {
        let online = self.online.as_ref();
        online.is_some_and(|online| !online.connection.session().is_established)
    }

    pub(crate) fn publish(&mut self, next_message: &mut u64, now: Instant, rng: &mut Rng) {
        let Some(online) = &mut self.online else {
            return;
        };
        let retain = rng.u8(0..5) == 0;
        let topic = a_topic(rng);
        // Without a payload messages look the same, so that nobody could say which of them a member got.
        let is_shared = topic.as_str().starts_with("job/");
        let is_empty = retain && !is_shared && rng.u8(0..4) == 0;
        let number = take_number(next_message);
        let publish = Publish {
            dup: false,
            qos: a_qos(rng),
            retain,
            topic_name: Some(topic),
            packet_identifier: None,
            properties: message_properties(online.version, number, rng),
            payload: if is_empty {
                Bytes::new()
            } else {
                payload(number, rng.u8(0..12) == 0, rng)
            },
        };
        let qos = publish.qos;
        let message = OutgoingMessage {
            expires_at: (rng.u8(0..20) == 0).then(|| now + Duration::from_secs(1)),
            publish,
            token: PublicationToken(number),
            may_wait: rng.u8(0..10) > 0,
        };
        // Before the call: the answer may be among its events.
        if qos > QoS::AtMostOnce {
            self.unfinished.insert(number, !is_empty);
        }
        if online.connection.publish(message, now).is_err() {
            self.unfinished.remove(&number);
        }
    }

    pub(crate) fn subscribe(&mut self, rng: &mut Rng) {
        let Some(online) = &mut self.online else {
            return;
        };
        let is_v5 = online.version == ProtocolVersion::V5_0;
        let mut properties = Properties::new();
        if is_v5 && rng.bool() {
            let identifier = NonZeroU32::new(rng.u32(1..400)).expect("not zero");
            properties.push(Property::SubscriptionIdentifier(identifier));
        }
        let subscriptions = (0..rng.usize(1..4))
            .map(|_| {
                let topic_filter = a_filter(self.shared_filter, rng);
                let mut subscription = Subscription::new(topic_filter, a_qos(rng));
                if is_v5 {
                    subscription.no_local =
                        rng.u8(0..4) == 0 && !subscription.topic_filter.is_shared();
                    subscription.retain_as_published = rng.bool();
                    subscription.retain_handling = one_of(
                        rng,
                        &[
                            RetainHandling::Send,
                            RetainHandling::SendIfNew,
                            RetainHandling::DoNotSend,
                        ],
                    );
                }
                subscription
            })
            .collect();
        let _ = online.connection.subscribe(subscriptions, properties);
    }

    pub(crate) fn unsubscribe(&mut self, rng: &mut Rng) {
        let Some(online) = &mut self.online else {
            return;
        };
        let filters = (0..rng.usize(1..4))
            .map(|_| a_filter(self.shared_filter, rng))
            .collect();
        let _ = online.connection.unsubscribe(filters, Properties::new());
    }

    pub(crate) fn disconnect(&mut self, mood: Mood, rng: &mut Rng) {
        let Some(online) = &mut self.online else {
            return;
        };
        let mut disconnect = Disconnect {
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        };
        if online.version == ProtocolVersion::V5_0 && mood == Mood::Wild {
            if rng.u8(0..3) == 0 {
                disconnect.reason_code = ReasonCode::DisconnectWithWillMessage;
            }
            if online.session_expiry > 0 && rng.u8(0..3) == 0 {
                let expiry = Property::SessionExpiryInterval(one_of(rng, &EXPIRIES));
                disconnect.properties.push(expiry);
            }
        }
        online.connection.disconnect(disconnect);
    }
}

/// What a Client of 5.0 says of itself.
fn push_wishes(properties: &mut Properties, rng: &mut Rng) {
    if rng.u8(0..6) > 0 {
        properties.push(Property::SessionExpiryInterval(one_of(rng, &EXPIRIES)));
    }
    if rng.bool() {
        let maximum = NonZeroU16::new(one_of(rng, &[1, 2, 3, 8])).expect("not zero");
        properties.push(Property::ReceiveMaximum(maximum));
    }
    if rng.u8(0..8) == 0 {
        let maximum = NonZeroU32::new(LARGE as u32 / 2).expect("not zero");
        properties.push(Property::MaximumPacketSize(maximum));
    }
    if rng.bool() {
        properties.push(Property::TopicAliasMaximum(one_of(rng, &[1, 3, 20])));
    }
}

fn a_will(version: ProtocolVersion, next_message: &mut u64, rng: &mut Rng) -> WillMessage {
    let number = take_number(next_message);
    let mut properties = message_properties(version, number, rng);
    if version == ProtocolVersion::V5_0 && rng.u8(0..3) > 0 {
        properties.push(Property::WillDelayInterval(one_of(rng, &[0, 1, 3, 5, 10])));
    }
    WillMessage {
        topic_name: a_topic(rng),
        payload: payload(number, false, rng),
        qos: a_qos(rng),
        retain: rng.u8(0..4) == 0,
        properties,
    }
}

fn message_properties(version: ProtocolVersion, number: u64, rng: &mut Rng) -> Properties {
    let mut properties = Properties::new();
    if version == ProtocolVersion::V3_1_1 {
        return properties;
    }
    if rng.u8(0..4) == 0 {
        properties.push(Property::MessageExpiryInterval(rng.u32(1..8)));
    }
    if rng.u8(0..4) == 0 {
        let name = format!("number {number}").into();
        properties.push(Property::UserProperty(name, "x".into()));
    }
    if rng.u8(0..8) == 0 {
        properties.push(Property::ContentType("text/plain".into()));
    }
    if rng.u8(0..8) == 0 {
        properties.push(Property::ResponseTopic(a_topic(rng)));
        let data = Bytes::copy_from_slice(&number.to_be_bytes());
        properties.push(Property::CorrelationData(data));
    }
    properties
}

fn payload(number: u64, is_large: bool, rng: &mut Rng) -> Bytes {
    let mut text = format!("{number}:");
    let length = if is_large { LARGE } else { rng.usize(0..40) };
    text.extend(std::iter::repeat_n('.', length));
    text.into()
}

fn take_number(next_message: &mut u64) -> u64 {
    *next_message += 1;
    *next_message
}

fn a_version(rng: &mut Rng) -> ProtocolVersion {
    if rng.u8(0..3) == 0 {
        ProtocolVersion::V3_1_1
    } else {
        ProtocolVersion::V5_0
    }
}

fn a_qos(rng: &mut Rng) -> QoS {
    one_of(rng, &[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce])
}

fn a_topic(rng: &mut Rng) -> TopicName {
    TopicName::new(one_of(rng, &TOPICS)).expect("it is valid")
}

/// A member of a Shared Subscription has no other that could explain the same message.
fn a_filter(shared_filter: Option<&'static str>, rng: &mut Rng) -> TopicFilter {
    let filter = match shared_filter {
        Some(filter) if rng.bool() => filter,
        Some(_) => one_of(rng, &FILTERS_BESIDE_SHARED),
        None => one_of(rng, &FILTERS),
    };
    TopicFilter::new(filter).expect("it is valid")
}

fn one_of<T: Copy>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.usize(..choices.len())]
}

/// In seconds.
const EXPIRIES: [u32; 6] = [0, 2, 5, 20, 300, u32::MAX];

const TOPICS: [&str; 11] = [
    "a",
    "a/b",
    "a/b/c",
    "a/c",
    "b/a",
    "b/c/d",
    "/",
    "soil/p1/moisture",
    "job/1",
    "job/2",
    "job/3",
];
const FILTERS: [&str; 14] = [
    "#",
    "+",
    "a",
    "a/#",
    "a/b",
    "a/+",
    "+/b",
    "+/+/c",
    "+/+",
    "b/#",
    "soil/+/moisture",
    "job/#",
    "job/1",
    "/+",
];
const FILTERS_BESIDE_SHARED: [&str; 6] = ["a", "a/#", "a/b", "+/+/c", "b/#", "soil/#"];
const SHARED_FILTERS: [&str; 4] = [
    "$share/g/job/+",
    "$share/h/job/+",
    "$share/g/job/#",
    "$share/g/job/1",
];
