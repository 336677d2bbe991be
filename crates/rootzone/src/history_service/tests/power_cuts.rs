//! What is acknowledged is in the history once, whenever the power goes: the broker's core, its recorder and the shared
//! store on a disk that loses power, while readings are sealed and grow too old.
//!
//! `SEED=…` runs one seed again.

use std::{
    cell::Cell,
    collections::BTreeMap,
    env,
    hash::{BuildHasher, RandomState},
    mem,
    sync::Arc,
    time::{Duration, Instant as StdInstant},
};

use bytes::Bytes;
use fastrand::Rng;
use history::{Point, Query, Settings};
use mqtt_broker::{
    STORE_FORMAT,
    store::{
        RedbStore, StoreError, StoreReader,
        testing::{Failure, PowerCutDisk},
    },
    testing::StoreTask,
};
use mqtt_broker_core::{Broker, ConnectionId, Output, StoreOperation};
use mqtt_protocol::{
    Connect, Decoder, DecoderSettings, Instant, Packet, PacketIdentifier, Properties,
    ProtocolVersion, Publish, QoS, Role, TopicName,
};

use crate::history_service::{
    recorder::FieldRecorder,
    shared::{Shared, restore},
    store::{HistoryStore, ViewReader},
    upkeep::step,
};

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(0) };
}

fn now() -> i64 {
    NOW.get()
}

/// A broker that runs, and one probe's connection that speaks for all probes.
struct Machine {
    disk: PowerCutDisk,
    broker: Broker,
    task: StoreTask,
    shared: Arc<Shared>,
    reader: StoreReader,
    probe: ConnectionId,
    decoder: Decoder,
    pending: Vec<StoreOperation>,
    n_durable: u64,
    held: Vec<(u64, Vec<u8>)>,
    /// Whether the store takes nothing for now.
    has_failed: bool,
}

impl Machine {
    fn start(disk: &PowerCutDisk) -> Result<Self, StoreError> {
        let mut store = RedbStore::open(disk.clone(), STORE_FORMAT)?;
        let (history, corrupt) = restore(&mut store, settings(), now())?;
        let shared = Shared::new(history, now);
        assert_eq!(corrupt, [], "every record can be read");
        let shared = Arc::new(shared);
        let reader = store.reader();
        let store = Box::new(HistoryStore::new(store, Arc::clone(&shared)));
        let (task, mut broker, _, restored) =
            StoreTask::start(&mqtt_broker::Settings::default(), 7, store, wall())?;
        assert_eq!(restored.unreadable, []);
        broker.set_recorder(Box::new(FieldRecorder::new(Arc::clone(&shared), N_SERIES)));
        let probe = broker.open(Instant::START);
        let connect = Connect {
            protocol_version: ProtocolVersion::V5_0,
            clean_start: true,
            keep_alive: 0,
            client_identifier: "probe".into(),
            will: None,
            user_name: None,
            password: None,
            properties: Properties::new(),
        };
        let connect = Packet::Connect(Box::new(connect));
        broker.handle_packets(probe, [connect], Instant::START);
        Ok(Self {
            disk: disk.clone(),
            broker,
            task,
            shared,
            reader,
            probe,
            decoder: Decoder::new(DecoderSettings {
                maximum_packet_size: u32::MAX,
                version: Some(ProtocolVersion::V5_0),
                role: Role::Client,
            }),
            pending: Vec::new(),
            n_durable: 0,
            held: Vec::new(),
            has_failed: false,
        })
    }

    fn publish(&mut self, topic: &str, point: Point, identifier: PacketIdentifier) {
        let payload = format!("{{\"moisture\":{},\"time\":{}}}", point.value, point.time);
        let publish = Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: false,
            topic_name: TopicName::new(topic.to_owned()).ok(),
            packet_identifier: Some(identifier),
            properties: Properties::new(),
            payload: Bytes::from(payload),
        };
        self.broker
            .handle_packets(self.probe, [Packet::Publish(publish)], Instant::START);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            match self.broker.poll_output() {
                Output::Transmit { after, bytes, .. } => self.held.push((after, bytes)),
                Output::Close { .. } => panic!("the broker does not close the connection"),
                Output::Event(_) => {}
                Output::Timeout(_) => break,
            }
        }
        self.pending.extend(self.broker.take_store_operations());
    }

    /// Looks after the history, as far as one commit goes.
    fn keep_up(&mut self) {
        if step(&self.shared, &self.reader).is_some() {
            self.broker.note_change_by_others();
            self.drain();
        }
    }

    /// Writes what gathered, and tells those who waited for it how that went.
    fn commit(&mut self) -> Committed {
        let operations = mem::take(&mut self.pending);
        let sequence = self.broker.store_sequence();
        let outcome = self.task.write(operations, Instant::START, wall());
        if self.disk.is_without_power() {
            return Committed::PowerIsGone;
        }
        let has_failed = outcome.is_err();
        self.broker.set_store_failing(has_failed);
        self.has_failed = has_failed;
        if has_failed {
            self.held.clear();
            return Committed::NotYet;
        }
        self.n_durable = sequence;
        Committed::Yes(self.take_acknowledged())
    }

    /// What has gone out to the probe.
    fn take_acknowledged(&mut self) -> Vec<PacketIdentifier> {
        let mut acknowledged = Vec::new();
        let n_durable = self.n_durable;
        for (_, bytes) in self.held.extract_if(.., |(after, _)| *after <= n_durable) {
            self.decoder.feed(bytes.into());
            while let Some(packet) = self.decoder.next_packet().unwrap() {
                if let Packet::Puback(puback) = packet {
                    assert!(!puback.reason_code.is_error(), "{puback:?}");
                    acknowledged.push(puback.packet_identifier);
                }
            }
        }
        acknowledged
    }
}

