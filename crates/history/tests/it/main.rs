//! The history as whoever drives it sees it, on a store that loses power.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod bad_chunks;
mod disk;
mod fixture;
mod keeping;
mod random;
mod sealing;
mod truth;
mod windows;
mod world;
