use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    task::{Context, Wake, Waker},
    time::Duration,
};

use futures_util::{Stream as _, StreamExt as _};
use js_sys::{Function, Object, Reflect};
use mqtt_protocol::Packet;
use mqtt_web_client::{Client, Publication, SubscriptionOptions, TopicFilter, TopicName};
use wasm_bindgen::{JsCast as _, JsValue, prelude::Closure};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::EventTarget;

use crate::{connected, in_page_server::InPageServer, tick, within_10_s};

fn connect(server: &InPageServer) -> (Client, mqtt_web_client::Events) {
    Client::connect_over(server.transport(), InPageServer::options())
}

fn dispatch(event_type: &str) {
    dispatch_to(&web_sys::window().unwrap(), event_type);
}

fn dispatch_to(target: &EventTarget, event_type: &str) {
    let event = web_sys::Event::new(event_type).unwrap();
    target.dispatch_event(&event).unwrap();
}

#[wasm_bindgen_test]
async fn dropping_the_last_handle_says_goodbye_and_leaves_nothing_behind() {
    let server = InPageServer::default();
    let (client, mut events) = connect(&server);
    connected(&mut events).await;
    let other = client.clone();
    drop(client);
    tick().await;
    assert!(other.status().is_connected());
    server.take_received();

    drop(other);
    let received = server.take_received();
    assert!(
        matches!(received[..], [Packet::Disconnect(_)]),
        "{received:?}"
    );
    assert_eq!(server.n_links(), 0);
    while events.next().await.is_some() {}
    // Listeners that were left behind would call into nothing.
    dispatch("online");
    tick().await;
    assert_eq!(server.take_received(), []);
}

#[wasm_bindgen_test]
async fn coming_online_asks_for_a_sign_of_life() {
    let server = InPageServer::default();
    let (client, mut events) = connect(&server);
    connected(&mut events).await;
    server.take_received();
    assert_eq!(client.round_trip_time(), None);
    dispatch("online");
    tick().await;
    assert_eq!(server.take_received(), [Packet::Pingreq]);
    assert!(client.round_trip_time().is_some());
}

#[wasm_bindgen_test]
async fn coming_online_ends_a_wait() {
    let server = InPageServer::default();
    let (client, mut events) = connect(&server);
    connected(&mut events).await;
    for _ in 0..20 {
        server.cut();
        tick().await;
        dispatch("online");
        tick().await;
        assert!(client.status().is_connected());
    }
}

thread_local! {
    static CLIENT: RefCell<Option<Client>> = const { RefCell::new(None) };
    static N_WAKES: Cell<usize> = const { Cell::new(0) };
}

/// Calls the client from inside the wake, as an executor may that polls at once.
struct ImpatientWaker;

impl Wake for ImpatientWaker {
    fn wake(self: Arc<Self>) {
        N_WAKES.set(N_WAKES.get() + 1);
        CLIENT.with_borrow(|client| {
            let client = client.as_ref().unwrap();
            let topic_name = TopicName::new("a").unwrap();
            drop(client.publish(Publication::new(topic_name, "x")));
            client.reconnect_now();
            assert!(client.status().is_connected());
        });
    }
}

#[wasm_bindgen_test]
async fn a_wake_may_call_the_client() {
    let (client, mut events) = connect(&InPageServer::default());
    connected(&mut events).await;
    CLIENT.set(Some(client));
    let waker = Waker::from(Arc::new(ImpatientWaker));
    let mut context = Context::from_waker(&waker);
    for _ in 0..10 {
        while std::pin::Pin::new(&mut events)
            .poll_next(&mut context)
            .is_ready()
        {}
        CLIENT.with_borrow(|client| client.as_ref().unwrap().reconnect_now());
        ImpatientWaker::wake(Arc::new(ImpatientWaker));
        tick().await;
    }
    assert!(N_WAKES.get() > 10);
    CLIENT.take();
}

/// What garbage collection leaves of the JavaScript heap, where the browser says so.
fn heap_bytes() -> Option<f64> {
    let global = js_sys::global();
    let collect: Function = Reflect::get(&global, &"gc".into()).ok()?.dyn_into().ok()?;
    collect.call0(&JsValue::UNDEFINED).ok()?;
    let performance = Reflect::get(&global, &"performance".into()).ok()?;
    let memory = Reflect::get(&performance, &"memory".into()).ok()?;
    let used = Reflect::get(&memory, &"usedJSHeapSize".into()).ok()?;
    used.as_f64()
}

