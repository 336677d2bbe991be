//! What the users of the crate see.

#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, in its helpers too"
)]

mod arbitrary;
mod client;
mod codec;
mod reason_codes;