/// How a commit ended.
enum Committed {
    /// These are acknowledged by it.
    Yes(Vec<PacketIdentifier>),
    /// It is tried again; nobody who waited hears of it.
    NotYet,
    PowerIsGone,
}

/// What was said, and what was promised.
#[derive(Default)]
struct Book {
    /// By series and time.
    promised: BTreeMap<(usize, i64), f32>,
    /// What was sent and not acknowledged: it may be there.
    possible: BTreeMap<(usize, i64), f32>,
    in_flight: BTreeMap<PacketIdentifier, (usize, Point)>,
}

impl Book {
    fn acknowledge(&mut self, identifier: PacketIdentifier) {
        let (series, point) = self.in_flight.remove(&identifier).unwrap();
        self.possible.remove(&(series, point.time));
        // Sent twice, it is promised by either.
        self.promised.insert((series, point.time), point.value);
    }

    /// Compares what is there with what was promised, and takes what is there besides for promised from now on.
    fn check(&mut self, machine: &Machine) {
        self.in_flight.clear();
        let history = machine.shared.lock();
        let mut n_found = 0;
        let mut possible = mem::take(&mut self.possible);
        for series in 0..N_SERIES {
            let Some(id) = history.find(&topic(series)) else {
                let mut promised = self.promised.range((series, 0)..(series + 1, 0));
                assert_eq!(promised.next(), None, "series {series} is lost");
                continue;
            };
            let mut found = Vec::new();
            let mut view = ViewReader(machine.reader.view());
            history.points(id, &mut view, |points| {
                found.extend_from_slice(points.expect("every chunk can be read"));
            });
            assert!(found.is_sorted_by(|a, b| a.time < b.time), "none is double");
            for point in &found {
                let key = (series, point.time);
                if let Some(value) = possible.remove(&key) {
                    self.promised.insert(key, value);
                }
                let value = self.promised.get(&key);
                assert_eq!(value, Some(&point.value), "it was said at {}", point.time);
            }
            n_found += found.len();
            // What is older may be in rollups only: they are counted below.
            let first = found.first().map_or(i64::MAX, |first| first.time);
            let horizon = first.max(now() - RAW_KEPT);
            for ((_, time), value) in self.promised.range((series, horizon)..(series + 1, 0)) {
                let is_there = found.iter().any(|p| p.time == *time && p.value == *value);
                assert!(is_there, "{time} of series {series} was promised");
            }
            let query = Query {
                series: vec![id],
                from: 0,
                to: now() + RAW_KEPT,
                points: 10,
            };
            let plan = history.plan(&query).unwrap();
            let columns = plan.run(&mut view).next().unwrap();
            assert_eq!(columns.faults, []);
            let n: u32 = columns.count.iter().sum();
            let promised = self.promised.range((series, 0)..(series + 1, 0));
            let values: Vec<f32> = promised.map(|(_, value)| *value).collect();
            assert_eq!(n as usize, values.len(), "series {series}");
            let min = columns.min.iter().copied().fold(f32::MAX, f32::min);
            let lowest = values.iter().copied().fold(f32::MAX, f32::min);
            assert_eq!(min, lowest, "series {series}");
        }
        assert!(n_found <= self.promised.len());
    }
}

#[derive(Debug, Default)]
struct Counts {
    runs: u64,
    cuts: u64,
    /// Commits that failed without a cut.
    failures: u64,
    is_failing: bool,
    promised: usize,
    dropped_chunks: u64,
    late: u64,
    repeated: u64,
}

