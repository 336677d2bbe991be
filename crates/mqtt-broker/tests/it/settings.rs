//! What a Server is set to be, it says in its CONNACK, and holds its Clients to it.

use mqtt_broker::Settings;
use mqtt_protocol::QoS;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::client::serve;

/// CONNECT of 5.0 with Keep Alive 60 that asks for Response Information.
const CONNECT: &[u8] = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x3C\x02\x19\x01\x00\x01a";

/// Connects, and checks that the properties of the CONNACK hold these; then what is said brings these answers.
async fn check(settings: Settings, properties: &[&[u8]], said: &[u8], answers: &[u8]) {
    let (_server, address) = serve(settings).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(CONNECT).await.unwrap();
    let mut head = [0; 5];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!((head[0], head[3]), (0x20, 0x00), "{head:02X?}");
    let mut connack = vec![0; head[4].into()];
    stream.read_exact(&mut connack).await.unwrap();
    for property in properties {
        assert!(
            connack
                .windows(property.len())
                .any(|window| window == *property),
            "{property:02X?} is not in {connack:02X?}"
        );
    }
    stream.write_all(said).await.unwrap();
    let mut received = vec![0; answers.len()];
    stream.read_exact(&mut received).await.unwrap();
    assert_eq!(received, answers, "{received:02X?}");
}

const PINGREQ: &[u8] = b"\xC0\x00";
const PINGRESP: &[u8] = b"\xD0\x00";

#[tokio::test]
async fn a_server_keep_alive_takes_the_place_of_the_clients() {
    let mut settings = Settings::default();
    settings.broker.keep_alive_max = std::num::NonZeroU16::new(1);
    // Nothing is said; after one and a half seconds the Server says that this is too long.
    check(settings, &[b"\x13\x00\x01"], b"", b"\xE0").await;
}

#[tokio::test]
async fn a_shorter_keep_alive_of_the_client_stays() {
    let mut settings = Settings::default();
    settings.broker.keep_alive_max = std::num::NonZeroU16::new(100);
    check(settings.clone(), &[], PINGREQ, PINGRESP).await;
    settings.broker.keep_alive_max = std::num::NonZeroU16::new(60);
    check(settings, &[], PINGREQ, PINGRESP).await;
}

#[tokio::test]
async fn response_information_is_told_to_whoever_asks() {
    let mut settings = Settings::default();
    settings.broker.response_information = Some("answers/".into());
    check(settings, &[b"\x1A\x00\x08answers/"], PINGREQ, PINGRESP).await;
}

#[tokio::test]
async fn a_longer_session_expiry_than_the_longest_is_answered_by_it() {
    let mut settings = Settings::default();
    settings.broker.limits.session_expiry_interval = Some(std::time::Duration::from_secs(10));
    let (_server, address) = serve(settings).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"\x10\x13\x00\x04MQTT\x05\x02\x00\x3C\x05\x11\x00\x00\x00\x0B\x00\x01a")
        .await
        .unwrap();
    let mut connack = [0; 10];
    stream.read_exact(&mut connack).await.unwrap();
    assert_eq!(
        connack[5..],
        [0x11, 0, 0, 0, 10],
        "it is the first property: {connack:02X?}"
    );
}

#[tokio::test]
async fn a_lower_maximum_qos_is_told_and_kept() {
    let mut settings = Settings::default();
    settings.broker.maximum_qos = QoS::AtLeastOnce;
    check(
        settings.clone(),
        &[b"\x24\x01"],
        // 5.0 [MQTT-3.2.2-10]: SUBSCRIBE with QoS 2 is accepted all the same.
        b"\x82\x07\x00\x01\x00\x00\x01t\x02",
        b"\x90\x04\x00\x01\x00\x02",
    )
    .await;
    // PUBLISH with QoS 2 ends the connection with 0x9B.
    check(
        settings,
        &[],
        b"\x34\x06\x00\x01t\x00\x01\x00",
        b"\xE0\x01\x9B",
    )
    .await;
}

#[tokio::test]
async fn what_is_not_available_is_told_and_refused() {
    let mut settings = Settings::default();
    settings.broker.retain_available = false;
    settings.broker.wildcard_subscription_available = false;
    settings.broker.subscription_identifiers_available = false;
    settings.broker.shared_subscription_available = false;
    let told: &[&[u8]] = &[b"\x25\x00", b"\x28\x00", b"\x29\x00", b"\x2A\x00"];
    for (said, answer) in [
        // A retained message: 0x9A.
        (&b"\x31\x04\x00\x01t\x00"[..], &b"\xE0\x01\x9A"[..]),
        // A wildcard, a Shared Subscription.
        (
            b"\x82\x07\x00\x01\x00\x00\x01#\x00",
            b"\x90\x04\x00\x01\x00\xA2",
        ),
        (
            b"\x82\x10\x00\x01\x00\x00\x0A$share/g/t\x00",
            b"\x90\x04\x00\x01\x00\x9E",
        ),
    ] {
        check(settings.clone(), told, said, answer).await;
    }
}
