//! Both versions and every QoS, through our broker and through a stranger's.

use std::path::Path;

use crate::harness::{
    Account, BOTH_VERSIONS, Broker, ClientPage, PASSWORD, Subscriber, USER_NAME, eventually,
    publish,
};

#[tokio::test]
async fn every_qos_passes_through_rootzone() {
    let broker = rootzone(0, 0).await;
    check_every_qos(&broker, Account::default(), &[]).await;
}

#[tokio::test]
async fn every_qos_passes_through_mosquitto_that_asks_for_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::mosquitto_with_password(folder.path()).await;
    check_every_qos(&broker, GROWER, &CREDENTIALS).await;
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::mosquitto_with_password(folder.path()).await;
    let page = ClientPage::open().await;
    for (version, words) in BOTH_VERSIONS.into_iter().zip(REFUSALS) {
        let account = Account {
            password: "wrong",
            ..GROWER
        };
        page.connect(&broker.web_socket_url(), version, account)
            .await;
        eventually(&format!("the refusal in words, by {version}"), async || {
            page.has_seen(words).await.then_some(())
        })
        .await;
        assert!(!page.is_connected().await);
    }
}

#[tokio::test]
async fn a_client_outlives_rootzone() {
    check_restart(
        async |_, mqtt_port, page_port| rootzone(mqtt_port, page_port).await,
        Account::default(),
        &[],
    )
    .await;
}

#[tokio::test]
async fn a_client_outlives_mosquitto() {
    check_restart(
        async |folder, mqtt_port, page_port| {
            if mqtt_port == 0 {
                Broker::mosquitto_with_password(folder).await
            } else {
                Broker::mosquitto_with_password_at(folder, mqtt_port, page_port).await
            }
        },
        GROWER,
        &CREDENTIALS,
    )
    .await;
}

async fn rootzone(mqtt_port: u16, page_port: u16) -> Broker {
    Broker::with_client_page(&["--in-memory"], mqtt_port, page_port).await
}

async fn check_every_qos(broker: &Broker, account: Account, credentials: &[&str]) {
    let page = ClientPage::open().await;
    for version in BOTH_VERSIONS {
        page.connect(&broker.web_socket_url(), version, account)
            .await;
        page.connected().await;
        let words = [credentials, &["-q", "2"]].concat();
        let subscriber =
            Subscriber::start(broker, version, &format!("out/{version}"), &words).await;
        page.subscribe(&format!("in/{version}"), 2).await.unwrap();
        for qos in 0..=2 {
            let payload = format!("by {version} at QoS {qos}");
            page.publish(&format!("out/{version}"), &payload, qos, false)
                .await
                .unwrap();
            let message = subscriber
                .message(&payload, |message| message.payload == payload)
                .await;
            assert_eq!(message.qos, qos);

            let qos_word = qos.to_string();
            let words = [credentials, &["-q", &qos_word]].concat();
            publish(broker, version, &format!("in/{version}"), &payload, &words).await;
            assert_eq!(page.message(&payload).await.qos, qos);
        }
        assert_eq!(
            subscriber.messages().len(),
            3,
            "{:?}",
            subscriber.messages()
        );
    }
    assert_eq!(page.messages().await.len(), 6);
}

/// The broker dies with all that it knew. What was published meanwhile arrives, and the subscription stands again.
async fn check_restart(
    start: impl AsyncFn(&Path, u16, u16) -> Broker,
    account: Account,
    credentials: &[&str],
) {
    let folder = tempfile::tempdir().unwrap();
    let page = ClientPage::open().await;
    for version in BOTH_VERSIONS {
        let broker = start(folder.path(), 0, 0).await;
        page.connect(&broker.web_socket_url(), version, account)
            .await;
        page.connected().await;
        page.subscribe(version, 2).await.unwrap();

        let (mqtt_port, page_port) = (broker.mqtt_port, broker.page_port);
        broker.kill().await;
        eventually("the client has noticed", async || {
            (!page.is_connected().await).then_some(())
        })
        .await;
        let never = page.publish(version, "too late", 1, false).await;
        assert_eq!(never, Err("not connected".to_owned()));
        let waiting = format!("{version} waited");
        page.publish_later(version, &waiting, 2).await;

        let broker = start(folder.path(), mqtt_port, page_port).await;
        page.connected().await;
        page.message(&waiting).await;
        let later = format!("{version} came after");
        let words = [credentials, &["-q", "1"]].concat();
        publish(&broker, version, version, &later, &words).await;
        page.message(&later).await;
    }
    assert_eq!(page.messages().await.len(), 4, "each came once");
}

const GROWER: Account = Account {
    session_prefix: "",
    user_name: USER_NAME,
    password: PASSWORD,
};
const CREDENTIALS: [&str; 4] = ["-u", USER_NAME, "-P", PASSWORD];
/// In the order of the versions.
const REFUSALS: [&str; 2] = ["not authorized", "not authorized"];
