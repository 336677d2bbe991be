//! Messages that a broker must keep: each publisher waits for the PUBACK of one before it sends the next.

use std::{
    collections::VecDeque,
    io::{Read, Write},
    mem,
    net::{SocketAddr, TcpStream as StdTcpStream},
    time::{Duration, Instant},
};

use mio::{Events, Poll, Token, net::TcpStream};
use serde_json::{Value, json};

use crate::{
    Error, Process, Target,
    batch::{Batch, push_packet},
    connection::Opened,
    idle::resident_bytes,
    link::Link,
    packet::{self, Incoming, SessionKind},
    plan::{Extent, QoS},
    report::at_part,
    run::{STALL, StallWatch, send},
};

/// Publishers at QoS 1, and sessions that outlive their connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurablePlan {
    /// The broker.
    pub target: Target,
    /// How many publish, each with one message that is not acknowledged.
    pub publishers: usize,
    /// How many sessions, each with one subscription at QoS 1.
    pub sessions: usize,
    /// How many topics, of which sessions and messages take turns.
    pub topics: usize,
    /// Whether the sessions' Clients are connected and acknowledge, or the messages wait for them.
    pub are_connected: bool,
    /// Messages that come before anything is looked at.
    pub before: u64,
    /// How long it goes on then.
    pub extent: Extent,
    /// Where `rootzone` tells its numbers over HTTP.
    pub metrics: Option<SocketAddr>,
}

/// The result of a [`DurablePlan`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DurableReport {
    /// Messages published, warming up included, without those that came before.
    pub published: u64,
    /// Messages that the connected sessions got in all.
    pub delivered: u64,
    /// Messages that some connected session never got.
    pub lost: u64,
    /// Messages acknowledged in the measured time.
    pub measured: u64,
    /// The measured time.
    pub elapsed: Duration,
    /// From before the write to after the read of the PUBACK, in nanoseconds and in order.
    pub latencies: Vec<u64>,
    /// What the broker gave its disks in that time, if its process is known.
    pub written_bytes: Option<u64>,
    /// How often it made something durable in that time, if it tells.
    pub commits: Option<u64>,
    /// By how much its memory grew from the first message to the last, if its process is known.
    pub resident_bytes: Option<u64>,
}

impl DurableReport {
    /// The report as one JSON object.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let measured = self.measured as f64;
        let milliseconds = |part| Some(at_part(&self.latencies, part)? as f64 / 1e6);
        json!({
            "published": self.published,
            "delivered": self.delivered,
            "lost": self.lost,
            "seconds": self.elapsed.as_secs_f64(),
            "acked_per_s": measured / self.elapsed.as_secs_f64(),
            // Where nothing was made durable there is no such figure.
            "acked_per_fsync": self.commits.filter(|n| *n > 0).map(|n| measured / n as f64),
            "commits": self.commits,
            "p50_ms": milliseconds(0.5),
            "p99_ms": milliseconds(0.99),
            "bytes_per_message": self.written_bytes.map(|bytes| bytes as f64 / measured),
            "resident_bytes_per_message": self.resident_bytes.map(|bytes| bytes as f64 / self.published as f64),
        })
    }
}

/// Plays a plan to its end.
///
/// # Errors
///
/// The broker cannot be reached, breaks the protocol, or stops acknowledging.
pub fn run_durable(plan: &DurablePlan) -> Result<DurableReport, Error> {
    Durable::connect(plan)?.play()
}

struct Durable<'a> {
    plan: &'a DurablePlan,
    poll: Poll,
    connections: Vec<Connection>,
    /// One message of each topic.
    messages: Vec<Batch>,
    /// For each topic how many connected sessions want it.
    receivers: Vec<u64>,
    /// Publishers that may send.
    idle: VecDeque<usize>,
    /// How many may be published.
    published_max: u64,
    published: u64,
    acknowledged: u64,
    owed: u64,
    delivered: u64,
    latencies: Vec<u64>,
    scratch: Vec<u8>,
    answers: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    link: Link,
    /// What the socket had no room for.
    unsent: Vec<u8>,
    /// Of a publisher: the identifier of its next message.
    next_identifier: u16,
    /// Of a publisher: when it sent the message that is not acknowledged.
    sent_at: Option<Instant>,
    is_publisher: bool,
}

/// Everything that is counted, at one moment.
struct Sample {
    at: Instant,
    acknowledged: u64,
    written_bytes: Option<u64>,
    commits: Option<u64>,
}

