//! A child process that ends with the test, and what it has said so far.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use super::wait::eventually;

pub(crate) struct Process {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Process {
    pub(crate) fn start(name: &str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|why| panic!("cannot start {name}: {why}"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take(), &lines);
        collect(child.stderr.take(), &lines);
        Self {
            name: name.to_owned(),
            child,
            lines,
        }
    }

    /// Everything it has said, errors included.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits for a line that `meaning` understands, among those said already too.
    pub(crate) async fn line<T>(&mut self, what: &str, meaning: impl Fn(&str) -> Option<T>) -> T {
        eventually(what, async || {
            let lines = self.lines();
            if let Some(found) = lines.iter().find_map(|line| meaning(line)) {
                return Some(found);
            }
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "{} ended ({ended:?}), saying {lines:#?}",
                self.name
            );
            None
        })
        .await
    }

    /// As a power cut would.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// As a service manager would.
    pub(crate) async fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().unwrap().to_string();
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await
            .unwrap();
        self.child.wait().await.unwrap()
    }

    pub(crate) async fn end(&mut self) -> ExitStatus {
        self.child.wait().await.unwrap()
    }
}

fn collect(
    stream: Option<impl AsyncRead + Unpin + Send + 'static>,
    lines: &Arc<Mutex<Vec<String>>>,
) {
    let lines = Arc::clone(lines);
    let mut reader = BufReader::new(stream.unwrap()).lines();
    tokio::spawn(async move {
        while let Ok(Some(line)) = reader.next_line().await {
            lines.lock().unwrap().push(line);
        }
    });
}
