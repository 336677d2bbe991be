//! Programs of others that the tests run: from Debian's packages, installed where we may.

use std::env;
use std::path::PathBuf;

use anyhow::{Result, bail};

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
    match find() {
        Some(browser) => Ok(browser),
        None => bail!("chromium or chromedriver is not on PATH although it was installed"),
    }
}

/// Makes sure that other people's MQTT programs are there; returns the Python that has paho.
pub(crate) fn mqtt_programs() -> Result<PathBuf> {
    let mut missing = Vec::new();
    if which("mosquitto").is_none() && !PathBuf::from(MOSQUITTO).is_file() {
        missing.push("mosquitto");
    }
    if which("mosquitto_sub").is_none() || which("mosquitto_pub").is_none() {
        missing.push("mosquitto-clients");
    }
    let python = python_with_paho();
    if python.is_none() {
        missing.push("python3-paho-mqtt");
    }
    if !missing.is_empty() {
        install(&missing)?;
    }
    match python.or_else(python_with_paho) {
        Some(python) => Ok(python),
        None => bail!("no Python has paho although it was installed"),
    }
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

/// Debian keeps daemons where an ordinary user's `PATH` does not look.
const MOSQUITTO: &str = "/usr/sbin/mosquitto";