#[wasm_bindgen_test]
async fn a_thousand_clients_leave_the_memory_as_it_was() {
    let mut pages_at_cycle_200 = 0;
    let mut heap_at_cycle_200 = None;
    for cycle in 1..=1000 {
        let server = InPageServer::default();
        let (client, mut events) = connect(&server);
        connected(&mut events).await;
        let filter = TopicFilter::new("a").unwrap();
        let subscribing = client.subscribe([filter], SubscriptionOptions::default());
        let messages = within_10_s(subscribing).await.unwrap();
        let statuses = client.watch_status();
        drop(client);
        while events.next().await.is_some() {}
        drop((messages, statuses));
        assert_eq!(server.n_links(), 0);
        if cycle == 200 {
            pages_at_cycle_200 = core::arch::wasm32::memory_size(0);
            heap_at_cycle_200 = heap_bytes();
        }
    }
    assert_eq!(core::arch::wasm32::memory_size(0), pages_at_cycle_200);
    let before = heap_at_cycle_200.expect("the browser was started with its collector exposed");
    let after = heap_bytes().unwrap();
    wasm_bindgen_test::console_log!("heap {before} B at cycle 200, {after} B at 1,000");
    assert!(
        after <= before * 1.02,
        "{before} B at cycle 200, {after} B at 1,000"
    );
}

#[wasm_bindgen_test]
async fn a_page_that_becomes_visible_asks_for_a_sign_of_life() {
    let document = web_sys::window().unwrap().document().unwrap();
    let server = InPageServer::default();
    let (_client, mut events) = connect(&server);
    connected(&mut events).await;
    server.take_received();
    {
        let _hidden = Replaced::new(&document, "hidden", &true.into());
        dispatch_to(&document, "visibilitychange");
        tick().await;
        assert_eq!(server.take_received(), []);
    }
    dispatch_to(&document, "visibilitychange");
    tick().await;
    assert_eq!(server.take_received(), [Packet::Pingreq]);
}

#[wasm_bindgen_test]
async fn a_page_that_comes_back_from_freezing_or_the_cache_ends_its_wait() {
    let window = web_sys::window().unwrap();
    let document = window.document().unwrap();
    let server = InPageServer::default();
    let (client, mut events) = connect(&server);
    connected(&mut events).await;
    let back: [(&EventTarget, &str); 2] = [(&document, "resume"), (&window, "pageshow")];
    for (target, event_type) in back {
        server.cut();
        tick().await;
        dispatch_to(target, event_type);
        tick().await;
        assert!(client.status().is_connected(), "after {event_type}");
    }
}

#[wasm_bindgen_test]
async fn a_wall_clock_that_jumps_breaks_no_connection_and_ahead_it_counts_as_a_sleep() {
    let date = Reflect::get(&js_sys::global(), &"Date".into()).unwrap();
    let server = InPageServer::default();
    let (client, mut events) = connect(&server);
    connected(&mut events).await;
    server.take_received();
    for jump_ms in [-8.0 * HOUR_MS, 8.0 * HOUR_MS] {
        let now = client.now();
        let jumped = js_sys::Date::now() + jump_ms;
        let clock = Closure::<dyn FnMut() -> f64>::new(move || jumped);
        let _jumped = Replaced::new(&date, "now", clock.as_ref());
        drop(client.publish(Publication::new(TopicName::new("a").unwrap(), "x")));
        tick().await;
        assert!(client.status().is_connected());
        let mut received = server.take_received();
        // After a sleep it asks for a sign of life.
        received.retain(|packet| *packet != Packet::Pingreq);
        assert!(matches!(received[..], [Packet::Publish(_)]), "{received:?}");
        let passed = client.now().saturating_duration_since(now);
        let has_slept = passed >= Duration::from_secs(8 * 3600);
        assert_eq!(has_slept, jump_ms > 0.0, "{passed:?}");
    }
}

