//! A store that lasts as long as the page.

use std::{cell::RefCell, rc::Rc};

use bytes::Bytes;

use super::{SessionStore, StoreError, StoreFuture, StoreOperation};

/// A [`SessionStore`] in memory: a session outlives its client, but not the page. For tests, and for clients that
/// come and go within a page. Clones are the same store.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    /// Invariant: sorted by key.
    records: Vec<(u64, Bytes)>,
    failure: Option<StoreError>,
}

impl MemoryStore {
    /// Lets everything fail from here on, or work again.
    pub fn set_failure(&self, failure: Option<StoreError>) {
        self.0.borrow_mut().failure = failure;
    }

    /// Everything that is kept, in the order of its keys.
    #[must_use]
    pub fn records(&self) -> Vec<(u64, Bytes)> {
        self.0.borrow().records.clone()
    }

    /// Does all of these at once.
    ///
    /// # Errors
    ///
    /// What [`set_failure`](Self::set_failure) says.
    pub fn apply(&self, operations: Vec<StoreOperation>) -> Result<(), StoreError> {
        let mut state = self.0.borrow_mut();
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        let records = &mut state.records;
        for operation in operations {
            let (key, value) = match operation {
                StoreOperation::Put { key, value } => (key, Some(value)),
                StoreOperation::Remove { key } => (key, None),
            };
            let position = records.binary_search_by_key(&key, |(key, _)| *key);
            match (position, value) {
                (Ok(position), Some(value)) => records[position].1 = value.into(),
                (Err(position), Some(value)) => records.insert(position, (key, value.into())),
                (Ok(position), None) => drop(records.remove(position)),
                (Err(_), None) => {}
            }
        }
        Ok(())
    }
}

impl SessionStore for MemoryStore {
    fn load(&self, _on_lost: Box<dyn FnOnce(StoreError)>) -> StoreFuture<Vec<(u64, Bytes)>> {
        let state = self.0.borrow();
        let result = match &state.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(state.records.clone()),
        };
        Box::pin(std::future::ready(result))
    }

    fn write(&self, operations: Vec<StoreOperation>) -> StoreFuture<()> {
        Box::pin(std::future::ready(self.apply(operations)))
    }

    fn erase(&self) -> StoreFuture<()> {
        self.0.borrow_mut().records.clear();
        Box::pin(std::future::ready(Ok(())))
    }
}
