//! A store in the browser's IndexedDB.

use std::{cell::RefCell, rc::Rc};

use bytes::Bytes;
use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue, prelude::Closure};
use web_sys::{
    Event, EventTarget, IdbDatabase, IdbFactory, IdbObjectStore, IdbOpenDbRequest, IdbRequest,
    IdbTransaction,
};

use super::{
    SessionStore, StoreError, StoreFuture, StoreOperation,
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
            inner.lock().await?;
            inner.open(on_lost).await?;
            inner.read().await
        })
    }

    fn write(&self, operations: Vec<StoreOperation>) -> StoreFuture<()> {
        let transaction = self.0.begin_write(&operations);
        Box::pin(async move {
            let (transaction, done) = transaction?;
            done.complete(&transaction).await
        })
    }

    fn erase(&self) -> StoreFuture<()> {
        let inner = Rc::clone(&self.0);
        Box::pin(async move {
            if let Some(connection) = inner.connection.take() {
                connection.database.close();
            }
            let request = factory()?.delete_database(&inner.name);
            let request = request.map_err(|error| store_error(&error))?;
            succeeded(&request).await.map(drop)
        })
    }
}

impl Inner {
    async fn lock(&self) -> Result<(), StoreError> {
        if self.lock.borrow().is_some() {
            return Ok(());
        }
        // A page that is reloaded may let go of it only after the next one has begun.
        match lock(&self.name, LOCK_PATIENCE_MILLISECONDS).await {
            Locking::Held(lock) => {
                self.lock.replace(Some(lock));
                Ok(())
            }
            Locking::Taken => Err(StoreError::InUse),
            Locking::Unsupported => Ok(()),
        }
    }

    async fn open(&self, on_lost: Box<dyn FnOnce(StoreError)>) -> Result<(), StoreError> {
        let request = factory()?.open_with_u32(&self.name, VERSION);
        let request = request.map_err(|error| store_error(&error))?;
        let opening = request.clone();
        let upgrade = Listener::new(&request, &["upgradeneeded"], move |_| {
            if let Ok(database) = opening.result() {
                // It fails only where the store is there already.
                let _ = database
                    .unchecked_into::<IdbDatabase>()
                    .create_object_store(RECORDS);
            }
        });
        let database: IdbDatabase = succeeded(&request).await?.unchecked_into();
        drop(upgrade);
        let mut on_lost = Some(on_lost);
        let closing = database.clone();
        let on_end = Listener::new(&database, &["versionchange", "close"], move |_| {
            // Somebody deletes the database or wants another version of it: they wait for this.
            closing.close();
            if let Some(on_lost) = on_lost.take() {
                on_lost(StoreError::Deleted);
            }
        });
        self.connection.replace(Some(Connection {
            database,
            _on_end: on_end,
        }));
        Ok(())
    }

    async fn read(&self) -> Result<Vec<(u64, Bytes)>, StoreError> {
        let (transaction, records) = self.begin("readonly")?;
        let done = Done::of(&transaction);
        let keys = records
            .get_all_keys()
            .map_err(|error| store_error(&error))?;
        let values = records.get_all().map_err(|error| store_error(&error))?;
        done.complete(&transaction).await?;
        let all = |request: &IdbRequest| -> Result<Array, StoreError> {
            let result = request.result().map_err(|error| store_error(&error))?;
            Ok(result.unchecked_into())
        };
        let (keys, values) = (all(&keys)?, all(&values)?);
        let records = keys.iter().zip(values.iter());
        let records = records.filter_map(|(key, value)| {
            let value = value.dyn_into::<Uint8Array>().ok()?;
            Some((key.as_f64()? as u64, Bytes::from(value.to_vec())))
        });
        Ok(records.collect())
    }

