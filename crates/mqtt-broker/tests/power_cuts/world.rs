//! Clients, a network, and a machine whose power goes.

use std::{collections::BTreeMap, mem, num::NonZeroU16, time::Duration};

use fastrand::Rng;
use mqtt_broker::{
    Settings,
    store::{
        RedbStore, Store,
        testing::{Failure, PowerCutDisk},
    },
};
use mqtt_broker_core::STORE_FORMAT;
use mqtt_protocol::{Decoder, DecoderSettings, Disconnect, Packet, Properties, ReasonCode, Role};

use crate::{
    ClientNumber, LinkNumber,
    book::{Book, DATA},
    client::{Client, State},
    machine::{Committed, Effect, Machine, decode},
};

pub(crate) struct World {
    rng: Rng,
    settings: Settings,
    time: Duration,
    machine: Machine,
    clients: Vec<Client>,
    links: BTreeMap<LinkNumber, Link>,
    link_by_client: BTreeMap<ClientNumber, LinkNumber>,
    next_link: LinkNumber,
    book: Book,
    plan: Plan,
    chances: Chances,
    counts: Counts,
    trace: Option<Vec<String>>,
}

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) runs: u64,
    pub(crate) steps: u64,
    /// Power cuts, of which so many while the store was opened, and so many at an operation of the disk.
    pub(crate) cuts: u64,
    pub(crate) cuts_while_opening: u64,
    pub(crate) cuts_while_writing: u64,
    /// Ends of the broker alone, after which the disk has all that was written.
    pub(crate) kills: u64,
    pub(crate) failed_commits: u64,
    pub(crate) commits: u64,
    pub(crate) acknowledged: u64,
    pub(crate) arrived: u64,
    pub(crate) disk_operations: u64,
}

/// When the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Now and then.
    Random,
    /// Once, in place of this operation of the disk, if there are so many.
    Once(u64),
}

/// One Network Connection.
struct Link {
    client: ClientNumber,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    at_client: Decoder,
    /// Whether the broker may not have the CONNECT yet.
    is_connect_on_its_way: bool,
    is_closed_by_client: bool,
    is_closed_by_server: bool,
}

/// How often what happens, out of 100 steps each.
#[derive(Debug, Clone, Copy)]
struct Chances {
    take_group: u8,
    commit: u8,
    publish: u8,
    acknowledge: u8,
    cut_link: u8,
    connect: u8,
    change_mind: u8,
    fail: u8,
}

impl World {
    pub(crate) fn new(seed: u64, plan: Plan, is_traced: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut settings = Settings::default();
        let limits = &mut settings.broker.limits;
        limits.in_flight_messages = NonZeroU16::new(rng.u16(1..8)).unwrap();
        limits.bytes_per_turn = [50, 1000, 100_000][rng.usize(0..3)];
        let disk = PowerCutDisk::with_empty_store(STORE_FORMAT);
        if let Plan::Once(operation) = plan {
            disk.cut_power_at(operation);
        }
        let mut counts = Counts::default();
        let machine = boot(disk, &settings, Duration::ZERO, &mut rng, &mut counts, plan);
        let mut book = Book::default();
        let mut clients = Vec::new();
        let group = book.audience(DATA, true);
        for number in 0..rng.usize(2..5) {
            clients.push(Client::publisher(number, rng.u8(0..4) > 0, &mut rng));
        }
        for _ in 0..rng.usize(1..4) {
            clients.push(Client::subscriber(clients.len(), &mut book, &mut rng));
        }
        for _ in 0..rng.usize(0..3) {
            clients.push(Client::member(clients.len(), group, &mut rng));
        }
        if rng.bool() {
            clients.push(Client::listener(clients.len(), &mut rng));
        }
        let mut world = Self {
            plan,
            chances: Chances::choose(&mut rng),
            rng,
            settings,
            time: Duration::ZERO,
            machine,
            clients,
            links: BTreeMap::new(),
            link_by_client: BTreeMap::new(),
            next_link: 0,
            book,
            counts,
            trace: is_traced.then(Vec::new),
        };
        world.settle();
        world
    }

