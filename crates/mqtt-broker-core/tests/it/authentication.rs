//! Who may connect: by user name and password, or by an enhanced authentication of several steps.

use bytes::Bytes;
use mqtt_broker_core::{Authenticator, Claimant, DisconnectCause, Exchange, Settings, Step};
use mqtt_protocol::{Auth, Connack, Connect, Packet, Properties, Property, ReasonCode, Secret};

use crate::world::{
    AtLeastOnce, AtMostOnce, ClientId, V3_1_1, V5_0, World, connect, resume, seconds,
};

const METHOD: &str = "RIDDLE";

/// Lets in whoever has the password, or answers as many riddles as it asks.
#[derive(Debug)]
struct Doorkeeper {
    n_riddles: usize,
}

/// Each riddle is a word; its answer is the word backwards.
#[derive(Debug)]
struct Riddles {
    left: usize,
    awaited: Option<Vec<u8>>,
}

impl Authenticator for Doorkeeper {
    fn check(&mut self, connect: &Connect) -> Result<(), ReasonCode> {
        match connect.password.as_deref() {
            Some(b"secret") => Ok(()),
            Some(_) => Err(ReasonCode::BadUserNameOrPassword),
            None => Err(ReasonCode::NotAuthorized),
        }
    }

    fn begin(&mut self, method: &str, claimant: Claimant<'_>) -> Option<Box<dyn Exchange>> {
        if let Claimant::Connected(client_identifier) = claimant {
            assert_eq!(client_identifier, "client");
        }
        (method == METHOD).then(|| {
            Box::new(Riddles {
                left: self.n_riddles,
                awaited: None,
            }) as Box<dyn Exchange>
        })
    }
}

impl Exchange for Riddles {
    fn step(&mut self, data: Option<&Bytes>) -> Step {
        if let Some(awaited) = self.awaited.take()
            && data.map(Bytes::as_ref) != Some(&awaited[..])
        {
            return Step::Failure(ReasonCode::NotAuthorized);
        }
        if self.left == 0 {
            return Step::Success(Some("welcome".into()));
        }
        let riddle = format!("riddle {}", self.left).into_bytes();
        self.left -= 1;
        self.awaited = Some(backwards(&riddle));
        Step::Continue(riddle.into())
    }
}

fn backwards(word: &[u8]) -> Vec<u8> {
    word.iter().rev().copied().collect()
}

fn guarded(n_riddles: usize) -> World {
    let mut world = World::with(Settings::default());
    world
        .broker
        .set_authenticator(Box::new(Doorkeeper { n_riddles }));
    world
}

fn with_method(mut connect: Connect, method: &str) -> Connect {
    connect
        .properties
        .push(Property::AuthenticationMethod(method.to_owned().into()));
    connect
}

fn auth(reason_code: ReasonCode, method: &str, data: Option<Vec<u8>>) -> Packet {
    let method = Property::AuthenticationMethod(method.to_owned().into());
    let data = data.map(|data| Property::AuthenticationData(Secret(data.into())));
    Packet::Auth(Auth {
        reason_code,
        properties: [method].into_iter().chain(data).collect(),
    })
}

/// Takes a challenge and answers it.
fn answer(world: &mut World, client: ClientId) {
    let Some(Packet::Auth(challenge)) = world.receive(client) else {
        panic!("a challenge comes");
    };
    assert_eq!(challenge.reason_code, ReasonCode::ContinueAuthentication);
    let properties = &challenge.properties;
    assert_eq!(properties.reason_string(), None);
    assert_eq!(properties.user_properties().count(), 0);
    assert_eq!(properties.authentication_method().unwrap(), METHOD);
    let riddle = properties.authentication_data().unwrap();
    let answer = auth(
        ReasonCode::ContinueAuthentication,
        METHOD,
        Some(backwards(riddle)),
    );
    world.send(client, answer);
}

fn connack(world: &mut World, client: ClientId) -> Connack {
    match world.receive(client) {
        Some(Packet::Connack(connack)) => connack,
        other => panic!("expected a CONNACK, got {other:?}"),
    }
}

/// A Client that was let in by riddles.
fn let_in(world: &mut World, n_riddles: usize, request: Connect) -> (ClientId, Connack) {
    let client = world.open(V5_0);
    let request = with_method(request, METHOD);
    world.send(client, Packet::Connect(Box::new(request)));
    for _ in 0..n_riddles {
        answer(world, client);
    }
    let connack = connack(world, client);
    assert_eq!(connack.reason_code, ReasonCode::Success);
    (client, connack)
}

fn welcome(properties: &Properties) {
    assert_eq!(properties.authentication_method().unwrap(), METHOD);
    assert_eq!(properties.authentication_data().unwrap(), "welcome");
    assert_eq!(
        (
            properties.reason_string(),
            properties.user_properties().count()
        ),
        (None, 0)
    );
}

