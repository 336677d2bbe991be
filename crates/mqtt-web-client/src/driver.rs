//! The shell's loop: takes in what happened, asks the [`Supervisor`], does what it says.

mod browser;
mod keeping;

use std::{
    cell::{Cell, OnceCell, RefCell},
    num::NonZeroU32,
    rc::{Rc, Weak},
    time::Duration,
};

use gloo_timers::callback::Timeout;
use mqtt_protocol::{Instant, ProtocolVersion, ReasonCode, TopicFilter};
use wasm_bindgen_futures::spawn_local;

pub(crate) use self::browser::{call_after, seed};
pub use self::keeping::SharedStore;

use self::browser::{Clock, PageListener};
use crate::{
    Credentials, Events, Limits, Link, LinkHandler, Options, Persistence, Publication,
    PublishError, Receipt, Status, SubscribeError, SubscriptionOptions, Transport,
    credentials::{Asking, CredentialsAnswer},
    event::EventQueue,
    receipt,
    sink::{Sink, Sinks},
    supervisor::{Output, Supervisor},
    transport::{Generation, LinkEvent},
};

/// What all handles of a client share.
///
/// Callbacks and calls never do anything themselves: they take note and [`wake`](Wake::wake) the driver,
/// whose [`turn`](Self::turn) runs from the event loop. So nothing is borrowed when foreign code runs,
/// and what is sent in one turn of the event loop leaves in one piece.
pub(crate) struct Driver {
    transport: Rc<dyn Transport>,
    clock: Clock,
    supervisor: RefCell<Box<Supervisor>>,
    link: RefCell<Option<Box<dyn Link>>>,
    link_events: RefCell<Vec<(Generation, LinkEvent)>>,
    /// Whoever is asked for credentials; kept until they are there or of no use any more.
    asking: RefCell<Option<Asking>>,
    events: Rc<RefCell<EventQueue>>,
    /// Only made if it is used.
    sinks: OnceCell<Box<dyn Sink>>,
    timer: RefCell<Option<(Instant, Timeout)>>,
    has_timer_fired: Cell<bool>,
    store: Option<SharedStore>,
    /// Whether a batch is being stored.
    is_writing: Cell<bool>,
    is_awake: Cell<bool>,
    wake: Wake,
    /// Kept for its `Drop`.
    _page_listener: PageListener,
}

/// Reaches the driver as long as it is there.
#[derive(Clone)]
pub(crate) struct Wake(Weak<Driver>);

impl Wake {
    pub(crate) fn link_event(&self, generation: Generation, event: LinkEvent) {
        if let Some(driver) = self.0.upgrade() {
            let mut link_events = driver.link_events.borrow_mut();
            link_events.push((generation, event));
            drop(link_events);
            self.wake();
        }
    }

    pub(crate) fn credentials(&self, generation: Generation, result: Result<Credentials, String>) {
        self.with_supervisor(|supervisor, now| {
            supervisor.handle_credentials(generation, result, now);
        });
    }

    fn timer_fired(&self) {
        if let Some(driver) = self.0.upgrade() {
            driver.has_timer_fired.set(true);
            self.wake();
        }
    }

    /// Makes a turn come soon, once.
    fn wake(&self) {
        let Some(driver) = self.0.upgrade() else {
            return;
        };
        if driver.is_awake.replace(true) {
            return;
        }
        let weak = self.clone();
        spawn_local(async move {
            if let Some(driver) = weak.0.upgrade() {
                driver.turn();
            }
        });
    }

    fn with_supervisor(&self, change: impl FnOnce(&mut Supervisor, Instant)) {
        if let Some(driver) = self.0.upgrade() {
            change(&mut driver.supervisor.borrow_mut(), driver.now());
            self.wake();
        }
    }
}

