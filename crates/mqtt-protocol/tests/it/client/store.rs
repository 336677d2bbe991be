//! What a store keeps of a session.

use std::time::Duration;

use bytes::Bytes;
use mqtt_protocol::{
    InFlightState, OutgoingLimits, Properties, ProtocolVersion, QoS, SessionChange,
    SessionIdentity, SessionJournal, SessionKeeper, StoreOperation, StoredSession,
};
use proptest::prelude::*;

use super::{Client, identifier, message};

const WALL_CLOCK: Duration = Duration::from_secs(1_800_000_000);

fn read(records: Vec<(u64, Vec<u8>)>) -> StoredSession {
    let records: Vec<_> = records
        .into_iter()
        .map(|(key, value)| (key, Bytes::from(value)))
        .collect();
    StoredSession::read(&records, WALL_CLOCK, OutgoingLimits::default())
}

/// The records that a journal asks for.
fn records(journal: &mut dyn SessionKeeper) -> Vec<(u64, Vec<u8>)> {
    let mut records = Vec::new();
    for operation in journal.take_operations() {
        match operation {
            StoreOperation::Put { key, value } => {
                records.retain(|(known, _)| *known != key);
                records.push((key, value));
            }
            StoreOperation::Remove { key } => records.retain(|(known, _)| *known != key),
        }
    }
    records
}

fn journal() -> SessionJournal {
    let mut journal = SessionJournal::new(WALL_CLOCK);
    journal.note(SessionChange::Identity(&SessionIdentity {
        address: "wss://example.org/mqtt".to_owned(),
        server: "wss://two.example.org/mqtt".to_owned(),
        client_identifier: "tab".to_owned(),
        protocol_level: 5,
    }));
    let sent = message(7, QoS::ExactlyOnce);
    journal.note(SessionChange::Sent(identifier(3), &sent));
    let released = message(5, QoS::ExactlyOnce);
    journal.note(SessionChange::Sent(identifier(9), &released));
    journal.note(SessionChange::Released(identifier(9), &released));
    journal.note(SessionChange::Received(identifier(2)));
    journal
}

#[test]
fn what_is_written_is_read_again_in_the_order_of_sending() {
    let mut records = records(&mut journal());
    records.reverse();
    let stored = read(records);
    let identity = stored.identity.unwrap();
    assert_eq!(
        (&*identity.client_identifier, &*identity.server),
        ("tab", "wss://two.example.org/mqtt")
    );
    let in_flight = stored.exchanges.outgoing.in_flight();
    let mut in_flight: Vec<_> = in_flight
        .map(|(identifier, state, sequence, _)| (sequence, identifier.value(), state))
        .collect();
    in_flight.sort_unstable_by_key(|(sequence, ..)| *sequence);
    assert_eq!(
        in_flight,
        [
            (1, 9, InFlightState::AwaitingPubcomp),
            (2, 3, InFlightState::AwaitingPubrec)
        ]
    );
    let receipts = stored.exchanges.incoming.packet_identifiers();
    assert_eq!(receipts.collect::<Vec<_>>(), [identifier(2)]);
    assert_eq!((stored.last_token, stored.n_corrupt), (7, 0));
}

#[test]
fn a_client_without_a_keeper_holds_nothing_back() {
    let mut client = Client::connected(ProtocolVersion::V5_0, Properties::new());
    client.publish(1, QoS::ExactlyOnce).unwrap();
    assert_eq!(client.take_published().len(), 1);
    assert!(client.connection.keeper_mut().is_none());
}

proptest! {
    #[test]
    fn damaged_records_never_panic(
        position in any::<prop::sample::Index>(),
        n_kept in any::<prop::sample::Index>(),
        key in prop_oneof![0..20_u64, any::<u64>(), (1_u64 << 50)..(3 << 50)],
        byte in any::<u8>(),
    ) {
        let mut records = records(&mut journal());
        let n_records = records.len();
        let (known, value) = &mut records[position.index(n_records)];
        let n_bytes = value.len();
        value[n_kept.index(n_bytes)] ^= byte;
        let cut = value[..n_kept.index(n_bytes)].to_vec();
        let known = *known;
        drop(read(records.clone()));
        drop(read(vec![(known, cut.clone())]));
        drop(read(vec![(key, cut)]));
    }
}
