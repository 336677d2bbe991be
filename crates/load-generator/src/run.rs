//! The loop: write what may be written, wait, read, count, answer.

use std::{
    io::{ErrorKind, Write},
    mem,
    time::{Duration, Instant},
};

use mio::{Events, Poll, Token, net::TcpStream};

use crate::{
    Error, Process, Report,
    batch::{Batch, push_packet},
    connection::Opened,
    group::Group,
    link::Link,
    pacer::{Pacer, TURN},
    packet::{self, Incoming},
    plan::{BATCH_LEN, Extent, Pace, Plan, QoS},
    usage::{CpuTime, own_cpu_time},
};

/// Plays a plan to its end.
///
/// # Errors
///
/// The broker cannot be reached, breaks the protocol, delivers more than was published, or stops delivering.
pub fn run(plan: &Plan) -> Result<Report, Error> {
    Run::connect(plan)?.play()
}

struct Run<'a> {
    plan: &'a Plan,
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    groups: Vec<Group>,
    /// For each group its publishers, as places in `connections`, and whose turn it is.
    publishers: Vec<(Vec<usize>, usize)>,
    pacer: Option<Pacer>,
    start: Instant,
    delivered: u64,
    /// Anything that came, to see that the broker still lives.
    progress: u64,
    latencies: Vec<u64>,
    scratch: Vec<u8>,
    answers: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    link: Link,
    /// What the socket had no room for.
    unsent: Vec<u8>,
    end: End,
}

enum End {
    Publisher(Publisher),
    Subscriber(Subscriber),
}

struct Subscriber {
    group: usize,
    received: u64,
    /// QoS 2 messages whose PUBREL has not come.
    unreleased: usize,
}

struct Publisher {
    batch: Batch,
    next_identifier: u16,
    unacknowledged: usize,
}

/// Everything that is counted, at one moment.
struct Sample {
    at: Instant,
    delivered: u64,
    broker: Option<CpuTime>,
    own: Duration,
}

impl<'a> Run<'a> {
    fn connect(plan: &'a Plan) -> Result<Self, Error> {
        let (n_groups, n_publishers, n_subscribers) = plan.shape.groups();
        let (batch_len, undelivered_max) = match plan.pace {
            Pace::ClosedLoop => (BATCH_LEN, plan.shape.undelivered_max()),
            Pace::PerSecond(_) => (1, PACED_UNDELIVERED_MAX),
        };
        let mut run = Self {
            plan,
            poll: Poll::new().map_err(Error::io("making a poll"))?,
            events: Events::with_capacity(EVENTS_MAX),
            connections: Vec::new(),
            groups: Vec::new(),
            publishers: Vec::new(),
            pacer: None,
            start: Instant::now(),
            delivered: 0,
            progress: 0,
            latencies: Vec::new(),
            scratch: vec![0; SCRATCH_LEN],
            answers: Vec::new(),
        };
        for group in 0..n_groups {
            run.groups.push(Group::new(n_subscribers, undelivered_max));
            let bed = format!("rootzone/bed-{group}");
            let filter = format!("{bed}/+/moisture");
            let identifiers = names("subscriber", group, n_subscribers);
            let mut subscribers = Opened::connect_all(&plan.target, &identifiers)?;
            for subscriber in &mut subscribers {
                subscriber.say_subscribe(&plan.target, &filter, plan.qos)?;
            }
            for mut subscriber in subscribers {
                subscriber.hear_suback(plan.qos)?;
                run.add(
                    subscriber,
                    End::Subscriber(Subscriber {
                        group,
                        received: 0,
                        unreleased: 0,
                    }),
                )?;
            }
            let mut places = Vec::new();
            let identifiers = names("publisher", group, n_publishers);
            let publishers = Opened::connect_all(&plan.target, &identifiers)?;
            for (probe, publisher) in publishers.into_iter().enumerate() {
                let topic = format!("{bed}/probe-{probe}/moisture");
                places.push(run.connections.len());
                run.add(
                    publisher,
                    End::Publisher(Publisher {
                        batch: Batch::new(&plan.target, &topic, plan.qos, batch_len),
                        next_identifier: 1,
                        unacknowledged: 0,
                    }),
                )?;
            }
            run.publishers.push((places, 0));
        }
        if let Pace::PerSecond(rate) = plan.pace {
            let pacer = Pacer::new(rate, run.poll.registry(), PACER);
            run.pacer = Some(pacer.map_err(Error::io("making a timer"))?);
        }
        Ok(run)
    }