impl Driver {
    pub(crate) fn start(transport: Rc<dyn Transport>, options: Options) -> (Rc<Self>, Events) {
        let limits = &options.limits;
        let events = EventQueue::new(limits.events_len_max, limits.events_bytes_max);
        let events = Rc::new(RefCell::new(events));
        let clock = Clock::new();
        let store = options.session_store.clone();
        let is_visible = browser::is_visible();
        let supervisor = Box::new(Supervisor::new(options, is_visible, seed(), clock.now()));
        let driver = Rc::new_cyclic(|weak| {
            let wake = Wake(weak.clone());
            Self {
                transport,
                clock,
                supervisor: RefCell::new(supervisor),
                link: RefCell::default(),
                link_events: RefCell::default(),
                asking: RefCell::default(),
                events: Rc::clone(&events),
                sinks: OnceCell::new(),
                timer: RefCell::default(),
                has_timer_fired: Cell::default(),
                store,
                is_writing: Cell::new(false),
                is_awake: Cell::new(false),
                _page_listener: listen_to_page(&wake),
                wake,
            }
        });
        if let Some(store) = &driver.store {
            store.begin(&driver);
        }
        driver.wake.wake();
        (driver, Events::new(events))
    }

    pub(crate) fn publish(
        &self,
        publication: Publication,
    ) -> Receipt<Result<ReasonCode, PublishError>> {
        let (answer, receipt) = receipt::pair();
        self.call(|supervisor, now| supervisor.publish(publication, answer, now));
        receipt
    }

    pub(crate) fn subscribe(
        &self,
        topic_filters: Vec<TopicFilter>,
        options: SubscriptionOptions,
    ) -> Receipt<Result<Vec<ReasonCode>, SubscribeError>> {
        let (answer, receipt) = receipt::pair();
        self.call(|supervisor, _| supervisor.subscribe(topic_filters, options, answer));
        receipt
    }

    pub(crate) fn unsubscribe(
        &self,
        topic_filters: Vec<TopicFilter>,
    ) -> Receipt<Result<Vec<ReasonCode>, SubscribeError>> {
        let (answer, receipt) = receipt::pair();
        let left = topic_filters.clone();
        let mut is_accepted = false;
        self.call(|supervisor, _| is_accepted = supervisor.unsubscribe(topic_filters, answer));
        if let Some(sinks) = self.sinks.get().filter(|_| is_accepted) {
            sinks.handle_unsubscribe(&left);
        }
        receipt
    }

    pub(crate) fn subscribe_stream(
        &self,
        topic_filter: TopicFilter,
        options: SubscriptionOptions,
    ) -> (
        Option<NonZeroU32>,
        Receipt<Result<Vec<ReasonCode>, SubscribeError>>,
    ) {
        let (answer, receipt) = receipt::pair();
        let mut identifier = None;
        self.call(|supervisor, _| {
            identifier = supervisor.subscribe_stream(topic_filter, options, answer);
        });
        (identifier, receipt)
    }

    pub(crate) fn leave_stream(&self, topic_filter: &TopicFilter) {
        self.call(|supervisor, _| supervisor.leave_stream(topic_filter));
    }

    pub(crate) fn add_sink(&self, sink: Rc<dyn Sink>) {
        let sinks = self.sinks.get_or_init(|| Box::new(Sinks::default()));
        sinks.add(sink);
    }

