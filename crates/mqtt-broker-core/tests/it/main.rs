//! The broker as its Clients see it: real packets in, real packets out, a clock that only the test moves.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at what it does not expect"
)]

mod aliases;
mod answers;
mod authentication;
mod connect;
mod cuts;
mod delivery;
mod disk;
mod flow;
mod hostile;
mod identity;
mod limits;
mod malformed;
mod model;
mod owner;
mod power_cuts;
mod random;
mod retained;
mod sessions;
mod shared;
mod subscriptions;
mod wills;
mod world;
