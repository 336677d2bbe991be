//! A session that outlives its page. Storing takes until the test says that it is done.

mod elsewhere;

use mqtt_protocol::{Pubcomp, Pubrec, Pubrel};

use super::*;
use crate::{MemoryStore, OfflineQueue, Persistence, SharedStore, StoreError};

/// A page with a store in the test's hand.
struct Kept {
    page: Page,
    store: MemoryStore,
    options: Options,
}

impl Kept {
    /// A page that finds what `store` has.
    fn open(options: Options, store: MemoryStore) -> Self {
        let options = Options {
            session_store: Some(SharedStore::new(store.clone())),
            client_identifier: "tab-1".to_owned(),
            ..options
        };
        let mut kept = Self {
            page: Page::new(options.clone()),
            store,
            options,
        };
        kept.load();
        kept
    }

    fn load(&mut self) {
        assert_eq!(self.page.n_opened, 0, "connected before the load");
        let now = self.page.now;
        self.page
            .supervisor
            .restore(self.store.records(), WALL_CLOCK, now);
        self.page.turn();
        self.settle();
    }

    fn connected(options: Options) -> Self {
        let mut kept = Self::open(options, MemoryStore::default());
        kept.accept(false);
        kept
    }

    fn accept(&mut self, session_present: bool) {
        self.page.accept(session_present);
        self.settle();
    }

    /// Stores what there is to store, and what follows from that.
    fn settle(&mut self) {
        while self.write() {
            self.tell_stored();
        }
    }

    /// Makes what there is to store durable, but does not tell; says whether there was anything.
    fn write(&mut self) -> bool {
        let operations = self.page.supervisor.take_store_operations();
        let is_any = !operations.is_empty();
        self.store.apply(operations).unwrap();
        is_any
    }

    fn tell_stored(&mut self) {
        let sequence = self.page.supervisor.store_sequence();
        let now = self.page.now;
        self.page.supervisor.handle_stored(sequence, now);
        self.page.turn();
    }

    /// The page is gone, with all that was not durable; another finds the store.
    fn reload(self) -> Self {
        Self::open(self.options, self.store)
    }

    /// The same, and the Server takes it back.
    fn reloaded(self, session_present: bool) -> Self {
        let mut kept = self.reload();
        kept.page.link(LinkEvent::Opened);
        let connect = kept.page.take_connect();
        assert_eq!(
            (connect.clean_start, &*connect.client_identifier),
            (false, "tab-1")
        );
        kept.page
            .answer_connect(session_present, ReasonCode::Success, Properties::new());
        kept.settle();
        kept
    }

    fn publish(&mut self, publication: Publication) -> Published {
        let receipt = self.page.publish(publication);
        self.page.turn();
        receipt
    }

    /// What was sent: (identifier, DUP, payload), and of PUBREL only the identifier.
    fn take_sent(&mut self) -> Vec<(u16, bool, String)> {
        let of =
            |identifier: Option<PacketIdentifier>| identifier.map_or(0, PacketIdentifier::value);
        let sent = self.page.take_sent().into_iter();
        sent.filter_map(|packet| {
            #[expect(clippy::wildcard_enum_match_arm, reason = "only these matter here")]
            match packet {
                Packet::Publish(publish) => Some((
                    of(publish.packet_identifier),
                    publish.dup,
                    String::from_utf8(publish.payload.to_vec()).unwrap(),
                )),
                Packet::Pubrel(pubrel) => {
                    Some((pubrel.packet_identifier.value(), false, "PUBREL".to_owned()))
                }
                Packet::Pubrec(pubrec) => {
                    Some((pubrec.packet_identifier.value(), false, "PUBREC".to_owned()))
                }
                Packet::Pubcomp(pubcomp) => Some((
                    pubcomp.packet_identifier.value(),
                    false,
                    "PUBCOMP".to_owned(),
                )),
                _ => None,
            }
        })
        .collect()
    }