#[wasm_bindgen_test]
async fn nothing_listens_and_no_timer_runs_after_the_last_handle_is_dropped() {
    let window = web_sys::window().unwrap();
    let document = window.document().unwrap();
    let listeners = [Listeners::count(&window), Listeners::count(&document)];
    let timers = Timers::watch();
    let server = InPageServer::default();
    let (client, mut events) = connect(&server);
    connected(&mut events).await;
    assert!(listeners.iter().all(|listeners| listeners.n() > 0));
    assert!(timers.n() > 0);
    drop(client);
    while events.next().await.is_some() {}
    assert!(listeners.iter().all(|listeners| listeners.n() == 0));
    assert_eq!(timers.n(), 0);
}

/// Counts the listeners that are added to a target and not removed.
struct Listeners {
    n: Rc<Cell<isize>>,
    _replaced: [Replaced; 2],
    _counting: [Closure<dyn FnMut(JsValue, JsValue)>; 2],
}

impl Listeners {
    fn count(target: &EventTarget) -> Self {
        let n = Rc::new(Cell::new(0));
        let counting =
            [("addEventListener", 1), ("removeEventListener", -1)].map(|(name, step)| {
                let original = function(target, name);
                let (n, target) = (Rc::clone(&n), target.clone());
                let counting =
                    Closure::<dyn FnMut(JsValue, JsValue)>::new(move |event_type, listener| {
                        n.set(n.get() + step);
                        original.call2(&target, &event_type, &listener).unwrap();
                    });
                (name, counting)
            });
        Self {
            n,
            _replaced: counting
                .each_ref()
                .map(|(name, counting)| Replaced::new(target, name, counting.as_ref())),
            _counting: counting.map(|(_, counting)| counting),
        }
    }

    fn n(&self) -> isize {
        self.n.get()
    }
}

/// Watches the timers that are too long to run off during a test.
pub(crate) struct Timers {
    running: Rc<RefCell<Vec<JsValue>>>,
    _replaced: [Replaced; 2],
    _set: Closure<dyn FnMut(JsValue, JsValue) -> JsValue>,
    _clear: Closure<dyn FnMut(JsValue)>,
}

impl Timers {
    pub(crate) fn watch() -> Self {
        let global = js_sys::global();
        let running = Rc::new(RefCell::new(Vec::new()));
        let original = function(&global, "setTimeout");
        let set = Closure::<dyn FnMut(JsValue, JsValue) -> JsValue>::new({
            let running = Rc::clone(&running);
            move |handler, delay: JsValue| {
                let id = original.call2(&JsValue::UNDEFINED, &handler, &delay);
                let id = id.unwrap();
                if delay.as_f64().is_some_and(|delay| delay >= 1000.0) {
                    running.borrow_mut().push(id.clone());
                }
                id
            }
        });
        let original = function(&global, "clearTimeout");
        let clear = Closure::<dyn FnMut(JsValue)>::new({
            let running = Rc::clone(&running);
            move |id: JsValue| {
                running.borrow_mut().retain(|other| *other != id);
                original.call1(&JsValue::UNDEFINED, &id).unwrap();
            }
        });
        Self {
            running,
            _replaced: [
                Replaced::new(&global, "setTimeout", set.as_ref()),
                Replaced::new(&global, "clearTimeout", clear.as_ref()),
            ],
            _set: set,
            _clear: clear,
        }
    }

    pub(crate) fn n(&self) -> usize {
        self.running.borrow().len()
    }
}

fn function(object: &JsValue, name: &str) -> Function {
    let function = Reflect::get(object, &name.into()).unwrap();
    function.unchecked_into()
}

/// Replaces a property of an object as long as this is there.
struct Replaced {
    object: Object,
    name: &'static str,
    /// Undefined if it was not the object's own.
    original: JsValue,
}

impl Replaced {
    fn new(object: &JsValue, name: &'static str, value: &JsValue) -> Self {
        let object: Object = object.clone().unchecked_into();
        let original = Reflect::get_own_property_descriptor(&object, &name.into()).unwrap();
        let descriptor = Object::new();
        Reflect::set(&descriptor, &"value".into(), value).unwrap();
        Reflect::set(&descriptor, &"configurable".into(), &true.into()).unwrap();
        Reflect::define_property(&object, &name.into(), &descriptor).unwrap();
        Self {
            object,
            name,
            original,
        }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        let name = self.name.into();
        Reflect::delete_property(&self.object, &name).unwrap();
        if !self.original.is_undefined() {
            let original = self.original.unchecked_ref();
            Reflect::define_property(&self.object, &name, original).unwrap();
        }
    }
}

const HOUR_MS: f64 = 3_600_000.0;
