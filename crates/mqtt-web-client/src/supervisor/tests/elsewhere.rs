use super::*;

fn following(url: &str) -> Options {
    Options {
        follow_server_reference: Some(FollowServerReference::new()),
        ..Options::new(url)
    }
}

fn reference(server_reference: &str) -> Properties {
    Properties::new().with(Property::ServerReference(server_reference.into()))
}

/// A page whose Server refuses and names another.
fn sent_away(options: Options, reason_code: ReasonCode, server_reference: &str) -> Page {
    let mut page = Page::new(options);
    page.link(LinkEvent::Opened);
    page.answer_connect(false, reason_code, reference(server_reference));
    page
}

#[test]
fn another_server_is_not_followed_unless_it_is_allowed() {
    for reason_code in [ReasonCode::UseAnotherServer, ReasonCode::ServerMoved] {
        let page = sent_away(options(), reason_code, "ws://other/mqtt");
        assert!(matches!(page.status(), Status::Refused { .. }));
        assert_eq!(page.deadline, None);
    }
}

#[test]
fn use_another_server_is_followed_once() {
    let home = "ws://home/mqtt";
    let reason_code = ReasonCode::UseAnotherServer;
    let mut page = sent_away(following(home), reason_code, "ws://other/mqtt ws://third");
    let words = "the broker sends us to ws://other/mqtt";
    assert_eq!(page.failure().to_string(), words);
    page.wait_for_attempt();
    assert_eq!(page.supervisor.url(), "ws://other/mqtt");
    page.accept(false);
    assert_eq!(page.supervisor.url(), "ws://other/mqtt");
    page.cut();
    page.wait_for_attempt();
    assert_eq!(page.supervisor.url(), home);
}

#[test]
fn server_moved_is_followed_for_good_once_the_new_one_accepts() {
    let home = "wss://home/mqtt";
    let mut page = Page::connected(following(home));
    let moved = Packet::Disconnect(Disconnect {
        reason_code: ReasonCode::ServerMoved,
        properties: reference("wss://new/mqtt"),
    });
    page.receive(&moved);
    page.wait_for_attempt();
    assert_eq!(page.supervisor.url(), "wss://new/mqtt");
    page.link(LinkEvent::Closed(Failure::Unreachable));
    page.wait_for_attempt();
    assert_eq!(page.supervisor.url(), home);
    page.accept(false);
    page.receive(&moved);
    page.wait_for_attempt();
    page.accept(false);
    page.cut();
    page.wait_for_attempt();
    assert_eq!(page.supervisor.url(), "wss://new/mqtt");
}

#[test]
fn a_server_leads_nobody_from_a_secure_connection_to_an_insecure_one_or_out_of_websocket() {
    for server_reference in [
        "ws://other/mqtt",
        "other:1883",
        "https://other",
        "",
        "mqtt://x",
    ] {
        let reason_code = ReasonCode::ServerMoved;
        let page = sent_away(following("wss://home/mqtt"), reason_code, server_reference);
        assert!(matches!(page.status(), Status::Refused { .. }));
    }
}

#[test]
fn an_address_elsewhere_that_is_none_does_not_stop_the_client() {
    let reason_code = ReasonCode::ServerMoved;
    let mut page = sent_away(following("ws://home"), reason_code, "ws://:::");
    page.wait_for_attempt();
    page.link(LinkEvent::Closed(Failure::InvalidAddress));
    page.wait_for_attempt();
    assert_eq!(page.supervisor.url(), "ws://home");
}

#[test]
fn servers_that_send_to_each_other_are_met_with_growing_waits() {
    let reason_code = ReasonCode::UseAnotherServer;
    let mut page = sent_away(following("ws://home"), reason_code, "ws://other");
    for n_failures in 1..10 {
        let Status::Waiting { attempt, .. } = *page.status() else {
            panic!("{:?}", page.status());
        };
        assert_eq!(attempt, n_failures + 1);
        page.wait_for_attempt();
        page.link(LinkEvent::Opened);
        page.answer_connect(false, reason_code, reference("ws://home"));
    }
}