    fn take_messages(&mut self) -> Vec<String> {
        let events = std::mem::take(&mut self.page.events).into_iter();
        events
            .filter_map(|event| {
                let Event::Message(message) = event else {
                    return None;
                };
                Some(String::from_utf8(message.payload.to_vec()).unwrap())
            })
            .collect()
    }

    fn pubrec(&mut self, number: u16) {
        self.page.receive(&Packet::Pubrec(Pubrec {
            packet_identifier: identifier(number),
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        }));
    }

    fn pubcomp(&mut self, number: u16) {
        self.page.receive(&Packet::Pubcomp(Pubcomp {
            packet_identifier: identifier(number),
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        }));
    }

    fn pubrel(&mut self, number: u16) {
        self.page.receive(&Packet::Pubrel(Pubrel {
            packet_identifier: identifier(number),
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        }));
    }

    /// The Server sends a message whose payload is its identifier.
    fn receive(&mut self, number: u16, qos: QoS, dup: bool) {
        self.page.receive(&Packet::Publish(Publish {
            dup,
            qos,
            retain: false,
            topic_name: Some(TopicName::new("c").unwrap()),
            packet_identifier: (qos > QoS::AtMostOnce).then(|| identifier(number)),
            properties: Properties::new(),
            payload: number.to_string().into(),
        }));
    }

    /// Records of messages: all but the one that says whose session it is.
    fn n_records(&self) -> usize {
        self.store.records().len() - 1
    }

    fn persistence(&self) -> &Persistence {
        self.page.supervisor.persistence()
    }
}

const WALL_CLOCK: Duration = Duration::from_secs(1_800_000_000);

fn identifier(number: u16) -> PacketIdentifier {
    PacketIdentifier::new(number).unwrap()
}

fn exactly_once(payload: &'static str) -> Publication {
    publication(payload, QoS::ExactlyOnce, QueuePolicy::WhileDisconnected)
}

fn sent(number: u16, dup: bool, what: &str) -> (u16, bool, String) {
    (number, dup, what.to_owned())
}

const NONE: [(u16, bool, String); 0] = [];

#[test]
fn no_message_is_sent_before_it_is_stored() {
    for publication in [waiting("1"), exactly_once("1")] {
        let mut kept = Kept::connected(options());
        kept.page.take_sent();
        kept.publish(publication);
        assert_eq!(kept.take_sent(), NONE);
        assert!(kept.write());
        assert_eq!(kept.take_sent(), NONE);
        kept.tell_stored();
        assert_eq!(kept.take_sent(), [sent(1, false, "1")]);
    }
}

#[test]
fn what_needs_no_store_does_not_wait_for_it() {
    let mut kept = Kept::connected(options());
    kept.page.take_sent();
    kept.publish(exactly_once("1"));
    kept.publish(pump_on(QoS::AtMostOnce));
    kept.publish(pump_on(QoS::AtLeastOnce));
    assert_eq!(
        kept.take_sent(),
        [sent(0, false, "ON"), sent(2, false, "ON")]
    );
    kept.receive(7, QoS::AtLeastOnce, false);
    assert_eq!(kept.take_messages(), ["7"]);
}

#[test]
fn after_a_reload_what_was_sent_goes_again_with_dup_and_its_identifier() {
    let mut kept = Kept::connected(options());
    for publication in [exactly_once("1"), waiting("2"), exactly_once("3")] {
        kept.publish(publication);
    }
    kept.settle();
    let mut kept = kept.reloaded(true);
    assert_eq!(
        kept.take_sent(),
        [sent(1, true, "1"), sent(2, true, "2"), sent(3, true, "3")]
    );
    // And identifiers in use are not given again.
    kept.publish(waiting("4"));
    kept.settle();
    assert_eq!(kept.take_sent(), [sent(4, false, "4")]);
}

