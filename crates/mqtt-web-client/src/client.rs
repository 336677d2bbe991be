//! The handle.

use std::{rc::Rc, time::Duration};

use mqtt_protocol::{Instant, QoS, ReasonCode, RetainHandling, TopicFilter};

use crate::{
    Events, Options, Persistence, Publication, PublishError, Receipt, Status, SubscribeError,
    Transport, WebSocketTransport, driver::Driver,
};

/// A client that keeps itself connected. Cheap to clone; the connection ends when the last one is dropped.
///
/// Every call may be made at any time, also while an event is being handled.
#[derive(Clone)]
pub struct Client(Rc<Driver>);

/// How the Server is to send what a subscription asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubscriptionOptions {
    /// The highest QoS that it may send with; by default QoS 0.
    pub maximum_qos: QoS,
    /// Not those that this very client published. 5.0 only.
    pub no_local: bool,
    /// Whether RETAIN is forwarded as the publisher set it. 5.0 only.
    pub retain_as_published: bool,
    /// Whether retained messages are sent on subscribing; by default so. 5.0 only.
    pub retain_handling: RetainHandling,
}

impl Client {
    /// Begins to connect over WebSocket.
    #[must_use]
    pub fn connect(options: Options) -> (Self, Events) {
        Self::connect_over(Rc::new(WebSocketTransport), options)
    }

    /// Begins to connect over another transport.
    #[must_use]
    pub fn connect_over(transport: Rc<dyn Transport>, options: Options) -> (Self, Events) {
        let (driver, events) = Driver::start(transport, options);
        (Self(driver), events)
    }

    /// Publishes a message. The receipt resolves when the Server has acknowledged it as its QoS says;
    /// for QoS 0, when it was given to the socket.
    pub fn publish(&self, publication: Publication) -> Receipt<Result<ReasonCode, PublishError>> {
        self.0.publish(publication)
    }

    /// Subscribes, and again after reconnections as [`Options::resubscribe`] says.
    /// While there is no connection, the subscription is made with the next one.
    /// The receipt resolves with the Server's answers, in order.
    pub fn subscribe(
        &self,
        topic_filters: impl IntoIterator<Item = TopicFilter>,
        options: SubscriptionOptions,
    ) -> Receipt<Result<Vec<ReasonCode>, SubscribeError>> {
        self.0
            .subscribe(topic_filters.into_iter().collect(), options)
    }

    /// Ends subscriptions.
    pub fn unsubscribe(
        &self,
        topic_filters: impl IntoIterator<Item = TopicFilter>,
    ) -> Receipt<Result<Vec<ReasonCode>, SubscribeError>> {
        self.0.unsubscribe(topic_filters.into_iter().collect())
    }

    /// How it stands with the connection.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.status()
    }

    /// Whether the session outlives the page.
    #[must_use]
    pub fn persistence(&self) -> Persistence {
        self.0.persistence()
    }

    /// The clock of [`Status::Waiting`].
    #[must_use]
    pub fn now(&self) -> Instant {
        self.0.now()
    }

    /// The time from the last PINGREQ to its PINGRESP; `None` before the first.
    #[must_use]
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.0.round_trip_time()
    }

    /// Attempts to connect at once, also after a refusal or a stop. Does nothing while connected or connecting.
    pub fn reconnect_now(&self) {
        self.0.reconnect_now();
    }

    /// Says goodbye to the Server, which does not publish the Will, and stops.
    pub fn disconnect(&self) {
        self.0.disconnect();
    }
}
