//! A store in the browser's IndexedDB.

use std::{cell::RefCell, rc::Rc};

use bytes::Bytes;
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue, prelude::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Event, EventTarget, IdbDatabase, IdbFactory, IdbObjectStore, IdbOpenDbRequest, IdbRequest,
    IdbTransaction,
};

use super::{
    SessionStore, StoreError, StoreFuture, StoreOperation, property, text,
    web_lock::{Locking, WebLock, lock},
};
use crate::receipt::{self, Receipt};

/// A [`SessionStore`] in the browser's IndexedDB: one database for each session.
///
/// Where the browser has Web Locks, which it has for pages that came over a secure connection, only one client at a
/// time has it; elsewhere the application has to see to that.
pub struct IndexedDbStore(Rc<Inner>);

struct Inner {
    name: String,
    lock: RefCell<Option<WebLock>>,
    connection: RefCell<Option<Connection>>,
}

/// A database that is open.
struct Connection {
    database: IdbDatabase,
    /// Kept as long as the database may call it.
    _on_end: Listener,
}

impl IndexedDbStore {
    /// The session of this name; nothing is opened yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::locked(name, None)
    }

    /// The same, with the lock on it.
    pub(super) fn locked(name: &str, lock: Option<WebLock>) -> Self {
        Self(Rc::new(Inner {
            name: database_name(name),
            lock: RefCell::new(lock),
            connection: RefCell::default(),
        }))
    }
}

impl SessionStore for IndexedDbStore {
    fn load(&self, on_lost: Box<dyn FnOnce(StoreError)>) -> StoreFuture<Vec<(u64, Bytes)>> {
        let inner = Rc::clone(&self.0);
        Box::pin(async move {
            if !inner.is_locked() {
                // A page that is reloaded may let go of it only after the next one has begun.
                let (locking, _patience) = lock(&inner.name, LOCK_PATIENCE_MILLISECONDS);
                inner.locked(locking.await)?;
            }
            let (request, _upgrade, opening) = inner.begin_open()?;
            let is_good = opening.is_good.await;
            inner.opened(&request, is_good, on_lost)?;
            let (reading, done) = inner.begin_read()?;
            let is_good = done.is_good.await;
            reading.records(is_good)
        })
    }

    fn write(&self, operations: Vec<StoreOperation>) -> StoreFuture<()> {
        let transaction = self.0.begin_write(&operations);
        Box::pin(async move {
            let (transaction, done) = transaction?;
            let is_good = done.is_good.await;
            completed(&transaction, is_good)
        })
    }

    fn erase(&self) -> StoreFuture<()> {
        let inner = Rc::clone(&self.0);
        Box::pin(async move {
            if let Some(connection) = inner.connection.take() {
                connection.database.close();
            }
            let request = factory()?.delete_database(&inner.name);
            let request = request.map_err(store_error)?;
            let is_good = outcome_of(&request).is_good.await;
            succeeded(&request, is_good).map(drop)
        })
    }
}

impl Inner {
    fn is_locked(&self) -> bool {
        self.lock.borrow().is_some()
    }

    fn locked(&self, locking: Locking) -> Result<(), StoreError> {
        match locking {
            Locking::Held(lock) => {
                self.lock.replace(Some(lock));
                Ok(())
            }
            Locking::Taken => Err(StoreError::InUse),
            Locking::Unsupported => Ok(()),
        }
    }

    fn begin_open(&self) -> Result<(IdbOpenDbRequest, Listener, Outcome), StoreError> {
        let request = factory()?.open_with_u32(&self.name, VERSION);
        let request = request.map_err(store_error)?;
        let upgrade = upgrade(&request);
        let outcome = outcome_of(&request);
        Ok((request, upgrade, outcome))
    }

    fn opened(
        &self,
        request: &IdbOpenDbRequest,
        is_good: bool,
        on_lost: Box<dyn FnOnce(StoreError)>,
    ) -> Result<(), StoreError> {
        let database: IdbDatabase = succeeded(request, is_good)?.unchecked_into();
        let mut on_lost = Some(on_lost);
        let closing = database.clone();
        let on_end = move |_| {
            // Somebody deletes the database or wants another version of it: they wait for this.
            closing.close();
            if let Some(on_lost) = on_lost.take() {
                on_lost(StoreError::Deleted);
            }
        };
        let on_end = Listener::new(&database, &["versionchange", "close"], Box::new(on_end));
        self.connection.replace(Some(Connection {
            database,
            _on_end: on_end,
        }));
        Ok(())
    }