    pub(crate) fn remove_sink(&self, sink: &Rc<dyn Sink>) {
        if let Some(sinks) = self.sinks.get() {
            sinks.remove(sink);
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.supervisor.borrow().limits()
    }

    pub(crate) fn protocol_version(&self) -> ProtocolVersion {
        self.supervisor.borrow().protocol_version()
    }

    pub(crate) fn status(&self) -> Status {
        self.supervisor.borrow().status().clone()
    }

    pub(crate) fn persistence(&self) -> Persistence {
        self.supervisor.borrow().persistence().clone()
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn round_trip_time(&self) -> Option<Duration> {
        self.supervisor.borrow().round_trip_time()
    }

    pub(crate) fn reconnect_now(&self) {
        self.call(Supervisor::reconnect_now);
    }

    pub(crate) fn disconnect(&self) {
        self.call(Supervisor::disconnect);
    }

    fn call(&self, change: impl FnOnce(&mut Supervisor, Instant)) {
        change(&mut self.supervisor.borrow_mut(), self.now());
        self.wake.wake();
    }

    fn turn(&self) {
        self.is_awake.set(false);
        let now = self.now();
        self.take_link_events(now);
        let buffered_amount = self.buffered_amount();
        {
            let mut supervisor = self.supervisor.borrow_mut();
            supervisor.handle_buffered_amount(buffered_amount, now);
            supervisor.handle_timeout(now);
        }
        self.obey();
        self.store();
        self.wake_readers();
    }

    fn wake_readers(&self) {
        let waker = self.events.borrow_mut().take_waker();
        if let Some(waker) = waker {
            waker.wake();
        }
        while let Some(waker) = self.sinks.get().and_then(|sinks| sinks.take_waker()) {
            waker.wake();
        }
    }

    fn store(&self) {
        if let Some(store) = &self.store {
            store.flush(self);
        }
    }

    fn take_link_events(&self, now: Instant) {
        let link_events = self.link_events.take();
        let mut supervisor = self.supervisor.borrow_mut();
        for (generation, event) in link_events {
            supervisor.handle_link(generation, event, now);
        }
    }

    fn buffered_amount(&self) -> usize {
        let link = self.link.borrow();
        link.as_ref().map_or(0, |link| link.buffered_amount())
    }

    /// Does what the supervisor says. Nothing of it is borrowed while an answer wakes foreign code.
    fn obey(&self) {
        loop {
            let output = self.supervisor.borrow_mut().poll_output();
            match output {
                Output::AskForCredentials(generation) => self.ask_for_credentials(generation),
                Output::Open(generation) => self.open(generation),
                Output::Transmit(bytes) => {
                    if let Some(link) = &mut *self.link.borrow_mut() {
                        link.send(&bytes);
                    }
                }
                Output::Close => {
                    self.asking.take();
                    let link = self.link.borrow_mut().take();
                    if let Some(mut link) = link {
                        link.close();
                    }
                }
                Output::Event(event) => {
                    if let Some(sinks) = self.sinks.get() {
                        let supervisor = self.supervisor.borrow();
                        sinks.handle_event(&event, supervisor.has_subscription_identifiers());
                    }
                    self.events.borrow_mut().push(event);
                }
                Output::Published(answer, result) => answer.give(result),
                Output::Subscribed(answer, result) => answer.give(result),
                Output::Timeout(deadline) => {
                    self.arm(deadline);
                    break;
                }
            }
        }
    }

    fn ask_for_credentials(&self, generation: Generation) {
        let answer = CredentialsAnswer::new(generation, self.wake.clone());
        let provider = self.supervisor.borrow().credentials_provider().cloned();
        let asking = provider.map(|provider| provider.ask(answer));
        self.asking.replace(asking);
    }

    fn open(&self, generation: Generation) {
        self.link.borrow_mut().take();
        let url = self.supervisor.borrow().url().to_owned();
        let handler = LinkHandler::new(generation, self.wake.clone());
        match self.transport.open(&url, handler) {
            Ok(link) => *self.link.borrow_mut() = Some(link),
            Err(failure) => self.wake.link_event(generation, LinkEvent::Closed(failure)),
        }
    }

    fn arm(&self, deadline: Option<Instant>) {
        let mut timer = self.timer.borrow_mut();
        // One that has fired may have done so before its deadline: where the clock is coarse, or as browsers wait
        // for 24 days at most.
        let has_fired = self.has_timer_fired.replace(false);
        if timer.as_ref().map(|(armed, _)| *armed) == deadline && !has_fired {
            return;
        }
        *timer = deadline.map(|deadline| {
            let wake = self.wake.clone();
            let wait = deadline.saturating_duration_since(self.now());
            let timeout = call_after(
                whole_milliseconds(wait),
                Box::new(move || wake.timer_fired()),
            );
            (deadline, timeout)
        });
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let now = self.now();
        self.supervisor.get_mut().disconnect(now);
        self.obey();
        // The store does things in order; it need not be done with what it was given before.
        self.is_writing.set(false);
        self.store();
        self.timer.get_mut().take();
        self.events.borrow_mut().close();
        if let Some(sinks) = self.sinks.get() {
            sinks.close();
        }
        self.wake_readers();
    }
}

/// Tells the supervisor what of the page's life concerns the connection.
fn listen_to_page(wake: &Wake) -> PageListener {
    let wake = wake.clone();
    PageListener::new(Box::new(move || {
        wake.with_supervisor(|supervisor, now| {
            supervisor.handle_page_event(browser::is_visible(), now);
        });
    }))
}

/// Rounds up, so that a timer never fires before its deadline; browsers take at most 2³¹ − 1.
pub(crate) fn whole_milliseconds(wait: Duration) -> u32 {
    let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
    seconds
        .saturating_mul(1000)
        .saturating_add(wait.subsec_micros().div_ceil(1000))
        .min(MILLISECONDS_MAX)
}

const MILLISECONDS_MAX: u32 = i32::MAX as u32;
