//! One device's MQTT connection: the loop that drives a machine and never gives up.

use std::{future, pin::pin, time::Duration};

use rumqttc::{
    NetworkOptions, Outgoing,
    v5::{
        AsyncClient, ConnectionError, Event, EventLoop, Incoming, MqttOptions,
        mqttbytes::{
            QoS,
            v5::{Filter, LastWill},
        },
    },
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tracing::debug;

use crate::{
    clock::Clock,
    device::{Delivery, Device, Message},
    options::BrokerAddress,
};

/// What a connection needs besides its device.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) broker: BrokerAddress,
    pub(crate) clock: Clock,
    pub(crate) reports: mpsc::UnboundedSender<Report>,
    pub(crate) shutdown: watch::Receiver<bool>,
}

/// How a connection is doing.
#[derive(Debug)]
pub(crate) enum Report {
    Up,
    /// It was up and is not any more.
    Lost(String),
    /// It could not be made.
    Failed(String),
}

/// Drives a device until the field shuts down, or until `drop_off_at`, when its socket closes without a word.
pub(crate) async fn run(
    mut device: Box<dyn Device>,
    mut surroundings: Surroundings,
    drop_off_at: Option<Instant>,
) {
    let (client, mut event_loop) = AsyncClient::new(
        mqtt_options(device.as_ref(), &surroundings.broker),
        REQUESTS_LEN_MAX,
    );
    let clock = surroundings.clock.clone();
    let mut is_connected = false;
    let mut wait = Duration::ZERO;
    loop {
        let event = {
            // Polled to its end, because a dropped poll would begin a new connection each time a deadline passes.
            let mut poll = pin!(async {
                sleep(wait).await;
                event_loop.poll().await
            });
            loop {
                tokio::select! {
                    event = &mut poll => break event,
                    () = until(device.deadline().map(|at| clock.instant(at))) => {
                        let messages = device.handle_timeout(clock.now());
                        if is_connected {
                            publish(&client, messages);
                        }
                    }
                    () = until(drop_off_at) => return,
                    _ = surroundings.shutdown.changed() => break Err(ConnectionError::RequestsDone),
                }
            }
        };
        wait = Duration::ZERO;
        match event {
            Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                is_connected = true;
                if let Some(topic) = device.command_topic()
                    && let Err(error) = client.try_subscribe_many([commands(topic)])
                {
                    debug!(%error, "not subscribed");
                }
                publish(&client, device.announce(clock.now()));
                report(&surroundings, Report::Up);
            }
            Ok(Event::Incoming(Incoming::Publish(message))) => {
                let messages = device.handle_message(&message.payload, message.retain, clock.now());
                publish(&client, messages);
            }
            Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
            Err(ConnectionError::RequestsDone) => break,
            Err(error) => {
                let problem = in_one_line(&error);
                report(
                    &surroundings,
                    if is_connected {
                        Report::Lost(problem)
                    } else {
                        Report::Failed(problem)
                    },
                );
                is_connected = false;
                wait = RETRY;
            }
        }
    }
    let messages = device.shut_down(clock.now());
    if is_connected {
        publish(&client, messages);
        // A broker that does not take it must not keep the field from ending.
        let _ = timeout(FAREWELL_TIME, disconnect(&client, &mut event_loop)).await;
    }
}

fn mqtt_options(device: &dyn Device, broker: &BrokerAddress) -> MqttOptions {
    let mut options =
        MqttOptions::new(device.client_identifier(), broker.host.clone(), broker.port);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    let will = device.will();
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_clean_start(true)
        .set_network_options(network)
        .set_outgoing_inflight_upper_limit(INFLIGHT_MAX)
        .set_last_will(LastWill::new(
            will.topic,
            will.payload,
            qos(will.delivery),
            true,
            None,
        ));
    options
}

/// A pump's commands, with RETAIN as it was published: a command that somebody retains is known as one at once.
fn commands(topic: String) -> Filter {
    Filter {
        preserve_retain: true,
        ..Filter::new(topic, QoS::AtLeastOnce)
    }
}

/// All that devices say is retained; what does not fit into the queue is said again by the next reading or connection.
fn publish(client: &AsyncClient, messages: Vec<Message>) {
    for message in messages {
        let qos = qos(message.delivery);
        if let Err(error) = client.try_publish(message.topic, qos, true, message.payload) {
            debug!(%error, "not published");
        }
    }
}

async fn disconnect(client: &AsyncClient, event_loop: &mut EventLoop) {
    if client.disconnect().await.is_err() {
        return;
    }
    while let Ok(event) = event_loop.poll().await {
        if matches!(event, Event::Outgoing(Outgoing::Disconnect)) {
            return;
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => future::pending().await,
    }
}

fn report(surroundings: &Surroundings, report: Report) {
    // Nobody listens any more once the field is shutting down.
    let _ = surroundings.reports.send(report);
}

fn in_one_line(error: &ConnectionError) -> String {
    error.to_string().replace('\n', " ")
}

const fn qos(delivery: Delivery) -> QoS {
    match delivery {
        Delivery::Reading => QoS::AtMostOnce,
        Delivery::State => QoS::AtLeastOnce,
    }
}

/// More than a device says at once.
const REQUESTS_LEN_MAX: usize = 64;
/// The client reserves 14 MB for as many as the protocol allows.
const INFLIGHT_MAX: u16 = 64;
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Between two attempts: short, because this is a handful of connections to a broker that is being watched.
const RETRY: Duration = Duration::from_millis(500);
const FAREWELL_TIME: Duration = Duration::from_secs(2);