    fn begin_read(&self) -> Result<(Reading, Outcome), StoreError> {
        let (transaction, records) = self.begin("readonly")?;
        let done = Outcome::of(&transaction, &["complete", "abort"]);
        let reading = Reading {
            keys: records.get_all_keys().map_err(store_error)?,
            values: records.get_all().map_err(store_error)?,
            transaction,
        };
        Ok((reading, done))
    }

    /// Puts everything into one transaction at once: it commits by itself as soon as something else is waited for.
    fn begin_write(
        &self,
        operations: &[StoreOperation],
    ) -> Result<(IdbTransaction, Outcome), StoreError> {
        let (transaction, records) = self.begin("readwrite")?;
        let done = Outcome::of(&transaction, &["complete", "abort"]);
        for operation in operations {
            let request = match operation {
                StoreOperation::Put { key, value } => records.put_with_key(
                    &Uint8Array::from(value.as_slice()),
                    &JsValue::from_f64(*key as f64),
                ),
                StoreOperation::Remove { key } => records.delete(&JsValue::from_f64(*key as f64)),
            };
            if let Err(error) = request {
                // It fails only where the transaction is over already.
                let _ = transaction.abort();
                return Err(store_error(error));
            }
        }
        Ok((transaction, done))
    }

    fn begin(&self, mode: &str) -> Result<(IdbTransaction, IdbObjectStore), StoreError> {
        let connection = self.connection.borrow();
        let database = &connection.as_ref().ok_or(StoreError::Deleted)?.database;
        let begin = || -> Result<(IdbTransaction, IdbObjectStore), JsValue> {
            // Browsers that do not know the durability ignore it.
            let options = Object::new();
            Reflect::set(&options, &"durability".into(), &"strict".into())?;
            let transaction = property(database, "transaction").unwrap_or_default();
            let transaction = transaction
                .unchecked_into::<Function>()
                .call3(database, &RECORDS.into(), &mode.into(), &options)?
                .unchecked_into::<IdbTransaction>();
            let records = transaction.object_store(RECORDS)?;
            Ok((transaction, records))
        };
        begin().map_err(store_error)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.database.close();
        }
    }
}

/// What was asked of a store.
struct Reading {
    transaction: IdbTransaction,
    keys: IdbRequest,
    values: IdbRequest,
}

impl Reading {
    /// The answers, once they are there.
    fn records(&self, is_good: bool) -> Result<Vec<(u64, Bytes)>, StoreError> {
        completed(&self.transaction, is_good)?;
        let keys = self.keys.result().map_err(store_error)?;
        let values = self.values.result().map_err(store_error)?;
        let (keys, values): (Array, Array) = (keys.unchecked_into(), values.unchecked_into());
        let mut records = Vec::new();
        for index in 0..keys.length() {
            let (key, value) = (keys.get(index), values.get(index));
            if let (Some(key), Ok(value)) = (key.as_f64(), value.dyn_into::<Uint8Array>()) {
                records.push((key as u64, Bytes::from(value.to_vec())));
            }
        }
        Ok(records)
    }
}

/// Makes a new database when there is none.
fn upgrade(request: &IdbOpenDbRequest) -> Listener {
    let opening = request.clone();
    let upgrade = move |_| {
        if let Ok(database) = opening.result() {
            // It fails only where the store is there already.
            let _ = database
                .unchecked_into::<IdbDatabase>()
                .create_object_store(RECORDS);
        }
    };
    Listener::new(request, &["upgradeneeded"], Box::new(upgrade))
}

/// The databases that there are, as far as the browser tells.
pub(super) fn databases() -> Option<JsFuture> {
    let factory = factory().ok()?;
    // Where there is no such function the call fails.
    let databases = property(&factory, "databases")?.unchecked_into::<Function>();
    let databases = databases.call0(&factory).ok()?;
    Some(JsFuture::from(databases.unchecked_into::<Promise>()))
}

