//! What the users of the crate see.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod arbitrary;
mod client;
mod codec;
