use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    task::{Context, Wake, Waker},
};

use futures_util::{Stream as _, StreamExt as _};
use mqtt_protocol::Packet;
use mqtt_web_client::{Client, Publication, TopicName};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{connected, in_page_server::InPageServer, tick};

fn connect(server: &InPageServer) -> (Client, mqtt_web_client::Events) {
    Client::connect_over(server.transport(), InPageServer::options())
}

fn dispatch(event_type: &str) {
    let event = web_sys::Event::new(event_type).unwrap();
    web_sys::window().unwrap().dispatch_event(&event).unwrap();
}

#[wasm_bindgen_test]
async fn dropping_the_last_handle_says_goodbye_and_leaves_nothing_behind() {
    let server = InPageServer::default();
    let (client, mut events) = connect(&server);
    connected(&mut events).await;
    let other = client.clone();
    drop(client);
    tick().await;
    assert!(other.status().is_connected());
    server.take_received();

    drop(other);
    let received = server.take_received();
    assert!(
        matches!(received[..], [Packet::Disconnect(_)]),
        "{received:?}"
    );
    assert_eq!(server.n_links(), 0);
    while events.next().await.is_some() {}
    // Listeners that were left behind would call into nothing.
    dispatch("online");
    tick().await;
    assert_eq!(server.take_received(), []);
}

#[wasm_bindgen_test]
async fn coming_online_asks_for_a_sign_of_life() {
    let server = InPageServer::default();
    let (client, mut events) = connect(&server);
    connected(&mut events).await;
    server.take_received();
    assert_eq!(client.round_trip_time(), None);
    dispatch("online");
    tick().await;
    assert_eq!(server.take_received(), [Packet::Pingreq]);
    assert!(client.round_trip_time().is_some());
}

#[wasm_bindgen_test]
async fn coming_online_ends_a_wait() {
    let server = InPageServer::default();
    let (client, mut events) = connect(&server);
    connected(&mut events).await;
    for _ in 0..20 {
        server.cut();
        tick().await;
        dispatch("online");
        tick().await;
        assert!(client.status().is_connected());
    }
}

thread_local! {
    static CLIENT: RefCell<Option<Client>> = const { RefCell::new(None) };
    static N_WAKES: Cell<usize> = const { Cell::new(0) };
}

/// Calls the client from inside the wake, as an executor may that polls at once.
struct ImpatientWaker;

impl Wake for ImpatientWaker {
    fn wake(self: Arc<Self>) {
        N_WAKES.set(N_WAKES.get() + 1);
        CLIENT.with_borrow(|client| {
            let client = client.as_ref().unwrap();
            let topic_name = TopicName::new("a").unwrap();
            drop(client.publish(Publication::new(topic_name, "x")));
            client.reconnect_now();
            assert!(client.status().is_connected());
        });
    }
}

#[wasm_bindgen_test]
async fn a_wake_may_call_the_client() {
    let (client, mut events) = connect(&InPageServer::default());
    connected(&mut events).await;
    CLIENT.set(Some(client));
    let waker = Waker::from(Arc::new(ImpatientWaker));
    let mut context = Context::from_waker(&waker);
    for _ in 0..10 {
        while std::pin::Pin::new(&mut events)
            .poll_next(&mut context)
            .is_ready()
        {}
        CLIENT.with_borrow(|client| client.as_ref().unwrap().reconnect_now());
        ImpatientWaker::wake(Arc::new(ImpatientWaker));
        tick().await;
    }
    assert!(N_WAKES.get() > 10);
    CLIENT.take();
}

#[wasm_bindgen_test]
async fn a_thousand_clients_leave_the_memory_as_it_was() {
    let mut pages_at_cycle_200 = 0;
    for cycle in 1..=1000 {
        let server = InPageServer::default();
        let (client, mut events) = connect(&server);
        connected(&mut events).await;
        drop(client);
        while events.next().await.is_some() {}
        assert_eq!(server.n_links(), 0);
        if cycle == 200 {
            pages_at_cycle_200 = core::arch::wasm32::memory_size(0);
        }
    }
    assert_eq!(core::arch::wasm32::memory_size(0), pages_at_cycle_200);
}