    fn add(&mut self, opened: Opened, end: End) -> Result<(), Error> {
        let token = Token(self.connections.len());
        let (stream, link) = opened.register(&self.poll, token)?;
        self.connections.push(Connection {
            stream,
            link,
            unsent: Vec::new(),
            end,
        });
        Ok(())
    }

    fn play(mut self) -> Result<Report, Error> {
        self.start = Instant::now();
        let (warm_up, measured) = match self.plan.extent {
            Extent::Messages(_) => (Duration::ZERO, Duration::MAX),
            Extent::Time { warm_up, measured } => (warm_up, measured),
        };
        self.go_on(warm_up)?;
        self.latencies.clear();
        let first = self.sample()?;
        self.go_on(measured)?;
        // Counted messages count until the last is delivered; a measured time ends before.
        if let Extent::Messages(_) = self.plan.extent {
            self.drain()?;
        }
        let last = self.sample()?;
        let mut latencies = mem::take(&mut self.latencies);
        latencies.sort_unstable();
        self.drain()?;
        let broker = last.broker.as_ref().zip(first.broker.as_ref());
        let report = Report {
            published: self.published(),
            delivered: self.delivered,
            lost: self.owed().saturating_sub(self.delivered),
            measured: last.delivered - first.delivered,
            elapsed: last.at - first.at,
            broker_cpu: broker.map(|(last, first)| last.since(first)),
            broker_threads: broker
                .map(|(last, first)| last.by_thread_since(first))
                .unwrap_or_default(),
            generator_cpu: last.own.saturating_sub(first.own),
            latencies,
        };
        self.leave();
        Ok(report)
    }

    /// Publishes for this time, or until all is published.
    fn go_on(&mut self, time: Duration) -> Result<(), Error> {
        let begin = Instant::now();
        let mut watch = StallWatch::new(self.progress);
        while begin.elapsed() < time && !self.has_published_all() {
            self.turn(true)?;
            if watch.is_stalled(self.progress) {
                return Err(Error::Stalled {
                    seconds: STALL.as_secs(),
                    published: self.published(),
                    delivered: self.delivered,
                });
            }
        }
        Ok(())
    }

    /// Publishes nothing more, and waits for what is on its way.
    fn drain(&mut self) -> Result<(), Error> {
        let mut watch = StallWatch::new(self.progress);
        while self.delivered < self.owed() || self.is_shaking_hands() {
            self.turn(false)?;
            if watch.is_stalled(self.progress) {
                break;
            }
        }
        Ok(())
    }

