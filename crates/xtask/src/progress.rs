//! What is being done, and how long it took.

use std::fmt::Display;
use std::time::{Duration, Instant};

use anyhow::Result;

/// Says what begins, does it, and says how long it took.
pub(crate) fn step<T>(what: impl Display, act: impl FnOnce() -> Result<T>) -> Result<T> {
    say(format_args!("{what} …"));
    let start = Instant::now();
    let result = act();
    let verdict = if result.is_ok() {
        "done in"
    } else {
        "failed after"
    };
    say(format_args!(
        "{what}: {verdict} {}",
        Elapsed(start.elapsed())
    ));
    result
}

/// A line about our own work. It goes to standard error: standard output carries results.
#[expect(clippy::print_stderr, reason = "progress is what this tool has to say")]
pub(crate) fn say(line: impl Display) {
    eprintln!("xtask: {line}");
}

/// A line that a child said.
#[expect(clippy::print_stderr, reason = "what children say is passed on")]
pub(crate) fn pass_on(name: &str, line: &str) {
    eprintln!("{name:>15} | {line}");
}

/// A line of result.
#[expect(clippy::print_stdout, reason = "results go to standard output")]
pub(crate) fn print(line: impl Display) {
    println!("{line}");
}

/// A duration as people say it: `0.4 s`, `42 s`, `2 min 05 s`.
pub(crate) struct Elapsed(pub(crate) Duration);

impl Display for Elapsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let secs = self.0.as_secs();
        if secs < 10 {
            write!(f, "{:.1} s", self.0.as_secs_f64())
        } else if secs < 60 {
            write!(f, "{secs} s")
        } else {
            write!(f, "{} min {:02} s", secs / 60, secs % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        assert_eq!(Elapsed(Duration::from_millis(420)).to_string(), "0.4 s");
        assert_eq!(Elapsed(Duration::from_secs(42)).to_string(), "42 s");
        assert_eq!(Elapsed(Duration::from_secs(125)).to_string(), "2 min 05 s");
    }
}
