use js_sys::{Function, Promise, Reflect};
use mqtt_protocol::{Connect, Packet};
use mqtt_web_client::{
    Bytes, Client, Event, Events, IndexedDbStore, Options, Persistence, Publication, QoS,
    QueuePolicy, SessionStore, SharedStore, Status, StopReason, StoreError, StoreOperation,
    TabSession, TopicName,
};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{connected, in_page_server::InPageServer, next, status, tick, within_10_s};

/// A database that no other test has.
fn name() -> String {
    format!("test-{}", js_sys::Math::random())
}

fn put(key: u64, value: &[u8]) -> StoreOperation {
    let value = value.to_vec();
    StoreOperation::Put { key, value }
}

async fn load(store: &IndexedDbStore) -> Result<Vec<(u64, Bytes)>, StoreError> {
    within_10_s(store.load(Box::new(|_| {}))).await
}

fn connect(server: &InPageServer, name: &str) -> (Client, Events) {
    let options = Options {
        client_identifier: "tab".to_owned(),
        session_store: Some(SharedStore::new(IndexedDbStore::new(name))),
        ..InPageServer::options()
    };
    Client::connect_over(server.transport(), options)
}

fn exactly_once(payload: &'static str) -> Publication {
    Publication {
        qos: QoS::ExactlyOnce,
        queue: QueuePolicy::WhileDisconnected,
        ..Publication::new(TopicName::new("a/b").unwrap(), payload)
    }
}

async fn persistence(events: &mut Events) -> Persistence {
    next(events, |event| {
        let Event::Persistence(persistence) = event else {
            return None;
        };
        Some(persistence)
    })
    .await
}

/// Waits until the Server has this many PUBLISH packets; gives (DUP, identifier, payload) of each.
async fn published(server: &InPageServer, n: usize) -> Vec<(bool, u16, Bytes)> {
    let mut published = Vec::new();
    let all = async {
        while published.len() < n {
            tick().await;
            for packet in server.take_received() {
                if let Packet::Publish(publish) = packet {
                    let identifier = publish.packet_identifier.map_or(0, |it| it.value());
                    published.push((publish.dup, identifier, publish.payload));
                }
            }
        }
    };
    within_10_s(all).await;
    published
}

fn take_connect(server: &InPageServer) -> Connect {
    let received = server.take_received();
    let Some(Packet::Connect(connect)) = received.into_iter().next() else {
        panic!("no CONNECT came")
    };
    *connect
}

/// Deletes a database behind the back of whoever has it open; resolves when it is gone.
async fn delete_database(name: &str) {
    let factory = web_sys::window().unwrap().indexed_db().unwrap().unwrap();
    let request = factory.delete_database(name).unwrap();
    let promise = Promise::new(&mut |resolve, _| {
        request.set_onsuccess(Some(resolve.unchecked_ref()));
    });
    within_10_s(wasm_bindgen_futures::JsFuture::from(promise))
        .await
        .unwrap();
}

#[wasm_bindgen_test]
async fn what_is_stored_is_found_by_the_next() {
    let name = name();
    let store = IndexedDbStore::new(&name);
    assert_eq!(load(&store).await, Ok(vec![]));
    let large = 1 << 52;
    let operations = vec![put(7, b"seven"), put(large, b""), put(8, b"eight")];
    within_10_s(store.write(operations)).await.unwrap();
    let operations = vec![put(7, b"VII"), StoreOperation::Remove { key: 8 }];
    within_10_s(store.write(operations)).await.unwrap();
    drop(store);
    let store = IndexedDbStore::new(&name);
    let found = vec![(7, Bytes::from_static(b"VII")), (large, Bytes::new())];
    assert_eq!(load(&store).await, Ok(found));
    within_10_s(store.erase()).await.unwrap();
    drop(store);
    assert_eq!(load(&IndexedDbStore::new(&name)).await, Ok(vec![]));
}

#[wasm_bindgen_test]
async fn writes_that_overlap_are_done_in_their_order() {
    let name = name();
    let store = IndexedDbStore::new(&name);
    load(&store).await.unwrap();
    let writes: Vec<_> = (0..50_u8)
        .map(|n| store.write(vec![put(1, &[n])]))
        .collect();
    drop(store);
    for write in writes {
        within_10_s(write).await.unwrap();
    }
    let found = load(&IndexedDbStore::new(&name)).await.unwrap();
    assert_eq!(found, [(1, Bytes::from_static(&[49]))]);
}