#[test]
fn a_pubrel_waits_for_the_store_and_goes_again_after_a_reload_in_place_of_the_message() {
    let mut kept = Kept::connected(options());
    kept.publish(exactly_once("1"));
    kept.settle();
    kept.take_sent();
    kept.pubrec(1);
    assert_eq!(kept.take_sent(), NONE);
    assert!(kept.write());
    let mut kept = kept.reloaded(true);
    assert_eq!(kept.take_sent(), [sent(1, false, "PUBREL")]);
    kept.pubcomp(1);
    kept.settle();
    assert_eq!(kept.n_records(), 0);
}

#[test]
fn an_acknowledged_message_is_forgotten() {
    let mut kept = Kept::connected(options());
    let mut receipt = kept.publish(waiting("1"));
    kept.settle();
    assert_eq!(kept.n_records(), 1);
    kept.page.acknowledge(1);
    assert_eq!(receipt.take(), Some(Ok(ReasonCode::Success)));
    kept.settle();
    assert_eq!(kept.n_records(), 0);
    assert_eq!(kept.reloaded(true).take_sent(), NONE);
}

#[test]
fn what_waited_offline_goes_on_after_a_reload_in_order_and_before_what_is_new() {
    let mut kept = Kept::connected(options());
    kept.publish(exactly_once("1"));
    kept.settle();
    kept.page.cut();
    let at_most_once = publication("3", QoS::AtMostOnce, QueuePolicy::WhileDisconnected);
    for publication in [waiting("2"), at_most_once, exactly_once("4")] {
        kept.publish(publication);
    }
    kept.settle();
    let options = kept.options.clone();
    let mut kept = Kept {
        page: Page::new(options.clone()),
        store: kept.store,
        options,
    };
    // While it is being read.
    let mut receipt = kept.publish(waiting("5"));
    kept.load();
    let restored = Persistence::Kept {
        n_restored: 4,
        n_discarded: 0,
    };
    assert_eq!(*kept.persistence(), restored);
    kept.accept(true);
    let payloads: Vec<String> = kept
        .take_sent()
        .into_iter()
        .map(|(_, _, what)| what)
        .collect();
    assert_eq!(payloads, ["1", "2", "3", "4", "5"]);
    kept.page.acknowledge(4);
    assert_eq!(receipt.take(), Some(Ok(ReasonCode::Success)));
}

#[test]
fn the_outcome_of_an_earlier_pages_message_is_told() {
    let mut kept = Kept::connected(options());
    kept.publish(waiting("1"));
    kept.settle();
    let mut kept = kept.reloaded(true);
    kept.page.acknowledge(1);
    let topic_name = TopicName::new("a/b").unwrap();
    let result = Ok(ReasonCode::Success);
    let told = Event::Published { topic_name, result };
    assert!(kept.page.events.contains(&told));
}

#[test]
fn a_message_of_qos_2_is_given_and_answered_once_its_receipt_is_stored() {
    let mut kept = Kept::connected(options());
    kept.page.take_sent();
    kept.receive(5, QoS::ExactlyOnce, false);
    kept.receive(6, QoS::AtLeastOnce, false);
    assert_eq!((kept.take_messages(), kept.take_sent()), (vec![], vec![]));
    kept.settle();
    assert_eq!(kept.take_messages(), ["5", "6"]);
    assert_eq!(kept.take_sent(), [sent(5, false, "PUBREC")]);
}

#[test]
fn a_message_of_qos_2_is_not_given_again_after_a_reload() {
    let mut kept = Kept::connected(options());
    kept.receive(5, QoS::ExactlyOnce, false);
    kept.settle();
    assert_eq!(kept.take_messages(), ["5"]);
    let mut kept = kept.reloaded(true);
    kept.receive(5, QoS::ExactlyOnce, true);
    assert_eq!(kept.take_messages(), <[String; 0]>::default());
    assert_eq!(kept.take_sent(), [sent(5, false, "PUBREC")]);
}

