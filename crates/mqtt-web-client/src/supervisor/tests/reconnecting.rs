use super::*;

/// The waits of attempts that all fail.
fn waits(page: &mut Page, n: usize) -> Vec<Duration> {
    (0..n)
        .map(|_| {
            page.link(LinkEvent::Closed(Failure::Unreachable));
            page.wait_for_attempt()
        })
        .collect()
}

#[test]
fn the_waits_are_random_within_a_bound_that_grows_to_4_s() {
    let mut page = Page::new(options());
    let waits = waits(&mut page, 200);
    for (n_failures, wait) in waits.iter().enumerate() {
        let bound = secs(4).min(Duration::from_millis(250 << n_failures.min(10)));
        assert!(*wait <= bound, "{wait:?} after {n_failures} failures");
    }
    let long_waits = &waits[10..];
    assert!(long_waits.iter().any(|wait| *wait > secs(3)));
    assert!(long_waits.iter().any(|wait| *wait < secs(1)));
}

#[test]
fn a_hidden_page_waits_up_to_30_s() {
    let mut page = Page::new(options());
    page.supervisor.handle_page_event(false, page.now);
    let waits = waits(&mut page, 200);
    assert!(waits.iter().all(|wait| *wait <= secs(30)));
    assert!(waits.iter().any(|wait| *wait > secs(25)));
}

#[test]
fn a_page_that_becomes_visible_reconnects_at_once() {
    let mut page = Page::new(options());
    page.supervisor.handle_page_event(false, page.now);
    waits(&mut page, 20);
    page.link(LinkEvent::Closed(Failure::Unreachable));
    page.supervisor.handle_page_event(true, page.now);
    page.turn();
    assert_eq!(*page.status(), Status::Connecting { attempt: 1 });
}

#[test]
fn a_page_that_wakes_up_finds_a_dead_connection_within_2_s() {
    let mut page = Page::connected(options());
    page.take_sent();
    page.supervisor.handle_page_event(false, page.now);
    page.now += secs(8 * 3600);
    page.supervisor.handle_page_event(true, page.now);
    page.turn();
    assert_eq!(page.take_sent(), [Packet::Pingreq]);
    let woke_at = page.now;
    while page.status().is_connected() {
        let deadline = page.deadline.unwrap();
        page.wait(deadline.saturating_duration_since(page.now));
    }
    page.wait_for_attempt();
    assert!(page.now.saturating_duration_since(woke_at) < secs(2));
}

#[test]
fn a_page_that_wakes_up_keeps_a_connection_that_answers() {
    let mut page = Page::connected(options());
    page.supervisor.handle_page_event(true, page.now);
    page.turn();
    page.now += Duration::from_millis(30);
    page.receive(&Packet::Pingresp);
    page.wait(secs(5));
    assert!(page.status().is_connected());
    let round_trip_time = page.supervisor.round_trip_time();
    assert_eq!(round_trip_time, Some(Duration::from_millis(30)));
}

#[test]
fn the_waits_shrink_only_after_a_stable_connection() {
    let mut page = Page::new(options());
    waits(&mut page, 10);
    page.accept(false);
    page.wait(secs(9));
    page.cut();
    let Status::Waiting { attempt, .. } = *page.status() else {
        panic!("{:?}", page.status())
    };
    assert_eq!(attempt, 12);
    page.wait_for_attempt();
    page.accept(true);
    page.wait(secs(10));
    page.cut();
    let Status::Waiting { attempt, .. } = *page.status() else {
        panic!("{:?}", page.status())
    };
    assert_eq!(attempt, 2);
}

#[test]
fn a_violation_neither_stops_reconnection_nor_loops() {
    let mut page = Page::new(options());
    for n_violations in 1..=20 {
        page.accept(n_violations > 1);
        page.wait(secs(60));
        page.receive(&Packet::Connack(Connack {
            session_present: false,
            reason_code: ReasonCode::Success,
            properties: Properties::new(),
        }));
        let Status::Waiting {
            failure, attempt, ..
        } = page.status()
        else {
            panic!("{:?}", page.status())
        };
        assert!(matches!(failure, Failure::Violation { .. }));
        assert_eq!(*attempt, n_violations + 1);
        page.wait_for_attempt();
    }
}

#[test]
fn a_session_taken_over_is_not_fought_for() {
    let mut page = Page::connected(options());
    page.receive(&Packet::Disconnect(Disconnect {
        reason_code: ReasonCode::SessionTakenOver,
        properties: Properties::new(),
    }));
    let reason = StopReason::SessionTakenOver;
    assert_eq!(*page.status(), Status::Stopped { reason });
    page.wait(secs(3600));
    assert_eq!(page.n_opened, 1);
}

#[test]
fn a_disconnect_by_the_server_is_told_in_words() {
    let mut page = Page::connected(options());
    page.receive(&Packet::Disconnect(Disconnect {
        reason_code: ReasonCode::ServerShuttingDown,
        properties: Properties::new(),
    }));
    let Status::Waiting { failure, .. } = page.status() else {
        panic!("{:?}", page.status())
    };
    let words = "the broker ended the connection: server shutting down";
    assert_eq!(failure.to_string(), words);
}

#[test]
fn disconnecting_during_the_wait_ends_the_wait() {
    let mut page = Page::connected(options());
    page.cut();
    page.supervisor.disconnect(page.now);
    page.wait(secs(3600));
    let reason = StopReason::ByCaller;
    assert_eq!(*page.status(), Status::Stopped { reason });
    assert_eq!((page.n_opened, page.deadline), (1, None));
}

#[test]
fn disconnecting_says_goodbye() {
    let mut page = Page::connected(options());
    page.take_sent();
    page.supervisor.disconnect(page.now);
    page.turn();
    let sent = page.take_sent();
    assert!(matches!(sent[..], [Packet::Disconnect(_)]), "{sent:?}");
    assert_eq!(page.link, None);
}

#[test]
fn reconnecting_from_the_close_event_makes_one_connection() {
    let mut page = Page::connected(options());
    page.cut();
    page.supervisor.reconnect_now(page.now);
    page.supervisor.reconnect_now(page.now);
    page.turn();
    assert_eq!(page.n_opened, 2);
}