fn run(seed: u64, counts: &mut Counts) {
    let mut random = Rng::with_seed(seed);
    counts.is_failing = false;
    NOW.set(START);
    let mut disk = PowerCutDisk::new();
    let mut machine = Machine::start(&disk).unwrap();
    let mut book = Book::default();
    let mut identifiers = (1..=u16::MAX).cycle();
    disk.cut_power_at(disk.counts().n_operations + random.u64(5..120));
    for _ in 0..N_STEPS {
        NOW.set(now() + random.i64(1..3) * MINUTE);
        if machine.has_failed && random.bool() {
            disk.recover();
        } else if random.u8(0..40) == 0 {
            let failure = [Failure::Full, Failure::Broken][random.usize(0..2)];
            disk.fail_from(disk.counts().n_operations + random.u64(0..10), failure);
        }
        let n_readings = match machine.has_failed {
            // They would be refused.
            true => 0,
            false => random.usize(0..6),
        };
        for _ in 0..n_readings {
            let series = random.usize(0..N_SERIES);
            // One that is promised, or on its way.
            let books = [&book.promised, &book.possible][random.usize(0..2)];
            let known = books.range((series, now() - RAW_KEPT / 4)..);
            let known = known.map(|(key, value)| (*key, *value)).next();
            let (time, value) = match (random.u8(0..8), known) {
                (0, Some(((of, time), value))) if of == series => {
                    counts.repeated += 1;
                    (time, value)
                }
                (1, _) => {
                    counts.late += 1;
                    (now() - random.i64(0..RAW_KEPT / 4), 0.0)
                }
                _ => (now() - random.i64(0..MINUTE), 0.0),
            };
            let key = (series, time);
            let value = match book.promised.get(&key).or_else(|| book.possible.get(&key)) {
                Some(known) => *known,
                None if value == 0.0 => f32::from(random.u16(1..1_000)) / 10.0,
                None => value,
            };
            let point = Point { time, value };
            let identifier = identifiers.next().and_then(PacketIdentifier::new).unwrap();
            if !book.promised.contains_key(&key) {
                book.possible.insert(key, value);
            }
            book.in_flight.insert(identifier, (series, point));
            machine.publish(&topic(series), point, identifier);
            for identifier in machine.take_acknowledged() {
                book.acknowledge(identifier);
            }
        }
        if !machine.has_failed && random.u8(0..3) == 0 {
            machine.keep_up();
        }
        match random.u8(0..3) {
            0 => continue,
            _ => match machine.commit() {
                Committed::Yes(acknowledged) => {
                    for identifier in acknowledged {
                        book.acknowledge(identifier);
                    }
                    if mem::take(&mut counts.is_failing) {
                        book.check(&machine);
                    }
                }
                Committed::NotYet => {
                    counts.failures += 1;
                    counts.is_failing = true;
                    book.in_flight.clear();
                }
                Committed::PowerIsGone => {
                    counts.is_failing = false;
                    counts.cuts += 1;
                    counts.dropped_chunks += machine.shared.lock().counters().dropped_chunks;
                    (disk, machine) = power_comes_back(&disk, &mut random, counts);
                    book.check(&machine);
                    disk.cut_power_at(disk.counts().n_operations + random.u64(5..200));
                }
            },
        }
    }
    counts.promised += book.promised.len();
    counts.runs += 1;
}

/// Starts until the power stays.
fn power_comes_back(
    disk: &PowerCutDisk,
    random: &mut Rng,
    counts: &mut Counts,
) -> (PowerCutDisk, Machine) {
    let mut disk = disk.clone();
    loop {
        disk = disk.after_power_cut(random.u64(..));
        if random.u8(0..8) == 0 {
            disk.cut_power_at(random.u64(0..10));
        }
        match Machine::start(&disk) {
            Ok(machine) if !disk.is_without_power() => return (disk, machine),
            Ok(_) => {}
            Err(error) => assert!(disk.is_without_power(), "{error}"),
        }
        counts.cuts += 1;
    }
}

#[test]
fn what_was_acknowledged_is_in_the_history_once() {
    let mut counts = Counts::default();
    if let Some(seed) = env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        run(seed, &mut counts);
        println!("{counts:?}");
        return;
    }
    let seconds = env::var("POWER_CUT_SECONDS").ok();
    let seconds = seconds
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(3);
    let start = StdInstant::now();
    let mut seed = RandomState::new().hash_one(0) >> 16;
    while start.elapsed() < Duration::from_secs(seconds) || counts.runs < RUNS_MIN {
        seed += 1;
        println!("SEED={seed}");
        run(seed, &mut counts);
    }
    println!("{counts:?}");
    assert!(counts.cuts >= 5 * RUNS_MIN, "{counts:?}");
    assert!(
        counts.dropped_chunks > 0 && counts.late > 0 && counts.repeated > 0,
        "{counts:?}"
    );
    assert!(counts.failures > 0, "{counts:?}");
    assert!(counts.promised > 100, "{counts:?}");
}

fn topic(series: usize) -> String {
    format!("rootzone/beds/bed-{series}/moisture")
}

/// Small, so that in a few minutes much is sealed and dropped.
fn settings() -> Settings {
    Settings {
        raw_kept: Some(RAW_KEPT),
        n_chunk_points: 12,
        n_chunk_rows: 6,
        n_head_points: 4,
        seal_after: 10 * MINUTE,
        seal_late_after: MINUTE,
        ..Settings::default()
    }
}

fn wall() -> Duration {
    Duration::from_millis(now().unsigned_abs())
}

const N_SERIES: usize = 3;
const N_STEPS: usize = 400;
const RUNS_MIN: u64 = 3;
const MINUTE: i64 = 60_000;
/// Of which retention looks at what is older once an hour.
const RAW_KEPT: i64 = 3 * 60 * MINUTE;
/// Some day on which clocks are set.
const START: i64 = 1_800_000_000_000;
