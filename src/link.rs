//! The only bridge to the broker: drives the MQTT client and turns what comes into state.

mod history;

pub use self::history::CARDS_SHOW;

use std::{
    cell::{Cell, OnceCell, RefCell},
    rc::Rc,
    time::Duration,
};

use field::{
    COMMAND_FILTER, Channel, CommandId, DeviceId, FILTERS, PumpCommand, PumpSwitchOutput, Switch,
    Timestamp,
};
use futures_util::StreamExt;
use gloo_timers::callback::Interval;
#[cfg(not(feature = "in-page-broker"))]
use mqtt_web_client::WebSocketTransport as BrokerTransport;
use mqtt_web_client::{
    Client, Event, Events, Instant, Message, Options, Publication, PublishError, QoS, QueuePolicy,
    ReasonCode, Receipt, Resubscribe, Status, SubscriptionOptions, TopicFilter, TopicName,
    in_words,
};
use wasm_bindgen_futures::spawn_local;

#[cfg(feature = "in-page-broker")]
use crate::in_page_broker::InPageTransport as BrokerTransport;
use crate::{
    components::frame::FrameTask,
    dom::document,
    format::{millis, whole},
    preferences::default_broker_address,
    signal::Signal,
    state::{Archive, Broker, Connection, Fault, Fleet, Trial, remedy},
    store::{FleetStore, moment},
};

/// The connection to one broker, reached with [`use_link`](crate::store::use_link).
pub struct Link {
    client: RefCell<Option<Client>>,
    /// Messages that wait for the next frame.
    pending: RefCell<Vec<Message>>,
    /// Applies them.
    frame: OnceCell<FrameTask>,
    ticking: RefCell<Option<Interval>>,
    /// Counts the brokers connected to, so that what the last one still says is not taken for the new one's.
    generation: Cell<u32>,
    /// What reads single topics, each with its filter.
    readers: RefCell<Vec<(TopicFilter, Reader)>>,
    /// What the broker's history is asked.
    archive: RefCell<Archive>,
    /// The connection by which a broker is tried. It has no subscriptions.
    trying: RefCell<Option<Client>>,
    /// Counts the trials, for the same reason.
    n_trials: Cell<u32>,
    fleet: &'static FleetStore,
    connection: &'static Signal<Connection>,
    now: &'static Signal<Timestamp>,
    /// The broker in use; `None` for the one that served this page.
    pub broker: Signal<Option<Broker>>,
    /// How far the trial of another one has come.
    pub trial: Signal<Trial>,
    /// From the last PINGREQ to its PINGRESP, such as "12 ms"; empty before the first, and without a connection.
    pub round_trip: Signal<String>,
}

impl Link {
    /// A link that connects to nothing yet.
    #[must_use]
    pub fn new(
        fleet: &'static FleetStore,
        connection: &'static Signal<Connection>,
        now: &'static Signal<Timestamp>,
    ) -> Self {
        Self {
            client: RefCell::default(),
            pending: RefCell::default(),
            frame: OnceCell::new(),
            ticking: RefCell::default(),
            generation: Cell::default(),
            readers: RefCell::default(),
            archive: RefCell::new(Archive::new(random_seed())),
            trying: RefCell::default(),
            n_trials: Cell::default(),
            fleet,
            connection,
            now,
            broker: Signal::default(),
            trial: Signal::default(),
            round_trip: Signal::default(),
        }
    }

    /// Lets the clock tick.
    pub fn start(&'static self) {
        self.frame
            .get_or_init(|| FrameTask::new(move || self.flush()));
        let ticking = Interval::new(TICK_MS, move || self.tick());
        *self.ticking.borrow_mut() = Some(ticking);
    }

    /// Leaves the broker and stops the clock.
    pub fn close(&self) {
        self.end_trial();
        self.leave();
        self.ticking.take();
    }

    fn leave(&self) {
        self.generation.set(self.generation.get() + 1);
        self.pending.take();
        if let Some(client) = self.client.take() {
            client.disconnect();
        }
        self.fleet
            .update(&mut |fleet| *fleet = Fleet::new(random_seed()));
        self.round_trip.set(String::new());
        for (_, reader) in self.readers.borrow().iter() {
            reader(None);
        }
    }

    /// Leaves the broker until a person has said which one to use.
    pub fn wait_for_answer(&self) {
        self.end_trial();
        self.leave();
        self.broker.set(None);
        self.connection.set(Connection::Asking);
    }

    /// Leaves the broker that it was connected to, if any, and begins anew with another; `None` for the one that served this page.
    pub fn connect(&'static self, broker: Option<Broker>) {
        self.end_trial();
        let options = match &broker {
            Some(broker) => options(broker),
            None => options(&Broker::new(&default_broker_address())),
        };
        let (client, events) = open(options);
        self.adopt(broker, client, events);
    }