    /// Everything that happens; it panics where a promise is broken.
    pub(crate) fn run(&mut self) {
        self.counts.runs = 1;
        match self.plan {
            Plan::Random => {
                for _ in 0..self.rng.usize(3..12) {
                    self.live_until_cut();
                }
            }
            Plan::Once(_) => {
                self.chances.fail = 0;
                for _ in 0..SCENARIO_STEPS {
                    self.step();
                }
                self.counts.disk_operations = self.machine.disk.counts().n_operations;
            }
        }
        self.calm_down();
        self.book.check();
        if self.plan == Plan::Random {
            self.check_that_nothing_comes_again();
        }
        self.look_at_retained();
        self.leave();
        self.counts.acknowledged = self.book.n_acknowledged();
        self.counts.arrived = self.book.n_arrived();
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// What happened, if it was traced.
    pub(crate) fn trace(&self) -> &[String] {
        self.trace.as_deref().unwrap_or_default()
    }

    /// Goes on until the power goes, while something is written or between.
    fn live_until_cut(&mut self) {
        self.chances = Chances::choose(&mut self.rng);
        let disk = self.machine.disk.clone();
        let n_cuts = self.counts.cuts;
        let soon = [3, 10, 40, 120][self.rng.usize(0..4)];
        let now = disk.counts().n_operations;
        disk.cut_power_at(now + self.rng.u64(0..soon));
        for _ in 0..self.rng.u32(50..500) {
            self.step();
            if self.counts.cuts > n_cuts {
                return;
            }
        }
        if self.rng.bool() {
            self.kill();
        } else {
            self.cut_power();
        }
    }

    fn step(&mut self) {
        self.counts.steps += 1;
        self.time += Duration::from_micros(self.rng.u64(0..3000));
        let percent = self.rng.u8(0..100);
        let chances = self.chances;
        if percent < chances.take_group {
            self.machine.take_group();
        } else if percent < chances.take_group + chances.commit {
            if self.machine.has_group() {
                self.commit_and_fail();
            }
        } else {
            self.machine.pass_time(self.time);
            if let Some(link) = self.any_link() {
                match self.rng.u8(0..2) {
                    0 => self.carry_to_server(link, false),
                    _ => self.carry_to_client(link, false),
                }
            }
            let client = self.rng.usize(0..self.clients.len());
            self.act(client);
        }
        self.settle();
    }

    /// A Client does what comes to mind.
    fn act(&mut self, number: ClientNumber) {
        let Chances {
            publish,
            acknowledge,
            cut_link,
            connect,
            change_mind,
            ..
        } = self.chances;
        let mut happens = |percent: u8| self.rng.u8(0..100) < percent;
        let client = &mut self.clients[number];
        match client.state {
            // Some stay away for long.
            State::Offline if happens(connect) && happens(100 >> (2 * (number % 3))) => {
                self.connect(number)
            }
            State::Offline => {}
            State::Connecting | State::Connected if happens(cut_link) => {
                let is_told = happens(40);
                self.hang_up(number, is_told);
            }
            State::Connecting => {}
            State::Connected => {
                if client.is_publisher && happens(publish) {
                    client.publish(&mut self.book, &mut self.rng);
                } else if client.owes() && happens(acknowledge) {
                    client.acknowledge();
                } else if happens(30) {
                    client.ask(&mut self.book);
                } else if happens(change_mind) {
                    client.change_mind(&mut self.book, &mut self.rng);
                }
            }
        }
    }

    fn connect(&mut self, number: ClientNumber) {
        // An older CONNECT of its own that arrived after this one would begin or end a session behind its back.
        for older in self.links.values_mut() {
            if older.client == number && older.is_connect_on_its_way {
                older.to_server.clear();
            }
        }
        let client = &mut self.clients[number];
        let link = self.next_link;
        self.next_link += 1;
        self.links.insert(
            link,
            Link {
                client: number,
                to_server: Vec::new(),
                to_client: Vec::new(),
                at_client: Decoder::new(DecoderSettings {
                    maximum_packet_size: u32::MAX,
                    version: Some(client.version),
                    role: Role::Client,
                }),
                is_connect_on_its_way: true,
                is_closed_by_client: false,
                is_closed_by_server: false,
            },
        );
        self.link_by_client.insert(number, link);
        client.connect(&mut self.book, &mut self.rng);
        self.machine.open(link, self.time);
    }

    /// A Client ends its connection, perhaps with a word; what is on the way may not arrive.
    fn hang_up(&mut self, number: ClientNumber, mut is_told: bool) {
        let Some(number_of_link) = self.link_by_client.remove(&number) else {
            return;
        };
        let client = &mut self.clients[number];
        is_told &= client.state == State::Connected;
        if let Some(link) = self.links.get_mut(&number_of_link) {
            link.is_closed_by_client = true;
            link.to_client.clear();
            if is_told {
                let disconnect = Packet::Disconnect(Disconnect {
                    reason_code: ReasonCode::Success,
                    properties: Properties::new(),
                });
                disconnect
                    .encode(client.version, &mut link.to_server)
                    .unwrap();
            } else {
                let n_left = self.rng.usize(0..=link.to_server.len());
                link.to_server.truncate(n_left);
            }
        }
        if let Some(trace) = &mut self.trace {
            trace.push(format!("client {number} hangs up, told: {is_told}"));
        }
        client.end(is_told, &mut self.book);
    }

    /// Bytes arrive at the broker, all that are on the way or some of them.
    fn carry_to_server(&mut self, number: LinkNumber, all: bool) {
        let Some(link) = self.links.get_mut(&number) else {
            return;
        };
        let len = link.to_server.len();
        let n = match all || self.rng.u8(0..4) > 0 {
            true => len,
            false => self.rng.usize(0..=len),
        };
        let rest = link.to_server.split_off(n);
        let bytes = mem::replace(&mut link.to_server, rest);
        link.is_connect_on_its_way &= !link.to_server.is_empty();
        let is_over = link.to_server.is_empty() && link.is_closed_by_client;
        if !bytes.is_empty() {
            self.machine.feed(number, bytes, self.time);
        }
        self.network();
        if is_over {
            self.machine.close(number, self.time);
            self.links.remove(&number);
        }
    }

    /// Bytes arrive at a Client, all that are on the way or some of them.
    fn carry_to_client(&mut self, number: LinkNumber, all: bool) {
        let Some(link) = self.links.get_mut(&number) else {
            return;
        };
        if link.is_closed_by_client {
            return;
        }
        let len = link.to_client.len();
        let n = match all || self.rng.u8(0..4) > 0 {
            true => len,
            false => self.rng.usize(0..=len),
        };
        let rest = link.to_client.split_off(n);
        let bytes = mem::replace(&mut link.to_client, rest);
        let packets = decode(&mut link.at_client, bytes);
        let mut is_over = link.to_client.is_empty() && link.is_closed_by_server;
        let owner = link.client;
        for packet in packets {
            if let Some(trace) = &mut self.trace {
                trace.push(format!("to {owner}: {}", brief(&packet)));
            }
            if !self.clients[owner].handle(packet, &mut self.book, &mut self.rng) {
                is_over = true;
                break;
            }
        }
        if is_over {
            self.link_by_client.remove(&owner);
            self.clients[owner].end(false, &mut self.book);
            if let Some(link) = self.links.get_mut(&number) {
                link.is_closed_by_client = true;
                link.to_client.clear();
            }
        }
    }

    /// Puts what Clients and broker have to say on the network.
    fn settle(&mut self) {
        for client in &mut self.clients {
            let packets = mem::take(&mut client.outbox);
            let link = self.link_by_client.get(&client.number);
            let Some(link) = link.and_then(|link| self.links.get_mut(link)) else {
                continue;
            };
            for packet in packets {
                if let Some(trace) = &mut self.trace {
                    trace.push(format!("from {}: {}", client.number, brief(&packet)));
                }
                packet.encode(client.version, &mut link.to_server).unwrap();
            }
        }
        self.network();
    }

    fn network(&mut self) {
        for effect in self.machine.take_effects() {
            match effect {
                Effect::Send(link, bytes) => {
                    if let Some(link) = self.links.get_mut(&link) {
                        link.to_client.extend(bytes);
                    }
                }
                Effect::Close(link) => {
                    if let Some(link) = self.links.get_mut(&link) {
                        link.is_closed_by_server = true;
                    }
                }
            }
        }
    }

    /// Now and then the disk fails in the middle of a commit, for a moment or for longer.
    fn commit_and_fail(&mut self) {
        let disk = self.machine.disk.clone();
        if self.rng.u8(0..100) < self.chances.fail {
            let failure = [Failure::Full, Failure::Broken][self.rng.usize(0..2)];
            self.book.may_refuse = true;
            disk.fail_from(disk.counts().n_operations + self.rng.u64(0..8), failure);
            self.note(|| format!("the disk will fail: {failure:?}"));
        }
        self.commit();
        if self.rng.u8(0..3) > 0 {
            disk.recover();
        }
    }

    fn commit(&mut self) {
        let outcome = self.machine.commit(self.time);
        self.note(|| format!("commit: {outcome:?}"));
        match outcome {
            Committed::Yes => self.counts.commits += 1,
            Committed::NotYet => self.counts.failed_commits += 1,
            Committed::PowerIsGone => {
                self.counts.cuts_while_writing += 1;
                self.cut_power();
            }
        }
    }

    /// The power goes and comes back.
    fn cut_power(&mut self) {
        self.counts.cuts += 1;
        self.note(|| "the power goes".to_owned());
        let disk = self.machine.disk.after_power_cut(self.rng.u64(..));
        self.restart(disk);
    }

    /// The broker's process ends; the disk goes on.
    fn kill(&mut self) {
        self.counts.kills += 1;
        self.note(|| "the broker is killed".to_owned());
        let disk = PowerCutDisk::with_file(self.machine.disk.file());
        self.restart(disk);
    }

    /// Every connection is lost, and what is on the way to a Client may still arrive.
    fn restart(&mut self, disk: PowerCutDisk) {
        let links: Vec<_> = self.links.keys().copied().collect();
        for link in links {
            if self.rng.bool() {
                self.carry_to_client(link, false);
            }
        }
        self.links.clear();
        self.link_by_client.clear();
        for client in &mut self.clients {
            if client.state != State::Offline {
                client.end(false, &mut self.book);
            }
        }
        self.time += Duration::from_millis(self.rng.u64(0..5000));
        self.machine = boot(
            disk,
            &self.settings,
            self.time,
            &mut self.rng,
            &mut self.counts,
            self.plan,
        );
        self.settle();
    }

    /// Lets everything come to its end: everybody stays connected, and the disk works.
    fn calm_down(&mut self) {
        self.machine.disk.recover();
        if self.plan == Plan::Random {
            self.machine.disk.cut_power_at(u64::MAX);
        }
        let mut n_idle = 0;
        for _ in 0..CALM_ROUNDS_MAX {
            self.time += Duration::from_millis(20);
            self.machine.pass_time(self.time);
            self.settle();
            for number in 0..self.clients.len() {
                if self.clients[number].state == State::Offline {
                    self.connect(number);
                }
                if self.clients[number].is_passing() {
                    self.hang_up(number, false);
                    continue;
                }
                let client = &mut self.clients[number];
                client.ask(&mut self.book);
                while client.owes() {
                    client.acknowledge();
                }
            }
            self.settle();
            for link in self.links.keys().copied().collect::<Vec<_>>() {
                self.carry_to_server(link, true);
                self.carry_to_client(link, true);
            }
            self.settle();
            if self.machine.is_busy() {
                self.machine.take_group();
                self.commit();
                self.settle();
            }
            if self.is_quiet() {
                n_idle += 1;
                self.time += Duration::from_secs(1);
            } else {
                n_idle = 0;
            }
            if n_idle == IDLE_ROUNDS {
                return;
            }
        }
        let busy: Vec<_> = self.clients.iter().filter(|it| !it.is_quiet()).collect();
        panic!("it does not come to an end: {busy:#?}");
    }

    fn is_quiet(&self) -> bool {
        // What comes in turns at QoS 0 leaves nothing behind to be seen between two of them.
        !self.machine.is_busy()
            && !self.machine.is_due(self.time)
            && self.clients.iter().all(Client::is_quiet)
            && self.links.values().all(|link| {
                link.to_client.is_empty() && link.to_server.is_empty() && !link.is_closed_by_client
            })
    }

    /// What was acknowledged to the end does not come again.
    fn check_that_nothing_comes_again(&mut self) {
        let before = self.book.n_deliveries;
        self.cut_power();
        self.calm_down();
        assert_eq!(
            self.book.n_deliveries, before,
            "something comes again that was acknowledged"
        );
        self.book.check();
    }

    fn look_at_retained(&mut self) {
        let visitor = Client::visitor(self.clients.len(), &mut self.rng);
        self.clients.push(visitor);
        self.calm_down();
        self.book.check_retained();
    }

    /// When all sessions have ended, only what is retained is stored.
    fn leave(&mut self) {
        for number in 0..self.clients.len() {
            self.hang_up(number, true);
            self.clients[number].leave();
        }
        self.calm_down();
        let disk = PowerCutDisk::with_file(self.machine.disk.file());
        let mut store = RedbStore::open(disk, STORE_FORMAT).unwrap();
        let mut keys = Vec::new();
        store
            .read_all(&mut |key, _| keys.push(key.to_vec()))
            .unwrap();
        // Each retained message and its topic, and the clock.
        let n_expected = 2 * self.book.n_retained() + 1;
        assert_eq!(
            keys.len(),
            n_expected,
            "of ended sessions is left: {keys:?}"
        );
    }

    fn any_link(&mut self) -> Option<LinkNumber> {
        let n = self.links.len();
        (n > 0).then(|| self.links.keys().nth(self.rng.usize(0..n)).copied())?
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(line());
        }
    }
}