#[test]
fn a_pubcomp_waits_until_the_receipt_is_forgotten() {
    let mut kept = Kept::connected(options());
    kept.receive(5, QoS::ExactlyOnce, false);
    kept.settle();
    kept.take_sent();
    kept.pubrel(5);
    assert_eq!(kept.take_sent(), NONE);
    kept.settle();
    assert_eq!(kept.take_sent(), [sent(5, false, "PUBCOMP")]);
    // The next message under this identifier is another one.
    kept.take_messages();
    let mut kept = kept.reloaded(true);
    kept.receive(5, QoS::ExactlyOnce, false);
    kept.settle();
    assert_eq!(kept.take_messages(), ["5"]);
}

#[test]
fn a_message_that_waited_for_the_store_is_given_though_the_link_was_cut() {
    let mut kept = Kept::connected(options());
    kept.receive(5, QoS::ExactlyOnce, false);
    kept.page.cut();
    kept.settle();
    assert_eq!(kept.take_messages(), ["5"]);
}

#[test]
fn no_pump_command_is_stored_or_sent_after_a_reload() {
    let mut kept = Kept::connected(options());
    kept.publish(pump_on(QoS::AtLeastOnce));
    kept.settle();
    assert_eq!(kept.n_records(), 0);
    assert_eq!(kept.reloaded(true).take_sent(), NONE);
}

#[test]
fn of_a_pump_command_of_qos_2_only_the_identifier_is_stored() {
    let mut kept = Kept::connected(options());
    kept.page.take_sent();
    kept.publish(pump_on(QoS::ExactlyOnce));
    assert_eq!(kept.take_sent(), NONE);
    kept.settle();
    assert_eq!(kept.take_sent(), [sent(1, false, "ON")]);
    let mut kept = kept.reloaded(true);
    // The Server may know the identifier, so the exchange is brought to its end.
    assert_eq!(kept.take_sent(), [sent(1, false, "PUBREL")]);
    kept.pubcomp(1);
    kept.settle();
    assert_eq!(kept.n_records(), 0);
}

#[test]
fn a_pump_command_of_qos_2_that_a_slow_store_held_up_is_refused() {
    let mut kept = Kept::connected(options());
    kept.page.take_sent();
    let mut receipt = kept.publish(pump_on(QoS::ExactlyOnce));
    kept.page.now += secs(1);
    kept.settle();
    assert_eq!(receipt.take(), Some(Err(PublishError::Busy)));
    assert_eq!(kept.take_sent(), NONE);
    assert_eq!(kept.n_records(), 0);
}

#[test]
fn after_a_lost_session_a_reload_sends_qos_1_as_new_and_reports_qos_2() {
    let mut kept = Kept::connected(options());
    kept.publish(exactly_once("1"));
    kept.publish(waiting("2"));
    kept.publish(exactly_once("3"));
    kept.settle();
    kept.pubrec(1);
    kept.settle();
    let mut kept = kept.reloaded(false);
    let [(_, false, payload)] = &kept.take_sent()[..] else {
        panic!("only QoS 1 was to be sent, as new")
    };
    assert_eq!(payload, "2");
    let n_told = kept.page.events.iter().filter(|event| {
        matches!(
            event,
            Event::Published {
                result: Err(PublishError::Indeterminate),
                ..
            }
        )
    });
    assert_eq!(n_told.count(), 2);
    assert_eq!(kept.n_records(), 1);
}

#[test]
fn on_3_1_1_a_kept_session_begins_without_an_old_one_and_goes_on_after_a_reload() {
    let mut kept = Kept::open(
        Options {
            protocol_version: ProtocolVersion::V3_1_1,
            will: Some(will()),
            ..options()
        },
        MemoryStore::default(),
    );
    let mut receipt = kept.publish(waiting("1"));
    kept.accept(false);
    let first = kept.page.take_connect();
    // It ends without a word, and nobody is to hear that this Client is gone.
    assert!(first.clean_start && first.will.is_none());
    assert_eq!(kept.page.n_opened, 2);
    kept.accept(false);
    let second = kept.page.take_connect();
    assert!(!second.clean_start && second.will.is_some());
    assert!(kept.page.status().is_connected());
    assert_eq!(receipt.take(), None);
    let mut kept = kept.reloaded(true);
    assert_eq!(kept.take_sent(), [sent(1, true, "1")]);
}

