//! Which session is whose, among the tabs of one browser.

use wasm_bindgen::JsValue;
use web_sys::Storage;

use super::{
    IndexedDbStore, SessionStore, StoreError, StoreFuture, StoreOperation,
    indexed_db::{database_name, databases, names},
    web_lock::{Locking, WebLock, lock},
};
use crate::{Options, SharedStore, driver::seed};

/// The session of this tab, and no other's.
///
/// Where the browser has Web Locks, a tab keeps its session over reloads. A duplicated tab does not get the session of
/// the first. A new tab takes over one that a closed tab left behind, with its unsent messages and its subscriptions
/// at the Server, before it begins one of its own; so there are never more sessions than there were tabs at a time.
///
/// Elsewhere, as on `http://192.168.…`, nothing tells tabs apart: there each load is a new Client, nothing is kept,
/// and [`Client::persistence`](crate::Client::persistence) says so.
///
/// ```no_run
/// use mqtt_web_client::{Client, Options, TabSession};
///
/// # async fn example() {
/// let tab = TabSession::claim("garden-").await;
/// let options = tab.apply_to(Options::new("wss://example.org/mqtt"));
/// let (client, events) = Client::connect(options);
/// # }
/// ```
pub struct TabSession {
    client_identifier: String,
    /// `None` where it is this load's only.
    lock: Option<WebLock>,
}

impl TabSession {
    /// Finds the session of this tab. `prefix` tells applications of the same origin apart, and begins every
    /// Client Identifier; 16 characters follow.
    pub async fn claim(prefix: &str) -> Self {
        let listed = match databases() {
            Some(databases) => databases.await.ok(),
            None => None,
        };
        let storage = session_storage();
        let key = database_name(prefix);
        let mut claimed = None;
        for (candidate, patience) in candidates(prefix, storage.as_ref(), &key, listed.as_ref()) {
            let (locking, _patience) = lock(&database_name(&candidate), patience);
            if let Locking::Held(lock) = locking.await {
                claimed = Some((candidate, lock));
                break;
            }
        }
        let Some((client_identifier, lock)) = claimed else {
            return Self {
                client_identifier: fresh(prefix),
                lock: None,
            };
        };
        if let Some(storage) = storage {
            // Without it the next load takes over what this one leaves behind.
            let _ = storage.set_item(&key, &client_identifier);
        }
        Self {
            client_identifier,
            lock: Some(lock),
        }
    }

    /// What the tab is called at the Server.
    #[must_use]
    pub fn client_identifier(&self) -> &str {
        &self.client_identifier
    }

    /// Whether the session outlives this load of the page, as far as is known before its store is opened.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.lock.is_some()
    }

    /// Makes the options those of this session.
    #[must_use]
    pub fn apply_to(self, mut options: Options) -> Options {
        let session_store = match self.lock {
            Some(lock) => {
                let store = IndexedDbStore::locked(&self.client_identifier, Some(lock));
                SharedStore::new(store)
            }
            None => SharedStore::new(NotSecure),
        };
        options.client_identifier = self.client_identifier;
        options.session_store = Some(session_store);
        options
    }
}

/// Sessions that may be this tab's, in the order in which they are tried, and how long each may take: the one that it
/// had before it was loaded again, those of other tabs that are closed, a new one.
fn candidates(
    prefix: &str,
    storage: Option<&Storage>,
    key: &str,
    databases: Option<&JsValue>,
) -> Vec<(String, u32)> {
    let mut candidates = Vec::new();
    let known = storage.and_then(|it| it.get_item(key).ok()?);
    if let Some(known) = known.filter(|known| known.starts_with(prefix)) {
        // A page that is reloaded may let go of its session only after the next one has begun.
        candidates.push((known, RELOAD_MILLISECONDS));
    }
    if let Some(databases) = databases {
        for name in names(databases, prefix) {
            candidates.push((name, AT_ONCE));
        }
    }
    candidates.push((fresh(prefix), RELOAD_MILLISECONDS));
    candidates
}

/// What there is where sessions cannot be told apart.
struct NotSecure;

impl SessionStore for NotSecure {
    fn load(&self, _: Box<dyn FnOnce(StoreError)>) -> StoreFuture<Vec<(u64, bytes::Bytes)>> {
        Box::pin(std::future::ready(Err(StoreError::NotSecure)))
    }

    fn write(&self, _: Vec<StoreOperation>) -> StoreFuture<()> {
        Box::pin(std::future::ready(Err(StoreError::NotSecure)))
    }

    fn erase(&self) -> StoreFuture<()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

fn session_storage() -> Option<Storage> {
    web_sys::window()?.session_storage().ok()?
}

/// A Client Identifier that nobody has. Not by `randomUUID`, which only secure contexts have.
fn fresh(prefix: &str) -> String {
    // A seed is of 53 bits.
    let mut random = seed() ^ seed() << 11;
    let mut name = String::from(prefix);
    for _ in 0..RANDOM_LEN {
        name.push(char::from(DIGITS[random as usize % DIGITS.len()]));
        random /= 16;
    }
    name
}

/// Of what follows the prefix in a Client Identifier, in hexadecimal digits.
pub(super) const RANDOM_LEN: usize = 16;
const DIGITS: &[u8; 16] = b"0123456789abcdef";
const RELOAD_MILLISECONDS: u32 = 1000;
const AT_ONCE: u32 = 50;