#[wasm_bindgen_test]
async fn a_reload_goes_on_with_what_was_sent() {
    let (name, server) = (name(), InPageServer::silent());
    let (client, mut events) = connect(&server, &name);
    connected(&mut events).await;
    for payload in ["1", "2"] {
        drop(client.publish(exactly_once(payload)));
    }
    let sent = published(&server, 2).await;
    assert_eq!(sent, [(false, 1, "1".into()), (false, 2, "2".into())]);
    drop(client);
    drop(events);
    server.take_received();

    let (client, mut events) = connect(&server, &name);
    let restored = Persistence::Kept {
        n_restored: 2,
        n_discarded: 0,
    };
    assert_eq!(persistence(&mut events).await, restored);
    connected(&mut events).await;
    assert_eq!(client.persistence(), restored);
    drop(client.publish(exactly_once("3")));
    let sent = published(&server, 3).await;
    let again = [(true, 1, "1".into()), (true, 2, "2".into())];
    assert_eq!(sent, [&again[..], &[(false, 3, "3".into())]].concat());
}

#[wasm_bindgen_test]
async fn a_reload_connects_without_clean_start() {
    let (name, server) = (name(), InPageServer::silent());
    for is_clean in [true, false] {
        let (client, mut events) = connect(&server, &name);
        connected(&mut events).await;
        assert_eq!(take_connect(&server).clean_start, is_clean);
        // What was noted of the connection is written when the client is dropped.
        drop(client);
        server.take_received();
    }
}

#[wasm_bindgen_test]
async fn what_was_published_offline_goes_on_after_a_reload() {
    let (name, server) = (name(), InPageServer::silent());
    let (client, mut events) = connect(&server, &name);
    connected(&mut events).await;
    server.cut();
    status(&mut events, |status| !status.is_connected()).await;
    drop(client.publish(exactly_once("late")));
    drop(client);
    server.take_received();
    let (_client, mut events) = connect(&server, &name);
    connected(&mut events).await;
    let sent = published(&server, 1).await;
    assert_eq!(sent[0].2, "late");
}

#[wasm_bindgen_test]
async fn a_database_that_is_deleted_while_open_is_told_and_the_client_works_on() {
    let (name, server) = (name(), InPageServer::default());
    let (client, mut events) = connect(&server, &name);
    connected(&mut events).await;
    assert!(matches!(client.persistence(), Persistence::Kept { .. }));
    delete_database(&format!("mqtt-session {name}")).await;
    let lost = next(&mut events, |event| {
        matches!(
            event,
            Event::Persistence(Persistence::Lost(StoreError::Deleted))
        )
        .then_some(())
    });
    lost.await;
    let publication = Publication {
        qos: QoS::AtLeastOnce,
        ..exactly_once("on")
    };
    within_10_s(client.publish(publication)).await.unwrap();
}

/// Replaces a function of the browser's until it is dropped.
struct Replaced {
    object: JsValue,
    property: &'static str,
    original: JsValue,
}

impl Replaced {
    fn new(object: JsValue, property: &'static str, body: &str) -> Self {
        let original = Reflect::get(&object, &property.into()).unwrap();
        let function = Function::new_no_args(body);
        Reflect::set(&object, &property.into(), &function).unwrap();
        Self {
            object,
            property,
            original,
        }
    }

    fn of_prototype(class: &str, property: &'static str, body: &str) -> Self {
        let class = Reflect::get(&js_sys::global(), &class.into()).unwrap();
        let prototype = Reflect::get(&class, &"prototype".into()).unwrap();
        Self::new(prototype, property, body)
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        Reflect::set(&self.object, &self.property.into(), &self.original).unwrap();
    }
}

