use super::*;

#[test]
fn packets_of_one_turn_leave_in_one_piece() {
    let mut page = Page::connected(options());
    page.take_sent();
    page.n_transmits = 0;
    for _ in 0..32 {
        page.publish(pump_on(QoS::AtMostOnce));
    }
    page.turn();
    assert_eq!(page.take_payloads().len(), 32);
    assert_eq!(page.n_transmits, 1);
}

#[test]
fn the_receipt_comes_with_the_acknowledgement() {
    let mut page = Page::connected(options());
    let mut at_most_once = page.publish(pump_on(QoS::AtMostOnce));
    let mut at_least_once = page.publish(pump_on(QoS::AtLeastOnce));
    page.turn();
    assert_eq!(at_most_once.take(), Some(Ok(ReasonCode::Success)));
    assert_eq!(at_least_once.take(), None);
    page.acknowledge(1);
    assert_eq!(at_least_once.take(), Some(Ok(ReasonCode::Success)));
}

#[test]
fn what_may_never_wait_is_refused_without_a_connection() {
    let mut page = Page::new(options());
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut receipt = page.publish(pump_on(qos));
        page.turn();
        assert_eq!(receipt.take(), Some(Err(PublishError::NotConnected)));
    }
    page.accept(false);
    assert_eq!(page.take_payloads(), <[String; 0]>::default());
}

#[test]
fn no_pump_command_is_ever_sent_late() {
    let mut page = Page::connected(options());
    let mut receipt = page.publish(pump_on(QoS::AtLeastOnce));
    page.turn();
    assert_eq!(page.take_payloads(), ["ON"]);
    page.cut();
    assert_eq!(receipt.take(), Some(Err(PublishError::Indeterminate)));
    for session_present in [true, false] {
        page.wait_for_attempt();
        page.accept(session_present);
        page.wait(secs(1));
        assert_eq!(page.take_payloads(), <[String; 0]>::default());
        page.cut();
    }
}

#[test]
fn what_may_wait_keeps_its_order_across_the_cut() {
    let mut page = Page::connected(options());
    page.publish(waiting("1"));
    page.turn();
    page.take_sent();
    page.cut();
    let mut receipts = [
        page.publish(waiting("2")),
        page.publish(publication(
            "3",
            QoS::AtMostOnce,
            QueuePolicy::WhileDisconnected,
        )),
        page.publish(waiting("4")),
    ];
    page.turn();
    page.wait_for_attempt();
    page.accept(true);
    assert_eq!(page.take_payloads(), ["1", "2", "3", "4"]);
    let answers = receipts.each_mut().map(Given::take);
    assert_eq!(answers, [None, Some(Ok(ReasonCode::Success)), None]);
}

#[test]
fn a_flapping_link_duplicates_no_publish() {
    let mut page = Page::new(options());
    page.publish(waiting("1"));
    page.accept(false);
    assert_eq!(page.take_payloads(), ["1"]);
    page.acknowledge(1);
    for session_present in [true, false, true] {
        page.reconnect(session_present);
        assert_eq!(page.take_payloads(), <[String; 0]>::default());
    }
}

#[test]
fn the_queue_is_bounded() {
    let mut page = Page::new(Options {
        limits: Limits {
            queue_len_max: 1,
            ..Limits::default()
        },
        ..options()
    });
    page.publish(waiting("1"));
    let mut receipt = page.publish(waiting("2"));
    page.turn();
    assert_eq!(receipt.take(), Some(Err(PublishError::QueueFull)));
    page.accept(false);
    assert_eq!(page.take_payloads(), ["1"]);
}

#[test]
fn what_expires_in_the_queue_is_told_in_time_and_not_sent() {
    let mut page = Page::new(options());
    let mut receipt = page.publish(Publication {
        expiry: Some(secs(3)),
        ..waiting("OFF")
    });
    page.turn();
    assert_eq!(page.deadline, Some(START + secs(3)));
    page.wait(secs(3));
    assert_eq!(receipt.take(), Some(Err(PublishError::Expired)));
    page.accept(false);
    assert_eq!(page.take_payloads(), <[String; 0]>::default());
}

#[test]
fn the_time_in_the_queue_is_taken_off_the_expiry() {
    let mut page = Page::new(options());
    page.publish(Publication {
        expiry: Some(secs(9)),
        ..waiting("OFF")
    });
    page.wait(secs(4));
    page.accept(false);
    let sent = page.take_sent();
    let Some(Packet::Publish(publish)) = sent.last() else {
        panic!("{sent:?}")
    };
    assert_eq!(publish.properties.message_expiry_interval(), Some(5));
}

#[test]
fn the_servers_quota_holds_back_what_may_wait_and_refuses_the_rest() {
    let mut page = Page::new(options());
    let receive_maximum = Property::ReceiveMaximum(1.try_into().unwrap());
    page.accept_with(false, Properties::new().with(receive_maximum));
    page.publish(waiting("1"));
    page.publish(waiting("2"));
    let mut refused = page.publish(pump_on(QoS::AtLeastOnce));
    page.turn();
    assert_eq!(page.take_payloads(), ["1"]);
    assert_eq!(refused.take(), Some(Err(PublishError::Busy)));
    page.acknowledge(1);
    assert_eq!(page.take_payloads(), ["2"]);
}

#[test]
fn disconnecting_answers_everybody() {
    let mut page = Page::connected(options());
    let mut in_flight = page.publish(waiting("1"));
    page.turn();
    let mut subscription = page.subscribe(&["a"]);
    page.cut();
    let mut queued = page.publish(waiting("2"));
    page.supervisor.disconnect(page.now);
    page.turn();
    assert_eq!(in_flight.take(), Some(Err(PublishError::Indeterminate)));
    assert_eq!(queued.take(), Some(Err(PublishError::Stopped)));
    assert_eq!(subscription.take(), Some(Err(SubscribeError::Stopped)));
    let mut late = page.publish(waiting("3"));
    page.turn();
    assert_eq!(late.take(), Some(Err(PublishError::Stopped)));
}

