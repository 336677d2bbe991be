//! Children: started with their command shown, watched, and ended with us.

use std::env;
use std::ffi::OsStr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Everything that runs for us now. A signal belongs to the whole process, so this does too.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Passes Ctrl-C and SIGTERM on to the children; what waits for them then ends in order.
pub(crate) fn pass_signals_on() -> Result<()> {
    ctrlc::set_handler(|| {
        INTERRUPTED.store(true, Ordering::SeqCst);
        for &id in running().iter() {
            terminate(id);
        }
    })
    .context("cannot watch for Ctrl-C")
}

pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// A command in the workspace's root, with our tools first on its `PATH`.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Result<Command> {
    let mut command = Command::new(program);
    command
        .current_dir(workspace::root())
        .env("PATH", workspace::path_with_tools()?)
        // What `cargo run` told us about ourselves is not true of what we start.
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("CARGO_MANIFEST_PATH");
    Ok(command)
}

/// The same cargo that started us.
pub(crate) fn cargo() -> Result<Command> {
    command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command to its end, its output visible.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let words = words(command);
    let status = Running::start(command)?.wait()?;
    finish(&words, status)
}

/// Starts something that goes on without us: neither waited for nor ended with us.
pub(crate) fn detach(command: &mut Command) -> Result<Child> {
    let words = words(command);
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Ctrl-C in our terminal is not meant for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    command
        .spawn()
        .with_context(|| format!("cannot start `{words}`"))
}

/// Runs a command to its end in silence and returns what it said.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let words = words(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{words}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{words}` ended with {}: {}", output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn finish(words: &str, status: ExitStatus) -> Result<()> {
    if is_interrupted() {
        bail!("interrupted");
    }
    if !status.success() {
        bail!("`{words}` ended with {status}");
    }
    Ok(())
}

/// A child that ends when this value goes.
pub(crate) struct Running {
    child: Child,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        if is_interrupted() {
            bail!("interrupted");
        }
        let words = words(command);
        // Held while starting, so that a signal never misses a child that has just begun.
        let mut running = running();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start `{words}`"))?;
        running.push(child.id());
        Ok(Self { child })
    }

    pub(crate) fn child_mut(&mut self) -> &mut Child {
        &mut self.child
    }

    pub(crate) fn wait(mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// Its exit status, if it has ended.
    pub(crate) fn poll(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks it to end, and after a grace period makes it.
    fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            terminate(self.child.id());
            let deadline = Instant::now() + GRACE;
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        // An error here means that it has already gone, which is what was wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        running().retain(|id| *id != self.child.id());
    }
}

const GRACE: Duration = Duration::from_secs(5);

fn running() -> MutexGuard<'static, Vec<u32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn terminate(id: u32) {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    if let Ok(id) = i32::try_from(id) {
        // It may have ended by itself in the meantime.
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    }
}

#[cfg(not(unix))]
fn terminate(_id: u32) {
    // Ctrl-C reaches every process of the console there.
}

fn words(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_detached_is_not_waited_for() {
        let mut command = Command::new("sleep");
        let mut child = detach(command.arg("600")).unwrap();
        assert_eq!(child.try_wait().unwrap(), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
