//! A broker within the page, so that tests run the whole page without a network.
//!
//! A broker listens at an address, as a real one does; the page's client reaches it through [`InPageTransport`].

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

use bytes::Bytes;
use gloo_timers::callback::Timeout;
use mqtt_broker_core::{Broker, ConnectionId, Output, Settings};
use mqtt_protocol::{
    Connack, Connect, Decoder, Instant, Packet, PacketIdentifier, Properties, ProtocolVersion,
    Publish, QoS, ReasonCode, RetainHandling, Subscribe, Subscription, TopicFilter, TopicName,
    WillMessage,
};
use mqtt_web_client::{Failure, Link, LinkHandler, Transport};

/// A broker that listens at an address until this is dropped. Its connections are cut then.
pub struct InPageBroker {
    shared: Rc<Shared>,
}

/// A device that is connected to the broker, until it is lost.
pub struct InPageDevice {
    shared: Weak<Shared>,
    connection: ConnectionId,
}

/// Opens Network Connections to the broker that listens at an address, if any does.
#[derive(Debug, Clone, Copy, Default)]
pub struct InPageTransport;

struct Shared {
    address: String,
    broker: RefCell<Broker>,
    pages: RefCell<Vec<(ConnectionId, LinkHandler)>>,
    published: RefCell<Vec<Publish>>,
    connects: RefCell<Vec<Connect>>,
    /// The Reason Code by which a CONNECT is refused, if it is.
    refusal: RefCell<Refusal>,
    is_silent: Cell<bool>,
    timer: RefCell<Option<Timeout>>,
}

type Refusal = Box<dyn Fn(&Connect) -> Option<ReasonCode>>;

struct InPageLink {
    shared: Weak<Shared>,
    connection: ConnectionId,
    decoder: Decoder,
    handler: LinkHandler,
}

impl InPageBroker {
    /// Begins to listen.
    #[must_use]
    pub fn listen(address: &str) -> Self {
        let shared = Rc::new(Shared {
            address: address.into(),
            broker: RefCell::new(Broker::new(Settings::default(), SEED)),
            pages: RefCell::default(),
            published: RefCell::default(),
            connects: RefCell::default(),
            refusal: RefCell::new(Box::new(|_| None)),
            is_silent: Cell::default(),
            timer: RefCell::default(),
        });
        LISTENING.with_borrow_mut(|listening| listening.push(Rc::downgrade(&shared)));
        Self { shared }
    }

    /// Refuses every CONNECT from a page with this Reason Code, or accepts it as usual.
    pub fn refuse(&self, reason_code: Option<ReasonCode>) {
        self.refuse_by(move |_| reason_code);
    }

    /// Asks of every CONNECT from a page by which Reason Code it is refused, if it is.
    pub fn refuse_by(&self, refusal: impl Fn(&Connect) -> Option<ReasonCode> + 'static) {
        *self.shared.refusal.borrow_mut() = Box::new(refusal);
    }

    /// Answers no CONNECT from a page any more, or again every one.
    pub fn keep_silent(&self, is_silent: bool) {
        self.shared.is_silent.set(is_silent);
    }

    /// The CONNECTs that came from pages since the last call.
    #[must_use]
    pub fn take_connects(&self) -> Vec<Connect> {
        self.shared.connects.take()
    }

    /// Ends the pages' Network Connections without a word.
    pub fn cut(&self) {
        self.shared.cut();
    }

    /// Publishes as a device would that is not watched itself.
    pub fn publish(&self, topic_name: &TopicName, payload: &str, retain: bool) {
        let publish = publish(topic_name, payload, retain);
        self.shared.broker.borrow_mut().publish(publish, now());
        self.shared.drain();
    }

