//! The fleet as the page sees it: who reads something is told when just that changes.

use std::cell::{Cell, Ref, RefCell};

use chart::Zone;
use field::{DeviceId, Timestamp};
use leptos::reactive::{signal::ArcTrigger, traits::Notify, traits::Track};
use mqtt_web_client::Client;

use crate::{
    brokers::BrokerStore,
    link::Link,
    signal::Signal,
    state::{Changes, Connection, Fleet, Probe, ProbeId, Pump, Table, Window, key_of_device},
};

/// The fleet, reached from anywhere with [`use_fleet`]. Only [`link`](crate::link) changes it.
pub struct FleetStore {
    fleet: RefCell<Fleet>,
    layout: ArcTrigger,
    any: ArcTrigger,
    /// By the probe's id.
    probes: RefCell<Table<String, ArcTrigger>>,
    /// Who reads calmly.
    calm: RefCell<Table<ProbeId, Calm>>,
    /// By the pump's key.
    pumps: RefCell<Table<String, ArcTrigger>>,
}

impl FleetStore {
    /// Lays the store over a fleet.
    #[must_use]
    pub fn new(fleet: Fleet) -> Self {
        Self {
            fleet: RefCell::new(fleet),
            layout: ArcTrigger::new(),
            any: ArcTrigger::new(),
            probes: RefCell::default(),
            calm: RefCell::default(),
            pumps: RefCell::default(),
        }
    }

    /// Reads one probe; whoever does is told of its changes only. `None` if there is no such probe.
    pub fn probe(&self, id: &ProbeId) -> Option<Ref<'_, Probe>> {
        track(&self.probes, id.as_str());
        Ref::filter_map(self.fleet.borrow(), |fleet| fleet.probes.get(id)).ok()
    }

    /// As [`probe`](Self::probe) for pages of many probes: of changes one is told now and then. Nobody
    /// reads a hundred figures that change more often, and the browser would only lay them out.
    pub fn probe_calmly(&self, id: &ProbeId) -> Option<Ref<'_, Probe>> {
        let trigger = self.calm.borrow_mut().entry(id, Calm::new).trigger.clone();
        trigger.track();
        Ref::filter_map(self.fleet.borrow(), |fleet| fleet.probes.get(id)).ok()
    }

    /// Reads one pump; whoever does is told of its changes only. `None` if there is no such pump.
    pub fn pump(&self, device: &DeviceId) -> Option<Ref<'_, Pump>> {
        track(&self.pumps, &key_of_device(device));
        Ref::filter_map(self.fleet.borrow(), |fleet| fleet.pumps.get(device)).ok()
    }

    /// Reads which devices there are, how they are called and where they stand.
    pub fn layout(&self) -> Ref<'_, Fleet> {
        self.layout.track();
        self.fleet.borrow()
    }

    /// Reads everything; whoever does is told of every change.
    pub fn everything(&self) -> Ref<'_, Fleet> {
        self.any.track();
        self.fleet.borrow()
    }

    /// The probes of which the broker kept more than is here of a window.
    pub(crate) fn lacking(&self, window: Window) -> Vec<ProbeId> {
        let fleet = self.fleet.borrow();
        let probes = fleet.probes.values();
        let lacking = probes.filter(|probe| probe.lacks(window.span, window.fineness()));
        lacking.map(|probe| probe.id.clone()).collect()
    }

    /// Changes the fleet and tells whom it concerns; [`tell_calm`](Self::tell_calm) tells the rest.
    pub(crate) fn update(&self, change: &mut dyn FnMut(&mut Fleet)) {
        let changes = {
            let mut fleet = self.fleet.borrow_mut();
            change(&mut fleet);
            fleet.take_changes()
        };
        self.tell(&changes);
    }

    fn tell(&self, changes: &Changes) {
        if *changes == Changes::default() {
            return;
        }
        let mut told = vec![self.any.clone()];
        let (probes, pumps) = (self.probes.borrow(), self.pumps.borrow());
        let calm = self.calm.borrow();
        if changes.layout {
            told.push(self.layout.clone());
            // A device that is gone, or that came, was read by those who waited for it.
            told.extend(probes.values().chain(pumps.values()).cloned());
            told.extend(calm.values().map(|reader| reader.trigger.clone()));
        } else {
            for id in &changes.probes {
                told.extend(probes.get(id.as_str()).cloned());
                if let Some(reader) = calm.get(id) {
                    reader.is_untold.set(true);
                }
            }
            for device in &changes.pumps {
                told.extend(pumps.get(&key_of_device(device)).cloned());
            }
        }
        drop((probes, pumps, calm));
        for trigger in told {
            trigger.notify();
        }
    }

    /// Tells those who read calmly what is due. Whether they are still to be told of more.
    pub(crate) fn tell_calm(&self) -> bool {
        let now = moment().millis();
        let (mut due, mut is_more) = (Vec::new(), false);
        for reader in self.calm.borrow().values() {
            if !reader.is_untold.get() {
                continue;
            }
            // A clock that was set back holds nobody up.
            if (0..CALM_MS).contains(&now.saturating_sub(reader.told_at.get())) {
                is_more = true;
                continue;
            }
            reader.is_untold.set(false);
            reader.told_at.set(now);
            due.push(reader.trigger.clone());
        }
        for trigger in due {
            trigger.notify();
        }
        is_more
    }
}

