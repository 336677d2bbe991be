//! Where things are: paths of the workspace, and what `Cargo.lock` says.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest
        .ancestors()
        .find(|folder| folder.join("Trunk.toml").is_file())
        .map_or(manifest.clone(), Path::to_path_buf)
}

/// Where cargo puts what it builds: two folders above this very binary, whatever was configured.
pub(crate) fn target() -> PathBuf {
    env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.parent()?.to_path_buf()))
        .unwrap_or_else(|| root().join("target"))
}

/// The tools that we install for ourselves, whatever the target folder is.
pub(crate) fn tools() -> PathBuf {
    root().join("target").join("tools")
}

/// What npm installs among them.
pub(crate) fn node_modules() -> PathBuf {
    tools().join("node_modules")
}

/// The page as Trunk leaves it.
pub(crate) fn page() -> PathBuf {
    root().join("dist")
}

/// Where the end-to-end tests leave their pictures.
pub(crate) fn screenshots() -> PathBuf {
    root().join("target").join("screenshots")
}

/// Where the files of real measurements are, which are too large to be part of the workspace.
pub(crate) fn measurements() -> PathBuf {
    env::var_os("ROOTZONE_DATA").map_or_else(|| root().join("../shared/data"), Into::into)
}

/// A binary of the workspace in the development profile.
pub(crate) fn binary(name: &str) -> PathBuf {
    target()
        .join("debug")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// `PATH` with our own tools first.
pub(crate) fn path_with_tools() -> Result<OsString> {
    let ours = [tools().join("bin"), node_modules().join(".bin")];
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(ours.into_iter().chain(env::split_paths(&path)))
        .context("the workspace's path contains a character that PATH cannot hold")
}

/// The version of a package in `Cargo.lock`.
pub(crate) fn locked_version(package: &str) -> Result<String> {
    let path = root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    version_in_lock(&lock, package)
        .with_context(|| format!("{package} is not in {}", path.display()))
}

fn version_in_lock(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    let version = lines.next()?.strip_prefix("version = \"")?;
    Some(version.trim_end_matches('"').to_owned())
}

/// The crates without clocks, sockets or files, which compile for the browser as well as natively.
pub(crate) const PURE_CRATES: [&str; 5] = [
    "chart",
    "field",
    "history",
    "mqtt-broker-core",
    "mqtt-protocol",
];

#[cfg(test)]
mod tests {
    use super::version_in_lock;

    #[test]
    fn the_version_of_the_package_with_exactly_that_name_is_found() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(
            version_in_lock(lock, "wasm-bindgen").as_deref(),
            Some("0.2.130")
        );
        assert_eq!(version_in_lock(lock, "trunk"), None);
    }
}