    /// Makes a client the one in use. What became of it before is to be told by [`Link::handle_status`].
    fn adopt(&'static self, broker: Option<Broker>, client: Client, events: Events) {
        self.leave();
        self.connection.set(Connection::Connecting { again: false });
        self.broker.set(broker);
        subscribe(&client, FILTERS.map(String::from).into(), false);
        subscribe(&client, vec![COMMAND_FILTER.into()], true);
        subscribe(&client, vec![self.archive.borrow().topic().into()], false);
        for (filter, _) in self.readers.borrow().iter() {
            subscribe(&client, vec![filter.as_str().into()], false);
        }
        *self.client.borrow_mut() = Some(client);
        spawn_local(listen(self, events, self.generation.get()));
    }

    /// Tries a broker while the connection in use goes on. Once it has accepted it is used, and `accepted` is called.
    pub fn try_broker(&'static self, broker: Broker, accepted: Box<dyn FnOnce()>) {
        self.end_trial();
        let mut options = options(&broker);
        // The connection in use must not lose its session to the trial.
        let is_stand_in = !options.client_identifier.is_empty()
            && self
                .broker
                .read_untracked()
                .as_ref()
                .is_some_and(|in_use| in_use.client_identifier() == options.client_identifier);
        if is_stand_in {
            options.client_identifier.push_str("Trial");
        }
        let (client, events) = open(options);
        *self.trying.borrow_mut() = Some(client);
        self.trial.set(Trial::Trying);
        let number = self.n_trials.get();
        spawn_local(self.watch_trial(number, events, broker, is_stand_in, accepted));
    }

    /// Ends a trial without a result.
    pub fn end_trial(&self) {
        self.n_trials.set(self.n_trials.get() + 1);
        if let Some(client) = self.trying.take() {
            client.disconnect();
        }
        self.trial.set(Trial::None);
    }

    async fn watch_trial(
        &'static self,
        number: u32,
        mut events: Events,
        broker: Broker,
        is_stand_in: bool,
        accepted: Box<dyn FnOnce()>,
    ) {
        while let Some(event) = events.next().await {
            if self.n_trials.get() != number {
                return;
            }
            let Event::Status(status) = event else {
                continue;
            };
            let connection = connection_of(&status, false, Default::default());
            if let Connection::Connecting { .. } = connection {
                continue;
            }
            let Some(client) = self.trying.take() else {
                return;
            };
            if connection.is_connected() {
                if is_stand_in {
                    drop(client);
                    self.connect(Some(broker));
                } else {
                    self.adopt(Some(broker), client, events);
                    self.handle_status(&status);
                }
                accepted();
                self.trial.set(Trial::Kept);
            } else {
                let (field, remedy) = remedy(&status);
                self.trial.set(Trial::Failed(Fault {
                    field,
                    reason: connection.lead(),
                    remedy,
                }));
            }
            return;
        }
    }

    /// The address of the broker in use.
    #[must_use]
    pub fn address(&self) -> String {
        match &*self.broker.read() {
            Some(broker) => broker.address().into(),
            None => default_broker_address(),
        }
    }

    /// Tries to connect at once.
    pub fn reconnect_now(&'static self) {
        self.with_client(Client::reconnect_now);
    }

    /// Asks a pump for water.
    pub fn switch_on(&'static self, device: &DeviceId, run_for: Duration) {
        self.change(&mut |fleet| fleet.switch_on(device, run_for, moment()));
    }

    /// Asks a pump to stop.
    pub fn switch_off(&'static self, device: &DeviceId) {
        self.change(&mut |fleet| fleet.switch_off(device, moment()));
    }

    /// Asks every pump to stop.
    pub fn stop_all(&'static self) {
        self.change(&mut |fleet| fleet.stop_all(moment()));
        self.reconnect_now();
    }

    /// Does without the answers to that.
    pub fn forget_stop_all(&'static self) {
        self.change(&mut Fleet::forget_stop_all);
    }

    /// Removes the retained message from a pump's command topic.
    pub fn clear_stray_command(&'static self, device: &DeviceId) {
        self.publish(device.clone(), None, &|topic_name| Publication {
            qos: QoS::AtLeastOnce,
            retain: true,
            ..Publication::new(topic_name, "")
        });
    }

    fn tick(&'static self) {
        self.flush();
        self.now.set(moment());
        self.change(&mut |fleet| fleet.handle_timeout(moment()));
        self.archive.borrow_mut().handle_timeout(moment());
        let round_trip = self
            .client
            .borrow()
            .as_ref()
            .filter(|_| self.connection.read_untracked().is_connected())
            .and_then(Client::round_trip_time);
        if let Some(round_trip) = round_trip {
            let text = match millis(round_trip) {
                0 => "under 1 ms".into(),
                millis => whole(millis) + " ms",
            };
            if *self.round_trip.read_untracked() != text {
                self.round_trip.set(text);
            }
        }
    }