#[test]
fn a_store_that_fails_is_told_and_holds_nothing_up() {
    for is_connected in [true, false] {
        let mut kept = Kept::connected(options());
        kept.page.take_sent();
        kept.publish(exactly_once("1"));
        kept.receive(5, QoS::ExactlyOnce, false);
        if !is_connected {
            kept.page.cut();
        }
        let now = kept.page.now;
        kept.page
            .supervisor
            .handle_store_failed(StoreError::Full, now);
        kept.page.turn();
        let lost = Persistence::Lost(StoreError::Full);
        assert!(kept.page.events.contains(&Event::Persistence(lost)));
        assert_eq!(kept.take_messages(), ["5"]);
        if !is_connected {
            kept.page.wait_for_attempt();
            kept.page.accept(true);
        }
        assert!(kept.take_sent().contains(&sent(1, !is_connected, "1")));
        // And so it goes on.
        let mut receipt = kept.publish(waiting("2"));
        assert_eq!(kept.take_sent(), [sent(2, false, "2")]);
        kept.page.acknowledge(2);
        assert_eq!(receipt.take(), Some(Ok(ReasonCode::Success)));
        assert!(!kept.write());
    }
}

#[test]
fn a_store_that_is_denied_is_told_and_the_client_works_without() {
    let store = SharedStore::new(MemoryStore::default());
    let mut page = Page::new(Options {
        session_store: Some(store),
        ..options()
    });
    page.publish(waiting("1"));
    page.supervisor
        .handle_load_failed(StoreError::Denied, page.now);
    page.turn();
    assert_eq!(
        page.events[0],
        Event::Persistence(Persistence::Lost(StoreError::Denied))
    );
    page.accept(false);
    // Nothing is to be found at the Server by a page that can read the store again.
    let connect = page.sent[0].clone();
    assert!(matches!(connect, Packet::Connect(connect)
        if connect.clean_start && connect.properties.session_expiry_interval() == Some(0)));
    assert_eq!(page.take_payloads(), ["1"]);
}

#[test]
fn a_session_that_another_tab_has_is_not_fought_for() {
    let mut page = Page::new(Options {
        session_store: Some(SharedStore::new(MemoryStore::default())),
        ..options()
    });
    page.supervisor
        .handle_load_failed(StoreError::InUse, page.now);
    page.turn();
    let reason = StopReason::SessionInUse;
    assert_eq!(
        (page.status(), page.n_opened),
        (&Status::Stopped { reason }, 0)
    );
}

#[test]
fn a_session_with_another_broker_is_discarded_and_told() {
    let mut kept = Kept::connected(options());
    kept.publish(waiting("1"));
    kept.settle();
    let mut kept = Kept::open(Options::new("ws://elsewhere/mqtt"), kept.store);
    let discarded = Persistence::Kept {
        n_restored: 0,
        n_discarded: 1,
    };
    assert_eq!(*kept.persistence(), discarded);
    assert_eq!(kept.n_records(), 0);
    kept.accept(false);
    assert!(kept.page.take_connect().clean_start);
}

#[test]
fn damaged_records_are_left_out_and_told() {
    let mut kept = Kept::connected(options());
    for publication in [waiting("1"), exactly_once("2")] {
        kept.publish(publication);
    }
    kept.settle();
    let (key, value) = kept.store.records()[1].clone();
    let value = value[..value.len() - 1].to_vec();
    kept.store
        .apply(vec![mqtt_protocol::StoreOperation::Put { key, value }])
        .unwrap();
    let mut kept = kept.reloaded(true);
    let persistence = Persistence::Kept {
        n_restored: 1,
        n_discarded: 1,
    };
    assert_eq!(*kept.persistence(), persistence);
    assert_eq!(kept.take_sent(), [sent(2, true, "2")]);
}

