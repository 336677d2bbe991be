//! The whole field: seventeen devices and their station, each with a connection of its own.

use std::{cell::RefCell, path::Path, rc::Rc, time::Duration};

use field::Timestamp;
use tokio::{
    sync::{mpsc, watch},
    task::{JoinSet, LocalSet},
    time::Instant,
};
use tracing::{info, warn};

use crate::{
    Error,
    clock::Clock,
    connection::{self, Report, Surroundings},
    device::{
        Device,
        probe::{Probe, ProbeSettings},
        pump::{Pump, PumpSettings},
        station::Station,
    },
    ground::{Ground, Source},
    layout::{N_PROBES, ZONES},
    options::Options,
    replay::Replay,
    soil_model::SoilModel,
};

/// A field that is running.
#[derive(Debug)]
pub struct Simulator {
    local: LocalSet,
    tasks: JoinSet<()>,
    reports: mpsc::UnboundedReceiver<Report>,
    shutdown: watch::Sender<bool>,
    ready: String,
}

/// Starts the field; it is ready when every device is connected.
///
/// # Errors
/// If the options name what there is not, or no broker answers and waiting for one was not asked for.
pub async fn start(options: &Options) -> Result<Simulator, Error> {
    check_pump_names(&options.stuck_pump)?;
    let source = source(options)?;
    let clock = Clock::starting_now();
    let ground = Ground::new(source, options.speed, clock.now()).after_days(options.after_days);
    let ready = format!(
        "{N_PROBES} probes and {} pumps on {}, {}",
        ZONES.len(),
        options.broker,
        description(&ground),
    );
    let ground = Rc::new(RefCell::new(ground));

    let (reports_sender, reports) = mpsc::unbounded_channel();
    let (shutdown, shutdown_receiver) = watch::channel(false);
    let surroundings = Surroundings {
        broker: options.broker.clone(),
        clock: clock.clone(),
        reports: reports_sender,
        shutdown: shutdown_receiver,
    };
    let mut simulator = Simulator {
        local: LocalSet::new(),
        tasks: JoinSet::new(),
        reports,
        shutdown,
        ready,
    };
    let station = Box::new(Station::new(Rc::clone(&ground)));
    simulator.spawn(station, &surroundings, None);
    simulator.wait_for_broker(options).await?;
    for (device, drop_off_at) in devices(options, &ground, clock.now()) {
        simulator.spawn(device, &surroundings, drop_off_at);
    }
    simulator.wait_for_devices(N_PROBES + ZONES.len()).await;
    Ok(simulator)
}

impl Simulator {
    /// What is there, in one line.
    #[must_use]
    pub fn ready(&self) -> &str {
        &self.ready
    }

    /// Keeps the field running; it ends by being dropped.
    pub async fn run(&mut self) {
        let mut n_lost = 0_usize;
        let watch = async {
            while let Some(report) = self.reports.recv().await {
                match report {
                    Report::Lost(problem) => {
                        if n_lost == 0 {
                            warn!(%problem, "connection lost, trying again");
                        }
                        n_lost += 1;
                    }
                    Report::Up => {
                        n_lost = n_lost.saturating_sub(1);
                        if n_lost == 0 {
                            info!("all devices are connected again");
                        }
                    }
                    Report::Failed(_) => {}
                }
            }
        };
        self.local.run_until(watch).await;
    }

