//! What the store's task does, step by step and on a clock of the caller's own, for tests that decide when.

use std::time::Duration;

use mqtt_broker_core::{Broker, StoreOperation};
use mqtt_protocol::Instant;

use crate::{
    Restored, Settings,
    keeper::{self, Keeper},
    store::{Store, StoreError},
    store_clock::Reading,
};

/// A store with what gathers for it.
pub struct StoreTask(Keeper);

impl StoreTask {
    /// Makes a broker of what the store has, and says what time it is for it.
    ///
    /// # Errors
    /// What the store said.
    pub fn start(
        settings: &Settings,
        seed: u64,
        mut store: Box<dyn Store>,
        wall: Duration,
    ) -> Result<(Self, Broker, Instant, Restored), StoreError> {
        let clocks = Reading::of_wall(Instant::START, wall);
        let (broker, now, restored) = keeper::restore(settings, seed, &mut *store, &clocks)?;
        Ok((Self(Keeper::new(store)), broker, now, restored))
    }

    /// Makes these operations durable, with those of earlier attempts that failed.
    ///
    /// # Errors
    /// What the store said; the next attempt writes them again.
    pub fn write(
        &mut self,
        operations: Vec<StoreOperation>,
        now: Instant,
        wall: Duration,
    ) -> Result<(), StoreError> {
        self.0.write(operations, &Reading::of_wall(now, wall))
    }
}

impl std::fmt::Debug for StoreTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreTask").finish_non_exhaustive()
    }
}
