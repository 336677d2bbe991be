//! What is measured, and what it should come to. Names stay as they are for ever: figures are compared over time.

/// One kind of load.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The load generator's words.
    pub(crate) load: &'static [&'static str],
    pub(crate) websocket: bool,
    /// Whether the broker may use a second core.
    pub(crate) two_cores: bool,
    /// What is taken from the generator's report; the first is what the goal is about.
    pub(crate) metrics: &'static [Metric],
    pub(crate) goal: Goal,
}

impl Scenario {
    /// Whether it lasts as long as it is told to.
    pub(crate) fn is_timed(&self) -> bool {
        !self.metrics.contains(&Metric::BytesPerConnection)
    }

    /// Whether the broker is asked for as much as it can.
    pub(crate) fn saturates(&self) -> bool {
        self.is_timed() && !self.load.contains(&"--rate")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Metric {
    CpuUsPerDelivered,
    DeliveredPerS,
    P50Us,
    P99Us,
    BytesPerConnection,
    AckedPerS,
    AckedPerFsync,
    P50Ms,
    P99Ms,
    BytesPerMessage,
    ResidentBytesPerMessage,
    StartS,
}

impl Metric {
    pub(crate) const ALL: [Self; 12] = [
        Self::DeliveredPerS,
        Self::CpuUsPerDelivered,
        Self::P50Us,
        Self::P99Us,
        Self::BytesPerConnection,
        Self::AckedPerS,
        Self::AckedPerFsync,
        Self::P50Ms,
        Self::P99Ms,
        Self::BytesPerMessage,
        Self::ResidentBytesPerMessage,
        Self::StartS,
    ];

    /// As in the JSON and in the generator's report.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CpuUsPerDelivered => "cpu_us_per_delivered",
            Self::DeliveredPerS => "delivered_per_s",
            Self::P50Us => "p50_us",
            Self::P99Us => "p99_us",
            Self::BytesPerConnection => "bytes_per_connection",
            Self::AckedPerS => "acked_per_s",
            Self::AckedPerFsync => "acked_per_fsync",
            Self::P50Ms => "p50_ms",
            Self::P99Ms => "p99_ms",
            Self::BytesPerMessage => "bytes_per_message",
            Self::ResidentBytesPerMessage => "resident_bytes_per_message",
            Self::StartS => "start_s",
        }
    }

    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::CpuUsPerDelivered | Self::P50Us | Self::P99Us => "us",
            Self::DeliveredPerS | Self::AckedPerS => "messages/s",
            Self::BytesPerConnection | Self::BytesPerMessage | Self::ResidentBytesPerMessage => {
                "bytes"
            }
            Self::AckedPerFsync => "messages",
            Self::P50Ms | Self::P99Ms => "ms",
            Self::StartS => "s",
        }
    }
}

/// What `rootzone` should reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// At most this part of Mosquitto's figure in a scenario of the same run.
    OfMosquitto(f64, &'static str),
    /// At most so much.
    AtMost(f64),
    /// With a second core, of its own figure with one: at most this part of the CPU where the generator shares the
    /// two, at least this part of the messages where there are four or more.
    OfOneCore {
        cpu: f64,
        delivered: f64,
        one_core: &'static str,
    },
}

pub(crate) const SCENARIOS: [Scenario; 12] = [
    Scenario {
        goal: Goal::OfMosquitto(0.066, "fan-in-qos0"),
        ..saturating("fan-in-qos0", &["fan-in"])
    },
    Scenario {
        goal: Goal::OfMosquitto(0.06, "fan-out-qos0"),
        ..saturating("fan-out-qos0", &["fan-out"])
    },
    Scenario {
        goal: Goal::OfMosquitto(0.11, "pairs-qos1"),
        ..saturating("pairs-qos1", &["pairs", "--qos", "1"])
    },
    Scenario {
        goal: Goal::OfMosquitto(0.12, "pairs-qos2"),
        ..saturating("pairs-qos2", &["pairs", "--qos", "2"])
    },
    Scenario {
        goal: Goal::OfMosquitto(0.13, "ws-fan-in-qos0"),
        websocket: true,
        ..saturating("ws-fan-in-qos0", &["fan-in", "--websocket"])
    },
    Scenario {
        goal: Goal::OfMosquitto(0.10, "fan-out-qos0"),
        websocket: true,
        ..saturating("ws-fan-out-qos0", &["fan-out", "--websocket"])
    },
    Scenario {
        goal: Goal::OfMosquitto(0.85, "fan-in-20k"),
        ..saturating("fan-in-20k", &["fan-in", "--rate", "20000"])
    },
    Scenario {
        metrics: &[Metric::P50Us, Metric::P99Us],
        goal: Goal::OfMosquitto(1.0, "latency-5k-qos1"),
        ..saturating(
            "latency-5k-qos1",
            &["pairs", "--qos", "1", "--rate", "5000"],
        )
    },
    Scenario {
        metrics: &[Metric::BytesPerConnection],
        goal: Goal::AtMost(2_560.0),
        ..saturating("idle-tcp", &["idle"])
    },
    Scenario {
        metrics: &[Metric::BytesPerConnection],
        goal: Goal::AtMost(4_096.0),
        websocket: true,
        ..saturating("idle-ws", &["idle", "--websocket"])
    },
    Scenario {
        two_cores: true,
        goal: Goal::OfOneCore {
            cpu: 1.25,
            delivered: 1.6,
            one_core: "fan-out-qos0",
        },
        ..saturating("fan-out-two-cores", &["fan-out"])
    },
    Scenario {
        two_cores: true,
        goal: Goal::OfOneCore {
            cpu: 1.25,
            delivered: 1.6,
            one_core: "pairs-qos1",
        },
        ..saturating("pairs-two-cores", &["pairs", "--qos", "1"])
    },
];

/// Messages over TCP, a core for the broker and one for the generator.
pub(crate) const fn saturating(name: &'static str, load: &'static [&'static str]) -> Scenario {
    Scenario {
        name,
        load,
        websocket: false,
        two_cores: false,
        metrics: &[Metric::CpuUsPerDelivered, Metric::DeliveredPerS],
        goal: Goal::OfMosquitto(1.0, name),
    }
}
