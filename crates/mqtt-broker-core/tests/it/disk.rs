//! What a store would hold, and what it has still to write.

use std::{collections::BTreeMap, mem};

use mqtt_broker_core::{Broker, Restoration, Settings, StoreOperation};
use mqtt_protocol::Instant;

/// Entries that survive a power cut, and operations that would be lost.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    pending: Vec<StoreOperation>,
    /// How many operations are durable.
    n_durable: u64,
    is_damaged: bool,
}

impl Disk {
    /// Takes what the broker has for its store.
    pub(crate) fn take_from(&mut self, broker: &mut Broker) {
        self.pending.extend(broker.take_store_operations());
    }

    pub(crate) fn n_durable(&self) -> u64 {
        self.n_durable
    }

    /// Makes everything durable.
    pub(crate) fn commit(&mut self) {
        self.n_durable += self.pending.len() as u64;
        for operation in self.pending.drain(..) {
            let mut key = Vec::new();
            let mut value = Vec::new();
            match operation {
                StoreOperation::Insert(record) => {
                    record.key().encode(&mut key);
                    record.encode(&mut value);
                    let previous = self.entries.insert(key, value);
                    assert_eq!(previous, None, "what is inserted is new: {record:?}");
                }
                StoreOperation::Update(record) => {
                    record.key().encode(&mut key);
                    record.encode(&mut value);
                    self.entries.insert(key, value);
                }
                StoreOperation::Remove(name) => {
                    name.encode(&mut key);
                    self.entries.remove(&key);
                }
                // They would write their own.
                StoreOperation::Others => {}
            }
        }
    }

    /// The power goes: makes a broker of what is durable.
    pub(crate) fn restart(&mut self, settings: Settings, now: Instant) -> Broker {
        self.pending.clear();
        self.n_durable = 0;
        let mut restoration = Restoration::new(settings, 7);
        let is_damaged = mem::take(&mut self.is_damaged);
        for (key, value) in &self.entries {
            let outcome = restoration.add(key, value);
            assert!(
                outcome.is_ok() || is_damaged,
                "what was stored can be read: {outcome:?}"
            );
        }
        restoration.finish(now)
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The records.
    pub(crate) fn entries(&self) -> &BTreeMap<Vec<u8>, Vec<u8>> {
        &self.entries
    }

    /// The records, for a test that damages them. Only the next start may find some that cannot be read.
    pub(crate) fn damage(&mut self) -> &mut BTreeMap<Vec<u8>, Vec<u8>> {
        self.is_damaged = true;
        &mut self.entries
    }
}