// Shows 5.0 [MQTT-3.1.4-2].
#[test]
fn a_password_is_checked_and_a_refusal_says_so() {
    let mut world = guarded(0);
    let mut request = connect(V5_0, "client");
    request.user_name = Some("grower".into());
    request.password = Some("secret".into());
    world.connect(request.clone());
    request.password = Some("guess".into());
    for (version, password, expected) in [
        (V5_0, Some("guess"), ReasonCode::BadUserNameOrPassword),
        (V5_0, None, ReasonCode::NotAuthorized),
        (V3_1_1, Some("guess"), ReasonCode::BadUserNameOrPassword),
        (V3_1_1, None, ReasonCode::NotAuthorized),
    ] {
        let mut request = connect(version, "client");
        request.user_name = Some("grower".into());
        request.password = password.map(Into::into);
        let (client, connack) = world.try_connect(request);
        assert_eq!(connack.reason_code, expected);
        assert!(world.is_closed(client));
    }
}

#[test]
fn a_refused_client_takes_over_nobodys_session() {
    let mut world = guarded(1);
    let mut request = connect(V5_0, "client");
    request.password = Some("secret".into());
    let (client, _) = world.connect(request);
    world.try_connect(connect(V5_0, "client"));
    let stranger = world.open(V5_0);
    let request = with_method(connect(V5_0, "client"), METHOD);
    world.send(stranger, Packet::Connect(Box::new(request)));
    assert!(!world.is_closed(client));
    answer(&mut world, stranger);
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::SessionTakenOver)
    );
}

// Shows 5.0 [MQTT-4.12.0-2], 5.0 [MQTT-4.12.0-3], 5.0 [MQTT-4.12.0-5], 5.0 [MQTT-3.15.2-2].
// Shows 5.0 [MQTT-3.15.2-3].
#[test]
fn a_client_is_let_in_after_as_many_steps_as_it_takes() {
    for n_riddles in [0, 1, 3] {
        let mut world = guarded(n_riddles);
        let (client, connack) = let_in(&mut world, n_riddles, resume(V5_0, "client"));
        welcome(&connack.properties);
        world.subscribe(client, "bed/1", AtLeastOnce);
        world.cut(client);
        let (client, connack) = let_in(&mut world, n_riddles, resume(V5_0, "client"));
        assert!(connack.session_present);
        world.publish(client, "bed/1", "x", AtMostOnce);
        assert_eq!(world.payloads(client), ["x"]);
    }
}

// Shows 5.0 [MQTT-4.12.0-1].
#[test]
fn an_unknown_method_is_refused() {
    let mut world = guarded(1);
    let (client, connack) = world.try_connect(with_method(connect(V5_0, "client"), "OTHER"));
    assert_eq!(connack.reason_code, ReasonCode::BadAuthenticationMethod);
    assert!(world.is_closed(client));
}

// Shows 5.0 [MQTT-4.12.0-4].
#[test]
fn a_wrong_answer_is_refused() {
    let mut world = guarded(2);
    let client = world.open(V5_0);
    let request = with_method(connect(V5_0, "client"), METHOD);
    world.send(client, Packet::Connect(Box::new(request)));
    answer(&mut world, client);
    world.receive(client);
    let wrong = auth(
        ReasonCode::ContinueAuthentication,
        METHOD,
        Some(b"guess".into()),
    );
    world.send(client, wrong);
    let connack = connack(&mut world, client);
    assert_eq!(connack.reason_code, ReasonCode::NotAuthorized);
    assert!(world.is_closed(client));
}

// Shows 5.0 [MQTT-3.1.2-30].
#[test]
fn nothing_but_an_answer_may_come_before_the_connack() {
    let right = Some(backwards(b"riddle 1"));
    for wrong in [
        Packet::Pingreq,
        auth(ReasonCode::ReAuthenticate, METHOD, right.clone()),
        auth(ReasonCode::ContinueAuthentication, "OTHER", right),
    ] {
        let mut world = guarded(1);
        let client = world.open(V5_0);
        let request = with_method(connect(V5_0, "client"), METHOD);
        world.send(client, Packet::Connect(Box::new(request)));
        world.receive(client);
        world.send(client, wrong);
        let connack = connack(&mut world, client);
        assert_eq!(connack.reason_code, ReasonCode::ProtocolError);
        assert!(world.is_closed(client));
    }
}

#[test]
fn who_does_not_answer_is_not_waited_for_longer_than_for_a_connect() {
    let mut world = guarded(1);
    let client = world.open(V5_0);
    let request = with_method(connect(V5_0, "client"), METHOD);
    world.send(client, Packet::Connect(Box::new(request)));
    world.advance(seconds(9));
    assert!(!world.is_closed(client));
    world.advance(seconds(1));
    assert!(world.is_closed(client));
    assert_eq!(
        world.disconnect_cause(client),
        Some(DisconnectCause::ConnectTimeout)
    );
}

#[test]
fn a_client_may_say_goodbye_instead_of_answering() {
    let mut world = guarded(1);
    let client = world.open(V5_0);
    let request = with_method(connect(V5_0, "client"), METHOD);
    world.send(client, Packet::Connect(Box::new(request)));
    world.disconnect(client, ReasonCode::NORMAL_DISCONNECTION);
    assert!(world.is_closed(client));
    assert_eq!(world.broker.counters().sessions, 0);
}

