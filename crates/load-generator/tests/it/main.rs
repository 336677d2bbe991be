//! The generator against a broker of a few lines, in this process: what it counts is exact.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where and why"
)]

mod broker;

use std::time::Duration;

use load_generator::{
    DurablePlan, Error, Extent, Pace, Plan, QoS, Report, Shape, Target, Transport, Version,
    hold_idle, run, run_durable,
};

use crate::broker::Broker;

const EVERY_QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];
const EVERY_VERSION: [Version; 2] = [Version::V3, Version::V5];

fn plan(broker: &Broker, transport: Transport, version: Version) -> Plan {
    Plan {
        target: Target {
            address: broker.address(),
            transport,
            version,
            process: None,
        },
        shape: Shape::Pairs { pairs: 3 },
        qos: QoS::AtMostOnce,
        pace: Pace::ClosedLoop,
        extent: Extent::Messages(480),
    }
}

#[track_caller]
fn check_counts(report: &Report, published: u64, delivered: u64) {
    assert_eq!(
        (report.published, report.delivered, report.lost),
        (published, delivered, 0)
    );
    assert_eq!(report.measured, delivered);
}

#[test]
fn every_message_of_fan_in_is_counted() {
    let broker = Broker::start(Transport::Tcp);
    let mut plan = plan(&broker, Transport::Tcp, Version::V3);
    plan.shape = Shape::FanIn { publishers: 5 };
    // More than may be undelivered at once.
    plan.extent = Extent::Messages(4_000);
    check_counts(&run(&plan).unwrap(), 4_000, 4_000);
}

#[test]
fn every_acknowledgement_is_waited_for() {
    for version in EVERY_VERSION {
        let broker = Broker::start(Transport::Tcp);
        let report = run_durable(&DurablePlan {
            target: plan(&broker, Transport::Tcp, version).target,
            publishers: 3,
            sessions: 4,
            topics: 2,
            are_connected: true,
            before: 20,
            extent: Extent::Messages(100),
            metrics: None,
        });
        let report = report.unwrap();
        assert_eq!((report.published, report.measured), (100, 100));
        assert_eq!((report.delivered, report.lost), (240, 0));
        assert_eq!(report.latencies.len(), 100);
    }
}

#[test]
fn every_message_of_fan_out_is_counted_for_each_subscriber() {
    let broker = Broker::start(Transport::Tcp);
    let mut plan = plan(&broker, Transport::Tcp, Version::V3);
    plan.shape = Shape::FanOut { subscribers: 7 };
    check_counts(&run(&plan).unwrap(), 480, 480 * 7);
}

#[test]
fn pairs_finish_every_handshake() {
    for version in EVERY_VERSION {
        for qos in EVERY_QOS {
            let broker = Broker::start(Transport::Tcp);
            let plan = Plan {
                qos,
                ..plan(&broker, Transport::Tcp, version)
            };
            check_counts(&run(&plan).unwrap(), 480, 480);
            // Two by the publisher at QoS 2 and one at QoS 1, and the same again by the subscriber.
            let expected = match qos {
                QoS::AtMostOnce => 0,
                QoS::AtLeastOnce => 480,
                QoS::ExactlyOnce => 480 * 3,
            };
            assert_eq!(broker.acknowledgements(), expected, "{version:?} {qos:?}");
        }
    }
}

#[test]
fn websocket_carries_the_same() {
    for qos in EVERY_QOS {
        let broker = Broker::start(Transport::WebSocket);
        let plan = Plan {
            qos,
            ..plan(&broker, Transport::WebSocket, Version::V3)
        };
        check_counts(&run(&plan).unwrap(), 480, 480);
    }
}

#[test]
fn a_rate_gives_every_message_its_latency() {
    let broker = Broker::start(Transport::Tcp);
    let plan = Plan {
        qos: QoS::AtLeastOnce,
        pace: Pace::PerSecond(10_000),
        extent: Extent::Messages(200),
        ..plan(&broker, Transport::Tcp, Version::V3)
    };
    let report = run(&plan).unwrap();
    check_counts(&report, 200, 200);
    assert_eq!(report.latencies.len(), 200);
    assert!(report.latency_us(0.5) <= report.latency_us(0.99));
}

#[test]
fn a_time_is_measured_after_warming_up() {
    let broker = Broker::start(Transport::Tcp);
    let plan = Plan {
        extent: Extent::Time {
            warm_up: Duration::from_millis(20),
            measured: Duration::from_millis(50),
        },
        ..plan(&broker, Transport::Tcp, Version::V3)
    };
    let report = run(&plan).unwrap();
    assert_eq!((report.published, report.lost), (report.delivered, 0));
    assert!(report.measured <= report.delivered);
    assert!(report.elapsed >= Duration::from_millis(50));
}

#[test]
fn idle_connections_are_held() {
    for transport in [Transport::Tcp, Transport::WebSocket] {
        let broker = Broker::start(transport);
        let target = plan(&broker, transport, Version::V3).target;
        let report = hold_idle(&target, 20).unwrap();
        assert_eq!(
            (report.connections, report.bytes_per_connection),
            (20, None)
        );
    }
}

#[test]
fn a_broker_that_delivers_twice_is_caught() {
    let broker = Broker::start_repeating();
    let plan = plan(&broker, Transport::Tcp, Version::V3);
    assert!(matches!(run(&plan), Err(Error::Unexpected(_))));
}
