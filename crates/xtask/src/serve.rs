//! `cargo xtask serve`: the page, rebuilt when a file changes.

use anyhow::Result;
use lexopt::Parser;

use crate::process::{command, run as run_command};
use crate::{progress, tools};

/// Everything on the command line goes to `trunk serve`; address and port stand in `Trunk.toml`.
pub(crate) fn run(mut arguments: Parser) -> Result<()> {
    tools::install_for_page()?;
    progress::say("the page talks to a broker that you start beside it: cargo run -p rootzone");
    run_command(
        command("trunk")?
            .args(["serve", "--skip-version-check"])
            .args(arguments.raw_args()?),
    )
}