    /// Puts everything into one transaction at once: it commits by itself as soon as something else is waited for.
    fn begin_write(
        &self,
        operations: &[StoreOperation],
    ) -> Result<(IdbTransaction, Done), StoreError> {
        let (transaction, records) = self.begin("readwrite")?;
        let done = Done::of(&transaction);
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
                return Err(store_error(&error));
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
            let transaction = Reflect::get(database, &"transaction".into())?
                .unchecked_into::<Function>()
                .call3(database, &RECORDS.into(), &mode.into(), &options)?
                .unchecked_into::<IdbTransaction>();
            let records = transaction.object_store(RECORDS)?;
            Ok((transaction, records))
        };
        begin().map_err(|error| store_error(&error))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.database.close();
        }
    }
}

/// The names of the sessions that have a database, as far as the browser tells.
pub(super) async fn names() -> Vec<String> {
    let databases = async {
        let factory = factory().ok()?;
        let databases = Reflect::get(&factory, &"databases".into()).ok()?;
        let databases = databases
            .dyn_into::<Function>()
            .ok()?
            .call0(&factory)
            .ok()?;
        let promise = databases.dyn_into::<js_sys::Promise>().ok()?;
        let databases = wasm_bindgen_futures::JsFuture::from(promise).await.ok()?;
        databases.dyn_into::<Array>().ok()
    };
    let databases = databases.await.unwrap_or_default();
    let names = databases.iter().filter_map(|database| {
        let name = Reflect::get(&database, &"name".into()).ok()?.as_string()?;
        Some(name.strip_prefix(PREFIX)?.to_owned())
    });
    names.collect()
}

/// What the database of a session is called, and the lock on it.
pub(super) fn database_name(session: &str) -> String {
    [PREFIX, session].concat()
}

fn factory() -> Result<IdbFactory, StoreError> {
    let window = web_sys::window().ok_or(StoreError::Denied)?;
    let factory = window.indexed_db().map_err(|error| store_error(&error))?;
    factory.ok_or(StoreError::Denied)
}

/// Waits for a request.
async fn succeeded(request: &IdbOpenDbRequest) -> Result<JsValue, StoreError> {
    let (answer, receipt) = receipt::pair();
    let mut answer = Some(answer);
    let _listener = Listener::new(request, &["success", "error"], move |event| {
        if let Some(answer) = answer.take() {
            answer.give(event.type_() == "success");
        }
    });
    let result = match receipt.await {
        true => return request.result().map_err(|error| store_error(&error)),
        false => request.error().map_err(|error| store_error(&error))?,
    };
    Err(store_error(&result.map_or(JsValue::UNDEFINED, Into::into)))
}

/// The end of a transaction.
struct Done {
    _listener: Listener,
    is_complete: Receipt<bool>,
}

impl Done {
    fn of(transaction: &IdbTransaction) -> Self {
        let (answer, is_complete) = receipt::pair();
        let mut answer = Some(answer);
        let listener = Listener::new(transaction, &["complete", "abort"], move |event| {
            if let Some(answer) = answer.take() {
                answer.give(event.type_() == "complete");
            }
        });
        Self {
            _listener: listener,
            is_complete,
        }
    }

    async fn complete(self, transaction: &IdbTransaction) -> Result<(), StoreError> {
        if self.is_complete.await {
            return Ok(());
        }
        // There is no error where the transaction was aborted because the database was closed.
        let error = transaction.error();
        Err(error.map_or(StoreError::Deleted, |error| store_error(&error)))
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
        callback: impl FnMut(Event) + 'static,
    ) -> Self {
        let closure = Closure::<dyn FnMut(Event)>::new(callback);
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
fn store_error(error: &JsValue) -> StoreError {
    let text = |property: &str| {
        let text = Reflect::get(error, &property.into()).ok();
        text.and_then(|text| text.as_string()).unwrap_or_default()
    };
    match text("name").as_str() {
        "QuotaExceededError" => StoreError::Full,
        "SecurityError" | "NotAllowedError" => StoreError::Denied,
        // The database is closing or gone.
        "InvalidStateError" | "NotFoundError" => StoreError::Deleted,
        "VersionError" => StoreError::LaterVersion,
        _ => StoreError::Failed(text("message")),
    }
}

/// Of the database's structure.
const VERSION: u32 = 1;
const PREFIX: &str = "mqtt-session ";
const RECORDS: &str = "records";
const LOCK_PATIENCE_MILLISECONDS: u32 = 2000;