    fn turn(&mut self, publishing: bool) -> Result<(), Error> {
        if publishing {
            match self.plan.pace {
                Pace::ClosedLoop => self.fill()?,
                Pace::PerSecond(rate) => self.keep_pace(rate)?,
            }
        }
        let wait = self.pacer.as_ref().map_or(TURN, Pacer::wait);
        let mut events = mem::replace(&mut self.events, Events::with_capacity(0));
        match self.poll.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                return Err(Error::io("waiting")(error));
            }
            Ok(()) | Err(_) => {}
        }
        for event in &events {
            if event.token() == PACER {
                if let Some(pacer) = &self.pacer {
                    pacer.clear();
                }
                continue;
            }
            if event.is_writable() {
                self.connections[event.token().0].flush()?;
            }
            if event.is_readable() {
                self.read(event.token().0)?;
            }
        }
        self.events = events;
        Ok(())
    }

    /// Publishes until as much is on its way as may be.
    fn fill(&mut self) -> Result<(), Error> {
        for group in 0..self.groups.len() {
            while self.groups[group].has_room(BATCH_LEN) && !self.has_published_all() {
                if !self.publish(group, None)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Publishes what is due by now.
    fn keep_pace(&mut self, rate: u32) -> Result<(), Error> {
        let due = (self.start.elapsed().as_secs_f64() * f64::from(rate)) as u64;
        let mut published = self.published();
        while published < due && !self.has_published_all() {
            let group = (published % self.groups.len() as u64) as usize;
            let stamp = self.start.elapsed().as_nanos() as u64;
            if !self.groups[group].has_room(1) || !self.publish(group, Some(stamp))? {
                break;
            }
            published += 1;
        }
        Ok(())
    }

    /// Lets the next publisher of a group write; `false`: none can.
    fn publish(&mut self, group: usize, stamp: Option<u64>) -> Result<bool, Error> {
        let (places, turn) = &mut self.publishers[group];
        for _ in 0..places.len() {
            let place = places[*turn];
            *turn = (*turn + 1) % places.len();
            let connection = &mut self.connections[place];
            let End::Publisher(publisher) = &mut connection.end else {
                continue;
            };
            let len = publisher.batch.len();
            let acknowledged = self.plan.qos == QoS::AtMostOnce
                || publisher.unacknowledged + len <= UNACKNOWLEDGED_MAX;
            if !acknowledged || !connection.unsent.is_empty() {
                continue;
            }
            if self.plan.qos > QoS::AtMostOnce {
                publisher.unacknowledged += len;
            }
            self.groups[group].publish(len);
            let bytes = publisher.batch.bytes(&mut publisher.next_identifier, stamp);
            send(&mut connection.stream, &mut connection.unsent, bytes)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn read(&mut self, place: usize) -> Result<(), Error> {
        let transport = self.plan.target.transport;
        let paced = self.pacer.is_some();
        let Self {
            connections,
            groups,
            delivered,
            progress,
            latencies,
            scratch,
            answers,
            start,
            ..
        } = self;
        let connection = &mut connections[place];
        loop {
            answers.clear();
            let end = &mut connection.end;
            let mut read_at = None;
            let handle = |packet: Incoming<'_>, answers: &mut Vec<u8>| {
                *progress += 1;
                let mut answer = |first_byte, identifier| {
                    let bytes = packet::acknowledgement(first_byte, identifier);
                    push_packet(transport, answers, &bytes);
                };
                match (packet.kind(), &mut *end) {
                    (packet::PUBLISH, End::Subscriber(subscriber)) => {
                        groups[subscriber.group].deliver(subscriber.received)?;
                        subscriber.received += 1;
                        *delivered += 1;
                        if paced && let Some(stamp) = packet.stamp() {
                            let now =
                                *read_at.get_or_insert_with(|| start.elapsed().as_nanos() as u64);
                            latencies.push(now.saturating_sub(stamp));
                        }
                        match packet.delivery()? {
                            (0, _) => {}
                            (1, identifier) => answer(packet::PUBACK, identifier),
                            (_, identifier) => {
                                subscriber.unreleased += 1;
                                answer(packet::PUBREC, identifier);
                            }
                        }
                    }
                    (PUBREL_KIND, End::Subscriber(subscriber)) => {
                        subscriber.unreleased = subscriber
                            .unreleased
                            .checked_sub(1)
                            .ok_or(Error::Unexpected("more PUBREL than messages"))?;
                        answer(packet::PUBCOMP, packet.identifier()?);
                    }
                    (packet::PUBREC, End::Publisher(_)) => {
                        packet.check_success()?;
                        answer(packet::PUBREL, packet.identifier()?);
                    }
                    (packet::PUBACK | packet::PUBCOMP, End::Publisher(publisher)) => {
                        packet.check_success()?;
                        publisher.unacknowledged = publisher
                            .unacknowledged
                            .checked_sub(1)
                            .ok_or(Error::Unexpected("more acknowledgements than messages"))?;
                    }
                    _ => return Err(Error::Unexpected("a packet that does not belong here")),
                }
                Ok(())
            };
            let more = connection
                .link
                .read(&mut connection.stream, scratch, answers, handle)?;
            if !answers.is_empty() {
                send(&mut connection.stream, &mut connection.unsent, answers)?;
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn sample(&self) -> Result<Sample, Error> {
        let broker = self
            .plan
            .target
            .process
            .map(|id| Process::new(id).cpu_time())
            .transpose()
            .map_err(Error::io("reading the broker's CPU time"))?;
        Ok(Sample {
            at: Instant::now(),
            delivered: self.delivered,
            broker,
            own: own_cpu_time(),
        })
    }

    fn published(&self) -> u64 {
        self.groups.iter().map(Group::published).sum()
    }

    fn owed(&self) -> u64 {
        self.groups.iter().map(Group::owed).sum()
    }

    fn has_published_all(&self) -> bool {
        match self.plan.extent {
            Extent::Messages(messages) => self.published() >= messages,
            Extent::Time { .. } => false,
        }
    }

    fn is_shaking_hands(&self) -> bool {
        self.connections
            .iter()
            .any(|connection| match &connection.end {
                End::Publisher(publisher) => publisher.unacknowledged > 0,
                End::Subscriber(subscriber) => subscriber.unreleased > 0,
            })
    }

    /// Says goodbye; that somebody does not hear it changes nothing.
    fn leave(&mut self) {
        let mut bytes = Vec::new();
        push_packet(self.plan.target.transport, &mut bytes, &packet::DISCONNECT);
        for connection in &mut self.connections {
            let _ = connection.stream.write(&bytes);
        }
    }
}

impl Connection {
    /// Writes what had to wait.
    fn flush(&mut self) -> Result<(), Error> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        let bytes = mem::take(&mut self.unsent);
        send(&mut self.stream, &mut self.unsent, &bytes)
    }
}

/// Client Identifiers that nobody else has.
fn names(kind: &str, group: usize, count: usize) -> Vec<String> {
    let name = |index| format!("{kind}-{group}-{index}");
    (0..count).map(name).collect()
}

/// Writes now what the socket takes, and keeps the rest.
pub(crate) fn send(
    stream: &mut TcpStream,
    unsent: &mut Vec<u8>,
    mut bytes: &[u8],
) -> Result<(), Error> {
    while unsent.is_empty() && !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("writing")(error)),
        }
    }
    unsent.extend(bytes);
    Ok(())
}

/// Sees when nothing has come for long.
pub(crate) struct StallWatch {
    progress: u64,
    since: Instant,
}

impl StallWatch {
    pub(crate) fn new(progress: u64) -> Self {
        Self {
            progress,
            since: Instant::now(),
        }
    }

    pub(crate) fn is_stalled(&mut self, progress: u64) -> bool {
        if self.progress != progress {
            *self = Self::new(progress);
        }
        self.since.elapsed() > STALL
    }
}

const PACER: Token = Token(usize::MAX);
const PUBREL_KIND: u8 = packet::PUBREL & 0xf0;
const EVENTS_MAX: usize = 1024;
const SCRATCH_LEN: usize = 256 * 1024;
/// A rate that the broker cannot keep becomes a closed loop instead of a queue without end.
const PACED_UNDELIVERED_MAX: u64 = 1_000;
/// Messages of one publisher that the broker has not answered: below every broker's own limit.
const UNACKNOWLEDGED_MAX: usize = 10;
pub(crate) const STALL: Duration = Duration::from_secs(5);
