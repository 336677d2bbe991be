//! Connections that do nothing but stay.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{Error, Process, connection::Opened, plan::Target};

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
        let end = all.min(opened.len() + STEP);
        let client_identifiers: Vec<_> = (opened.len()..end)
            .map(|index| format!("idle-{index:05}"))
            .collect();
        opened.extend(Opened::connect_all(target, &client_identifiers)?);
    }
    Ok(())
}

pub(crate) fn resident_bytes(target: &Target) -> Result<Option<u64>, Error> {
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
/// Connections between two looks at the clock.
const STEP: usize = 500;
const PATIENCE: Duration = Duration::from_secs(120);
const SETTLING: Duration = Duration::from_millis(500);