    fn handle_event(&'static self, event: Event) {
        match event {
            Event::Status(status) => {
                self.flush();
                self.handle_status(&status);
            }
            Event::Message(message) => self.take(message),
            Event::Subscribed { .. }
            | Event::Persistence(_)
            | Event::Published { .. }
            | Event::Dropped { .. } => {}
        }
    }

    fn handle_status(&'static self, status: &Status) {
        let was_connected = self.connection.read_untracked().is_connected();
        let again = !matches!(
            *self.connection.read_untracked(),
            Connection::Connecting { again: false }
        );
        let now = self
            .client
            .borrow()
            .as_ref()
            .map(Client::now)
            .unwrap_or_default();
        let connection = connection_of(status, again, now);
        let is_connected = connection.is_connected();
        self.connection.set(connection);
        self.round_trip.set(String::new());
        if is_connected || was_connected {
            self.archive.borrow_mut().handle_link();
            self.change(&mut |fleet| fleet.handle_link(is_connected, moment()));
        }
    }

    /// Keeps a message for the next frame. A hidden page has no frames, so there it is applied at once.
    fn take(&'static self, message: Message) {
        self.pending.borrow_mut().push(message);
        if document().hidden() {
            self.flush();
        } else if let Some(frame) = self.frame.get() {
            frame.request();
        }
    }

    fn flush(&'static self) {
        self.tell_calm();
        let messages = self.pending.take();
        if messages.is_empty() {
            return;
        }
        let now = moment();
        for (filter, reader) in self.readers.borrow().iter() {
            let mut messages = messages.iter().rev();
            if let Some(newest) = messages.find(|message| filter.matches(&message.topic_name)) {
                reader(Some(&newest.payload));
            }
        }
        let (mut wanted, mut kept) = (Vec::new(), self.hear_history(&messages));
        let has_heard = !kept.is_empty();
        self.change(&mut |fleet| {
            for kept in kept.drain(..) {
                fleet.handle_past(kept);
            }
            for message in &messages {
                fleet.apply(
                    message.topic_name.as_str(),
                    &message.payload,
                    message.retain,
                    now,
                );
            }
            wanted = fleet.take_wanted_topics();
        });
        if !wanted.is_empty() {
            self.with_client(|client| subscribe(client, wanted, false));
        }
        self.ask_history(has_heard);
    }

    /// Changes the fleet and sends what its pumps' switches want sent.
    fn change(&'static self, change: &mut dyn FnMut(&mut Fleet)) {
        let mut due = Vec::new();
        self.fleet.update(&mut |fleet| {
            change(fleet);
            due = commands(fleet);
        });
        self.tell_calm();
        for (device, command) in due {
            self.send(device, &command);
        }
    }

    /// Tells those who read calmly what is due, and in a later frame the rest.
    fn tell_calm(&self) {
        if self.fleet.tell_calm()
            && let Some(frame) = self.frame.get()
        {
            frame.request();
        }
    }

    fn send(&'static self, device: DeviceId, command: &PumpCommand) {
        self.publish(device, command.id.clone(), &|topic_name| Publication {
            qos: QoS::AtLeastOnce,
            expiry: Some(PumpCommand::AGE_MAX),
            queue: match command.state {
                Switch::On => QueuePolicy::Never,
                Switch::Off => QueuePolicy::WhileDisconnected,
            },
            ..Publication::new(topic_name, command.to_json())
        });
    }

    /// Publishes on a pump's command topic, and does there and then what comes of it.
    fn publish(
        &'static self,
        device: DeviceId,
        command: Option<CommandId>,
        publication: &dyn Fn(TopicName) -> Publication,
    ) {
        let Ok(topic_name) = TopicName::new(device.topic(Channel::PumpSet)) else {
            return;
        };
        let publication = publication(topic_name);
        let Some(receipt) = self.with_client(|client| client.publish(publication)) else {
            return;
        };
        let generation = self.generation.get();
        spawn_local(self.watch(device, command, receipt, generation));
    }

    /// Tells the switch at once when a command cannot have reached its pump. What the page published itself
    /// does not come back to it, so that a kept command is gone is told here too.
    async fn watch(
        &'static self,
        device: DeviceId,
        command: Option<CommandId>,
        receipt: Receipt<Result<ReasonCode, PublishError>>,
        generation: u32,
    ) {
        let answer = receipt.await;
        if self.generation.get() != generation {
            return;
        }
        self.change(&mut |fleet| match (&command, &answer) {
            (Some(id), Err(_) | Ok(ReasonCode::NoMatchingSubscribers)) => {
                fleet.handle_command_lost(&device, id, moment());
            }
            (None, Ok(_)) => fleet.handle_command_cleared(&device),
            (Some(_), Ok(_)) | (None, Err(_)) => {}
        });
    }

