//! A tab with the client in it and nothing else.

use serde_json::{Value, json};

use super::mosquitto::{Message, V5_0};
use super::{Broker, Browser, eventually};

pub(crate) struct ClientPage {
    pub(crate) browser: Browser,
    /// Serves the page whatever becomes of the broker that the client talks to.
    _server: Broker,
}

/// As whom the client connects; empty texts for nobody in particular.
#[derive(Clone, Copy, Default)]
pub(crate) struct Account {
    /// If it is given, the session is the tab's and outlives the page.
    pub(crate) session_prefix: &'static str,
    pub(crate) user_name: &'static str,
    pub(crate) password: &'static str,
}

impl ClientPage {
    pub(crate) async fn open() -> Self {
        let server = Broker::with_client_page(&["--in-memory"], 0, 0).await;
        let browser = Browser::open(&server.page_url()).await;
        let page = Self {
            browser,
            _server: server,
        };
        page.prepare().await;
        page
    }

    /// After the page was loaded.
    pub(crate) async fn prepare(&self) {
        eventually("the page is ready", async || {
            let ready = self.browser.script("return 'client' in window;").await?;
            (ready == true).then_some(())
        })
        .await;
        self.browser
            .script(include_str!("client_page.js"))
            .await
            .unwrap();
    }

    /// Lets the client connect, in place of one that is there.
    pub(crate) async fn connect(&self, url: &str, version: &str, account: Account) {
        let given = json!([
            url,
            version == V5_0,
            account.session_prefix,
            account.user_name,
            account.password,
        ]);
        self.browser.script("window.mqttClient?.free();").await;
        let connecting = self.settled("connect(...given)", given).await;
        connecting.unwrap();
    }

    pub(crate) async fn is_connected(&self) -> bool {
        let answer = self
            .browser
            .script("return window.mqttClient?.is_connected() ?? false;")
            .await;
        answer == Some(Value::Bool(true))
    }

    pub(crate) async fn connected(&self) {
        eventually("the client is connected", async || {
            self.is_connected().await.then_some(())
        })
        .await;
    }

    /// What happened to the page and what the client said of its connection, oldest first, in milliseconds.
    pub(crate) async fn events(&self) -> Vec<(f64, String)> {
        let events = self.browser.script("return events;").await.unwrap();
        serde_json::from_value(events).unwrap()
    }

    /// Whether something happened to the page, or the client said it.
    pub(crate) async fn has_seen(&self, event: &str) -> bool {
        let events = self.events().await;
        events.iter().any(|(_, seen)| seen == event)
    }

    /// What came, oldest first.
    pub(crate) async fn messages(&self) -> Vec<Message> {
        let messages = self.browser.script("return messages;").await.unwrap();
        serde_json::from_value(messages).unwrap()
    }

    /// Waits for a message with this payload.
    pub(crate) async fn message(&self, payload: &str) -> Message {
        eventually(&format!("{payload:?} comes"), async || {
            let messages = self.messages().await;
            messages
                .into_iter()
                .find(|message| message.payload == payload)
        })
        .await
    }

    /// Returns the Server's Reason Code.
    pub(crate) async fn subscribe(&self, filter: &str, qos: u8) -> Result<Value, String> {
        self.settled("mqttClient.subscribe(...given)", json!([filter, qos]))
            .await
    }

    /// Returns when the message is acknowledged as its QoS says.
    pub(crate) async fn publish(
        &self,
        topic: &str,
        payload: &str,
        qos: u8,
        may_wait: bool,
    ) -> Result<Value, String> {
        self.settled(
            "mqttClient.publish(given[0], bytes(given[1]), given[2], given[3])",
            json!([topic, payload, qos, may_wait]),
        )
        .await
    }

    /// Publishes what may wait, and does not.
    pub(crate) async fn publish_later(&self, topic: &str, payload: &str, qos: u8) {
        let given = vec![json!(topic), json!(payload), json!(qos)];
        self.browser
            .client
            .execute(
                "const [topic, payload, qos] = arguments; \
                 mqttClient.publish(topic, bytes(payload), qos, true);",
                given,
            )
            .await
            .unwrap();
    }

    /// What becomes of a promise of the page's.
    async fn settled(&self, promise: &str, given: Value) -> Result<Value, String> {
        let script = format!("const [given, done] = arguments; settle({promise}, done);");
        let outcome = self
            .browser
            .client
            .execute_async(&script, vec![given])
            .await
            .unwrap();
        match outcome.get("error") {
            Some(error) => Err(error.as_str().unwrap_or_default().to_owned()),
            None => Ok(outcome["value"].clone()),
        }
    }
}
