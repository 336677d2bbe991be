//! A child process that ends with the test, and what it has said so far.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use super::wait::eventually;

pub(crate) struct Process {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    readers: JoinSet<()>,
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
        let mut readers = JoinSet::new();
        readers.spawn(collect(child.stdout.take(), Arc::clone(&lines)));
        readers.spawn(collect(child.stderr.take(), Arc::clone(&lines)));
        Self {
            name: name.to_owned(),
            child,
            lines,
            readers,
        }
    }

    /// Everything it has said, errors included.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits for a line that `meaning` understands, among those said already too.
    pub(crate) async fn line<T>(&mut self, what: &str, meaning: impl Fn(&str) -> Option<T>) -> T {
        let found = self.line_or_end(what, meaning).await;
        found.unwrap_or_else(|| panic!("{} ended, saying {:#?}", self.name, self.lines()))
    }

    /// The same; `None` if it ends without having said it.
    pub(crate) async fn line_or_end<T>(
        &mut self,
        what: &str,
        meaning: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        eventually(what, async || {
            let ended = self.child.try_wait().unwrap();
            let found = self.lines().iter().find_map(|line| meaning(line));
            (found.is_some() || ended.is_some()).then_some(found)
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

    /// Waits for its end by itself; then all its lines are there.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        let status = self.child.wait().await.unwrap();
        while self.readers.join_next().await.is_some() {}
        status
    }
}

async fn collect(stream: Option<impl AsyncRead + Unpin>, lines: Arc<Mutex<Vec<String>>>) {
    let mut reader = BufReader::new(stream.unwrap()).lines();
    while let Ok(Some(line)) = reader.next_line().await {
        lines.lock().unwrap().push(line);
    }
}
