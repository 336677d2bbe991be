//! The real `field-simulator`, talking to a broker under test.

use super::{Broker, Measurements, Process, field_simulator};

pub(crate) struct Field {
    _process: Process,
}

impl Field {
    pub(crate) async fn start(broker: &Broker, arguments: &[&str]) -> Self {
        let mut process = Process::start(
            "field-simulator",
            field_simulator()
                .args([
                    "--broker",
                    &format!("mqtt://127.0.0.1:{}", broker.mqtt_port),
                ])
                .args(arguments),
        );
        process
            .line("the field is ready", |line| {
                line.starts_with("field-simulator: ").then_some(())
            })
            .await;
        Self { _process: process }
    }

    pub(crate) async fn replay(broker: &Broker, measurements: &Measurements) -> Self {
        let file = measurements.path().to_str().unwrap().to_owned();
        Self::start(broker, &["--replay", &file]).await
    }
}
