//! What a point takes in the store, everything counted: `cargo run --release -p history --example bytes_per_point`.
//!
//! Real measurements are looked for in the folder named by `ROOTZONE_DATA`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "it is run by a person who wants figures"
)]

#[path = "../tests/it/disk.rs"]
#[allow(dead_code, reason = "it is the tests'")]
mod disk;

use std::{env, fs, path::Path, time::Instant};

use history::{History, Key, Point, Query, SeriesId, Settings};

use crate::disk::Disk;

fn main() {
    println!(
        "| series | points | bytes a point | of it raw, rollups, head and places | record and seal | restart | 1 series, any window, 1,200 px: p50, p99 |"
    );
    println!("|---|---|---|---|---|---|---|");
    let folder = env::var("ROOTZONE_DATA").unwrap_or_default();
    let sydney = Path::new(&folder).join("simpact_sydney_13sensors_hourly.csv");
    match fs::read_to_string(sydney) {
        Ok(text) => measure("Sydney: 13 probes, hourly, as `f32`", &sydney_series(&text)),
        Err(error) => println!("| no file of Sydney in ROOTZONE_DATA: {error} | | | | | | |"),
    }
    let kolkata = Path::new(&folder).join("ecoirrigate_kolkata_2farms_15min_rawadc.csv");
    if let Ok(text) = fs::read_to_string(kolkata) {
        measure("Kolkata: 2 farms, 15 min", &kolkata_series(&text));
    }
    let few = env::args().any(|argument| argument == "--quick");
    let (n_probes, n_minutely) = if few { (50, 2) } else { (1_000, 100) };
    let year = |step_secs: i64, jitter, decimals, noise| {
        let n_steps = 365 * 86_400 / step_secs;
        move |seed| generated(seed, n_steps, step_secs * 1_000, jitter, decimals, noise)
    };
    measure_each(
        "a year, 15 min, one decimal, device's time",
        n_probes,
        year(900, 0, 1, 0.1),
    );
    measure_each(
        "a year, 15 min, two decimals, device's time",
        n_probes,
        year(900, 0, 2, 0.05),
    );
    measure_each(
        "a year, 15 min, one decimal, time of arrival ± 100 ms",
        n_probes,
        year(900, 200, 1, 0.1),
    );
    measure_each(
        "a year, 1 min, one decimal, device's time",
        n_minutely,
        year(60, 0, 1, 0.1),
    );
}

type Measured = Vec<Vec<Point>>;

fn measure(name: &str, series: &Measured) {
    measure_each(name, series.len(), |number| series[number].clone());
}

/// Fills one history with so many series, one after the other.
fn measure_each(name: &str, n_series: usize, points_of: impl Fn(usize) -> Vec<Point>) {
    let mut history = History::new(Settings::default());
    let mut disk = Disk::default();
    let mut n_points = 0;
    let mut seconds = 0.0;
    let mut now = 0;
    let mut spans = Vec::new();
    for number in 0..n_series {
        let points = points_of(number);
        let id = history
            .open(&format!("rootzone/zone/bed-{number}/moisture"))
            .unwrap();
        n_points += points.len();
        now = points.last().map_or(now, |point| point.time.max(now));
        spans.push((id, points[0].time, now + 1));
        let start = Instant::now();
        for some in points.chunks(16_384) {
            for point in some {
                history.record(id, *point, now);
            }
            while let Some(task) = history.next_task(now) {
                history.finish(task.run(&mut disk), now);
            }
            disk.commit(&mut history, now);
        }
        disk.settle(&mut history, now + 86_400_000);
        seconds += start.elapsed().as_secs_f64();
    }
    let start = Instant::now();
    let history = disk.restart(&Settings::default(), now);
    let restart_ms = start.elapsed().as_secs_f64() * 1e3;
    let (p50_ms, p99_ms) = ask(&history, &mut disk, &spans);
    let of = |is_one: fn(&Key) -> bool| {
        let entries = disk.entries.iter();
        let bytes = entries
            .filter(|(key, _)| Key::decode(key).is_some_and(|key| is_one(&key)))
            .map(|(key, value)| key.len() + value.len());
        bytes.sum::<usize>() as f64 / n_points as f64
    };
    let raw = of(|key| matches!(key, Key::Body(chunk) if chunk.level == history::Level::Raw));
    let rollups = of(|key| matches!(key, Key::Body(chunk) if chunk.level != history::Level::Raw));
    let places = of(|key| !matches!(key, Key::Body(_)));
    println!(
        "| {name} × {n_series} | {n_points} | {:.3} | {raw:.3}, {rollups:.3}, {places:.3} | {:.0} ns | {restart_ms:.1} ms | {p50_ms:.2} ms, {p99_ms:.2} ms |",
        disk.n_bytes() as f64 / n_points as f64,
        seconds * 1e9 / n_points as f64,
    );
}

