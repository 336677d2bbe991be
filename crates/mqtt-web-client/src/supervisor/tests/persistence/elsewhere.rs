//! Sessions of pages that a Server has sent to another.

use super::*;

/// Connected to where Use another server or Server moved has sent a page with a message of QoS 2 in flight.
fn sent_on(reason_code: ReasonCode) -> (Kept, Published) {
    let mut kept = Kept::connected(Options {
        follow_server_reference: Some(FollowServerReference::new()),
        ..options()
    });
    let receipt = kept.publish(exactly_once("1"));
    kept.settle();
    kept.page.receive(&Packet::Disconnect(Disconnect {
        reason_code,
        properties: Properties::new().with(Property::ServerReference(OTHER.into())),
    }));
    kept.settle();
    kept.page.wait_for_attempt();
    (kept, receipt)
}

const OTHER: &str = "ws://other/mqtt";

#[test]
fn a_session_belongs_to_the_server_that_has_it() {
    for reason_code in [ReasonCode::UseAnotherServer, ReasonCode::ServerMoved] {
        let (mut kept, mut receipt) = sent_on(reason_code);
        // What the first Server began, no other can bring to its end.
        kept.page.take_sent();
        kept.accept(false);
        assert!(kept.page.take_connect().clean_start);
        assert_eq!(receipt.take(), Some(Err(PublishError::Indeterminate)));
        kept.publish(exactly_once("2"));
        kept.settle();
        kept.take_sent();
        kept.page.cut();
        kept.page.wait_for_attempt();
        kept.page.link(LinkEvent::Opened);
        let is_home = kept.page.supervisor.url() == options().url;
        assert_eq!(is_home, reason_code == ReasonCode::UseAnotherServer);
        assert_eq!(kept.page.take_connect().clean_start, is_home);
    }
}

#[test]
fn a_session_elsewhere_is_found_again_after_a_reload() {
    let (mut kept, _receipt) = sent_on(ReasonCode::ServerMoved);
    kept.accept(false);
    kept.publish(exactly_once("2"));
    kept.settle();
    let mut kept = kept.reload();
    let restored = Persistence::Kept {
        n_restored: 1,
        n_discarded: 0,
    };
    assert_eq!(*kept.persistence(), restored);
    // The application asks at the address that it knows, and is sent on.
    kept.page.link(LinkEvent::Closed(Failure::Unreachable));
    kept.page.wait_for_attempt();
    kept.page.supervisor.options.url = OTHER.to_owned();
    kept.page.link(LinkEvent::Opened);
    assert!(!kept.page.take_connect().clean_start);
    kept.page
        .answer_connect(true, ReasonCode::Success, Properties::new());
    assert_eq!(kept.take_sent(), [sent(2, true, "2")]);
}

#[test]
fn a_page_that_ends_on_the_way_to_another_server_goes_on_with_neither() {
    let (mut kept, _receipt) = sent_on(ReasonCode::UseAnotherServer);
    kept.page.link(LinkEvent::Opened);
    kept.settle();
    let mut kept = kept.reload();
    kept.page.link(LinkEvent::Opened);
    assert!(kept.page.take_connect().clean_start);
}