/// Readers of a probe who are not told of it all the time.
struct Calm {
    trigger: ArcTrigger,
    /// In milliseconds.
    told_at: Cell<i64>,
    is_untold: Cell<bool>,
}

impl Calm {
    fn new() -> Self {
        Self {
            trigger: ArcTrigger::new(),
            told_at: Cell::new(i64::MIN),
            is_untold: Cell::new(false),
        }
    }
}

/// How long what is read calmly stands at least.
const CALM_MS: i64 = 500;

fn track(triggers: &RefCell<Table<String, ArcTrigger>>, key: &str) {
    let known = triggers.borrow().get(key).cloned();
    let trigger = known.unwrap_or_else(|| {
        let trigger = ArcTrigger::new();
        triggers.borrow_mut().insert(key.into(), trigger.clone());
        trigger
    });
    trigger.track();
}

/// What every part of the page reaches. It stays for as long as the window does.
#[derive(Clone, Copy)]
pub struct Stores {
    /// The fleet.
    pub fleet: &'static FleetStore,
    /// How it stands with the broker.
    pub connection: &'static Signal<Connection>,
    /// The second of now: it ticks for everything on the page at once.
    pub now: &'static Signal<Timestamp>,
    /// The link to the broker.
    pub link: &'static Link,
    /// The brokers that this browser remembers.
    pub brokers: &'static BrokerStore,
}

impl Stores {
    /// Those of a page that has not heard anything, for everyone to reach.
    pub(crate) fn open() -> Self {
        let fleet = forever(FleetStore::new(Fleet::new(0)));
        let connection = forever(Signal::new(Connection::Connecting { again: false }));
        let now = forever(Signal::new(moment()));
        let link = forever(Link::new(fleet, connection, now));
        let stores = Self {
            fleet,
            connection,
            now,
            link,
            brokers: forever(BrokerStore::new(link)),
        };
        STORES.set(Some(stores));
        stores
    }
}

fn forever<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

thread_local! {
    static STORES: Cell<Option<Stores>> = const { Cell::new(None) };
}

fn stores() -> Stores {
    STORES.get().expect("the page is open")
}

/// The fleet.
#[must_use]
pub fn use_fleet() -> &'static FleetStore {
    stores().fleet
}

/// The second of now, as a signal.
#[must_use]
pub fn use_now() -> &'static Signal<Timestamp> {
    stores().now
}

/// How it stands with the broker, as a signal.
#[must_use]
pub fn use_connection() -> &'static Signal<Connection> {
    stores().connection
}

/// The link to the broker.
#[must_use]
pub fn use_link() -> &'static Link {
    stores().link
}

/// The client that is connected, or connects, to the broker in use.
#[must_use]
pub fn use_client() -> Option<Client> {
    stores().link.client()
}

/// The brokers that this browser remembers.
#[must_use]
pub fn use_brokers() -> &'static BrokerStore {
    stores().brokers
}

/// The moment itself.
#[must_use]
pub fn moment() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now() as i64)
}

/// The browser's local clock.
pub const ZONE: Zone = Zone(|time| {
    let date = js_sys::Date::new(&(time as f64).into());
    -(date.get_timezone_offset() as i32)
});
