//! Readings at a steady rate, and somebody who asks for them: MQTT 3.1.1, byte for byte.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::readings::{Random, Readings};

/// How long things took.
#[derive(Default)]
pub(super) struct Durations {
    sorted: Vec<Duration>,
    elapsed: Duration,
}

impl Durations {
    fn new(mut durations: Vec<Duration>, elapsed: Duration) -> Result<Self> {
        if durations.is_empty() {
            bail!("nothing was answered");
        }
        durations.sort_unstable();
        Ok(Self {
            sorted: durations,
            elapsed,
        })
    }

    /// Those of another turn too.
    pub(super) fn add(&mut self, others: Self) {
        self.sorted.extend(others.sorted);
        self.sorted.sort_unstable();
        self.elapsed += others.elapsed;
    }

    pub(super) fn len(&self) -> usize {
        self.sorted.len()
    }

    /// In milliseconds.
    pub(super) fn percentile(&self, percent: usize) -> f64 {
        let place = self.sorted.len() * percent / 100;
        let duration = self.sorted.get(place).or(self.sorted.last());
        duration.map_or(f64::NAN, |duration| duration.as_secs_f64() * 1e3)
    }

    pub(super) fn rate(&self) -> f64 {
        self.sorted.len() as f64 / self.elapsed.as_secs_f64()
    }
}

/// Retained readings of QoS 1, 2,000 a second over one connection.
pub(super) struct Load {
    is_over: Arc<AtomicBool>,
    begin: Instant,
    publisher: JoinHandle<Result<u64>>,
    reader: JoinHandle<Result<Vec<Duration>>>,
}

/// When each Packet Identifier was sent.
type SentAt = Arc<Mutex<Vec<Instant>>>;

impl Load {
    pub(super) fn begin(address: &str, topics: &[String]) -> Result<Self> {
        let mut stream = connect(address)?;
        let begin = Instant::now();
        let is_over = Arc::new(AtomicBool::new(false));
        let sent_at: SentAt = Arc::new(Mutex::new(vec![begin; N_IDENTIFIERS + 1]));
        let mut acknowledgements = BufReader::new(stream.try_clone()?);
        let n_sent = Arc::new(Mutex::new(None));
        let (sent_before, told) = (Arc::clone(&sent_at), Arc::clone(&n_sent));
        let reader = thread::spawn(move || {
            let mut durations = Vec::new();
            while *lock(&told) != Some(durations.len() as u64) {
                let mut puback = [0; 4];
                acknowledgements
                    .read_exact(&mut puback)
                    .context("the broker does not acknowledge")?;
                let identifier = u16::from_be_bytes([puback[2], puback[3]]);
                durations.push(lock(&sent_before)[usize::from(identifier)].elapsed());
            }
            Ok(durations)
        });
        let over = Arc::clone(&is_over);
        let topics = topics.to_vec();
        let publisher = thread::spawn(move || {
            let mut random = Random(7);
            let mut n = 0_u64;
            let mut topics = topics.iter().cycle();
            let mut next = Instant::now();
            while !over.load(Ordering::Relaxed) {
                let mut bytes = Vec::new();
                let now = Instant::now();
                for _ in 0..BURST {
                    let Some(topic) = topics.next() else {
                        bail!("there are no topics");
                    };
                    let identifier = (n as usize % N_IDENTIFIERS + 1) as u16;
                    let payload = format!("{}.{}", 20 + random.below(20), random.below(10));
                    lock(&sent_at)[usize::from(identifier)] = now;
                    append_publish(&mut bytes, topic, Some(identifier), payload.as_bytes());
                    n += 1;
                }
                stream.write_all(&bytes)?;
                next += PAUSE;
                thread::sleep(next.saturating_duration_since(Instant::now()));
            }
            // One more, so that whoever waits for acknowledgements hears of the end.
            *lock(&n_sent) = Some(n + 1);
            let mut bytes = Vec::new();
            let identifier = (n as usize % N_IDENTIFIERS + 1) as u16;
            lock(&sent_at)[usize::from(identifier)] = Instant::now();
            append_publish(&mut bytes, "bench/end", Some(identifier), b"");
            stream.write_all(&bytes)?;
            Ok(n)
        });
        Ok(Self {
            is_over,
            begin,
            publisher,
            reader,
        })
    }

