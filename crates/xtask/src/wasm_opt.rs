//! wasm-opt, told what our Wasm uses and what to do with it.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process;

/// From one file to another, or the same; what to do follows.
pub(crate) fn command(input: &Path, output: &Path) -> Result<Command> {
    let mut command = process::command("wasm-opt")?;
    command
        .arg(input)
        .arg("--output")
        .arg(output)
        .args(FEATURES);
    Ok(command)
}

/// The code is flattened and put together anew because that finds more to leave out.
/// Low memory is the far end of the stack, which rustc lays before everything else, so no sum of addresses lands there.
/// A function that is called once stays one unless it is tiny: inside another it would need locals of its own there.
pub(crate) const OPTIMIZING: [&str; 6] = [
    "--flatten",
    "--rereloop",
    "--low-memory-unused",
    "--one-caller-inline-max-function-size=12",
    "-Oz",
    "-Oz",
];

/// What rustc's output uses must be named: a stripped binary no longer says so itself.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-reference-types",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-multivalue",
];