    /// Lets something read a topic until [`Link::end_reading`]. It is told the newest message of each frame,
    /// and nothing when the broker is left.
    pub(crate) fn read_topic(&self, filter: TopicFilter, reader: Reader) {
        if let Some(client) = self.client() {
            subscribe(&client, vec![filter.as_str().into()], false);
        }
        self.readers.borrow_mut().push((filter, reader));
    }

    pub(crate) fn end_reading(&self, reader: &Reader) {
        let mut readers = self.readers.borrow_mut();
        let ended = readers
            .iter()
            .position(|(_, known)| Rc::ptr_eq(known, reader));
        let Some((filter, _)) = ended.map(|ended| readers.swap_remove(ended)) else {
            return;
        };
        if let Some(client) = self.client()
            && readers.iter().all(|(known, _)| *known != filter)
        {
            drop(client.unsubscribe([filter]));
        }
    }

    /// The client, while a broker is in use.
    #[must_use]
    pub fn client(&self) -> Option<Client> {
        self.client.borrow().clone()
    }

    fn with_client<T>(&self, call: impl FnOnce(&Client) -> T) -> Option<T> {
        self.client().as_ref().map(call)
    }
}

/// Is told what the newest message of a topic holds.
pub(crate) type Reader = Rc<dyn Fn(Option<&[u8]>)>;

fn open(options: Options) -> (Client, Events) {
    Client::connect_over(Rc::new(BrokerTransport), options)
}

fn options(broker: &Broker) -> Options {
    let some = |text: &str| (!text.is_empty()).then(|| String::from(text));
    Options {
        protocol_version: broker.version(),
        client_identifier: broker.client_identifier().into(),
        user_name: some(broker.user_name()),
        password: some(broker.password()).map(Into::into),
        keep_alive_secs: broker.keep_alive_secs().unwrap_or_default(),
        resubscribe: Resubscribe::Always,
        // A session would hand over the readings of a cut as if they were new.
        session_expiry_interval_secs: 0,
        ..Options::new(broker.address())
    }
}

/// The status in words; `now` is on the client's clock.
fn connection_of(status: &Status, again: bool, now: Instant) -> Connection {
    match status {
        Status::Connecting { .. } => Connection::Connecting { again },
        Status::Connected { .. } => Connection::Connected,
        Status::Waiting {
            failure, retry_at, ..
        } => Connection::Waiting {
            reason: failure.to_string(),
            retry_at: moment() + retry_at.saturating_duration_since(now),
        },
        Status::Refused {
            reason_code,
            reason_string,
        } => Connection::Refused {
            reason: refusal(*reason_code, reason_string.as_deref()),
        },
        Status::Stopped { reason } => Connection::Stopped {
            reason: reason.to_string(),
        },
    }
}

async fn listen(link: &'static Link, mut events: Events, generation: u32) {
    while let Some(event) = events.next().await {
        if link.generation.get() != generation {
            return;
        }
        link.handle_event(event);
    }
}

fn subscribe(client: &Client, filters: Vec<String>, is_of_commands: bool) {
    // A device may announce a topic that is none.
    let filters = filters
        .into_iter()
        .filter_map(|filter| TopicFilter::new(filter).ok());
    let options = SubscriptionOptions {
        maximum_qos: QoS::AtLeastOnce,
        // A kept command is told from one that passes by.
        retain_as_published: is_of_commands,
        // The page would be the subscriber without whom the broker says that nobody got a command.
        no_local: is_of_commands,
        ..SubscriptionOptions::default()
    };
    drop(client.subscribe_events(filters.collect::<Vec<_>>(), options));
}

/// What the switches want published.
fn commands(fleet: &mut Fleet) -> Vec<(DeviceId, PumpCommand)> {
    let mut commands = Vec::new();
    for (device, pump) in fleet.pumps.iter_mut() {
        while let PumpSwitchOutput::Publish(command) = pump.switch.poll_output() {
            commands.push((device.clone(), command));
        }
    }
    commands
}

fn refusal(reason_code: ReasonCode, reason_string: Option<&str>) -> String {
    let words = in_words(reason_code);
    match reason_string {
        Some(reason_string) => [words, ": ", reason_string].concat(),
        None => words.into(),
    }
}

fn random_seed() -> u64 {
    let half = || (js_sys::Math::random() * f64::from(u32::MAX)) as u64;
    half() << 32 | half()
}

const TICK_MS: u32 = 1_000;
