//! What is done with a data directory instead of running the broker.

use std::{
    env,
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, bail};
use mqtt_broker::{
    STORE_FORMAT,
    store::{self, DataDirectory, OpenError, Store},
};

use crate::{control, data_directory, history_tasks, options::Task};

pub(crate) fn run(task: &Task) -> anyhow::Result<()> {
    match task {
        Task::Check { data_dir } => check(&data_directory::choose(data_dir.as_deref())?),
        Task::Repair { data_dir } => repair(&data_directory::choose(data_dir.as_deref())?),
        Task::Backup { file, data_dir } => {
            back_up(&data_directory::choose(data_dir.as_deref())?, file)
        }
        Task::History { task } => history_tasks::run(task),
    }
}

fn check(directory: &Path) -> anyhow::Result<()> {
    let report = store::check(directory)?;
    say(&format!("{}: {report}", directory.display()))?;
    if !report.is_whole {
        bail!(
            "the store is damaged; `rootzone repair --data-dir {}` makes a new one of what can be read",
            directory.display()
        );
    }
    Ok(())
}

fn repair(directory: &Path) -> anyhow::Result<()> {
    // There is no earlier format yet.
    let salvage = store::repair(directory, STORE_FORMAT, &mut |_, _, _, _| false)?;
    let loss = match salvage.is_complete {
        true => "that is all there was",
        false => "what could not be read is lost",
    };
    say(&format!(
        "{} entries are in the new store, {loss}; the old one is {}",
        salvage.n_kept,
        salvage.set_aside.display()
    ))
}

fn back_up(directory: &Path, file: &Path) -> anyhow::Result<()> {
    // A running broker has another working directory.
    let file = env::current_dir()
        .context("there is no working directory")?
        .join(file);
    match DataDirectory::open(directory, STORE_FORMAT) {
        Ok(mut opened) => opened.store.back_up(&file)?,
        Err(OpenError::InUse { .. }) => control::ask_for_backup(directory, &file)?,
        Err(error) => return Err(error.into()),
    }
    say(&format!("the copy is in {}", file.display()))
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("cannot write to standard output")
}
