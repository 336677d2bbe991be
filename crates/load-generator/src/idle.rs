//! Connections that do nothing but stay.

use std::{thread, time::Duration};

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
    for _ in 0..connections {
        let client_identifier = format!("idle-{:05}", opened.len());
        opened.push(Opened::connect(target, &client_identifier)?);
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
const SETTLING: Duration = Duration::from_millis(500);
