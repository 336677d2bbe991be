//! The handle.

use std::{rc::Rc, time::Duration};

use mqtt_protocol::{
    Instant, QoS, ReasonCode, RetainHandling, Subscription, TopicFilter, TopicName,
};

use crate::{
    Events, Messages, Options, Persistence, Publication, PublishError, Receipt, RequestError,
    Requester, Status, StatusWatch, SubscribeError, Subscribing, Transport, WebSocketTransport,
    driver::Driver,
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

impl SubscriptionOptions {
    pub(crate) fn of(self, topic_filter: TopicFilter) -> Subscription {
        Subscription {
            topic_filter,
            maximum_qos: self.maximum_qos,
            no_local: self.no_local,
            retain_as_published: self.retain_as_published,
            retain_handling: self.retain_handling,
        }
    }
}

impl Client {
    /// Begins to connect over WebSocket, and goes on as long as there is a handle.
    ///
    /// ```no_run
    /// use futures_util::StreamExt as _;
    /// use mqtt_web_client::{Client, Event, Options};
    ///
    /// # async fn example() {
    /// let (client, mut events) = Client::connect(Options::new("ws://127.0.0.1:8080/mqtt"));
    /// while let Some(event) = events.next().await {
    ///     if let Event::Message(message) = event { /* … */ }
    /// }
    /// # }
    /// ```
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
    ///
    /// ```no_run
    /// use mqtt_web_client::{Client, Publication, PublishError, QoS, TopicName};
    ///
    /// # async fn example(client: Client) -> Result<(), PublishError> {
    /// let topic = TopicName::new("rootzone/zone-a/pump-1/pump/set").expect("has no wildcard");
    /// let reason_code = client
    ///     .publish(Publication {
    ///         qos: QoS::AtLeastOnce,
    ///         ..Publication::new(topic, "OFF")
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn publish(&self, publication: Publication) -> Receipt<Result<ReasonCode, PublishError>> {
        self.0.publish(publication)
    }

    /// Subscribes, and again after reconnections as [`Options::resubscribe`] says.
    /// While there is no connection, the subscription is made with the next one.
    ///
    /// Resolves to the stream of the messages, which come in [`Events`] too. They gather from the call on.
    ///
    /// ```no_run
    /// use futures_util::StreamExt as _;
    /// use mqtt_web_client::{Client, SubscribeError, SubscriptionOptions, TopicFilter};
    ///
    /// # async fn example(client: Client) -> Result<(), SubscribeError> {
    /// let filter = TopicFilter::new("rootzone/+/+/moisture").expect("is a valid filter");
    /// let mut messages = client.subscribe([filter], SubscriptionOptions::default()).await?;
    /// while let Some(item) = messages.next().await {
    ///     match item {
    ///         Ok(message) => { /* message.topic_name, message.payload, … */ }
    ///         Err(lagged) => { /* lagged.n_messages are missing here */ }
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe(
        &self,
        topic_filters: impl IntoIterator<Item = TopicFilter>,
        options: SubscriptionOptions,
    ) -> Subscribing {
        Messages::subscribe(&self.0, topic_filters.into_iter().collect(), options)
    }

    /// Subscribes like [`subscribe`](Self::subscribe), for the reader of [`Events`]: there is no stream to keep,
    /// and the subscription lasts until [`unsubscribe`](Self::unsubscribe).
    /// The receipt resolves with the Server's answers, in order.
    ///
    /// ```no_run
    /// use mqtt_web_client::{Client, SubscribeError, SubscriptionOptions, TopicFilter};
    ///
    /// # async fn example(client: Client) -> Result<(), SubscribeError> {
    /// let filter = TopicFilter::new("rootzone/#").expect("is a valid filter");
    /// let reason_codes = client.subscribe_events([filter], SubscriptionOptions::default()).await?;
    /// assert!(!reason_codes[0].is_error());
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe_events(
        &self,
        topic_filters: impl IntoIterator<Item = TopicFilter>,
        options: SubscriptionOptions,
    ) -> Receipt<Result<Vec<ReasonCode>, SubscribeError>> {
        self.0
            .subscribe(topic_filters.into_iter().collect(), options)
    }

    /// Ends subscriptions, and their streams.
    ///
    /// ```no_run
    /// # async fn example(client: mqtt_web_client::Client) -> Result<(), mqtt_web_client::SubscribeError> {
    /// let filter = mqtt_web_client::TopicFilter::new("rootzone/#").expect("is a valid filter");
    /// client.unsubscribe([filter]).await?;
    /// # Ok(())
    /// # }
    /// ```
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

    /// Watches the status: the present one, then every change, the newest always.
    ///
    /// ```no_run
    /// use futures_util::StreamExt as _;
    ///
    /// # async fn example(client: mqtt_web_client::Client) {
    /// let mut statuses = client.watch_status();
    /// while let Some(status) = statuses.next().await {
    ///     if status.is_connected() { /* … */ }
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn watch_status(&self) -> StatusWatch {
        StatusWatch::new(&self.0)
    }

    /// Makes ready to ask questions whose answers come on `response_topic`. 5.0 only.
    /// See [`Requester`] for an example.
    ///
    /// # Errors
    ///
    /// The version is 3.1.1, or the topic could not be subscribed to.
    pub async fn requester(&self, response_topic: TopicName) -> Result<Requester, RequestError> {
        Requester::new(self.clone(), response_topic).await
    }

    pub(crate) fn driver(&self) -> &Rc<Driver> {
        &self.0
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
    ///
    /// ```no_run
    /// # fn example(client: &mqtt_web_client::Client) {
    /// if !client.status().is_connected() {
    ///     client.reconnect_now();
    /// }
    /// # }
    /// ```
    pub fn reconnect_now(&self) {
        self.0.reconnect_now();
    }

    /// Says goodbye to the Server, which does not publish the Will, and stops.
    ///
    /// ```no_run
    /// # fn example(client: &mqtt_web_client::Client) {
    /// client.disconnect();
    /// # }
    /// ```
    pub fn disconnect(&self) {
        self.0.disconnect();
    }
}