/// How long windows of all sizes take: all of it, and 1/2, 1/4 … of it anywhere.
fn ask(history: &History, disk: &mut Disk, spans: &[(SeriesId, i64, i64)]) -> (f64, f64) {
    let mut random = fastrand::Rng::with_seed(9);
    let mut times = Vec::new();
    for _ in 0..2_000 {
        let (id, first, last) = spans[random.usize(0..spans.len())];
        let span = ((last - first) >> random.u32(0..12)).max(2);
        let from = first + random.i64(0..=(last - first - span));
        let query = Query {
            series: vec![id],
            from,
            to: from + span,
            points: 1_200,
        };
        let start = Instant::now();
        let rows: usize = history
            .plan(&query)
            .unwrap()
            .run(disk)
            .map(|columns| columns.time.len())
            .sum();
        times.push(start.elapsed().as_secs_f64() * 1e3);
        assert!(rows <= 2_400);
    }
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

fn sydney_series(text: &str) -> Measured {
    let mut series = vec![Vec::new(); 13];
    for (hour, line) in text.lines().skip(1).enumerate() {
        for (probe, field) in line.split(',').skip(2).enumerate() {
            series[probe].push(Point {
                time: 1_668_470_400_000 + hour as i64 * 3_600_000,
                value: field.parse().unwrap(),
            });
        }
    }
    series
}

fn kolkata_series(text: &str) -> Measured {
    let mut series = vec![Vec::new(); 2];
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let farm = usize::from(fields[1] != "Kolkata_Farm_1");
        let time = 1_736_035_200_000 + series[farm].len() as i64 * 900_000;
        let value = fields[2].parse().unwrap();
        series[farm].push(Point { time, value });
    }
    series
}

/// Soil that dries by day, is watered now and then, drains, and is measured with some noise.
fn generated(
    seed: usize,
    n_steps: i64,
    step: i64,
    jitter: i64,
    decimals: i32,
    noise: f64,
) -> Vec<Point> {
    let scale = 10_f64.powi(decimals);
    let days = step as f64 / 86_400_000.0;
    let mut random = fastrand::Rng::with_seed(seed as u64);
    let mut water = 20.0 + 15.0 * random.f64();
    let points = (0..n_steps).map(|index| {
        let hour = (index * step) as f64 / 3_600_000.0 % 24.0;
        let sun = ((hour - 13.0) / 24.0 * std::f64::consts::TAU)
            .cos()
            .max(0.0);
        water -= sun * 1.8 * days * (water / 30.0);
        if random.f64() < days * 0.15 {
            water += 3.0 + 10.0 * random.f64();
        }
        water -= (water - 38.0).max(0.0) * days * 2.0;
        water = water.clamp(5.0, 60.0);
        let gauss = ((0..6).map(|_| random.f64()).sum::<f64>() - 3.0) / 0.707;
        let late = if jitter > 0 { random.i64(0..jitter) } else { 0 };
        Point {
            time: 1_700_000_000_000 + index * step + late,
            value: (((water + gauss * noise) * scale).round() / scale) as f32,
        }
    });
    points.collect()
}
