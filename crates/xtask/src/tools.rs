//! Tools that the page's build needs: found on `PATH`, or installed into a folder under `target/`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{cargo, command, read, run};
use crate::progress::{say, step};
use crate::workspace;

/// Makes sure that everything is there with which `trunk build` works offline and at the right versions.
pub(crate) fn install_for_page() -> Result<()> {
    install_wasm_target()?;
    install_trunk()?;
    install_wasm_bindgen()?;
    install_shrinkers();
    // Shared by the two installations above, and of no use after them.
    let build = workspace::tools().join("build");
    if build.exists() {
        fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))?;
    }
    Ok(())
}

/// The standard library for the browser.
pub(crate) fn install_wasm_target() -> Result<()> {
    let folder = read(command("rustc")?.args(["--print", "target-libdir", "--target", WASM]))?;
    if fs::read_dir(folder.trim()).is_ok_and(|mut entries| entries.next().is_some()) {
        return Ok(());
    }
    if read(command("rustup")?.arg("--version")).is_err() {
        bail!(
            "the Rust target {WASM} is missing and rustup is not there to add it: install Rust from https://rustup.rs"
        );
    }
    step(format_args!("adding Rust's {WASM} target"), || {
        run(command("rustup")?.args(["target", "add", WASM]))
    })
}

/// Trunk, which builds the page.
fn install_trunk() -> Result<()> {
    if version_of("trunk").is_some_and(|version| version.starts_with(TRUNK)) {
        return Ok(());
    }
    let package = format!("trunk@^{}", TRUNK.trim_end_matches('.'));
    step(
        "installing Trunk, which builds the page (2 to 6 minutes)",
        || {
            if run_binstall(&package)? {
                return Ok(());
            }
            run(cheap_install(&package)?.args([
                "--locked",
                "--no-default-features",
                "--features",
                "rustls",
            ]))
        },
    )
}

/// wasm-bindgen's command and test runner, which work only at the library's own version.
pub(crate) fn install_wasm_bindgen() -> Result<()> {
    let version = workspace::locked_version("wasm-bindgen")?;
    let fits = |tool| version_of(tool).is_some_and(|found| found == version);
    if fits("wasm-bindgen") && fits("wasm-bindgen-test-runner") {
        return Ok(());
    }
    let package = format!("wasm-bindgen-cli@{version}");
    step(
        format_args!("installing {package} (1 to 3 minutes)"),
        || {
            if run_binstall(&package)? || run(cheap_install(&package)?.arg("--locked")).is_ok() {
                return Ok(());
            }
            // Its lock file may name a version that the registry no longer has.
            say("that failed with its own lock file, trying without");
            run(&mut cheap_install(&package)?)
        },
    )
}

/// wasm-opt and esbuild make the page smaller; without them the page still works.
fn install_shrinkers() {
    if has_wasm_opt() && has_esbuild() {
        return;
    }
    let installed = command("npm").and_then(|mut npm| {
        read(npm.arg("--version")).context("npm is not there")?;
        step("installing wasm-opt and esbuild by npm", || {
            npm_install(&[BINARYEN, ESBUILD])
        })
    });
    if let Err(why) = installed {
        say(format_args!(
            "no wasm-opt and esbuild ({why:#}): the page will be larger, and works"
        ));
    }
}

/// MQTT.js, other people's MQTT client, and its codec, for the end-to-end tests and the benchmarks.
pub(crate) fn install_mqtt_js() -> Result<()> {
    let modules = workspace::node_modules();
    // The last two are what a browser does not have and the codec expects.
    let packages = [
        ("mqtt", MQTT_JS),
        ("mqtt-packet", MQTT_PACKET),
        ("buffer", BUFFER),
        ("process", PROCESS),
    ];
    if packages.iter().all(|(name, _)| modules.join(name).is_dir()) {
        return Ok(());
    }
    command("npm")
        .and_then(|mut npm| read(npm.arg("--version")))
        .context("npm is not there, which brings MQTT.js (on Debian: apt install npm)")?;
    step("installing MQTT.js by npm", || {
        npm_install(&packages.map(|(_, version)| version))
    })
}

/// uPlot, other people's chart, for the benchmark.
pub(crate) fn install_uplot() -> Result<()> {
    if workspace::node_modules().join("uplot").is_dir() {
        return Ok(());
    }
    step("installing uPlot by npm", || npm_install(&[UPLOT]))
}

fn npm_install(packages: &[&str]) -> Result<()> {
    let folder = workspace::tools();
    fs::create_dir_all(&folder)?;
    run(command("npm")?
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
            "--prefix",
        ])
        .arg(&folder)
        .args(packages))
}

pub(crate) fn has_wasm_opt() -> bool {
    version_of("wasm-opt").is_some()
}

pub(crate) fn has_esbuild() -> bool {
    version_of("esbuild").is_some()
}

/// The version that a tool on our `PATH` reports, if it is there and works.
fn version_of(tool: &str) -> Option<String> {
    let said = read(command(tool).ok()?.arg("--version")).ok()?;
    version_in(&said)
}

fn version_in(said: &str) -> Option<String> {
    said.split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .map(str::to_owned)
}

/// Whether `cargo binstall` was there and installed the package ready-made.
fn run_binstall(package: &str) -> Result<bool> {
    if read(cargo()?.args(["binstall", "-V"])).is_err() {
        return Ok(false);
    }
    let installed = run(cargo()?
        .args([
            "binstall",
            "--no-confirm",
            "--disable-strategies",
            "compile",
            "--root",
        ])
        .arg(workspace::tools())
        .arg(package));
    Ok(installed.is_ok())
}

/// `cargo install` with a profile that is quick to build: these tools spend their time in rustc, not in themselves.
fn cheap_install(package: &str) -> Result<Command> {
    let mut install = cargo()?;
    install
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        .args(["install", "--root"])
        .arg(workspace::tools())
        .arg("--target-dir")
        .arg(workspace::tools().join("build"))
        .arg(package);
    Ok(install)
}

pub(crate) const WASM: &str = "wasm32-unknown-unknown";
const TRUNK: &str = "0.21.";
const BINARYEN: &str = "binaryen@^132";
const ESBUILD: &str = "esbuild@^0.28";
const MQTT_JS: &str = "mqtt@^5.16";
const UPLOT: &str = "uplot@1.6.32";
const MQTT_PACKET: &str = "mqtt-packet@^9";
const BUFFER: &str = "buffer@^6";
const PROCESS: &str = "process@^0.11";

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn versions_are_read_from_what_tools_say() {
        assert_eq!(version_in("trunk 0.21.14\n").as_deref(), Some("0.21.14"));
        assert_eq!(
            version_in("wasm-bindgen-test-runner 0.2.130").as_deref(),
            Some("0.2.130")
        );
        assert_eq!(
            version_in("wasm-opt version 116 (x)").as_deref(),
            Some("116")
        );
        assert_eq!(version_in("no figure here"), None);
    }
}