    /// Ends in order: pumps off, devices offline, connections closed with a DISCONNECT.
    pub async fn shut_down(mut self) {
        // Without a task nobody listens, and there is nothing to end.
        let _ = self.shutdown.send(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        self.local.run_until(all).await;
    }

    fn spawn(
        &mut self,
        device: Box<dyn Device>,
        surroundings: &Surroundings,
        drop_off_at: Option<Instant>,
    ) {
        self.tasks.spawn_local_on(
            connection::run(device, surroundings.clone(), drop_off_at),
            &self.local,
        );
    }

    async fn wait_for_broker(&mut self, options: &Options) -> Result<(), Error> {
        let mut has_warned = false;
        let first = async {
            while let Some(report) = self.reports.recv().await {
                match report {
                    Report::Up => break,
                    Report::Lost(problem) | Report::Failed(problem) if options.wait => {
                        if !has_warned {
                            warn!(%problem, broker = %options.broker, "waiting for the broker");
                            has_warned = true;
                        }
                    }
                    Report::Lost(problem) | Report::Failed(problem) => {
                        return Err(Error::Unreachable {
                            broker: options.broker.to_string(),
                            problem,
                        });
                    }
                }
            }
            Ok(())
        };
        self.local.run_until(first).await
    }

    async fn wait_for_devices(&mut self, count: usize) {
        let all = async {
            let mut n_up = 0;
            while n_up < count {
                match self.reports.recv().await {
                    Some(Report::Up) => n_up += 1,
                    Some(Report::Lost(_)) => n_up = n_up.saturating_sub(1),
                    Some(Report::Failed(_)) => {}
                    None => return,
                }
            }
        };
        self.local.run_until(all).await;
    }
}

/// What plays.
///
/// # Errors
/// If the file cannot be read.
pub fn source(options: &Options) -> Result<Source, Error> {
    Ok(match &options.replay {
        Some(path) => Source::Replay {
            replay: Replay::open(path)?,
            file_name: file_name(path),
        },
        None => Source::SoilModel(SoilModel::new(options.seed)),
    })
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn description(ground: &Ground) -> String {
    let simulation = ground.simulation();
    match simulation.file {
        Some(file) => format!("{} of {file}, {}", simulation.source, simulation.speed),
        None => format!("{}, {}", simulation.source, simulation.speed),
    }
}

/// All devices, and when one of them drops off.
fn devices(
    options: &Options,
    ground: &Rc<RefCell<Ground>>,
    now: Timestamp,
) -> Vec<(Box<dyn Device>, Option<Instant>)> {
    let drop_off_at = options
        .offline_after
        .map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));
    let probes = (0..N_PROBES).filter_map(|index| {
        let settings = ProbeSettings {
            index,
            ground: Rc::clone(ground),
            loss: options.loss,
            random: random_for(options.seed, index),
        };
        let probe = Probe::new(settings, now)?;
        let drop_off_at = drop_off_at.filter(|_| probe.level() == DROPPING_OFF);
        Some((Box::new(probe) as Box<dyn Device>, drop_off_at))
    });
    let pumps = ZONES.iter().enumerate().filter_map(|(zone_index, zone)| {
        let is_named = |name: &String| name == ALL || name == zone.pump_level;
        let settings = PumpSettings {
            zone_index,
            ground: Rc::clone(ground),
            is_stuck: options.stuck_pump.iter().any(is_named),
            random: random_for(options.seed, N_PROBES + zone_index),
        };
        let pump = Pump::new(settings, now)?;
        Some((Box::new(pump) as Box<dyn Device>, None))
    });
    probes.chain(pumps).collect()
}

fn random_for(seed: u64, device: usize) -> fastrand::Rng {
    let mut random = fastrand::Rng::with_seed(seed);
    let of_field = random.u64(..);
    fastrand::Rng::with_seed(of_field.wrapping_add(device as u64))
}

fn check_pump_names(names: &[String]) -> Result<(), Error> {
    let known = ZONES.each_ref().map(|zone| zone.pump_level);
    match names
        .iter()
        .find(|name| *name != ALL && !known.contains(&name.as_str()))
    {
        None => Ok(()),
        Some(name) => Err(Error::UnknownPump {
            name: name.clone(),
            known: known.join(", "),
        }),
    }
}

const ALL: &str = "all";
/// Which probe drops off.
const DROPPING_OFF: &str = "bed-3";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    /// All that the devices of a field say in its first minute, without a broker.
    fn first_minute(arguments: &[&str]) -> Vec<String> {
        let options = Options::parse_from([&["field-simulator"], arguments].concat());
        let start = Clock::starting_now().now();
        let ground = Ground::new(source(&options).unwrap(), options.speed, start);
        let mut said = Vec::new();
        for (mut device, _) in devices(&options, &Rc::new(RefCell::new(ground)), start) {
            device.announce(start);
            device.handle_message(b"ON", false, start);
            while let Some(at) = device.deadline()
                && at < start + Duration::from_secs(60)
            {
                for message in device.handle_timeout(at) {
                    let after = at.saturating_duration_since(start).as_millis();
                    let payload = without_times(&message.payload);
                    said.push(format!("{after} {} {payload}", message.topic));
                }
            }
        }
        said
    }

    /// Moments depend on when the test runs.
    fn without_times(payload: &str) -> String {
        payload
            .split('"')
            .filter(|part| part.parse::<Timestamp>().is_err())
            .collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_field() {
        let field = || first_minute(&["--seed", "5", "--loss", "0.2"]);
        assert!(field().len() > 500);
        assert_eq!(field(), field());
        assert_ne!(field(), first_minute(&["--seed", "6", "--loss", "0.2"]));
    }

    #[test]
    fn lost_readings_are_not_sent() {
        let n_readings = |loss| {
            first_minute(&["--loss", loss])
                .iter()
                .filter(|line| line.contains("/moisture "))
                .count()
        };
        assert_eq!(n_readings("0"), 13 * 60);
        assert_eq!(n_readings("1"), 0);
        assert!((300..480).contains(&n_readings("0.5")));
    }

    #[test]
    fn an_unknown_pump_is_named_with_the_known_ones() {
        assert_eq!(
            check_pump_names(&["well".into()]).unwrap_err().to_string(),
            "no pump is named well (--stuck-pump); there are orchard-pump, greenhouse-valve, north-pump, berry-valve and all"
        );
    }
}
