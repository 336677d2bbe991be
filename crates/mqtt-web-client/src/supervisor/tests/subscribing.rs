use super::*;

fn always() -> Options {
    Options {
        resubscribe: Resubscribe::Always,
        ..options()
    }
}

#[test]
fn a_subscription_waits_for_the_connection_and_is_answered() {
    let mut page = Page::new(options());
    let mut answer = page.subscribe(&["a", "b"]);
    assert_eq!(answer.take(), None);
    page.accept(false);
    let subscribes = page.take_subscribes();
    let [(packet_identifier, filters)] = &subscribes[..] else {
        panic!("{subscribes:?}")
    };
    assert_eq!(*filters, ["a", "b"]);
    page.grant(*packet_identifier, 2);
    assert_eq!(answer.take(), Some(Ok(vec![ReasonCode::Success; 2])));
    let subscribed = Event::Subscribed {
        topic_filter: filter_of("b"),
        reason_code: ReasonCode::Success,
    };
    assert_eq!(page.events.last(), Some(&subscribed));
}

#[test]
fn a_kept_session_is_not_subscribed_to_again() {
    let mut page = Page::connected(options());
    page.subscribe(&["a"]);
    let packet_identifier = page.take_subscribes()[0].0;
    page.grant(packet_identifier, 1);
    page.reconnect(true);
    assert_eq!(page.take_subscribes(), []);
    page.reconnect(false);
    assert_eq!(page.subscribed_filters(), [["a"]]);
}

#[test]
fn always_means_on_every_connection_with_retained_messages() {
    let mut page = Page::connected(always());
    page.subscribe(&["a"]);
    let packet_identifier = page.take_subscribes()[0].0;
    page.grant(packet_identifier, 1);
    page.reconnect(true);
    let sent = page.take_sent();
    let Some(Packet::Subscribe(subscribe)) = sent.last() else {
        panic!("{sent:?}")
    };
    let retain_handling = subscribe.subscriptions[0].retain_handling;
    assert_eq!(retain_handling, RetainHandling::Send);
}

#[test]
fn a_flapping_link_duplicates_no_subscribe() {
    for options in [options(), always()] {
        let mut page = Page::connected(options);
        let mut answer = page.subscribe(&["a"]);
        page.take_sent();
        for session_present in [true, false, true, true, false] {
            page.reconnect(session_present);
            assert_eq!(page.subscribed_filters(), [["a"]]);
        }
        assert_eq!(answer.take(), None);
        page.reconnect(true);
        let packet_identifier = page.take_subscribes()[0].0;
        page.grant(packet_identifier, 1);
        assert_eq!(answer.take(), Some(Ok(vec![ReasonCode::Success])));
    }
}

#[test]
fn a_renewal_that_was_cut_is_made_again() {
    let mut page = Page::connected(options());
    page.subscribe(&["a"]);
    let packet_identifier = page.take_subscribes()[0].0;
    page.grant(packet_identifier, 1);
    page.reconnect(false);
    assert_eq!(page.subscribed_filters(), [["a"]]);
    // The Server has kept the session, but may not have seen the renewal.
    page.reconnect(true);
    assert_eq!(page.subscribed_filters(), [["a"]]);
}

#[test]
fn what_was_unsubscribed_is_not_renewed() {
    let mut page = Page::connected(always());
    page.subscribe(&["a"]);
    page.subscribe(&["b"]);
    page.unsubscribe(&["a"]);
    for (packet_identifier, filters) in page.take_subscribes() {
        page.grant(packet_identifier, filters.len());
    }
    page.reconnect(false);
    assert_eq!(page.subscribed_filters(), [["b"]]);
}

#[test]
fn subscribing_again_replaces_the_options() {
    let mut page = Page::connected(always());
    for _ in 0..3 {
        page.subscribe(&["a"]);
        for (packet_identifier, filters) in page.take_subscribes() {
            page.grant(packet_identifier, filters.len());
        }
    }
    page.reconnect(false);
    assert_eq!(page.subscribed_filters(), [["a"]]);
}

#[test]
fn requests_are_bounded() {
    let mut page = Page::new(Options {
        limits: Limits {
            queue_len_max: 2,
            ..Limits::default()
        },
        ..options()
    });
    page.subscribe(&["a"]);
    page.subscribe(&["b"]);
    let mut answer = page.subscribe(&["c"]);
    assert_eq!(answer.take(), Some(Err(SubscribeError::TooManyRequests)));
    let mut answer = page.subscribe(&[]);
    assert_eq!(answer.take(), Some(Err(SubscribeError::Empty)));
}

#[test]
fn what_is_asked_of_a_stopped_client_is_refused_at_once() {
    let mut page = Page::connected(options());
    page.supervisor.disconnect(page.now);
    page.turn();
    assert_eq!(
        page.subscribe(&["a"]).take(),
        Some(Err(SubscribeError::Stopped))
    );
    assert_eq!(
        page.unsubscribe(&["a"]).take(),
        Some(Err(SubscribeError::Stopped))
    );
}

fn long_filter() -> String {
    "long".repeat(100)
}

/// The Server's answers for single filters, and our own.
fn answers(page: &mut Page) -> Vec<(String, ReasonCode)> {
    let events = std::mem::take(&mut page.events).into_iter();
    events
        .filter_map(|event| {
            let Event::Subscribed {
                topic_filter,
                reason_code,
            } = event
            else {
                return None;
            };
            Some((topic_filter.as_str().to_owned(), reason_code))
        })
        .collect()
}

#[test]
fn a_filter_that_is_too_large_does_not_take_the_others_of_a_renewal_with_it() {
    let mut page = Page::connected(options());
    let long = long_filter();
    page.subscribe(&["a", &long, "b"]);
    let packet_identifier = page.take_subscribes()[0].0;
    page.grant(packet_identifier, 3);
    answers(&mut page);
    page.cut();
    page.wait_for_attempt();
    let maximum = Property::MaximumPacketSize(100.try_into().unwrap());
    page.accept_with(false, Properties::new().with(maximum));
    assert_eq!(page.subscribed_filters(), [["a"], ["b"]]);
    assert_eq!(answers(&mut page), [(long, ReasonCode::PacketTooLarge)]);
}

#[test]
fn what_breaks_a_rule_is_told_so_and_not_tried_again() {
    let mut page = Page::connected(always());
    let (answer, receipt) = receipt::pair();
    let no_local = SubscriptionOptions {
        no_local: true,
        ..SubscriptionOptions::default()
    };
    let shared = "$share/group/a";
    let filters = vec![filter_of(shared)];
    page.supervisor.subscribe(filters, no_local, answer);
    page.turn();
    assert_eq!(Given(receipt).take(), Some(Err(SubscribeError::Invalid)));
    let told = [(shared.to_owned(), ReasonCode::ProtocolError)];
    assert_eq!(answers(&mut page), told);
    page.reconnect(false);
    assert_eq!(page.take_subscribes(), []);
    assert_eq!(answers(&mut page), []);
}
