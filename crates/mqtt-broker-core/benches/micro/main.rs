//! What the steps of a message's way cost without sockets: `cargo xtask bench micro` runs this and reads it.
//!
//! Each line of the output is a scenario and its nanoseconds.

mod codec;
mod measure;
mod topics;

fn main() {
    codec::measure_all();
    topics::measure_all();
}
