//! What waits for the store, and what does not.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
};

use mqtt_broker::{
    Health, Server, Settings,
    store::{ChangeSet, Snapshot, Store, StoreError},
};
use tokio::{io::AsyncReadExt, net::TcpListener, task::spawn_blocking};

use crate::client::{Client, publish};

/// Entries that outlive the server.
type Entries = Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>;

/// A store that says when it is asked to write, and writes when it may.
struct SlowStore {
    entries: Entries,
    asked: Sender<usize>,
    may_go_on: Receiver<Outcome>,
}

/// How a commit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Durable,
    DiskFull,
    /// Everything has reached the disk, and still nobody can rely upon it.
    SyncFailed,
}

/// The other end of it.
struct Hand {
    asked: Option<Receiver<usize>>,
    go_on: Sender<Outcome>,
}

impl Store for SlowStore {
    fn commit(&mut self, changes: &ChangeSet) -> Result<(), StoreError> {
        // A test that has ended asks nothing of it any more.
        let _ = self.asked.send(changes.len());
        let outcome = self.may_go_on.recv().unwrap_or(Outcome::Durable);
        if outcome == Outcome::DiskFull {
            return Err(io::Error::from(io::ErrorKind::StorageFull).into());
        }
        let mut entries = self.entries.lock().unwrap();
        for (key, value) in changes.iter() {
            match value {
                Some(value) => entries.insert(key.to_owned(), value.to_owned()),
                None => entries.remove(key),
            };
        }
        match outcome {
            Outcome::SyncFailed => Err(io::Error::other("the sync failed").into()),
            Outcome::Durable | Outcome::DiskFull => Ok(()),
        }
    }

    fn read_all(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), StoreError> {
        for (key, value) in &*self.entries.lock().unwrap() {
            each(key, value);
        }
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Snapshot, StoreError> {
        Ok(Box::new(|_file: &Path| Ok(())))
    }

    fn n_bytes_written(&self) -> u64 {
        0
    }
}

impl Hand {
    /// Waits until the store is asked to write; says how many changes.
    async fn asked(&mut self) -> usize {
        let asked = self.asked.take().unwrap();
        let (asked, n_changes) = spawn_blocking(move || {
            let n_changes = asked.recv().unwrap();
            (asked, n_changes)
        })
        .await
        .unwrap();
        self.asked = Some(asked);
        n_changes
    }

    fn go_on(&self) {
        self.end(Outcome::Durable);
    }