impl<'a> Durable<'a> {
    fn connect(plan: &'a DurablePlan) -> Result<Self, Error> {
        let topic = |index: usize| format!("rootzone/bed-{index}/probe-0/moisture");
        let message = |index| Batch::new(&plan.target, &topic(index), QoS::AtLeastOnce, 1);
        let mut durable = Self {
            plan,
            poll: Poll::new().map_err(Error::io("making a poll"))?,
            connections: Vec::new(),
            messages: (0..plan.topics).map(message).collect(),
            receivers: vec![0; plan.topics],
            idle: VecDeque::new(),
            published_max: plan.before,
            published: 0,
            acknowledged: 0,
            owed: 0,
            delivered: 0,
            latencies: Vec::new(),
            scratch: vec![0; SCRATCH_LEN],
            answers: Vec::new(),
        };
        let sessions: Vec<_> = (0..plan.sessions).collect();
        for together in sessions.chunks(AT_A_TIME) {
            let identifiers: Vec<_> = together.iter().map(|n| format!("kept-{n}")).collect();
            let mut opened = Opened::connect_all_to(&plan.target, &identifiers, SessionKind::Kept)?;
            for (session, subscriber) in together.iter().zip(&mut opened) {
                let filter = format!("rootzone/bed-{}/+/moisture", session % plan.topics);
                subscriber.say_subscribe(&plan.target, &filter, QoS::AtLeastOnce)?;
            }
            for (session, mut subscriber) in together.iter().zip(opened) {
                subscriber.hear_suback(QoS::AtLeastOnce)?;
                if plan.are_connected {
                    durable.receivers[session % plan.topics] += 1;
                    durable.add(subscriber, false)?;
                } else {
                    subscriber.say_disconnect(&plan.target)?;
                }
            }
        }
        let identifiers: Vec<_> = (0..plan.publishers)
            .map(|n| format!("publisher-{n}"))
            .collect();
        for publisher in Opened::connect_all(&plan.target, &identifiers)? {
            durable.idle.push_back(durable.connections.len());
            durable.add(publisher, true)?;
        }
        Ok(durable)
    }

    fn add(&mut self, opened: Opened, is_publisher: bool) -> Result<(), Error> {
        let token = Token(self.connections.len());
        let (stream, link) = opened.register(&self.poll, token)?;
        self.connections.push(Connection {
            stream,
            link,
            unsent: Vec::new(),
            next_identifier: 1,
            sent_at: None,
            is_publisher,
        });
        Ok(())
    }

    fn play(mut self) -> Result<DurableReport, Error> {
        let (warm_up, measured) = match self.plan.extent {
            Extent::Messages(_) => (Duration::ZERO, Duration::MAX),
            Extent::Time { warm_up, measured } => (warm_up, measured),
        };
        self.go_on(Duration::MAX)?;
        self.drain()?;
        self.published_max = match self.plan.extent {
            Extent::Messages(messages) => messages.saturating_add(self.plan.before),
            Extent::Time { .. } => u64::MAX,
        };
        let published_before = self.published;
        let resident_before = resident_bytes(&self.plan.target)?;
        self.go_on(warm_up)?;
        self.latencies.clear();
        let first = self.sample()?;
        self.go_on(measured)?;
        if let Extent::Messages(_) = self.plan.extent {
            self.drain()?;
        }
        let last = self.sample()?;
        let mut latencies = mem::take(&mut self.latencies);
        latencies.sort_unstable();
        self.drain()?;
        let resident_after = resident_bytes(&self.plan.target)?;
        let since = |last: Option<u64>, first: Option<u64>| Some(last?.saturating_sub(first?));
        let report = DurableReport {
            published: self.published - published_before,
            delivered: self.delivered,
            lost: self.owed.saturating_sub(self.delivered),
            measured: last.acknowledged - first.acknowledged,
            elapsed: last.at - first.at,
            latencies,
            written_bytes: since(last.written_bytes, first.written_bytes),
            commits: since(last.commits, first.commits),
            resident_bytes: since(resident_after, resident_before),
        };
        self.leave();
        Ok(report)
    }

