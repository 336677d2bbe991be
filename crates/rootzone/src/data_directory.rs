//! Where the broker keeps what is to survive a restart.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use mqtt_broker::{
    Restored, STORE_FORMAT, Server, Settings,
    store::{DataDirectory, Salvage},
};

/// The chosen folder, or the default one.
pub(crate) fn choose(chosen: Option<&Path>) -> anyhow::Result<PathBuf> {
    match chosen {
        Some(path) => Ok(path.to_owned()),
        None => default_path(|name| env::var_os(name).map(PathBuf::from))
            .context("there is no home for data: choose a folder with --data-dir, or --in-memory"),
    }
}

/// Makes a server of what the folder has. The folder is its own as long as the result lives.
pub(crate) fn open(
    settings: Settings,
    seed: u64,
    chosen: Option<&Path>,
) -> anyhow::Result<(Server, DataDirectory)> {
    let path = choose(chosen)?;
    let opened = DataDirectory::open(&path, STORE_FORMAT)?;
    if let Some(salvage) = &opened.salvage {
        report(salvage);
    }
    let (server, restored) = Server::open(settings, seed, Box::new(opened.store))
        .map_err(|error| anyhow!("cannot read {}: {error}", path.display()))?;
    let Restored {
        n_sessions,
        n_queued_messages,
        n_retained_messages,
        unreadable,
    } = restored;
    if let Some(first) = unreadable.first() {
        tracing::error!(
            n = unreadable.len(),
            "records in {} cannot be read and are left out; the first: {first}",
            path.display()
        );
    }
    tracing::info!(
        n_sessions,
        n_queued_messages,
        n_retained_messages,
        "going on with {}",
        path.display()
    );
    Ok((server, opened.directory))
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
