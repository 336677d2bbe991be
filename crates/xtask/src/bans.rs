//! Shows that the bans in the pure crates' `clippy.toml` bite, by breaking each in a crate made for it.

use std::fs;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::process::cargo;
use crate::workspace;

pub(crate) fn check() -> Result<()> {
    for name in workspace::PURE_CRATES {
        check_crate(name).with_context(|| format!("the bans of {name}"))?;
    }
    Ok(())
}

fn check_crate(name: &str) -> Result<()> {
    let folder = workspace::target().join("bans").join(name);
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("Cargo.toml"), MANIFEST)?;
    fs::write(folder.join("src").join("lib.rs"), OFFENDER)?;
    fs::copy(
        workspace::root()
            .join("crates")
            .join(name)
            .join("clippy.toml"),
        folder.join("clippy.toml"),
    )
    .context("cannot copy clippy.toml")?;
    let output = cargo()?
        .current_dir(&folder)
        .args(["clippy", "--quiet", "--target-dir"])
        .arg(folder.join("target"))
        .args(["--", "-D", "warnings"])
        .stdin(Stdio::null())
        .output()
        .context("cannot start cargo clippy")?;
    let said = String::from_utf8_lossy(&output.stderr);
    for offence in OFFENCES {
        if !said.contains(offence) {
            bail!("{offence} is not refused; clippy said:\n{said}");
        }
    }
    if output.status.success() {
        bail!("clippy did not fail");
    }
    Ok(())
}

const MANIFEST: &str = "\
[package]
name = \"offender\"
version = \"0.0.0\"
edition = \"2024\"

[workspace]
";

const OFFENDER: &str = "\
use std::collections::HashMap;

pub fn clock() -> (std::time::Instant, std::time::SystemTime) {
    (std::time::Instant::now(), std::time::SystemTime::now())
}

pub fn socket() -> Option<std::net::TcpStream> {
    None
}

pub fn file() -> Option<std::fs::File> {
    None
}

pub fn order(map: &HashMap<u8, u8>) -> Vec<u8> {
    map.keys().copied().collect()
}

pub fn wait() {
    std::thread::sleep(std::time::Duration::ZERO);
}
";

const OFFENCES: [&str; 6] = [
    "disallowed method `std::time::Instant::now`",
    "disallowed method `std::time::SystemTime::now`",
    "disallowed type `std::net::TcpStream`",
    "disallowed type `std::fs::File`",
    "disallowed method `std::collections::HashMap::keys`",
    "disallowed method `std::thread::sleep`",
];
