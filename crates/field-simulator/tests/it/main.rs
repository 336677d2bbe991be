//! The program against a stranger's broker, watched and commanded by a stranger's clients.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod field;
mod harness;
mod pumps;
mod start;
