//! Load for an MQTT broker, from one thread that is far cheaper than any broker.
//!
//! Packets are encoded before the measurement begins, a wait for readiness is shared by all sockets, and a read or a
//! write carries as many packets as there are.
//! What comes back is parsed just enough to count it and to answer it; the codec is this crate's own, so that it does
//! not share a mistake with the broker that it measures.
//!
//! [`run`] plays a [`Plan`] and gives a [`Report`]; [`hold_idle`] measures the memory of connections that do nothing;
//! [`run_durable`] waits for each acknowledgement, and for sessions that may be away.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod batch;
mod connection;
mod durable;
mod error;
mod group;
mod idle;
mod link;
mod pacer;
mod packet;
mod plan;
mod report;
mod run;
mod usage;
mod websocket;

pub use crate::{
    durable::{DurablePlan, DurableReport, run_durable},
    error::Error,
    idle::{IdleReport, hold_idle},
    plan::{Extent, Pace, Plan, QoS, Shape, Target, Transport, Version},
    report::Report,
    run::run,
    usage::{CpuTime, Process},
};
