//! What is done with a data directory instead of running the broker.

use std::{
    io::{self, Write},
    path::{self, Path},
};

use anyhow::{Context, bail};
use mqtt_broker::{
    Census, STORE_FORMAT,
    store::{self, DataDirectory, OpenError, Report, Store},
};

use crate::{control, data_directory, history_tasks, options::Task};

pub(crate) fn run(task: &Task, data_dir: Option<&Path>) -> anyhow::Result<()> {
    match task {
        Task::Check { file: Some(file) } => check(
            file,
            |each| store::check_file(file, each),
            "use another copy",
        ),
        Task::Check { file: None } => {
            let directory = data_directory::choose(data_dir)?;
            let advice = format!(
                "`rootzone repair --data-dir {}` makes a new one of what can be read",
                directory.display()
            );
            check(&directory, |each| store::check(&directory, each), &advice)
        }
        Task::Repair => repair(&data_directory::choose(data_dir)?),
        Task::Backup { file } => back_up(&data_directory::choose(data_dir)?, file),
        Task::History { task } => history_tasks::run(task, &data_directory::choose(data_dir)?),
    }
}

type Each<'a> = dyn FnMut(&[u8], &[u8]) + 'a;

fn check(
    path: &Path,
    read: impl FnOnce(&mut Each<'_>) -> Result<Report, OpenError>,
    advice: &str,
) -> anyhow::Result<()> {
    let mut census = Census::new();
    let report = read(&mut |key, value| census.add(key, value))?;
    say(&format!("{}: {report}", path.display()))?;
    if !report.is_whole {
        bail!("it is damaged; {advice}");
    }
    let found = census.finish();
    if !found.unreadable.is_empty() {
        bail!(
            "{} records mean nothing to this program",
            found.unreadable.len()
        );
    }
    say(&format!(
        "sessions  {}\nqueued    {} messages\nretained  {} messages",
        found.n_sessions, found.n_queued_messages, found.n_retained_messages
    ))
}

fn repair(directory: &Path) -> anyhow::Result<()> {
    // There is no earlier format yet.
    let salvage = store::repair(directory, STORE_FORMAT, &mut |_, _, _, _| false)?;
    let loss = match salvage.is_complete {
        true => "that is all there was",
        false => "what could not be read is lost",
    };
    say(&format!(
        "{} entries are in the new store, {loss}; the old one is {}, to be removed when all is well",
        salvage.n_kept,
        salvage.set_aside.display()
    ))
}

fn back_up(directory: &Path, file: &Path) -> anyhow::Result<()> {
    // A running broker has another working directory.
    let file = path::absolute(file).context("there is no working directory")?;
    match DataDirectory::open_whole(directory, STORE_FORMAT) {
        Ok(mut opened) => opened
            .store
            .back_up(&file)
            .with_context(|| format!("cannot write {}", file.display()))?,
        Err(OpenError::InUse { .. }) => control::ask_for_backup(directory, &file)?,
        Err(error) => return Err(error.into()),
    }
    say(&format!("the copy is in {}", file.display()))
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("cannot write to standard output")
}