    pub(super) fn end_after(self, duration: Duration) -> Result<Durations> {
        thread::sleep(duration);
        self.is_over.store(true, Ordering::Relaxed);
        let publisher = self.publisher.join();
        let reader = self.reader.join();
        let elapsed = self.begin.elapsed();
        match (publisher, reader) {
            (Ok(sent), Ok(durations)) => {
                sent?;
                Durations::new(durations?, elapsed)
            }
            _ => bail!("the load has failed"),
        }
    }
}

/// Asks for any window of any series, again and again, and in between for a PINGRESP, which costs nothing but the way:
/// gives how long answers took, and PINGRESPs.
pub(super) fn ask(
    address: &str,
    readings: &Readings,
    topics: &[String],
    duration: Duration,
) -> Result<(Durations, Durations)> {
    let stream = connect(address)?;
    let mut out = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    out.write_all(SUBSCRIBE)?;
    receive(&mut input)?;
    let mut random = Random(3);
    let (mut answers, mut pings) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    while begin.elapsed() < duration {
        let topic = &topics[random.below(topics.len() as i64) as usize];
        // From the whole down to an hour, as often each.
        let span = ((readings.to - readings.from) >> random.below(14)).max(3_600_000);
        let from = readings.from + random.below(readings.to - readings.from - span + 1);
        let request = format!(
            "{{\"series\":[\"{topic}\"],\"from\":{from},\"to\":{},\"points\":1200,\"response\":\"bench/answers\"}}",
            from + span
        );
        let mut bytes = Vec::new();
        append_publish(&mut bytes, "rootzone/history/get", None, request.as_bytes());
        let asked = Instant::now();
        out.write_all(&bytes)?;
        loop {
            let answer = String::from_utf8_lossy(&receive(&mut input)?).into_owned();
            if answer.contains("\"error\"") {
                bail!("{request} was answered {answer}");
            }
            if answer.contains("\"more\":false") {
                break;
            }
        }
        answers.push(asked.elapsed());
        thread::sleep(PAUSE);
        let pinged = Instant::now();
        out.write_all(PINGREQ)?;
        receive(&mut input)?;
        pings.push(pinged.elapsed());
        thread::sleep(PAUSE);
    }
    let elapsed = begin.elapsed();
    Ok((
        Durations::new(answers, elapsed)?,
        Durations::new(pings, elapsed)?,
    ))
}

fn connect(address: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(CONNECT)?;
    let mut connack = [0; 4];
    stream.read_exact(&mut connack)?;
    match connack {
        [0x20, 2, 0, 0] => Ok(stream),
        other => bail!("the broker refuses: {other:02x?}"),
    }
}

/// The body of one packet.
fn receive(input: &mut impl Read) -> Result<Vec<u8>> {
    let mut byte = [0];
    input.read_exact(&mut byte)?;
    let mut len = 0;
    for shift in [0, 7, 14, 21] {
        input.read_exact(&mut byte)?;
        len |= usize::from(byte[0] & 0x7F) << shift;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; len];
    input.read_exact(&mut body)?;
    Ok(body)
}

/// At QoS 1 and retained if it has a Packet Identifier.
fn append_publish(bytes: &mut Vec<u8>, topic: &str, identifier: Option<u16>, payload: &[u8]) {
    let identifier = identifier.map(u16::to_be_bytes);
    let mut len = 2 + topic.len() + identifier.map_or(0, |bytes| bytes.len()) + payload.len();
    bytes.push(if identifier.is_some() { 0x33 } else { 0x30 });
    while len >= 128 {
        bytes.push((len % 128) as u8 | 0x80);
        len /= 128;
    }
    bytes.push(len as u8);
    bytes.extend((topic.len() as u16).to_be_bytes());
    bytes.extend(topic.as_bytes());
    bytes.extend(identifier.iter().flatten());
    bytes.extend(payload);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Clean Session, no Keep Alive, no Client Identifier.
const CONNECT: &[u8] = b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0";
/// To `bench/answers`, at QoS 0.
const SUBSCRIBE: &[u8] = b"\x82\x12\0\x01\0\x0dbench/answers\0";
const PINGREQ: &[u8] = b"\xc0\0";
/// 2,000 a second.
const BURST: u64 = 20;
const PAUSE: Duration = Duration::from_millis(10);
const N_IDENTIFIERS: usize = 60_000;
const PATIENCE: Duration = Duration::from_secs(30);