    fn end(&self, outcome: Outcome) {
        self.go_on.send(outcome).unwrap();
    }
}

/// A server, where it listens, and the hand on its store.
async fn serve(entries: &Entries) -> (Server, SocketAddr, Hand) {
    let (asked, was_asked) = channel();
    let (go_on, may_go_on) = channel();
    let store = SlowStore {
        entries: Arc::clone(entries),
        asked,
        may_go_on,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (server, _) = Server::open(Settings::default(), 42, Box::new(store)).unwrap();
    let serving = server.clone();
    tokio::spawn(async move { serving.serve_tcp(listener).await });
    let hand = Hand {
        asked: Some(was_asked),
        go_on,
    };
    (server, address, hand)
}

#[tokio::test]
async fn what_others_keep_in_the_same_store_is_left_alone() {
    let entries = Entries::default();
    let theirs = (vec![0x20, 1, 2], b"a history".to_vec());
    entries.lock().unwrap().extend([theirs]);
    let (asked, _was_asked) = channel();
    let (_go_on, may_go_on) = channel();
    let store = SlowStore {
        entries: Arc::clone(&entries),
        asked,
        may_go_on,
    };
    let (_, restored) = Server::open(Settings::default(), 42, Box::new(store)).unwrap();
    assert_eq!(restored.unreadable, []);
    assert_eq!(entries.lock().unwrap().len(), 1);
}

/// A subscriber who has a message, and its publisher, who waits until the store has been asked to keep it.
async fn with_a_message_to_keep(address: SocketAddr, hand: &mut Hand) -> (Client, Client) {
    let mut subscriber = persistent_subscriber(address, hand).await;
    let mut publisher = Client::connect(address).await;
    publisher.send(&publish(b't', 1, 7, b"x")).await;
    subscriber.receive_packet().await;
    hand.asked().await;
    (subscriber, publisher)
}

/// Connects with a session that lasts and subscribes to `t` at QoS 1, both of which wait for the store.
async fn persistent_subscriber(address: SocketAddr, hand: &mut Hand) -> Client {
    let mut client = Client::open(address).await;
    client
        .send(b"\x10\x0D\x00\x04MQTT\x04\x00\x00\x00\x00\x01s")
        .await;
    hand.asked().await;
    client.assert_silent();
    hand.go_on();
    let connack = client.receive_packet().await;
    assert_eq!((connack[0], connack[3]), (0x20, 0));
    client.send(&[0x82, 6, 0, 1, 0, 1, b't', 1]).await;
    hand.asked().await;
    client.assert_silent();
    hand.go_on();
    assert_eq!(client.receive_packet().await, [0x90, 3, 0, 1, 1]);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_acknowledged_once_it_is_durable() {
    let entries = Entries::default();
    let (_server, address, mut hand) = serve(&entries).await;
    let mut subscriber = persistent_subscriber(address, &mut hand).await;
    let mut publisher = Client::connect(address).await;
    publisher.send(&publish(b't', 1, 7, b"x")).await;
    assert_eq!(
        subscriber.receive_packet().await[0],
        0x32,
        "it is passed on at once"
    );
    hand.asked().await;
    publisher.assert_silent();
    hand.go_on();
    assert_eq!(publisher.receive_packet().await, [0x40, 2, 0, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_persistent_gets_does_not_wait() {
    let entries = Entries::default();
    let (_server, address, _hand) = serve(&entries).await;
    let mut subscriber = Client::connect(address).await;
    subscriber.subscribe(b't', 1).await;
    let mut publisher = Client::connect(address).await;
    publisher.send(&publish(b't', 1, 7, b"x")).await;
    assert_eq!(publisher.receive_packet().await, [0x40, 2, 0, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gathers_during_one_commit_is_the_next() {
    let entries = Entries::default();
    let (_server, address, mut hand) = serve(&entries).await;
    let subscriber = persistent_subscriber(address, &mut hand).await;
    drop(subscriber);
    let mut publishers = Vec::new();
    for _ in 0..20 {
        publishers.push(Client::connect(address).await);
    }
    // The first, and perhaps that the subscriber has gone.
    publishers[0].send(&publish(b't', 1, 1, b"x")).await;
    hand.asked().await;
    let mut witness = Client::connect(address).await;
    witness.subscribe(b't', 0).await;
    for publisher in &mut publishers[1..] {
        publisher.send(&publish(b't', 1, 1, b"x")).await;
        witness.receive_packet().await;
    }
    hand.go_on();
    assert_eq!(publishers[0].receive_packet().await, [0x40, 2, 0, 1]);
    // For each a message and its place in the queue.
    let n_changes = hand.asked().await;
    assert!(n_changes >= 2 * 19, "{n_changes}");
    hand.go_on();
    for publisher in &mut publishers[1..] {
        assert_eq!(publisher.receive_packet().await, [0x40, 2, 0, 1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_fails_nobody_is_told_what_is_not_true() {
    let entries = Entries::default();
    let (server, address, mut hand) = serve(&entries).await;
    let (mut subscriber, mut publisher) = with_a_message_to_keep(address, &mut hand).await;
    hand.end(Outcome::DiskFull);
    assert!(publisher.is_closed_without_a_word().await);
    let Health::Failing(reason) = server.health() else {
        panic!("it is not well");
    };
    assert!(reason.contains("full"), "{reason}");
    // QoS 0 goes on.
    let mut publisher = Client::connect(address).await;
    publisher.send(&publish(b't', 0, 0, b"y")).await;
    assert_eq!(subscriber.receive_packet().await[0], 0x30);
    // It tries again by itself.
    hand.asked().await;
    hand.go_on();
    publisher.send(&publish(b'u', 1, 8, b"")).await;
    assert_eq!(publisher.receive_packet().await, [0x40, 2, 0, 8]);
    subscriber.send(&[0x40, 2, 0, 1]).await;
    until(|| server.health() == Health::Well).await;
    publisher.send(&publish(b't', 1, 9, b"z")).await;
    subscriber.receive_packet().await;
    hand.asked().await;
    hand.go_on();
    assert_eq!(publisher.receive_packet().await, [0x40, 2, 0, 9]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_failed_is_not_well_before_it_has_written() {
    let entries = Entries::default();
    let (server, address, mut hand) = serve(&entries).await;
    let (mut subscriber, mut publisher) = with_a_message_to_keep(address, &mut hand).await;
    hand.end(Outcome::DiskFull);
    assert!(publisher.is_closed_without_a_word().await);
    // With the acknowledgement all that could not be written is gone.
    subscriber.send(&[0x40, 2, 0, 1]).await;
    subscriber.ping().await;
    hand.asked().await;
    assert_ne!(server.health(), Health::Well);
    hand.go_on();
    until(|| server.health() == Health::Well).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_commit_wrote_is_removed_all_the_same() {
    let entries = Entries::default();
    let n_messages = || {
        let entries = entries.lock().unwrap();
        entries.keys().filter(|key| key[0] == MESSAGE).count()
    };
    let (_server, address, mut hand) = serve(&entries).await;
    let (mut subscriber, mut publisher) = with_a_message_to_keep(address, &mut hand).await;
    hand.end(Outcome::SyncFailed);
    assert!(publisher.is_closed_without_a_word().await);
    assert_eq!(n_messages(), 1);
    subscriber.send(&[0x40, 2, 0, 1]).await;
    subscriber.ping().await;
    // In one group, or in two if the acknowledgement came while the first was written.
    hand.go_on();
    hand.go_on();
    until(|| n_messages() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_a_connection_was_lost_is_stored_although_nobody_connects() {
    let entries = Entries::default();
    let (_server, address, mut hand) = serve(&entries).await;
    let _subscriber = persistent_subscriber(address, &mut hand).await;
    let when_power_goes = entries.lock().unwrap().clone();
    let entries = Arc::new(Mutex::new(when_power_goes.clone()));
    let (_server, _, mut hand) = serve(&entries).await;
    hand.asked().await;
    hand.go_on();
    let session = |entries: &BTreeMap<Vec<u8>, Vec<u8>>| {
        let mut entries = entries.iter();
        let (_, session) = entries.find(|(key, _)| key[0] == SESSION).unwrap();
        session.clone()
    };
    until(|| session(&entries.lock().unwrap()) != session(&when_power_goes)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_goes_on_with_what_was_stored() {
    let entries = Entries::default();
    {
        let (_server, address, mut hand) = serve(&entries).await;
        drop(persistent_subscriber(address, &mut hand).await);
        let mut publisher = Client::connect(address).await;
        publisher.send(&publish(b't', 1, 7, b"x")).await;
        hand.asked().await;
        hand.go_on();
        assert_eq!(publisher.receive_packet().await, [0x40, 2, 0, 7]);
    }
    let (_server, address, mut hand) = serve(&entries).await;
    let mut client = Client::open(address).await;
    client
        .send(b"\x10\x0D\x00\x04MQTT\x04\x00\x00\x00\x00\x01s")
        .await;
    hand.asked().await;
    hand.go_on();
    assert_eq!(client.receive_packet().await, [0x20, 2, 1, 0]);
    let message = client.receive_packet().await;
    assert_eq!(message[0] & 0xF6, 0x32);
    assert_eq!(message.last(), Some(&b'x'));
}

async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

/// With what the keys of messages and of sessions begin.
const MESSAGE: u8 = 1;
const SESSION: u8 = 2;

impl Client {
    /// Waits until the server has read everything so far.
    async fn ping(&mut self) {
        self.send(&[0xC0, 0]).await;
        assert_eq!(self.receive_packet().await, [0xD0, 0]);
    }

    /// Checks that nothing has come so far.
    #[track_caller]
    fn assert_silent(&self) {
        let mut buffer = [0];
        let read = self.stream.try_read(&mut buffer);
        let kind = read.map_err(|error| error.kind());
        assert_eq!(kind, Err(io::ErrorKind::WouldBlock), "{buffer:?}");
    }

    async fn is_closed_without_a_word(&mut self) -> bool {
        let mut rest = Vec::new();
        // Whether it ends in order or not, what counts is that nothing was said.
        let _ = self.stream.read_to_end(&mut rest).await;
        rest.is_empty()
    }
}
