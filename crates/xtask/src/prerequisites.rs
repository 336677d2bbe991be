//! Programs of others that the tests run: from Debian's packages, installed where we may.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::process::{command, read, run};
use crate::progress::step;

/// The browser and what drives it.
pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) chromedriver: PathBuf,
}

/// Finds Chromium and its driver, installing them if that is possible.
pub(crate) fn browser() -> Result<Browser> {
    let find = || {
        Some(Browser {
            chromium: CHROMIUM_NAMES.into_iter().find_map(which)?,
            chromedriver: which("chromedriver")?,
        })
    };
    if let Some(browser) = find() {
        return Ok(browser);
    }
    install(&["chromium", "chromium-driver"])?;
    find().context("chromium or chromedriver is not on PATH although it was installed")
}

/// Other people's MQTT programs that are not simply on `PATH`.
pub(crate) struct MqttPrograms {
    pub(crate) mosquitto: PathBuf,
    /// A Python that has paho.
    pub(crate) python: PathBuf,
}

/// Finds other people's MQTT programs, installing them if that is possible.
pub(crate) fn mqtt_programs() -> Result<MqttPrograms> {
    let mut missing = Vec::new();
    if mosquitto().is_none() {
        missing.push("mosquitto");
    }
    if which("mosquitto_sub").is_none() || which("mosquitto_pub").is_none() {
        missing.push("mosquitto-clients");
    }
    if python_with_paho().is_none() {
        missing.push("python3-paho-mqtt");
    }
    if !missing.is_empty() {
        install(&missing)?;
    }
    Ok(MqttPrograms {
        mosquitto: mosquitto().context("mosquitto is not there although it was installed")?,
        python: python_with_paho().context("no Python has paho although it was installed")?,
    })
}

/// Finds Node.js, with which a JavaScript client is run, installing it if that is possible.
pub(crate) fn node() -> Result<PathBuf> {
    let find = || which("node").filter(|_| which("npm").is_some());
    if let Some(node) = find() {
        return Ok(node);
    }
    install(&["nodejs", "npm"])?;
    find().context("node or npm is not on PATH although it was installed")
}

/// Debian keeps daemons where an ordinary user's `PATH` does not look.
fn mosquitto() -> Option<PathBuf> {
    which("mosquitto").or_else(|| {
        let path = PathBuf::from("/usr/sbin/mosquitto");
        path.is_file().then_some(path)
    })
}

/// The one on `PATH` need not be the one for which the distribution packages its libraries.
fn python_with_paho() -> Option<PathBuf> {
    which("python3")
        .into_iter()
        .chain([PathBuf::from("/usr/bin/python3")])
        .find(|python| {
            command(python).is_ok_and(|mut python| {
                read(python.args(["-c", "import paho.mqtt.client"])).is_ok()
            })
        })
}

/// By apt, if there is one and we may use it; otherwise says what a person has to do.
fn install(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    let sudo = may_sudo();
    if which("apt-get").is_none() || (!is_root() && !sudo) {
        bail!("the tests need {names}: install them (on Debian: apt install {names})");
    }
    let apt = || -> Result<_> {
        let mut apt = command(if is_root() { "env" } else { "sudo" })?;
        apt.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"]);
        Ok(apt)
    };
    step(format_args!("installing {names} by apt"), || {
        run(apt()?.arg("update"))?;
        run(apt()?
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages))
    })
}

fn is_root() -> bool {
    command("id")
        .and_then(|mut id| read(id.arg("-u")))
        .is_ok_and(|user| user.trim() == "0")
}

fn may_sudo() -> bool {
    command("sudo").is_ok_and(|mut sudo| read(sudo.args(["-n", "true"])).is_ok())
}

fn which(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

const CHROMIUM_NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