    /// Publishes for this time, or until all is published.
    fn go_on(&mut self, time: Duration) -> Result<(), Error> {
        let begin = Instant::now();
        let mut watch = StallWatch::new(self.acknowledged);
        while begin.elapsed() < time && !self.has_published_all() {
            self.publish()?;
            self.wait()?;
            if watch.is_stalled(self.acknowledged) {
                return Err(Error::Stalled {
                    seconds: STALL.as_secs(),
                    published: self.published,
                    delivered: self.acknowledged,
                });
            }
        }
        Ok(())
    }

    /// Publishes nothing more, and waits for what is on its way.
    fn drain(&mut self) -> Result<(), Error> {
        let mut watch = StallWatch::new(0);
        while self.acknowledged < self.published || self.delivered < self.owed {
            self.wait()?;
            if watch.is_stalled(self.acknowledged + self.delivered) {
                break;
            }
        }
        Ok(())
    }

    /// Lets everybody send whose last message is acknowledged.
    fn publish(&mut self) -> Result<(), Error> {
        while !self.has_published_all() {
            let Some(place) = self.idle.pop_front() else {
                break;
            };
            let topic = (self.published % self.messages.len() as u64) as usize;
            let publisher = &mut self.connections[place];
            publisher.sent_at = Some(Instant::now());
            // Its number makes every payload another.
            let number = Some(self.published);
            let bytes = self.messages[topic].bytes(&mut publisher.next_identifier, number);
            send(&mut publisher.stream, &mut publisher.unsent, bytes)?;
            self.published += 1;
            self.owed += self.receivers[topic];
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<(), Error> {
        let mut events = Events::with_capacity(EVENTS_MAX);
        match self.poll.poll(&mut events, Some(TURN)) {
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => {
                return Err(Error::io("waiting")(error));
            }
            Ok(()) | Err(_) => {}
        }
        for event in &events {
            let place = event.token().0;
            if event.is_writable() {
                let connection = &mut self.connections[place];
                let bytes = mem::take(&mut connection.unsent);
                send(&mut connection.stream, &mut connection.unsent, &bytes)?;
            }
            if event.is_readable() {
                self.read(place)?;
            }
        }
        Ok(())
    }

    fn read(&mut self, place: usize) -> Result<(), Error> {
        let transport = self.plan.target.transport;
        let Self {
            connections,
            idle,
            acknowledged,
            delivered,
            latencies,
            scratch,
            answers,
            ..
        } = self;
        let connection = &mut connections[place];
        let sent_at = &mut connection.sent_at;
        let is_publisher = connection.is_publisher;
        loop {
            answers.clear();
            let handle = |packet: Incoming<'_>, answers: &mut Vec<u8>| {
                match (packet.kind(), is_publisher) {
                    (packet::PUBACK, true) => {
                        packet.check_success()?;
                        let sent_at = sent_at
                            .take()
                            .ok_or(Error::Unexpected("more acknowledgements than messages"))?;
                        latencies.push(sent_at.elapsed().as_nanos() as u64);
                        *acknowledged += 1;
                        idle.push_back(place);
                    }
                    (packet::PUBLISH, false) => {
                        let (_, identifier) = packet.delivery()?;
                        let puback = packet::acknowledgement(packet::PUBACK, identifier);
                        push_packet(transport, answers, &puback);
                        *delivered += 1;
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
        let commits = self.plan.metrics.map(commits).transpose()?;
        let process = self.plan.target.process.map(Process::new);
        let written_bytes = process.map(Process::written_bytes).transpose();
        Ok(Sample {
            at: Instant::now(),
            acknowledged: self.acknowledged,
            written_bytes: written_bytes.map_err(Error::io("reading what the broker wrote"))?,
            commits,
        })
    }

    fn has_published_all(&self) -> bool {
        self.published >= self.published_max
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

/// How often `rootzone` made something durable until now, as it tells at `/metrics`.
fn commits(address: SocketAddr) -> Result<u64, Error> {
    let ask = || {
        let mut stream = StdTcpStream::connect(address)?;
        write!(
            stream,
            "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(Error::io("asking for the metrics"))?;
    let number = |line: &str| {
        line.strip_prefix("rootzone_store_commits_total ")?
            .parse()
            .ok()
    };
    answer
        .lines()
        .find_map(number)
        .ok_or(Error::Unexpected("metrics without the number of commits"))
}

/// Sessions that are made together, so that one commit is for many.
const AT_A_TIME: usize = 100;
const EVENTS_MAX: usize = 1024;
const SCRATCH_LEN: usize = 256 * 1024;
const TURN: Duration = Duration::from_millis(20);