    /// Connects a device with this Will.
    #[must_use]
    pub fn connect_device(&self, will: WillMessage) -> InPageDevice {
        let connection = self.shared.broker.borrow_mut().open(now());
        let device = InPageDevice {
            shared: Rc::downgrade(&self.shared),
            connection,
        };
        device.send(Packet::Connect(Box::new(Connect {
            protocol_version: ProtocolVersion::V5_0,
            clean_start: true,
            keep_alive: 0,
            properties: Properties::default(),
            client_identifier: "".into(),
            will: Some(will),
            user_name: None,
            password: None,
        })));
        device
    }

    /// What pages have published since the last call, as it came over the wire.
    #[must_use]
    pub fn take_published(&self) -> Vec<Publish> {
        self.shared.published.take()
    }
}

impl Drop for InPageBroker {
    fn drop(&mut self) {
        LISTENING.with_borrow_mut(|listening| {
            listening.retain(|known| !known.ptr_eq(&Rc::downgrade(&self.shared)));
        });
        self.shared.cut();
    }
}

impl InPageDevice {
    /// Subscribes, so that the broker has somebody to pass messages on to.
    pub fn subscribe(&self, topic_filter: TopicFilter) {
        let subscription = Subscription {
            topic_filter,
            maximum_qos: QoS::AtMostOnce,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::default(),
        };
        self.send(Packet::Subscribe(Subscribe {
            packet_identifier: PacketIdentifier::new(1).expect("it is not 0"),
            properties: Properties::default(),
            subscriptions: vec![subscription],
        }));
    }

    /// Publishes a message.
    pub fn publish(&self, topic_name: &TopicName, payload: &str, retain: bool) {
        self.send(Packet::Publish(publish(topic_name, payload, retain)));
    }

    /// Loses the Network Connection without a word, so that the broker publishes the Will.
    pub fn lose(self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.close(self.connection);
        }
    }

    fn send(&self, packet: Packet) {
        if let Some(shared) = self.shared.upgrade() {
            shared.take_in(self.connection, vec![packet]);
        }
    }
}

impl Transport for InPageTransport {
    fn open(&self, url: &str, handler: LinkHandler) -> Result<Box<dyn Link>, Failure> {
        let listening = LISTENING.with_borrow(|listening| {
            // The newest first: a test that failed could not end its own.
            let mut listening = listening.iter().rev().filter_map(Weak::upgrade);
            listening.find(|shared| shared.address == url)
        });
        let Some(shared) = listening else {
            handler.closed(Failure::Unreachable);
            return Ok(Box::new(Nowhere));
        };
        let (connection, decoder) = {
            let mut broker = shared.broker.borrow_mut();
            let decoder = Decoder::new(broker.settings().decoder_settings());
            (broker.open(now()), decoder)
        };
        let page = (connection, handler.clone());
        shared.pages.borrow_mut().push(page);
        handler.opened();
        Ok(Box::new(InPageLink {
            shared: Rc::downgrade(&shared),
            connection,
            decoder,
            handler,
        }))
    }
}

impl Link for InPageLink {
    fn send(&mut self, bytes: &[u8]) {
        let Some(shared) = self.shared.upgrade() else {
            return;
        };
        self.decoder.feed(Bytes::copy_from_slice(bytes));
        let mut packets = Vec::new();
        let failure = loop {
            match self.decoder.next_packet() {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        if let Some(Packet::Connect(connect)) = packets.first() {
            shared.connects.borrow_mut().push(Connect::clone(connect));
            if shared.is_silent.get() {
                return;
            }
            if let Some(reason_code) = shared.refusal.borrow()(connect) {
                let refusal = refusal(reason_code, connect.protocol_version);
                self.handler.received(refusal);
                self.handler.closed(Failure::ConnectionLost);
                self.close();
                return;
            }
        }
        for packet in &packets {
            if let Packet::Publish(publish) = packet {
                shared.published.borrow_mut().push(publish.clone());
            }
        }
        shared.take_in(self.connection, packets);
        if let Some(error) = failure {
            let mut broker = shared.broker.borrow_mut();
            broker.handle_decode_error(self.connection, &error, now());
            drop(broker);
            shared.drain();
        }
    }

    fn buffered_amount(&self) -> usize {
        0
    }

    fn close(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.close(self.connection);
        }
    }
}

impl Drop for InPageLink {
    fn drop(&mut self) {
        self.close();
    }
}

/// Where nobody listens.
struct Nowhere;

impl Link for Nowhere {
    fn send(&mut self, _: &[u8]) {}

