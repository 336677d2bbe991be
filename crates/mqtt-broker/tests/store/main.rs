//! The store on disks that lose power, fail, and are damaged.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests are tests, and a search says how far it came"
)]

mod cost;
mod damage;
mod directory;
mod failure;
mod power_cut;
mod world;
