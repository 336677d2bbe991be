//! Why the simulated field cannot start.

use std::{io, path::PathBuf};

/// Why the simulated field cannot start, in one line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file to replay cannot be opened.
    #[error("{}: {problem}; name another file with --replay, or leave it out", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the system says. No source, as the line says it already.
        problem: io::Error,
    },
    /// A line of the file to replay is not as it should be.
    #[error("{}:{line}: {problem}", file.display())]
    BrokenLine {
        /// Which file.
        file: PathBuf,
        /// Which line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// The first connection failed.
    #[error(
        "no MQTT broker at {broker}: {problem}; name another with --broker, or wait for it with --wait"
    )]
    Unreachable {
        /// Where it should be.
        broker: String,
        /// What the connection says.
        problem: String,
    },
    /// A pump was named that is not in the field.
    #[error("no pump is named {name} (--stuck-pump); there are {known} and all")]
    UnknownPump {
        /// As it was given.
        name: String,
        /// All names.
        known: String,
    },
}

/// What is wrong with a line of the file to replay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineProblem {
    /// The columns have other names.
    #[error("the first columns should be day,hour")]
    Header,
    /// The line has too few or too many fields.
    #[error("{expected} fields expected (day, hour and one for each probe), {found} found")]
    FieldCount {
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The line is no text.
    #[error("not UTF-8")]
    NotUtf8,
    /// The day or the hour is none.
    #[error("{day:?},{hour:?} is not a day like 2022-11-15 and an hour from 0 to 23")]
    Time {
        /// As it stands there.
        day: String,
        /// As it stands there.
        hour: String,
    },
    /// The line's time is not after that of the line before.
    #[error("not later than the line before")]
    Order,
    /// A value is no moisture.
    #[error("{column} is {value:?}, not a percentage from 0 to 100")]
    Value {
        /// Of which column.
        column: String,
        /// As it stands there.
        value: String,
    },
    /// There is nothing to replay.
    #[error("no measurements")]
    NoRows,
}