impl Chances {
    fn choose(rng: &mut Rng) -> Self {
        Self {
            take_group: rng.u8(1..15),
            commit: rng.u8(1..15),
            publish: rng.u8(5..80),
            acknowledge: rng.u8(5..100),
            cut_link: [0, 1, 3][rng.usize(0..3)],
            connect: rng.u8(2..50),
            change_mind: [2, 30][rng.usize(0..2)],
            fail: [0, 0, 0, 30][rng.usize(0..4)],
        }
    }
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.steps += other.steps;
        self.cuts += other.cuts;
        self.cuts_while_opening += other.cuts_while_opening;
        self.cuts_while_writing += other.cuts_while_writing;
        self.kills += other.kills;
        self.commits += other.commits;
        self.failed_commits += other.failed_commits;
        self.acknowledged += other.acknowledged;
        self.arrived += other.arrived;
        self.disk_operations += other.disk_operations;
    }
}

/// Starts the broker on what is on the disk. While it does, the power may go again.
fn boot(
    mut disk: PowerCutDisk,
    settings: &Settings,
    time: Duration,
    rng: &mut Rng,
    counts: &mut Counts,
    plan: Plan,
) -> Machine {
    loop {
        if plan == Plan::Random && rng.u8(0..4) == 0 {
            disk.cut_power_at(rng.u64(0..12));
        }
        let outcome = Machine::start(&disk, settings, time);
        match outcome {
            Ok(machine) if !disk.is_without_power() => return machine,
            Ok(_) => {}
            Err(error) => assert!(
                disk.is_without_power(),
                "the store cannot be opened: {error}"
            ),
        }
        counts.cuts += 1;
        counts.cuts_while_opening += 1;
        disk = disk.after_power_cut(rng.u64(..));
    }
}

fn brief(packet: &Packet) -> String {
    let Packet::Publish(publish) = packet else {
        return format!("{packet:?}");
    };
    let payload = &publish.payload[..publish.payload.len().min(12)];
    format!(
        "PUBLISH {:?} {:?} dup {} retain {} id {:?}: {}",
        publish.topic_name.as_ref().map(|topic| topic.as_str()),
        publish.qos,
        publish.dup,
        publish.retain,
        publish.packet_identifier.map(|it| it.value()),
        String::from_utf8_lossy(payload)
    )
}

/// Long enough for some commits, short enough to be run for each operation of the disk.
const SCENARIO_STEPS: u32 = 500;

const CALM_ROUNDS_MAX: u32 = 5000;
const IDLE_ROUNDS: u32 = 3;
