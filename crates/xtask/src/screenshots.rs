//! `cargo xtask screenshots`: the picture in the README is one that a test made.

use std::fs;

use anyhow::{Context, Result};

use crate::{progress, test, workspace};

/// Runs the test that makes the pictures and copies the README's.
pub(crate) fn run() -> Result<()> {
    test::end_to_end(Some(TEST))?;
    let from = workspace::screenshots().join(PICTURE);
    let to = workspace::root().join("docs").join("field.png");
    fs::copy(&from, &to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    progress::say(format_args!(
        "{} is new; all pictures are in {}",
        to.display(),
        workspace::screenshots().display()
    ));
    Ok(())
}

const TEST: &str = "screenshots";
const PICTURE: &str = "field-1440-light.png";
