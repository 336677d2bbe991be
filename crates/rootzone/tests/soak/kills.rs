//! What was acknowledged survives `kill -9`, as other people's clients see it.
//!
//! `KILL_SECONDS` says for how long, `KILLS` until how many kills there were, `SEED` repeats the moments of another run,
//! as far as moments can be repeated.

mod ledger;

use std::{
    env,
    io::{BufRead, BufReader},
    mem,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread::{self, sleep},
    time::{Duration, Instant},
};

use self::ledger::Ledger;
use crate::{
    broker::{Broker, Ports},
    number, random_from_environment, say,
};

#[test]
fn what_was_acknowledged_survives_kills() {
    let mut random = random_from_environment();
    let seed = random.get_seed();
    let data = tempfile::tempdir().unwrap();
    let ports = Ports::find();

    let mut broker = Broker::spawn(data.path(), ports);
    broker.wait_until_ready();
    let mut clients = Clients::start(ports, seed);
    clients.read_until_ready();

    let start = Instant::now();
    let mut told = start;
    let mut n_kills = 0;
    while go_on(n_kills, start) {
        // Seldom it dies while it starts.
        if random.u64(..10) > 0 {
            broker.wait_until_ready();
            sleep(Duration::from_millis(random.u64(50..=600)));
        } else {
            sleep(Duration::from_millis(random.u64(..50)));
        }
        broker.kill();
        n_kills += 1;
        broker = Broker::spawn(data.path(), ports);
        clients.read();
        if told.elapsed() > Duration::from_secs(60) {
            told = Instant::now();
            say(&format!("{n_kills} kills"));
        }
    }
    let took = start.elapsed();
    broker.wait_until_ready();
    let has_settled = clients.settle();
    let (figures, faults) = mem::take(&mut clients.ledger).judge(&SUBSCRIBERS);
    say(&format!("{n_kills} kills in {took:?}: {figures}"));

    for fault in faults.iter().take(20) {
        say(fault);
    }
    assert!(
        faults.is_empty(),
        "{} faults with SEED={seed}",
        faults.len()
    );
    assert!(has_settled, "not everything arrived; SEED={seed}");
    assert_eq!(figures.n_acknowledged, figures.n_sent);
    // Otherwise this was no test.
    assert!(
        n_kills >= took.as_secs() / 3,
        "only {n_kills} kills in {took:?}"
    );
    assert!(figures.n_sent as u64 >= n_kills, "{figures}");
}

fn go_on(n_kills: u64, start: Instant) -> bool {
    match number("KILLS") {
        Some(kills) => n_kills < kills,
        None => start.elapsed().as_secs() < number("KILL_SECONDS").unwrap_or(20),
    }
}

/// Other people's clients, and what they told.
struct Clients {
    process: Child,
    /// Closed to say that it is enough.
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    ledger: Ledger,
}

impl Clients {
    fn start(ports: Ports, seed: u64) -> Self {
        // The one that has paho, where somebody has looked for it.
        let python = env::var_os("PYTHON").unwrap_or_else(|| "/usr/bin/python3".into());
        let mut process = Command::new(python)
            .args(["-c", include_str!("kills/clients.py")])
            .args([ports.mqtt.into(), ports.http.into(), seed].map(|n: u64| n.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines() {
                if sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        Self {
            input: process.stdin.take(),
            process,
            lines,
            ledger: Ledger::default(),
        }
    }

    fn read_until_ready(&mut self) {
        loop {
            match self.lines.recv_timeout(PATIENCE).unwrap().as_str() {
                "ready" => return,
                line => self.ledger.note(line),
            }
        }
    }

    /// Reads what they have told so far.
    fn read(&mut self) {
        for line in self.lines.try_iter() {
            self.ledger.note(&line);
        }
    }

    /// Lets everything that was sent arrive; tells whether it did.
    fn settle(&mut self) -> bool {
        self.input = None;
        let deadline = Instant::now() + SETTLING_TIME_MAX;
        loop {
            // There is always something to tell, as some leave and come back.
            match self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) => self.ledger.note(&line),
                Err(RecvTimeoutError::Disconnected) => {
                    return self.process.wait().unwrap().success();
                }
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// In `clients.py`.
const SUBSCRIBERS: [&str; 5] = ["s31", "s32", "s51", "s52", "s5a"];
/// For how long nothing may happen at the start.
const PATIENCE: Duration = Duration::from_secs(30);
const SETTLING_TIME_MAX: Duration = Duration::from_secs(60);
