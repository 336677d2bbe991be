//! The page: built by Trunk, then made small.

pub(crate) mod function_order;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::process::{command, run};
use crate::progress::{say, step};
use crate::{compression, interface, style_sheets, tools, wasm_opt, workspace};

/// Builds the page as it is released, unless that has been done since anything changed.
pub(crate) fn build() -> Result<()> {
    if is_fresh() {
        say("the page is as new as its sources");
        return Ok(());
    }
    step("building the page", || {
        run(command("trunk")?
            .args([
                "build",
                "--release",
                "--skip-version-check",
                "--log",
                "warn",
            ])
            .arg("--dist")
            .arg(workspace::page()))
    })
}

/// Whether the page is a release build and younger than everything that it is made of.
fn is_fresh() -> bool {
    let page = workspace::page().join("index.html");
    // Only a release build has this file.
    let compressed = compression::with_suffix(&page, compression::BROTLI);
    let Some(built) = modified(&page).filter(|_| compressed.is_file()) else {
        return false;
    };
    SOURCES
        .iter()
        .all(|source| newest(&workspace::root().join(source)).is_some_and(|newest| newest < built))
}

/// When the youngest file of a folder, or a file, was changed.
fn newest(path: &Path) -> Option<SystemTime> {
    let Ok(entries) = fs::read_dir(path) else {
        return modified(path);
    };
    let youngest = entries
        .flatten()
        .filter_map(|entry| newest(&entry.path()))
        .max();
    // A folder's own time tells of files that were removed.
    youngest.max(modified(path))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// Trunk's `post_build` hook: what it is about to publish, made small. Debug builds are left as they are.
pub(crate) fn optimize() -> Result<()> {
    let folder = env::var_os("TRUNK_STAGING_DIR")
        .map(PathBuf::from)
        .context("TRUNK_STAGING_DIR is not set: this command is Trunk's hook, see Trunk.toml")?;
    if env::var("TRUNK_PROFILE").is_ok_and(|profile| profile != "release") {
        return Ok(());
    }
    shrink(
        &only_file(&folder, ".js")?,
        &only_file(&folder, ".wasm")?,
        "{ default }",
    )?;
    function_order::improve(&only_file(&folder, ".wasm")?)?;
    style_sheets::join(&folder)?;
    step("compressing the page", || {
        compression::compress_folder(&folder)
    })
}

/// Makes a page's program small, with the tools that are there.
pub(crate) fn shrink(script: &Path, wasm: &Path, exports: &str) -> Result<()> {
    if !tools::has_wasm_opt() {
        say("no wasm-opt on PATH: the page will be larger, and works");
        return Ok(());
    }
    if !tools::has_esbuild() {
        say("no esbuild on PATH: the page will be larger, and works");
        return step("wasm-opt", || {
            run(wasm_opt::command(wasm, wasm)?.args(wasm_opt::OPTIMIZING))
        });
    }
    step("wasm-opt and esbuild", || {
        interface::shrink(script, wasm, exports)
    })
}

/// The one file of a folder whose name ends so.
fn only_file(folder: &Path, ending: &str) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    match <[PathBuf; 1]>::try_from(found) {
        Ok([path]) => Ok(path),
        Err(found) => bail!(
            "the page has {} files *{ending} instead of one",
            found.len()
        ),
    }
}

const SOURCES: [&str; 9] = [
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
    "Trunk.toml",
    "crates",
    "index.html",
    "public",
    "src",
    "style",
];
