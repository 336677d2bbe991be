use super::*;
use crate::in_words;

#[test]
fn every_state_on_the_way_is_told() {
    let mut page = Page::connected(options());
    page.cut();
    let told: Vec<bool> = page
        .events
        .iter()
        .map(|event| matches!(event, Event::Status(_)))
        .collect();
    assert_eq!(told, [true, true, true]);
    assert_eq!(
        page.events[..2],
        [
            Event::Status(Status::Connecting { attempt: 1 }),
            Event::Status(Status::Connected {
                session_present: false
            }),
        ]
    );
    let Event::Status(Status::Waiting {
        failure, attempt, ..
    }) = &page.events[2]
    else {
        panic!("{:?}", page.events)
    };
    assert_eq!(*failure, Failure::ConnectionLost);
    assert_eq!(failure.to_string(), "the connection was lost");
    assert_eq!(*attempt, 2);
}

#[test]
fn offline_at_start_is_only_a_wait() {
    let mut page = Page::new(options());
    page.link(LinkEvent::Closed(Failure::Unreachable));
    page.wait_for_attempt();
    page.accept(false);
    assert!(page.status().is_connected());
}

#[test]
fn a_socket_that_never_opens_is_given_up() {
    let mut page = Page::new(options());
    page.wait(secs(10));
    let failure = Failure::ConnackTimeout;
    assert!(matches!(page.status(), Status::Waiting { failure: told, .. } if *told == failure));
    assert_eq!(page.link, None);
}

#[test]
fn opening_and_connack_share_one_time_limit() {
    let mut page = Page::new(options());
    page.wait(secs(9));
    page.link(LinkEvent::Opened);
    assert_eq!(page.deadline, Some(START + secs(10)));
    page.wait(secs(1));
    assert!(matches!(page.status(), Status::Waiting { .. }));
}

#[test]
fn a_late_callback_of_an_old_socket_does_nothing() {
    let mut page = Page::connected(options());
    let old = page.link.unwrap();
    page.reconnect(false);
    let n_events = page.events.len();
    page.take_sent();
    for event in [
        LinkEvent::Opened,
        LinkEvent::Received(vec![0xFF; 9].into()),
        LinkEvent::Closed(Failure::ConnectionLost),
    ] {
        page.supervisor.handle_link(old, event, page.now);
        page.turn();
    }
    assert!(page.status().is_connected());
    assert_eq!(page.events.len(), n_events);
    assert_eq!(page.take_sent(), []);
}

#[test]
fn only_the_first_connection_begins_anew() {
    let mut page = Page::new(options());
    page.link(LinkEvent::Opened);
    assert!(page.take_connect().clean_start);
    page.answer_connect(false, ReasonCode::Success, Properties::new());
    page.reconnect(true);
    assert!(!page.take_connect().clean_start);
    assert_eq!(
        *page.status(),
        Status::Connected {
            session_present: true
        }
    );
}

#[test]
fn on_3_1_1_every_connection_begins_anew_and_has_no_properties() {
    let mut page = Page::new(Options {
        protocol_version: ProtocolVersion::V3_1_1,
        ..options()
    });
    for _ in 0..2 {
        page.accept(false);
        let connect = page.take_connect();
        assert!(connect.clean_start);
        assert!(connect.properties.is_empty());
        page.cut();
        page.wait_for_attempt();
    }
}

#[test]
fn the_identifier_that_the_server_chose_is_used_again() {
    let mut page = Page::new(options());
    let assigned = Property::AssignedClientIdentifier("auto-7".into());
    page.accept_with(false, Properties::new().with(assigned));
    assert_eq!(page.take_connect().client_identifier, "");
    page.reconnect(true);
    assert_eq!(page.take_connect().client_identifier, "auto-7");
}

#[test]
fn the_will_is_sent_with_every_connect() {
    let will = will();
    let mut page = Page::new(Options {
        will: Some(will.clone()),
        ..options()
    });
    page.accept(false);
    assert_eq!(page.take_connect().will, Some(will.clone()));
    page.reconnect(true);
    assert_eq!(page.take_connect().will, Some(will));
}

#[test]
fn a_refusal_for_good_is_told_and_not_tried_again() {
    let mut page = Page::new(options());
    page.refuse(ReasonCode::BadUserNameOrPassword);
    assert!(matches!(page.status(), Status::Refused { .. }));
    assert_eq!((page.link, page.deadline), (None, None));
    page.supervisor.handle_page_event(true, page.now);
    page.turn();
    assert_eq!(page.n_opened, 1);

    page.supervisor.reconnect_now(page.now);
    page.turn();
    page.accept(false);
    assert!(page.status().is_connected());
}

#[test]
fn a_refusal_for_now_is_tried_again() {
    let mut page = Page::new(options());
    page.refuse(ReasonCode::ServerBusy);
    let Status::Waiting { failure, .. } = page.status() else {
        panic!("{:?}", page.status())
    };
    assert_eq!(failure.to_string(), "the broker refused: server busy");
    page.wait_for_attempt();
}

#[test]
fn options_that_make_no_connect_are_told() {
    let mut page = Page::new(Options {
        user_name: Some("\0".to_owned()),
        ..options()
    });
    page.link(LinkEvent::Opened);
    let reason = StopReason::InvalidOptions;
    assert_eq!(*page.status(), Status::Stopped { reason });
    assert_eq!(page.link, None);
}

#[test]
fn every_refusal_is_told_in_words_and_tried_again_only_where_that_can_help() {
    let mut for_now = Vec::new();
    for value in 0x80..=0xFF {
        let Some(reason_code) = ReasonCode::from_value(value) else {
            continue;
        };
        let mut page = Page::new(options());
        page.link(LinkEvent::Opened);
        let mut bytes = Vec::new();
        let refusal = Packet::Connack(Connack {
            session_present: false,
            reason_code,
            properties: Properties::new(),
        });
        if refusal.encode(page.version, &mut bytes).is_err() {
            // Not one of the codes that a CONNACK may have.
            continue;
        }
        page.link(LinkEvent::Received(bytes.into()));
        match page.status() {
            Status::Refused { reason_code, .. } => assert_ne!(in_words(*reason_code), ""),
            Status::Waiting { failure, .. } => {
                assert!(failure.to_string().starts_with("the broker refused: "));
                for_now.push(reason_code);
            }
            Status::Connecting { .. } | Status::Connected { .. } | Status::Stopped { .. } => {
                panic!("{:?}", page.status())
            }
        }
    }
    assert_eq!(
        for_now,
        [
            ReasonCode::UnspecifiedError,
            ReasonCode::MalformedPacket,
            ReasonCode::ProtocolError,
            ReasonCode::ImplementationSpecificError,
            ReasonCode::ServerUnavailable,
            ReasonCode::ServerBusy,
            ReasonCode::QuotaExceeded,
            ReasonCode::ConnectionRateExceeded,
        ]
    );
}
