//! Pages of nothing but the client, made as the dashboard is made, and what they are compared with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::page::{self, function_order};
use crate::process::{cargo, command, run};
use crate::progress::step;
use crate::{compression, tools, workspace};

/// Builds the page with which the client is tested.
pub(crate) fn build() -> Result<()> {
    compile(&["--lib"])?;
    make("client_page.wasm", &client(), "{ default, PageClient }")?;
    add_html(&client())
}

/// Builds a small application, and a program that does nothing, whose sizes are compared.
pub(crate) fn build_application() -> Result<()> {
    compile(&["--example", "application", "--example", "baseline"])?;
    for (name, folder) in [("application", application()), ("baseline", baseline())] {
        make(&format!("examples/{name}.wasm"), &folder, "{ default }")?;
        step("compressing it", || compression::compress_folder(&folder))?;
    }
    Ok(())
}

/// Builds the page with which the client is measured beside other people's: they are `mqtt.js` and `mqtt-packet.js`.
pub(crate) fn build_benchmark() -> Result<()> {
    tools::install_mqtt_js()?;
    compile(&["--example", "benchmark"])?;
    let folder = benchmark();
    make(
        "examples/benchmark.wasm",
        &folder,
        "{ default, FrameDecoder, Reader }",
    )?;
    add_html(&folder)?;
    let modules = workspace::node_modules();
    fs::copy(
        modules.join("mqtt/dist/mqtt.min.js"),
        folder.join("mqtt.js"),
    )
    .context("MQTT.js has no bundle for browsers")?;
    let shim = folder.join("shim.mjs");
    fs::write(&shim, SHIM)?;
    let entry = folder.join("entry.mjs");
    fs::write(&entry, ENTRY)?;
    run(command("esbuild")?
        .env("NODE_PATH", &modules)
        .arg(&entry)
        .args(["--bundle", "--minify", "--format=iife"])
        .args(["--global-name=mqttPacket", "--define:global=globalThis"])
        .arg("--log-level=warning")
        .arg(format!("--inject:{}", shim.display()))
        .arg(format!(
            "--outfile={}",
            folder.join("mqtt-packet.js").display()
        )))
}

/// Where the client's page is: `index.html`, `page.js`, `page_bg.wasm`.
pub(crate) fn client() -> PathBuf {
    workspace::target().join("client-page")
}

pub(crate) fn application() -> PathBuf {
    workspace::target().join("client-page-application")
}

pub(crate) fn baseline() -> PathBuf {
    workspace::target().join("client-page-baseline")
}

pub(crate) fn benchmark() -> PathBuf {
    workspace::target().join("client-page-benchmark")
}

fn compile(what: &[&str]) -> Result<()> {
    tools::install_for_page()?;
    step("building the client's page", || {
        run(cargo()?
            .args(["build", "--package", "client-page"])
            .args(what)
            .args(["--target", tools::WASM, "--profile", PROFILE]))
    })
}

fn add_html(folder: &Path) -> Result<()> {
    let html = workspace::root().join("crates/client-page/index.html");
    fs::copy(&html, folder.join("index.html"))
        .with_context(|| format!("cannot copy {}", html.display()))?;
    Ok(())
}

/// From what cargo built to what a browser loads.
fn make(built: &str, folder: &Path, exports: &str) -> Result<()> {
    let built = workspace::target()
        .join(tools::WASM)
        .join(PROFILE)
        .join(built);
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    run(command("wasm-bindgen")?
        .arg(built)
        .args(["--target", "web", "--no-typescript", "--out-name", "page"])
        .arg("--out-dir")
        .arg(folder))?;
    let wasm = folder.join("page_bg.wasm");
    page::shrink(&folder.join("page.js"), &wasm, exports)?;
    function_order::improve(&wasm)
}

/// What Node.js has and a browser has not.
const SHIM: &str = "\
export { Buffer } from 'buffer/';
import process from 'process/browser.js';
export { process };
";
const ENTRY: &str = "\
export { Buffer } from 'buffer/';
export { parser } from 'mqtt-packet';
";
const PROFILE: &str = "wasm-release";
