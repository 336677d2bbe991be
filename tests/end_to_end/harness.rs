//! What the tests stand on: processes that end with them, a browser, a stranger's clients, a link that can be cut.

mod broker;
mod browser;
mod client_page;
mod dashboard;
mod field;
mod figure;
mod link;
mod measurements;
mod mosquitto;
mod process;
mod publisher;
mod wait;

pub(crate) use broker::{Broker, PASSWORD, USER_NAME, import_history};
pub(crate) use browser::{Browser, Role};
pub(crate) use client_page::{Account, ClientPage};
pub(crate) use dashboard::{Card, Dashboard};
pub(crate) use field::Field;
pub(crate) use figure::{quantile, tell};
pub(crate) use link::Link;
pub(crate) use measurements::Measurements;
pub(crate) use mosquitto::{BOTH_VERSIONS, Subscriber, V3_1_1, V5_0, publish};
pub(crate) use process::Process;
pub(crate) use publisher::Publisher;
pub(crate) use wait::eventually;

use std::env;
use std::path::PathBuf;

use tokio::process::Command;

/// The broker under test, to be given arguments.
pub(crate) fn rootzone() -> Command {
    Command::new(path_by("ROOTZONE_BIN"))
}

/// The simulated field under test, to be given arguments.
pub(crate) fn field_simulator() -> Command {
    Command::new(path_by("FIELD_SIMULATOR_BIN"))
}

/// A Python that has paho.
pub(crate) fn python() -> Command {
    Command::new(path_by("PYTHON"))
}

/// A number that `cargo xtask` may pass on.
pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number")),
    )
}

/// A path that `cargo xtask test` passes on.
fn path_by(variable: &str) -> PathBuf {
    let Some(path) = env::var_os(variable).map(PathBuf::from) else {
        panic!("{variable} is not set: run these tests by `cargo xtask test end-to-end`");
    };
    assert!(
        path.exists(),
        "{variable} is {}, which does not exist",
        path.display()
    );
    path
}
