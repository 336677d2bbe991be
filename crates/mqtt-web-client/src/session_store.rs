//! The seam between the client and what keeps its session beyond the life of the page.

mod indexed_db;
mod memory;
mod tab;
mod web_lock;

pub use indexed_db::IndexedDbStore;
pub use memory::MemoryStore;
pub use tab::TabSession;

use std::pin::Pin;

use bytes::Bytes;
use js_sys::Reflect;
pub use mqtt_protocol::StoreOperation;
use wasm_bindgen::JsValue;

/// Keeps one session beyond the life of the page: a map from numbers to bytes.
///
/// It is one client's at a time; where that can be known, another is refused by [`StoreError::InUse`].
pub trait SessionStore {
    /// Gives everything that is kept. `on_lost` is to be called, at most once, if the store stops working by itself.
    fn load(&self, on_lost: Box<dyn FnOnce(StoreError)>) -> StoreFuture<Vec<(u64, Bytes)>>;

    /// Does all of these in their order, or none, after what it was given before; resolves when that is durable.
    /// It begins at once, as the page may end before the future is polled.
    fn write(&self, operations: Vec<StoreOperation>) -> StoreFuture<()>;

    /// Forgets everything, as far as that is possible; called after a [`write`](Self::write) has failed or the store
    /// was lost, as what was kept until then is of the past and must not be taken for the session by the next page.
    fn erase(&self) -> StoreFuture<()>;
}

/// What a [`SessionStore`] answers.
pub type StoreFuture<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>>>>;

/// Why a session is not kept, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The browser does not let this page keep anything.
    #[error("the browser does not let this page store anything")]
    Denied,
    /// There is no room left.
    #[error("the browser has no room left for this page")]
    Full,
    /// What was kept was deleted while it was in use.
    #[error("what this page had stored was deleted")]
    Deleted,
    /// Another client has this session.
    #[error("another tab has this session")]
    InUse,
    /// The page did not come over a secure connection, so that tabs cannot be told apart: each load is a new Client.
    #[error("the page did not come over a secure connection")]
    NotSecure,
    /// What is kept was written by a later version.
    #[error("what is stored is of a later version")]
    LaterVersion,
    /// No answer came in time.
    #[error("the browser's store does not answer")]
    Timeout,
    /// Something else, in the browser's words.
    #[error("the browser's store failed: {0}")]
    Failed(String),
}

/// Whether the session outlives the page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Persistence {
    /// It is not meant to.
    #[default]
    None,
    /// What an earlier page left is being read; no connection is made before.
    Loading,
    /// It does.
    Kept {
        /// Messages of an earlier page that go on.
        n_restored: usize,
        /// Messages of an earlier page that do not, as they could not be read or were for another broker.
        n_discarded: usize,
    },
    /// It does not any more: the client goes on without its store, and all that is unfinished ends with the page.
    Lost(StoreError),
}

/// What an object has under a name; a function once for all names.
#[inline(never)]
fn property(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok()
}

fn text(object: &JsValue, name: &str) -> Option<String> {
    property(object, name)?.as_string()
}
