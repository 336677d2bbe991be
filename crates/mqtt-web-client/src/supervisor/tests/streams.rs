use super::*;

/// The SUBSCRIBE packets that were sent: their filters and Subscription Identifiers.
fn take_identified(page: &mut Page) -> Vec<(String, Option<u32>)> {
    let sent = page.take_sent().into_iter();
    sent.filter_map(|packet| {
        let Packet::Subscribe(subscribe) = packet else {
            return None;
        };
        let [subscription] = &subscribe.subscriptions[..] else {
            panic!("{subscribe:?}");
        };
        let mut identifiers = subscribe.properties.subscription_identifiers();
        let filter = subscription.topic_filter.as_str().to_owned();
        Some((filter, identifiers.next().map(NonZeroU32::get)))
    })
    .collect()
}

fn unsubscribed_filters(page: &mut Page) -> Vec<String> {
    let sent = page.take_sent().into_iter();
    sent.filter_map(|packet| {
        let Packet::Unsubscribe(unsubscribe) = packet else {
            return None;
        };
        Some(unsubscribe.topic_filters[0].as_str().to_owned())
    })
    .collect()
}

/// Answers every SUBSCRIBE that was sent.
fn grant_all(page: &mut Page) {
    for (packet_identifier, filters) in page.take_subscribes() {
        page.grant(packet_identifier, filters.len());
    }
}

#[test]
fn every_filter_of_streams_has_a_subscription_identifier_of_its_own() {
    let mut page = Page::connected(options());
    let (a, _) = page.subscribe_stream("a");
    let (b, _) = page.subscribe_stream("b");
    assert_ne!(a, b);
    let sent = take_identified(&mut page);
    assert_eq!(sent, [("a".into(), Some(a)), ("b".into(), Some(b))]);
    assert!(page.supervisor.has_subscription_identifiers());
}

#[test]
fn a_server_that_knows_no_subscription_identifiers_gets_none() {
    let unavailable = Property::SubscriptionIdentifiersAvailable(false);
    let mut page = Page::new(options());
    page.accept_with(false, Properties::new().with(unavailable));
    let mut page_of_3_1_1 = Page::connected(Options {
        protocol_version: ProtocolVersion::V3_1_1,
        ..options()
    });
    for page in [&mut page, &mut page_of_3_1_1] {
        page.subscribe_stream("a");
        assert_eq!(take_identified(page), [("a".into(), None)]);
        assert!(!page.supervisor.has_subscription_identifiers());
    }
}

#[test]
fn streams_of_one_filter_share_a_subscription_until_the_last_is_gone() {
    let mut page = Page::connected(options());
    let (first, _) = page.subscribe_stream("a");
    let (second, _) = page.subscribe_stream("a");
    assert_eq!(first, second);
    grant_all(&mut page);
    page.leave_stream("a");
    assert_eq!(unsubscribed_filters(&mut page), <[String; 0]>::default());
    page.leave_stream("a");
    assert_eq!(unsubscribed_filters(&mut page), ["a"]);
    page.leave_stream("a");
    assert_eq!(unsubscribed_filters(&mut page), <[String; 0]>::default());
}

#[test]
fn a_renewal_keeps_the_subscription_identifiers() {
    let mut page = Page::connected(options());
    let (a, _) = page.subscribe_stream("a");
    let (b, _) = page.subscribe_stream("b");
    grant_all(&mut page);
    page.reconnect(false);
    let sent = take_identified(&mut page);
    assert_eq!(sent, [("a".into(), Some(a)), ("b".into(), Some(b))]);
}

#[test]
fn a_stream_that_is_gone_is_not_renewed() {
    for session_present in [true, false] {
        let mut page = Page::connected(Options {
            resubscribe: Resubscribe::Always,
            ..options()
        });
        page.subscribe_stream("a");
        grant_all(&mut page);
        page.cut();
        page.leave_stream("a");
        page.wait_for_attempt();
        page.accept(session_present);
        let sent = page.take_sent();
        assert!(
            matches!(sent[..], [Packet::Connect(_), Packet::Unsubscribe(_)]),
            "{sent:?}"
        );
    }
}

#[test]
fn a_filter_may_be_of_a_stream_and_of_the_events() {
    let mut page = Page::connected(options());
    let (a, _) = page.subscribe_stream("a");
    page.take_sent();
    page.subscribe(&["a"]);
    // The second restores what the first has replaced.
    let sent = take_identified(&mut page);
    assert_eq!(sent, [("a".into(), None), ("a".into(), Some(a))]);
    page.leave_stream("a");
    assert_eq!(unsubscribed_filters(&mut page), <[String; 0]>::default());
    page.unsubscribe(&["a"]);
    assert_eq!(unsubscribed_filters(&mut page), ["a"]);
}

#[test]
fn the_subscription_of_a_stream_waits_for_the_connection() {
    let mut page = Page::new(options());
    let (_, mut answer) = page.subscribe_stream("a");
    assert_eq!(answer.take(), None);
    page.accept(false);
    grant_all(&mut page);
    assert_eq!(answer.take(), Some(Ok(vec![ReasonCode::Success])));
}

#[test]
fn a_renewal_gives_a_stream_its_identifier_after_a_request_that_takes_it_away() {
    for session_present in [true, false] {
        let mut page = Page::connected(Options {
            resubscribe: Resubscribe::Always,
            ..options()
        });
        let (a, _) = page.subscribe_stream("a");
        grant_all(&mut page);
        page.cut();
        page.subscribe(&["a"]);
        page.wait_for_attempt();
        page.accept(session_present);
        let sent = take_identified(&mut page);
        assert_eq!(sent, [("a".into(), None), ("a".into(), Some(a))]);
    }
}

#[test]
fn a_stream_is_left_only_if_that_is_going_to_be_asked_for() {
    let mut page = Page::new(Options {
        limits: Limits {
            queue_len_max: 1,
            ..Limits::default()
        },
        ..options()
    });
    page.subscribe_stream("a");
    let mut unsubscribe = || {
        let (answer, receipt) = receipt::pair();
        let filters = vec![filter_of("a")];
        let is_accepted = page.supervisor.unsubscribe(filters, answer);
        page.turn();
        (is_accepted, Given(receipt).take())
    };
    let too_many = Some(Err(SubscribeError::TooManyRequests));
    assert_eq!(unsubscribe(), (false, too_many));
    page.accept(false);
    grant_all(&mut page);
    let (answer, _receipt) = receipt::pair();
    assert!(page.supervisor.unsubscribe(vec![filter_of("a")], answer));
}
