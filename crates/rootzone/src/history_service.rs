//! The history in a running broker: what probes say is kept, and whoever asks gets it.

mod answer;
mod inquiry;
mod limits;
mod probes;
mod recorder;
mod request;
mod responder;
mod shared;
mod store;
mod upkeep;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use history::{CorruptRecord, Counters};
use mqtt_broker::{
    Server,
    store::{RedbStore, StoreError, StoreReader},
};

pub(crate) use self::{
    limits::HistoryLimits,
    shared::{restore, write_to},
    store::ViewReader,
};
use self::{
    recorder::FieldRecorder, responder::Queue, shared::Shared, store::HistoryStore, upkeep::keep_up,
};
use crate::wall_clock;

/// A history that is not yet part of a server.
pub(crate) struct HistoryService {
    shared: Arc<Shared>,
    reader: StoreReader,
    limits: HistoryLimits,
    /// Records that cannot be read and are left out.
    pub(crate) corrupt: Vec<CorruptRecord>,
}

impl HistoryService {
    /// Restores the history that a store has, and gives the store that a server is to write to instead.
    pub(crate) fn open(
        mut store: RedbStore,
        limits: HistoryLimits,
    ) -> Result<(Self, HistoryStore), StoreError> {
        let (history, corrupt) = restore(&mut store, limits.settings(), wall_clock::now())?;
        let shared = Arc::new(Shared::new(history, wall_clock::now));
        let service = Self {
            shared: Arc::clone(&shared),
            reader: store.reader(),
            limits,
            corrupt,
        };
        Ok((service, HistoryStore::new(store, shared)))
    }

    /// Lets a server keep what is said to it, and answer. It must write to the store of this history.
    pub(crate) fn serve(self, server: &Server) -> HistoryCounting {
        let recorder = FieldRecorder::new(Arc::clone(&self.shared), self.limits.series);
        server.set_recorder(Box::new(recorder));
        let queue = Queue::new(
            Arc::clone(&self.shared),
            self.reader.clone(),
            self.limits,
            server.clone(),
        );
        server.set_responder(Box::new(queue));
        tokio::spawn(keep_up(
            Arc::clone(&self.shared),
            self.reader,
            server.clone(),
        ));
        HistoryCounting(self.shared)
    }
}

/// Tells how the history goes.
#[derive(Debug, Clone)]
pub(crate) struct HistoryCounting(Arc<Shared>);

/// The numbers of a history; all 0 without one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct HistoryCounters {
    pub(crate) history: Counters,
    pub(crate) n_series: u64,
    /// Readings of new series where there were too many already.
    pub(crate) beyond_series: u64,
    /// Requests that were understood.
    pub(crate) requests: u64,
    /// Those that had something wrong, in all or in one series.
    pub(crate) bad_requests: u64,
    /// Payloads of the answers that were sent.
    pub(crate) answer_bytes: u64,
}

impl HistoryCounting {
    pub(crate) fn counters(&self) -> HistoryCounters {
        self.0.counters()
    }
}