#[test]
fn a_full_socket_refuses_or_holds_back() {
    let mut page = Page::connected(options());
    let full = page.supervisor.options.limits.buffered_amount_max + 1;
    page.supervisor.handle_buffered_amount(full, page.now);
    page.publish(waiting("1"));
    let mut refused = page.publish(pump_on(QoS::AtMostOnce));
    page.turn();
    assert_eq!(refused.take(), Some(Err(PublishError::Busy)));
    assert_eq!(page.take_payloads(), <[String; 0]>::default());
    page.supervisor.handle_buffered_amount(0, page.now);
    page.turn();
    assert_eq!(page.take_payloads(), ["1"]);
}

#[test]
fn a_stalled_socket_is_closed_a_slow_one_is_not() {
    let mut page = Page::connected(Options {
        keep_alive_secs: 0,
        ..options()
    });
    let full = page.supervisor.options.limits.buffered_amount_max + 1000;
    for second in 0..60 {
        page.supervisor
            .handle_buffered_amount(full - second, page.now);
        page.wait(secs(1));
    }
    assert!(page.status().is_connected());
    for _ in 0..21 {
        page.supervisor.handle_buffered_amount(full, page.now);
        page.wait(secs(1));
    }
    let failure = Failure::Stalled;
    let events = page.events.iter();
    let mut statuses = events.filter(|event| {
        matches!(event, Event::Status(Status::Waiting { failure: told, .. }) if *told == failure)
    });
    assert!(statuses.next().is_some());
}

#[test]
fn sending_goes_on_only_below_the_low_mark() {
    let mut page = Page::connected(options());
    let limits = page.supervisor.options.limits;
    page.buffered_amount(limits.buffered_amount_max + 1);
    page.publish(waiting("1"));
    for amount in [limits.buffered_amount_max, limits.buffered_amount_low + 1] {
        page.buffered_amount(amount);
        assert_eq!(page.take_payloads(), <[String; 0]>::default());
    }
    page.buffered_amount(limits.buffered_amount_low);
    assert_eq!(page.take_payloads(), ["1"]);
    // Between the marks it goes on as it was.
    page.buffered_amount(limits.buffered_amount_max - 1);
    page.publish(waiting("2"));
    page.turn();
    assert_eq!(page.take_payloads(), ["2"]);
}

#[test]
fn what_is_published_in_one_turn_is_bounded_too() {
    let mut page = Page::connected(options());
    page.take_sent();
    let receipts: Vec<_> = (0..100)
        .map(|_| {
            page.publish(Publication {
                payload: vec![0; 100_000].into(),
                ..pump_on(QoS::AtMostOnce)
            })
        })
        .collect();
    page.turn();
    let busy = receipts
        .into_iter()
        .filter_map(|mut receipt| receipt.take().unwrap().err());
    assert_eq!(busy.collect::<Vec<_>>(), vec![PublishError::Busy; 59]);
    assert_eq!(page.take_sent().len(), 41);
}

#[test]
fn a_ping_during_a_large_transfer_has_the_time_that_the_transfer_takes() {
    let mut page = Page::connected(options());
    page.take_sent();
    page.wait(secs(60));
    assert_eq!(page.take_sent(), [Packet::Pingreq]);
    // 3 MB leave at 30 kB a second; the ping waits behind them.
    for second in 1..100 {
        page.buffered_amount(3_000_000 - second * 30_000);
        page.wait(secs(1));
    }
    assert!(page.status().is_connected());
    while page.status().is_connected() {
        page.buffered_amount(30_000);
        page.wait(secs(1));
    }
    assert_eq!(*page.failure(), Failure::PingrespTimeout);
}

#[test]
fn pings_go_out_while_the_socket_is_full() {
    let mut page = Page::connected(options());
    page.take_sent();
    page.buffered_amount(page.supervisor.options.limits.buffered_amount_max + 1);
    page.now += secs(60);
    page.buffered_amount(page.supervisor.options.limits.buffered_amount_max);
    assert_eq!(page.take_sent(), [Packet::Pingreq]);
}

#[test]
fn closing_says_what_was_asked_for_and_then_goodbye() {
    let mut page = Page::connected(options());
    page.take_sent();
    let mut receipt = page.publish(waiting("1"));
    page.supervisor.disconnect(page.now);
    page.turn();
    let sent = page.take_sent();
    assert!(
        matches!(sent[..], [Packet::Publish(_), Packet::Disconnect(_)]),
        "{sent:?}"
    );
    assert_eq!(receipt.take(), Some(Err(PublishError::Indeterminate)));
}

#[test]
fn a_reply_after_disconnecting_does_nothing() {
    let mut page = Page::connected(options());
    page.publish(waiting("1"));
    page.turn();
    let link = page.link.unwrap();
    page.supervisor.disconnect(page.now);
    page.turn();
    let n_events = page.events.len();
    page.take_sent();
    let mut bytes = Vec::new();
    let puback = Packet::Puback(Puback {
        packet_identifier: PacketIdentifier::new(1).unwrap(),
        reason_code: ReasonCode::Success,
        properties: Properties::new(),
    });
    puback.encode(page.version, &mut bytes).unwrap();
    let received = LinkEvent::Received(bytes.into());
    page.supervisor.handle_link(link, received, page.now);
    page.turn();
    assert_eq!((page.take_sent(), page.events.len()), (vec![], n_events));
}