#[test]
fn an_expiry_goes_on_across_a_reload() {
    let mut kept = Kept::open(options(), MemoryStore::default());
    for secs_left in [5, 60] {
        kept.publish(Publication {
            expiry: Some(secs(secs_left)),
            ..waiting("OFF")
        });
    }
    kept.settle();
    // The next page begins 10 s later; its own clock begins again.
    let mut page = Page::new(kept.options.clone());
    let wall_clock = WALL_CLOCK + secs(10);
    page.supervisor
        .restore(kept.store.records(), wall_clock, page.now);
    page.turn();
    let expired = page.events.iter().filter(|event| {
        matches!(
            event,
            Event::Published {
                result: Err(PublishError::Expired),
                ..
            }
        )
    });
    assert_eq!(expired.count(), 1);
    page.accept(false);
    let operations = page.supervisor.take_store_operations();
    kept.store.apply(operations).unwrap();
    let sequence = page.supervisor.store_sequence();
    page.supervisor.handle_stored(sequence, page.now);
    page.turn();
    let sent = page.take_sent();
    let Some(Packet::Publish(publish)) = sent.last() else {
        panic!("{sent:?}")
    };
    assert_eq!(publish.properties.message_expiry_interval(), Some(50));
}

#[test]
fn disconnecting_keeps_what_is_stored_for_the_next_page() {
    let mut kept = Kept::connected(options());
    let mut in_flight = kept.publish(exactly_once("1"));
    kept.settle();
    kept.page.cut();
    let mut queued = kept.publish(waiting("2"));
    kept.settle();
    let now = kept.page.now;
    kept.page.supervisor.disconnect(now);
    kept.page.turn();
    kept.settle();
    let indeterminate = Some(Err(PublishError::Indeterminate));
    assert_eq!(
        (in_flight.take(), queued.take()),
        (indeterminate.clone(), indeterminate)
    );
    let mut kept = kept.reloaded(true);
    assert_eq!(kept.take_sent(), [sent(1, true, "1"), sent(2, false, "2")]);
}

/// What becomes of a message that was sent, one that waits for the Server's Receive Maximum at the cut,
/// and one that is published after it: whether each is sent on the next connection, and what its caller was told.
fn after_a_cut(offline_queue: OfflineQueue, qos: QoS) -> (Vec<String>, Vec<Option<PublishError>>) {
    let mut page = Page::new(Options {
        offline_queue,
        ..options()
    });
    let receive_maximum = Property::ReceiveMaximum(1.try_into().unwrap());
    page.accept_with(false, Properties::new().with(receive_maximum));
    let queueable = |payload| publication(payload, qos, QueuePolicy::WhileDisconnected);
    let mut receipts = vec![
        page.publish(exactly_once("in flight")),
        page.publish(queueable("queued")),
    ];
    page.turn();
    page.cut();
    receipts.push(page.publish(queueable("late")));
    page.turn();
    page.take_sent();
    page.wait_for_attempt();
    page.accept(true);
    let answers = receipts
        .iter_mut()
        .map(|receipt| receipt.take().and_then(Result::err));
    (page.take_payloads(), answers.collect())
}

#[test]
fn a_queue_that_keeps_nothing_gives_everything_up_at_a_cut() {
    let (sent, answers) = after_a_cut(OfflineQueue::Nothing, QoS::AtLeastOnce);
    assert_eq!(sent, <[String; 0]>::default());
    let not_connected = Some(PublishError::NotConnected);
    let indeterminate = Some(PublishError::Indeterminate);
    assert_eq!(
        answers,
        [indeterminate, not_connected.clone(), not_connected]
    );
}

#[test]
fn a_queue_of_what_is_in_flight_goes_on_with_that_only() {
    let (sent, answers) = after_a_cut(OfflineQueue::InFlight, QoS::AtLeastOnce);
    assert_eq!(sent, ["in flight"]);
    let not_connected = Some(PublishError::NotConnected);
    assert_eq!(answers, [None, not_connected.clone(), not_connected]);
}

