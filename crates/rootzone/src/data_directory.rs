//! Where the broker keeps what is to survive a restart.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use mqtt_broker::{
    Restored, STORE_FORMAT, Server,
    store::{DataDirectory, Salvage},
};

use crate::{
    config::AllLimits,
    history_service::{HistoryCounting, HistoryService},
};

/// The chosen folder, or the default one.
pub(crate) fn choose(chosen: Option<&Path>) -> anyhow::Result<PathBuf> {
    match chosen {
        Some(path) => std::path::absolute(path).context("--data-dir"),
        None => default_path(|name| env::var_os(name).map(PathBuf::from))
            .context("there is no home for data: choose a folder with --data-dir, or --in-memory"),
    }
}

/// A server that goes on with what a folder has.
pub(crate) struct Kept {
    pub(crate) server: Server,
    pub(crate) history: HistoryCounting,
    /// To be kept as long as the server: the folder is its own.
    pub(crate) directory: DataDirectory,
    /// Whether something was stored once and could not be read.
    pub(crate) is_something_lost: bool,
}

/// Makes a server of what the folder has.
pub(crate) fn open(limits: &AllLimits, seed: u64, chosen: Option<&Path>) -> anyhow::Result<Kept> {
    let path = choose(chosen)?;
    let opened = DataDirectory::open(&path, STORE_FORMAT)?;
    if let Some(salvage) = &opened.salvage {
        report(salvage);
    }
    let cannot_read = |error| anyhow!("cannot read {}: {error}", path.display());
    let (history, store) =
        HistoryService::open(opened.store, limits.history).map_err(cannot_read)?;
    let (server, restored) =
        Server::open(limits.broker.clone(), seed, Box::new(store)).map_err(cannot_read)?;
    let Restored {
        n_sessions,
        n_queued_messages,
        n_retained_messages,
        unreadable,
    } = restored;
    let unreadable: Vec<String> = unreadable
        .iter()
        .map(ToString::to_string)
        .chain(history.corrupt.iter().map(ToString::to_string))
        .collect();
    if let Some(first) = unreadable.first() {
        tracing::error!(
            n = unreadable.len(),
            "records in {} cannot be read and are left out; the first: {first}",
            path.display()
        );
    }
    if opened.is_new {
        tracing::info!("beginning with nothing in {}", path.display());
    } else {
        tracing::info!(
            n_sessions,
            n_queued_messages,
            n_retained_messages,
            "going on with {}",
            path.display()
        );
    }
    let is_salvaged = opened.salvage.is_none_or(|salvage| salvage.is_complete);
    Ok(Kept {
        history: history.serve(&server),
        server,
        directory: opened.directory,
        is_something_lost: !is_salvaged || !unreadable.is_empty(),
    })
}

/// Nobody may overlook that something is gone.
pub(crate) fn report(salvage: &Salvage) {
    let Salvage {
        set_aside,
        damage,
        n_kept,
        is_complete,
    } = salvage;
    let loss = match is_complete {
        true => "nothing was lost",
        false => "what could not be read is lost",
    };
    tracing::error!(
        "THE STORE WAS DAMAGED ({damage}). It lies in {} for whoever wants to look. \
         {n_kept} entries are kept in a new one; {loss}.",
        set_aside.display()
    );
}

/// As the XDG Base Directory Specification has it; relative paths are none.
fn default_path(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    absolute("XDG_DATA_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".local/share")))
        .or_else(|| absolute("LOCALAPPDATA"))
        .map(|data| data.join("rootzone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: Option<&str>) {
        let path = default_path(|name| {
            let (_, value) = variables.iter().find(|(other, _)| *other == name)?;
            Some(PathBuf::from(value))
        });
        assert_eq!(path, expected.map(PathBuf::from));
    }

    #[test]
    #[cfg(unix)]
    fn data_belong_where_the_user_says() {
        check(
            &[("HOME", "/people/a")],
            Some("/people/a/.local/share/rootzone"),
        );
        check(
            &[("HOME", "/people/a"), ("XDG_DATA_HOME", "/data")],
            Some("/data/rootzone"),
        );
        check(
            &[("HOME", "/people/a"), ("XDG_DATA_HOME", "data")],
            Some("/people/a/.local/share/rootzone"),
        );
        check(&[], None);
    }
}