/// The names with this prefix of the sessions that have one of these databases.
pub(super) fn names(databases: &JsValue, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    let databases = databases.unchecked_ref::<Array>();
    for index in 0..databases.length() {
        names.extend(session_name(&databases.get(index), prefix));
    }
    names
}

/// The session that a database is of, if it is one of this prefix and not of one that begins alike.
fn session_name(database: &JsValue, prefix: &str) -> Option<String> {
    let name = text(database, "name")?;
    let session = name.strip_prefix(PREFIX)?;
    is_of_prefix(session, prefix).then(|| session.to_owned())
}

fn is_of_prefix(session: &str, prefix: &str) -> bool {
    session.strip_prefix(prefix).is_some_and(|rest| {
        rest.len() == super::tab::RANDOM_LEN && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// What the database of a session is called, and the lock on it.
pub(super) fn database_name(session: &str) -> String {
    String::from(PREFIX) + session
}

fn factory() -> Result<IdbFactory, StoreError> {
    let window = web_sys::window().ok_or(StoreError::Denied)?;
    let factory = window.indexed_db().map_err(store_error)?;
    factory.ok_or(StoreError::Denied)
}

fn outcome_of(request: &IdbOpenDbRequest) -> Outcome {
    Outcome::of(request, &["success", "error"])
}

/// What came of a request.
fn succeeded(request: &IdbOpenDbRequest, is_good: bool) -> Result<JsValue, StoreError> {
    if is_good {
        return request.result().map_err(store_error);
    }
    let error = request.error().map_err(store_error)?;
    Err(store_error(error.map_or(JsValue::UNDEFINED, Into::into)))
}

/// What came of a transaction.
fn completed(transaction: &IdbTransaction, is_good: bool) -> Result<(), StoreError> {
    if is_good {
        return Ok(());
    }
    // There is no error where the transaction was aborted because the database was closed.
    let error = transaction.error();
    Err(error.map_or(StoreError::Deleted, |error| store_error(error.into())))
}

/// How something ends.
struct Outcome {
    _listener: Listener,
    is_good: Receipt<bool>,
}

impl Outcome {
    /// It ends with one of these events, of which the first is the good one.
    fn of(target: &EventTarget, event_types: &'static [&'static str; 2]) -> Self {
        let (answer, is_good) = receipt::pair();
        let mut answer = Some(answer);
        let callback = move |event: Event| {
            if let Some(answer) = answer.take() {
                answer.give(event.type_() == event_types[0]);
            }
        };
        Self {
            _listener: Listener::new(target, event_types, Box::new(callback)),
            is_good,
        }
    }
}

/// Listens until it is dropped.
struct Listener {
    target: EventTarget,
    event_types: &'static [&'static str],
    closure: Closure<dyn FnMut(Event)>,
}

impl Listener {
    fn new(
        target: &EventTarget,
        event_types: &'static [&'static str],
        callback: Box<dyn FnMut(Event)>,
    ) -> Self {
        let closure = Closure::wrap(callback);
        for event_type in event_types {
            let callback = closure.as_ref().unchecked_ref();
            // It fails for no arguments of these types.
            let _ = target.add_event_listener_with_callback(event_type, callback);
        }
        Self {
            target: target.clone(),
            event_types,
            closure,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        for event_type in self.event_types {
            let callback = self.closure.as_ref().unchecked_ref();
            // The same.
            let _ = self
                .target
                .remove_event_listener_with_callback(event_type, callback);
        }
    }
}

/// What a DOMException means for us.
fn store_error(error: JsValue) -> StoreError {
    match text(&error, "name").unwrap_or_default().as_str() {
        "QuotaExceededError" => StoreError::Full,
        "SecurityError" | "NotAllowedError" => StoreError::Denied,
        // The database is closing or gone.
        "InvalidStateError" | "NotFoundError" => StoreError::Deleted,
        "VersionError" => StoreError::LaterVersion,
        _ => StoreError::Failed(text(&error, "message").unwrap_or_default()),
    }
}

/// Of the database's structure.
const VERSION: u32 = 1;
const PREFIX: &str = "mqtt-session ";
const RECORDS: &str = "records";
const LOCK_PATIENCE_MILLISECONDS: u32 = 2000;
