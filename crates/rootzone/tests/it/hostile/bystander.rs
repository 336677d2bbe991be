//! A well-behaved client, whose messages must go on whatever others do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    broker::Broker,
    raw::{CONNECT_3, Raw},
};

/// Sends itself messages of QoS 1, one after the other, until it is asked how that went.
pub(crate) struct Bystander {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Bystander {
    pub(crate) fn start(broker: &Broker) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut raw = Raw::connect_mqtt(broker.mqtt, CONNECT_3);
        raw.send(b"\x82\x0E\x00\x01\x00\x09bystander\x01");
        assert_eq!(raw.receive_packet(), b"\x90\x03\x00\x01\x01");
        let thread = thread::spawn({
            let is_over = Arc::clone(&is_over);
            move || {
                let mut slowest = Duration::ZERO;
                let mut n_after = 0;
                while n_after < N_AFTER {
                    n_after += usize::from(is_over.load(Ordering::Relaxed));
                    let start = Instant::now();
                    round_trip(&mut raw);
                    slowest = slowest.max(start.elapsed());
                }
                slowest
            }
        });
        Self { is_over, thread }
    }

    /// All its messages came, and none of them late.
    #[track_caller]
    pub(crate) fn check(self) {
        self.is_over.store(true, Ordering::Relaxed);
        let slowest = self.thread.join().unwrap();
        assert!(slowest < PATIENCE, "a message took {slowest:?}");
    }
}

fn round_trip(raw: &mut Raw) {
    raw.send(b"\x32\x0F\x00\x09bystander\x00\x01hi");
    for _ in 0..2 {
        let packet = raw.receive_packet();
        if packet[0] == 0x32 {
            raw.send(&[0x40, 2, packet[13], packet[14]]);
        } else {
            assert_eq!(packet, b"\x40\x02\x00\x01");
        }
    }
}

/// Messages that it sends once the others have done their worst.
const N_AFTER: usize = 10;
/// What a message may take on a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_secs(4);
