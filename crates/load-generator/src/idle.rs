//! Connections that do nothing but stay.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    Error, Process,
    connection::{Opened, Opening},
    plan::Target,
};

/// What idle connections cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IdleReport {
    /// How many were held.
    pub connections: usize,
    /// The broker's memory for each, if its process is known.
    pub bytes_per_connection: Option<f64>,
}

/// Opens so many connections, each with a Client Identifier of its own and a clean session, and looks at the memory.
///
/// # Errors
///
/// The broker does not accept that many, or this process may not open them.
pub fn hold_idle(target: &Target, connections: usize) -> Result<IdleReport, Error> {
    raise_open_files();
    let mut opened = Vec::new();
    // What the first connections bring is the program's, not theirs.
    open(target, &mut opened, WARM_UP)?;
    let before = resident_bytes(target)?;
    open(target, &mut opened, connections)?;
    let after = resident_bytes(target)?;
    let bytes = before
        .zip(after)
        .map(|(before, after)| after.saturating_sub(before) as f64 / connections as f64);
    Ok(IdleReport {
        connections,
        bytes_per_connection: bytes,
    })
}

/// Opens many at a time, as some brokers look at new connections only ten times a second.
fn open(target: &Target, opened: &mut Vec<Opened>, connections: usize) -> Result<(), Error> {
    let all = opened.len() + connections;
    let begin = Instant::now();
    while opened.len() < all {
        if begin.elapsed() > PATIENCE {
            return Err(Error::Slow {
                opened: opened.len(),
                seconds: PATIENCE.as_secs(),
            });
        }
        let together = AT_A_TIME.min(all - opened.len());
        let mut opening = Vec::new();
        for _ in 0..together {
            opening.push(Opening::dial(target)?);
        }
        let mut connecting = Vec::new();
        for (index, one) in opening.into_iter().enumerate() {
            let client_identifier = format!("idle-{:05}", opened.len() + index);
            connecting.push(one.say_connect(target, &client_identifier)?);
        }
        for one in connecting {
            opened.push(one.hear_connack()?);
        }
    }
    Ok(())
}

fn resident_bytes(target: &Target) -> Result<Option<u64>, Error> {
    let Some(id) = target.process else {
        return Ok(None);
    };
    // Whatever the broker does after a CONNECT is done by then.
    thread::sleep(SETTLING);
    let bytes = Process::new(id).resident_bytes();
    bytes
        .map(Some)
        .map_err(Error::io("reading the broker's memory"))
}

#[cfg(unix)]
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If it fails, so will the connection that is one too many, with the reason.
    let _ = setrlimit(Resource::Nofile, limit);
}

#[cfg(not(unix))]
fn raise_open_files() {}

const WARM_UP: usize = 100;
/// Below the backlog of those that have a short one.
const AT_A_TIME: usize = 100;
const PATIENCE: Duration = Duration::from_secs(120);
const SETTLING: Duration = Duration::from_millis(500);