#[test]
fn a_connected_client_shows_anew_who_it_is_and_messages_go_on_meanwhile() {
    let mut world = guarded(1);
    let (client, _) = let_in(&mut world, 1, connect(V5_0, "client"));
    world.subscribe(client, "bed/1", AtMostOnce);
    for _ in 0..2 {
        world.send(client, auth(ReasonCode::ReAuthenticate, METHOD, None));
        let challenge = world.receive(client).unwrap();
        world.publish(client, "bed/1", "x", AtMostOnce);
        assert_eq!(world.payloads(client), ["x"]);
        assert!(matches!(challenge, Packet::Auth(_)));
        let right = Some(backwards(b"riddle 1"));
        world.send(
            client,
            auth(ReasonCode::ContinueAuthentication, METHOD, right),
        );
        let Some(Packet::Auth(success)) = world.receive(client) else {
            panic!("a success is told");
        };
        assert_eq!(success.reason_code, ReasonCode::Success);
        welcome(&success.properties);
    }
}

// Shows 5.0 [MQTT-4.12.1-2].
#[test]
fn who_cannot_show_it_anew_is_disconnected() {
    let mut world = guarded(1);
    let (client, _) = let_in(&mut world, 1, connect(V5_0, "client"));
    world.send(client, auth(ReasonCode::ReAuthenticate, METHOD, None));
    let wrong = Some(b"guess".into());
    world.send(
        client,
        auth(ReasonCode::ContinueAuthentication, METHOD, wrong),
    );
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::NotAuthorized)
    );
}

// Shows 5.0 [MQTT-4.12.1-2].
#[test]
fn who_does_not_show_it_anew_in_time_is_disconnected() {
    let mut world = guarded(2);
    for keep_alive in [0, 60] {
        let mut request = connect(V5_0, "client");
        request.keep_alive = keep_alive;
        let (client, _) = let_in(&mut world, 2, request);
        world.send(client, auth(ReasonCode::ReAuthenticate, METHOD, None));
        world.advance(seconds(9));
        // An answer that is followed by another riddle gives no more time, nor does anything else.
        let right = Some(backwards(b"riddle 2"));
        world.send(
            client,
            auth(ReasonCode::ContinueAuthentication, METHOD, right),
        );
        world.send(client, Packet::Pingreq);
        assert!(!world.is_closed(client));
        world.advance(seconds(1));
        assert_eq!(
            world.disconnect_reason(client),
            Some(ReasonCode::NotAuthorized)
        );
    }
}

#[test]
fn who_has_shown_it_anew_may_stay() {
    let mut world = guarded(1);
    let mut request = connect(V5_0, "client");
    request.keep_alive = 0;
    let (client, _) = let_in(&mut world, 1, request);
    world.send(client, auth(ReasonCode::ReAuthenticate, METHOD, None));
    let right = Some(backwards(b"riddle 1"));
    world.send(
        client,
        auth(ReasonCode::ContinueAuthentication, METHOD, right),
    );
    world.advance(seconds(3600));
    assert!(!world.is_closed(client));
}

// Shows 5.0 [MQTT-4.12.1-1], 5.0 [MQTT-4.12.0-6], 5.0 [MQTT-4.12.0-7].
#[test]
fn an_auth_out_of_turn_or_by_another_method_ends_the_connection() {
    let wrong = [
        auth(ReasonCode::ReAuthenticate, "OTHER", None),
        auth(ReasonCode::ContinueAuthentication, METHOD, None),
    ];
    for packet in wrong {
        let mut world = guarded(0);
        let (client, _) = let_in(&mut world, 0, connect(V5_0, "client"));
        world.send(client, packet);
        assert_eq!(
            world.disconnect_reason(client),
            Some(ReasonCode::ProtocolError)
        );
    }
    let mut world = guarded(0);
    let mut request = connect(V5_0, "client");
    request.password = Some("secret".into());
    let (without_method, connack) = world.connect(request);
    assert_eq!(connack.properties.authentication_method(), None);
    let packet = auth(ReasonCode::ReAuthenticate, METHOD, None);
    world.send(without_method, packet);
    assert_eq!(
        world.disconnect_reason(without_method),
        Some(ReasonCode::ProtocolError)
    );
}

#[test]
fn two_authentications_at_once_end_the_connection() {
    let mut world = guarded(1);
    let (client, _) = let_in(&mut world, 1, connect(V5_0, "client"));
    for _ in 0..2 {
        world.send(client, auth(ReasonCode::ReAuthenticate, METHOD, None));
    }
    assert_eq!(
        world.disconnect_reason(client),
        Some(ReasonCode::ProtocolError)
    );
}

// Shows 5.0 [MQTT-3.1.2-22].
#[test]
fn an_answer_puts_the_keep_alive_off() {
    let mut world = guarded(1);
    let client = world.open(V5_0);
    let mut request = with_method(connect(V5_0, "client"), METHOD);
    request.keep_alive = 2;
    world.send(client, Packet::Connect(Box::new(request)));
    world.advance(seconds(4));
    answer(&mut world, client);
    world.advance(seconds(2));
    assert!(!world.is_closed(client));
    world.advance(seconds(1));
    assert!(world.is_closed(client));
}