#[test]
fn a_queue_of_qos_1_and_above_refuses_qos_0() {
    let (sent, answers) = after_a_cut(OfflineQueue::AtLeastOnce, QoS::AtLeastOnce);
    assert_eq!((sent.len(), answers), (3, vec![None, None, None]));
    let (sent, answers) = after_a_cut(OfflineQueue::AtLeastOnce, QoS::AtMostOnce);
    assert_eq!(sent, ["in flight"]);
    let not_connected = Some(PublishError::NotConnected);
    assert_eq!(answers, [None, not_connected.clone(), not_connected]);
}

#[test]
fn a_queue_of_all_keeps_qos_0_too() {
    let (sent, answers) = after_a_cut(OfflineQueue::All, QoS::AtMostOnce);
    assert_eq!(sent, ["in flight", "queued", "late"]);
    assert_eq!(answers, [None, None, None]);
}

#[test]
fn what_waits_again_after_a_lost_session_and_a_reload_has_one_expiry() {
    let mut kept = Kept::connected(options());
    for payload in ["1", "2"] {
        kept.publish(Publication {
            expiry: Some(secs(60)),
            ..waiting(payload)
        });
    }
    kept.settle();
    // The Server has lost the session, and takes only one message at a time.
    let mut kept = kept.reload();
    let receive_maximum = Property::ReceiveMaximum(1.try_into().unwrap());
    kept.page
        .accept_with(false, Properties::new().with(receive_maximum));
    kept.settle();
    let kept = kept.reloaded(true);
    let sent = kept.page.sent.iter().filter_map(|packet| {
        let Packet::Publish(publish) = packet else {
            return None;
        };
        let expiries = publish.properties.iter();
        let expiries =
            expiries.filter(|property| matches!(property, Property::MessageExpiryInterval(_)));
        Some((publish.payload.clone(), expiries.count()))
    });
    assert_eq!(sent.collect::<Vec<_>>(), [("1".into(), 1), ("2".into(), 1)]);
}

#[test]
fn qos_0_behind_what_waits_for_the_store_is_told_as_sent_when_it_is() {
    let at_most_once = || publication("2", QoS::AtMostOnce, QueuePolicy::WhileDisconnected);
    let mut kept = Kept::connected(options());
    kept.page.take_sent();
    kept.publish(waiting("1"));
    let mut receipt = kept.publish(at_most_once());
    assert_eq!((receipt.take(), kept.take_sent().len()), (None, 0));
    kept.settle();
    assert_eq!(kept.take_sent(), [sent(1, false, "1"), sent(0, false, "2")]);
    assert_eq!(receipt.take(), Some(Ok(ReasonCode::Success)));

    // Where the link is cut meanwhile, it is as if it had been published after that.
    for (offline_queue, told) in [
        (OfflineQueue::All, None),
        (
            OfflineQueue::AtLeastOnce,
            Some(Err(PublishError::NotConnected)),
        ),
    ] {
        let mut kept = Kept::connected(Options {
            offline_queue,
            ..options()
        });
        kept.publish(waiting("1"));
        let mut receipt = kept.publish(at_most_once());
        kept.page.cut();
        assert_eq!(receipt.take(), told);
        kept.settle();
        kept.page.take_sent();
        kept.page.wait_for_attempt();
        kept.accept(true);
        let n_sent = kept.take_sent().len();
        assert_eq!(n_sent, if told.is_none() { 2 } else { 1 });
    }
}

#[test]
fn what_a_cut_gives_up_is_forgotten_by_the_store() {
    let mut kept = Kept::open(options(), MemoryStore::default());
    kept.publish(waiting("1"));
    kept.settle();
    assert_eq!(kept.n_records(), 1);
    // The next page keeps only what was sent.
    kept.options.offline_queue = OfflineQueue::InFlight;
    let mut kept = kept.reload();
    kept.page.link(LinkEvent::Opened);
    kept.page.cut();
    let topic_name = TopicName::new("a/b").unwrap();
    let told = Event::Published {
        topic_name,
        result: Err(PublishError::NotConnected),
    };
    assert!(kept.page.events.contains(&told));
    kept.settle();
    assert_eq!(kept.n_records(), 0);
}
