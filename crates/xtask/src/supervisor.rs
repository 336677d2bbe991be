//! Several children that belong together: their lines are passed on, and the end of one is the end of all.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::{Running, is_interrupted};
use crate::progress;

/// Ends its children, the last started first, when it goes.
pub(crate) struct Supervisor {
    children: Vec<Watched>,
    lines: Receiver<Line>,
    line_sender: Sender<Line>,
}

struct Watched {
    name: &'static str,
    running: Running,
    last_lines: VecDeque<String>,
}

struct Line {
    name: &'static str,
    text: String,
}

impl Supervisor {
    pub(crate) fn new() -> Self {
        let (line_sender, lines) = channel();
        Self {
            children: Vec::new(),
            lines,
            line_sender,
        }
    }

    pub(crate) fn start(&mut self, name: &'static str, command: &mut Command) -> Result<()> {
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Ctrl-C would otherwise reach a child twice, from the terminal and from us, and a second time means at once.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut running = Running::start(command)?;
        let child = running.child_mut();
        if let Some(output) = child.stdout.take() {
            self.pass_lines_on(name, output);
        }
        if let Some(errors) = child.stderr.take() {
            self.pass_lines_on(name, errors);
        }
        self.children.push(Watched {
            name,
            running,
            last_lines: VecDeque::new(),
        });
        Ok(())
    }

    /// Waits until a child says a line that `meaning` understands.
    pub(crate) fn wait_for<T>(
        &mut self,
        name: &'static str,
        meaning: impl Fn(&str) -> Option<T>,
    ) -> Result<T> {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if let Some(line) = self.turn()?
                && line.name == name
                && let Some(found) = meaning(&line.text)
            {
                return Ok(found);
            }
        }
        bail!("{name} was not ready within {} s", READY_WITHIN.as_secs())
    }

    /// Watches until somebody interrupts us, which is the good end, or a child dies.
    pub(crate) fn watch(&mut self) -> Result<()> {
        loop {
            match self.turn() {
                Ok(_) => {}
                Err(_) if is_interrupted() => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits a moment for one line, and fails if a child has ended.
    fn turn(&mut self) -> Result<Option<Line>> {
        match self.lines.recv_timeout(TURN) {
            Ok(line) => {
                progress::pass_on(line.name, &line.text);
                if let Some(child) = self
                    .children
                    .iter_mut()
                    .find(|child| child.name == line.name)
                {
                    child.remember(&line.text);
                }
                Ok(Some(line))
            }
            // Only when it has nothing more to say is a child's end looked at, so that its last lines are in.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                if is_interrupted() {
                    bail!("interrupted");
                }
                for child in &mut self.children {
                    if let Some(status) = child.running.poll()? {
                        bail!("{} ended with {status}{}", child.name, child.last_words());
                    }
                }
                Ok(None)
            }
        }
    }

    fn pass_lines_on(&self, name: &'static str, stream: impl Read + Send + 'static) {
        let lines = self.line_sender.clone();
        thread::spawn(move || {
            for text in BufReader::new(stream).lines().map_while(Result::ok) {
                if lines.send(Line { name, text }).is_err() {
                    break;
                }
            }
        });
    }
}

impl Watched {
    fn remember(&mut self, text: &str) {
        if self.last_lines.len() == LAST_LINES {
            self.last_lines.pop_front();
        }
        self.last_lines.push_back(text.to_owned());
    }

    fn last_words(&self) -> String {
        if self.last_lines.is_empty() {
            return " without a word".to_owned();
        }
        self.last_lines
            .iter()
            .fold("; it last said:".to_owned(), |all, line| {
                all + "\n    " + line
            })
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        while let Some(child) = self.children.pop() {
            drop(child);
        }
    }
}

const READY_WITHIN: Duration = Duration::from_secs(30);
const TURN: Duration = Duration::from_millis(100);
const LAST_LINES: usize = 10;

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_ready_line_is_waited_for() {
        let mut supervisor = Supervisor::new();
        supervisor
            .start(
                "child",
                &mut shell("echo starting; echo ready 7; exec sleep 60"),
            )
            .unwrap();
        let number = supervisor
            .wait_for("child", |line| {
                line.strip_prefix("ready ").map(str::to_owned)
            })
            .unwrap();
        assert_eq!(number, "7");
    }

    #[test]
    fn a_child_that_dies_is_reported_with_its_last_lines() {
        let mut supervisor = Supervisor::new();
        supervisor
            .start("child", &mut shell("echo it broke >&2; exit 3"))
            .unwrap();
        let error = supervisor.watch().unwrap_err().to_string();
        assert!(error.contains("child ended with exit status: 3"), "{error}");
        assert!(error.contains("it broke"), "{error}");
    }
}
