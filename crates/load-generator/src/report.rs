//! What was measured.

use std::time::Duration;

use serde_json::{Value, json};

/// The result of one [`Plan`](crate::Plan).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Messages published in all, warming up included.
    pub published: u64,
    /// Messages that subscribers got in all, warming up included.
    pub delivered: u64,
    /// Messages that some subscriber never got.
    pub lost: u64,
    /// Messages that subscribers got in the measured time.
    pub measured: u64,
    /// The measured time.
    pub elapsed: Duration,
    /// The broker's CPU time in the measured time, if its process is known.
    pub broker_cpu: Option<Duration>,
    /// The same by thread, the busiest first.
    pub broker_threads: Vec<Duration>,
    /// Our own CPU time in the measured time.
    pub generator_cpu: Duration,
    /// From before the write to after the read, in nanoseconds and in order; only where a rate was asked for.
    pub latencies: Vec<u64>,
}

impl Report {
    /// Delivered messages for each second of the measured time.
    #[must_use]
    pub fn delivered_per_s(&self) -> f64 {
        self.measured as f64 / self.elapsed.as_secs_f64()
    }

    /// The value below which this part of the latencies is, in microseconds.
    #[must_use]
    pub fn latency_us(&self, part: f64) -> Option<f64> {
        Some(at_part(&self.latencies, part)? as f64 / 1_000.0)
    }

    /// The report as one JSON object.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let per_delivered = |time: Duration| time.as_secs_f64() * 1e6 / self.measured as f64;
        let part_of_time = |time: Duration| time.as_secs_f64() / self.elapsed.as_secs_f64();
        json!({
            "published": self.published,
            "delivered": self.delivered,
            "lost": self.lost,
            "seconds": self.elapsed.as_secs_f64(),
            "delivered_per_s": self.delivered_per_s(),
            "cpu_us_per_delivered": self.broker_cpu.map(per_delivered),
            "broker_busy": self.broker_cpu.map(part_of_time),
            "broker_threads_busy": self.broker_threads.iter().copied().map(part_of_time).collect::<Vec<_>>(),
            "generator_cpu_us_per_delivered": per_delivered(self.generator_cpu),
            "generator_busy": part_of_time(self.generator_cpu),
            "p50_us": self.latency_us(0.5),
            "p99_us": self.latency_us(0.99),
        })
    }
}

/// The value below which this part of all is, which are in order.
pub(crate) fn at_part(values: &[u64], part: f64) -> Option<u64> {
    let last = values.len().checked_sub(1)?;
    let index = (last as f64 * part).round() as usize;
    Some(values[index.min(last)])
}