    fn buffered_amount(&self) -> usize {
        0
    }

    fn close(&mut self) {}
}

impl Shared {
    fn take_in(self: &Rc<Self>, connection: ConnectionId, packets: Vec<Packet>) {
        let mut broker = self.broker.borrow_mut();
        broker.handle_packets(connection, packets, now());
        drop(broker);
        self.drain();
    }

    fn close(self: &Rc<Self>, connection: ConnectionId) {
        let mut pages = self.pages.borrow_mut();
        pages.retain(|(known, _)| *known != connection);
        drop(pages);
        let mut broker = self.broker.borrow_mut();
        broker.handle_close(connection, now());
        drop(broker);
        self.drain();
    }

    fn cut(self: &Rc<Self>) {
        for (connection, handler) in self.pages.take() {
            handler.closed(Failure::ConnectionLost);
            self.close(connection);
        }
    }

    /// Does what the broker wants done. What a device is sent is not kept: nobody reads it.
    fn drain(self: &Rc<Self>) {
        let deadline = loop {
            let output = self.broker.borrow_mut().poll_output();
            match output {
                Output::Transmit {
                    connection, bytes, ..
                } => {
                    if let Some(handler) = self.handler_of(connection) {
                        handler.received(bytes.into());
                    }
                }
                Output::Close { connection } => {
                    if let Some(handler) = self.handler_of(connection) {
                        handler.closed(Failure::ConnectionLost);
                    }
                    let mut pages = self.pages.borrow_mut();
                    pages.retain(|(known, _)| *known != connection);
                }
                Output::Event(_) => {}
                Output::Timeout(deadline) => break deadline,
            }
        };
        *self.timer.borrow_mut() = deadline.map(|deadline| self.call_at(deadline));
    }

    fn call_at(self: &Rc<Self>, deadline: Instant) -> Timeout {
        let left = deadline.saturating_duration_since(now());
        let weak = Rc::downgrade(self);
        // Rounded up, as a timer that fires before its time would only be set again.
        let milliseconds = u32::try_from(left.as_millis()).unwrap_or(u32::MAX - 1) + 1;
        Timeout::new(milliseconds, move || {
            if let Some(shared) = weak.upgrade() {
                shared.broker.borrow_mut().handle_timeout(now());
                shared.drain();
            }
        })
    }

    fn handler_of(&self, connection: ConnectionId) -> Option<LinkHandler> {
        let pages = self.pages.borrow();
        let mut pages = pages.iter();
        pages
            .find(|(known, _)| *known == connection)
            .map(|(_, handler)| handler.clone())
    }
}

fn publish(topic_name: &TopicName, payload: &str, retain: bool) -> Publish {
    Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain,
        topic_name: Some(topic_name.clone()),
        packet_identifier: None,
        properties: Properties::default(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    }
}

fn refusal(reason_code: ReasonCode, version: ProtocolVersion) -> Bytes {
    let mut bytes = Vec::new();
    let connack = Packet::Connack(Connack {
        session_present: false,
        reason_code,
        properties: Properties::default(),
    });
    connack
        .encode(version, &mut bytes)
        .expect("a CONNACK without properties is never too long");
    bytes.into()
}

fn now() -> Instant {
    Instant::from_start(Duration::from_millis(js_sys::Date::now() as u64))
}

thread_local! {
    static LISTENING: RefCell<Vec<Weak<Shared>>> = const { RefCell::new(Vec::new()) };
}

const SEED: u64 = 0x0072_6F6F_747A_6F6E;