#[wasm_bindgen_test]
async fn a_store_that_is_denied_is_told_and_the_client_works_without() {
    let body = "throw new DOMException('no', 'SecurityError')";
    let replaced = Replaced::of_prototype("IDBFactory", "open", body);
    let (client, mut events) = connect(&InPageServer::default(), &name());
    let lost = Persistence::Lost(StoreError::Denied);
    assert_eq!(persistence(&mut events).await, lost);
    drop(replaced);
    connected(&mut events).await;
    let publication = Publication {
        qos: QoS::AtLeastOnce,
        ..exactly_once("on")
    };
    within_10_s(client.publish(publication)).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_store_that_is_full_is_told_erased_and_holds_nothing_up() {
    let (name, server) = (name(), InPageServer::silent());
    let (client, mut events) = connect(&server, &name);
    connected(&mut events).await;
    drop(client.publish(exactly_once("1")));
    published(&server, 1).await;
    let body = "throw new DOMException('no', 'QuotaExceededError')";
    let replaced = Replaced::of_prototype("IDBObjectStore", "put", body);
    drop(client.publish(exactly_once("2")));
    let lost = Persistence::Lost(StoreError::Full);
    assert_eq!(persistence(&mut events).await, lost);
    drop(replaced);
    let sent = published(&server, 1).await;
    assert_eq!(sent, [(false, 2, "2".into())]);
    drop(client);
    // What was stored before is of the past, and is not found.
    let (_client, mut events) = connect(&server, &name);
    let fresh = Persistence::Kept {
        n_restored: 0,
        n_discarded: 0,
    };
    assert_eq!(persistence(&mut events).await, fresh);
}

#[wasm_bindgen_test]
async fn of_two_clients_that_want_the_same_session_the_second_does_not_connect() {
    let (name, server) = (name(), InPageServer::default());
    let (first, mut events) = connect(&server, &name);
    connected(&mut events).await;
    let (second, mut events_of_second) = connect(&server, &name);
    let reason = StopReason::SessionInUse;
    status(&mut events_of_second, |status| {
        *status == Status::Stopped { reason }
    })
    .await;
    assert_eq!(second.persistence(), Persistence::Lost(StoreError::InUse));
    assert!(first.status().is_connected());
}

#[wasm_bindgen_test]
async fn a_tab_keeps_its_session_and_a_duplicate_gets_another() {
    let prefix = format!("{}-", (js_sys::Math::random() * 1e9) as u32);
    let tab = within_10_s(TabSession::claim(&prefix)).await;
    assert!(tab.is_kept());
    let identifier = tab.client_identifier().to_owned();
    // It has the same sessionStorage.
    let duplicate = within_10_s(TabSession::claim(&prefix)).await;
    assert_ne!(duplicate.client_identifier(), identifier);
    let of_duplicate = duplicate.client_identifier().to_owned();
    drop(duplicate);
    let reloaded = within_10_s(TabSession::claim(&prefix)).await;
    assert_eq!(reloaded.client_identifier(), of_duplicate);
    drop(tab);
}

#[wasm_bindgen_test]
async fn a_new_tab_takes_over_what_a_closed_one_left_behind() {
    let prefix = format!("{}-", (js_sys::Math::random() * 1e9) as u32);
    let tab = within_10_s(TabSession::claim(&prefix)).await;
    let identifier = tab.client_identifier().to_owned();
    let (client, mut events) = Client::connect_over(
        InPageServer::silent().transport(),
        tab.apply_to(InPageServer::options()),
    );
    connected(&mut events).await;
    drop(client.publish(exactly_once("left behind")));
    drop(client);
    drop(events);
    let storage = web_sys::window()
        .unwrap()
        .session_storage()
        .unwrap()
        .unwrap();
    storage.clear().unwrap();

    let tab = within_10_s(TabSession::claim(&prefix)).await;
    assert_eq!(tab.client_identifier(), identifier);
    let server = InPageServer::silent();
    let (_client, mut events) =
        Client::connect_over(server.transport(), tab.apply_to(InPageServer::options()));
    connected(&mut events).await;
    assert_eq!(published(&server, 1).await[0].2, "left behind");
}

#[wasm_bindgen_test]
async fn without_web_locks_each_load_is_a_new_client_and_says_so() {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).unwrap();
    let locks = Reflect::get(&navigator, &"locks".into()).unwrap();
    let replaced = Replaced::new(locks, "request", "throw new TypeError('no locks')");
    let tab = within_10_s(TabSession::claim("t-")).await;
    let other = within_10_s(TabSession::claim("t-")).await;
    drop(replaced);
    assert_ne!(tab.client_identifier(), other.client_identifier());
    assert!(!tab.is_kept());
    let options = tab.apply_to(InPageServer::options());
    let (_client, mut events) = Client::connect_over(InPageServer::default().transport(), options);
    let lost = Persistence::Lost(StoreError::NotSecure);
    assert_eq!(persistence(&mut events).await, lost);
    connected(&mut events).await;
}
