//! Pages that are hidden, frozen or asleep, and timers that are late.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// Lets time pass as a browser does for a visible page: every timer in time. Says when the page is connected.
fn until_connected(page: &mut Page) -> Duration {
    let start = page.now;
    for _ in 0..100 {
        match page.status() {
            Status::Connected { .. } => return page.now.saturating_duration_since(start),
            Status::Connecting { .. } if page.sent.is_empty() => page.link(LinkEvent::Opened),
            Status::Connecting { .. } => {
                page.sent.clear();
                page.answer_connect(false, ReasonCode::Success, Properties::new());
            }
            Status::Waiting { .. } => {
                page.wait_for_attempt();
            }
            Status::Refused { .. } | Status::Stopped { .. } => break,
        }
    }
    panic!("{:?}", page.status());
}

#[test]
fn a_hidden_page_with_one_timer_a_minute_keeps_its_connection() {
    let mut page = Page::connected(options());
    page.page_event(false);
    page.take_sent();
    let mut n_pings = 0;
    for _ in 0..30 {
        // The answer to the last ping came as a frame, which browsers do not hold back.
        page.wait(secs(60));
        for packet in page.take_sent() {
            assert_eq!(packet, Packet::Pingreq);
            n_pings += 1;
            page.receive(&Packet::Pingresp);
        }
    }
    assert!(page.status().is_connected());
    // A Server would close after 180 s without a packet.
    assert_eq!(n_pings, 30);
}

#[test]
fn a_timer_late_by_60_s_or_by_8_h_acts_at_once() {
    for late in [secs(60), 8 * HOUR] {
        let mut page = Page::connected(options());
        page.take_sent();
        let deadline = page.deadline.unwrap();
        page.wait(deadline.saturating_duration_since(page.now) + late);
        assert_eq!(page.take_sent(), [Packet::Pingreq]);

        let mut page = Page::new(options());
        page.link(LinkEvent::Closed(Failure::Unreachable));
        page.wait(secs(4) + late);
        assert!(matches!(page.status(), Status::Connecting { .. }));

        let mut page = Page::new(options());
        page.wait(secs(10) + late);
        assert_eq!(*page.failure(), Failure::ConnackTimeout);
    }
}

#[test]
fn a_page_that_slept_during_an_attempt_begins_it_again() {
    for has_opened in [false, true] {
        let mut page = Page::new(options());
        if has_opened {
            page.link(LinkEvent::Opened);
        }
        page.page_event(false);
        page.now += secs(9);
        page.page_event(true);
        assert_eq!(page.n_opened, 2);
        assert_eq!(page.deadline, Some(page.now + secs(10)));
        page.sent.clear();
        page.accept(false);
        assert!(page.status().is_connected());
    }
}

#[test]
fn an_attempt_that_has_just_begun_is_left_alone() {
    let mut page = Page::new(options());
    for _ in 0..5 {
        page.page_event(true);
    }
    assert_eq!(page.n_opened, 1);
}

#[test]
fn a_page_that_becomes_visible_is_connected_within_2_s_whatever_it_was_doing() {
    type Before = fn(&mut Page);
    let before: [Before; 4] = [
        // Its connection died in its sleep, soon after it was made.
        |page| page.accept(false),
        // It waits for a long time.
        |page| {
            for _ in 0..20 {
                page.link(LinkEvent::Closed(Failure::Unreachable));
                page.wait_for_attempt();
            }
            page.link(LinkEvent::Closed(Failure::Unreachable));
        },
        // An attempt hangs.
        |page| page.wait(secs(8)),
        // An attempt hangs after it was opened.
        |page| {
            page.link(LinkEvent::Opened);
            page.wait(secs(8));
        },
    ];
    for slept in [secs(1), secs(90), 8 * HOUR] {
        for before in before {
            let mut page = Page::new(options());
            page.page_event(false);
            before(&mut page);
            page.sent.clear();
            page.now += slept;
            page.page_event(true);
            let woke_at = page.now;
            // Nobody answers on the old connection.
            while page.status().is_connected() {
                let deadline = page.deadline.unwrap();
                page.wait(deadline.saturating_duration_since(page.now));
            }
            page.sent.clear();
            until_connected(&mut page);
            let took = page.now.saturating_duration_since(woke_at);
            assert!(took <= secs(2), "{took:?} after {slept:?}");
        }
    }
}

#[test]
fn going_offline_is_found_out_and_coming_online_reconnects_at_once() {
    let mut page = Page::connected(options());
    page.take_sent();
    page.page_event(true);
    assert_eq!(page.take_sent(), [Packet::Pingreq]);
    page.wait(Duration::from_millis(1200));
    assert_eq!(*page.failure(), Failure::PingrespTimeout);
    for _ in 0..10 {
        page.wait_for_attempt();
        page.link(LinkEvent::Closed(Failure::Unreachable));
    }
    page.page_event(true);
    assert!(matches!(page.status(), Status::Connecting { .. }));
}

#[test]
fn many_events_of_one_awakening_ask_once() {
    let mut page = Page::connected(options());
    page.take_sent();
    for _ in 0..5 {
        page.page_event(true);
    }
    assert_eq!(page.take_sent(), [Packet::Pingreq]);
}
