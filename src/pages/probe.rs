//! One probe: a large live chart and what the probe says about itself.

use chart::clock;
use field::Timestamp;
use leptos::prelude::*;

use crate::{
    components::{
        notice::Notice,
        reactive::{list, many, memo, nothing, part, part_if, text},
    },
    format::{moment, value},
    state::{Connection, Fleet, Freshness, Probe, ProbeId, Standing, device_of_key, key_of_device},
    store::{use_connection, use_fleet, use_now, utc_offset},
    widgets::{
        probe_card::standing_badge,
        pump_card::PumpCard,
        reading_chart::{ReadingChart, scene_of},
    },
    words,
};

/// The page at `/probe/<zone>/<device>`.
#[component]
pub fn ProbePage(
    /// The probe's id, as in the address.
    id: ProbeId,
) -> AnyView {
    let fleet = use_fleet();
    let is_known = {
        let id = id.clone();
        memo(move || fleet.probe(&id, |_| ()).is_some())
    };
    let content = part(move || {
        let id = id.clone();
        if !is_known.get() {
            return unknown(&id);
        }
        view! {
            {head(id.clone())}
            <ReadingChart id=id.clone() />
            <div class="probe-page-more">{about(id.clone())} {waters(id)}</div>
        }
        .into_any()
    });
    view! { <div class="probe-page">{content}</div> }.into_any()
}

/// Name, value, age, and where it is going.
fn head(id: ProbeId) -> AnyView {
    let fleet = use_fleet();
    let now = use_now();
    let zone = {
        let id = id.clone();
        text(move || {
            let zone = fleet
                .probe(&id, |probe| probe.zone.clone())
                .unwrap_or_default();
            fleet.layout(|fleet| fleet.zone_name(&zone))
        })
    };
    let face = memo(move || {
        let now = now.get();
        let last_run = fleet
            .probe(&id, |probe| probe.zone.clone())
            .and_then(|zone| fleet.everything(|fleet| last_run(fleet, &zone)));
        fleet
            .probe(&id, |probe| Face::of(probe, last_run, now))
            .unwrap_or_default()
    });
    let say = move |read: fn(&Face) -> &String| text(move || face.with(|face| read(face).clone()));
    let status = text(move || face.with(|face| face.status.into()));
    let word = text(move || face.with(|face| face.word.into()));
    let badge = part(move || match face.with(|face| face.standing) {
        Some(standing) => standing_badge(standing),
        None => nothing(),
    });
    let fault = part(move || match face.with(|face| face.fault.clone()) {
        text if text.is_empty() => nothing(),
        text => view! { <Notice tone="clay" title="The newest message could not be read:" text /> }
            .into_any(),
    });
    view! {
        <nav class="probe-page-trail" aria-label="Breadcrumb">
            <a href="/">"Field"</a>
            <span aria-hidden="true">"/"</span>
            <span>{zone}</span>
        </nav>
        <div class="probe-page-head" data-status=status>
            <div class="probe-page-title">
                <h1 tabindex="-1">{say(|face| &face.name)}</h1>
                {badge}
            </div>
            <div class="probe-page-reading">
                <p class="probe-page-value">
                    <strong>{say(|face| &face.value)}</strong>
                    " "
                    <span>{say(|face| &face.unit)}</span>
                </p>
                <p class="probe-page-status">
                    <b>{word}</b>
                    " "
                    {say(|face| &face.age)}
                </p>
            </div>
            <p class="page-lead">{say(|face| &face.outlook)}</p>
        </div>
        {fault}
    }
    .into_any()
}

/// When the last watering of a zone ended.
fn last_run(fleet: &Fleet, zone: &str) -> Option<Timestamp> {
    fleet
        .pumps_of_zone(zone)
        .filter_map(|pump| pump.last_run()?.end)
        .max()
}

/// What stands above the chart, every word of it: what does not change is not written again.
#[derive(Debug, Clone, PartialEq, Default)]
struct Face {
    name: String,
    value: String,
    unit: String,
    status: &'static str,
    word: &'static str,
    age: String,
    outlook: String,
    fault: String,
    standing: Option<Standing>,
}

impl Face {
    fn of(probe: &Probe, last_run: Option<Timestamp>, now: Timestamp) -> Self {
        let freshness = probe.freshness(now);
        let (word, age) = words::freshness(freshness, now, utc_offset(now));
        Self {
            name: probe.name.clone(),
            value: probe.moisture().map_or_else(|| "–".into(), value),
            unit: probe.unit.clone(),
            status: freshness.as_str(),
            word,
            age,
            outlook: outlook(probe, last_run, now),
            fault: probe
                .fault
                .as_ref()
                .map(|fault| fault.clone() + ".")
                .unwrap_or_default(),
            standing: probe.standing(now),
        }
    }
}

/// Where the value is going since the last watering, or since it is collected.
fn outlook(probe: &Probe, last_run: Option<Timestamp>, now: Timestamp) -> String {
    let scene = scene_of(probe, now);
    let since = clock(scene.since, scene.offset);
    let collecting = || ["Collecting since ", &since, "."].concat();
    match (probe.freshness(now), probe.reading_at) {
        (Freshness::Live { .. }, _) => {
            let watered = last_run
                .map(Timestamp::millis)
                .filter(|&end| end > scene.since);
            watered
                .and_then(|end| scene.outlook(end, "the last watering"))
                .or_else(|| scene.outlook(scene.since, &since))
                .unwrap_or_else(collecting)
        }
        (Freshness::Stale { .. } | Freshness::Offline { .. }, Some(at)) => [
            "The last reading came at ",
            &moment(at, now, scene.offset),
            ".",
        ]
        .concat(),
        (Freshness::RetainedOnly, _) => {
            String::from("The broker kept this value; nobody knows when it was measured.")
        }
        (Freshness::Stale { .. } | Freshness::Offline { .. } | Freshness::Silent, _) => {
            collecting()
        }
    }
}

/// What the probe says about itself.
fn about(id: ProbeId) -> AnyView {
    let fleet = use_fleet();
    // Name and value by turns.
    let facts = memo(move || fleet.probe(&id, facts).unwrap_or_default());
    let facts = part(move || facts.with(|facts| many(facts.chunks_exact(2).map(fact).collect())));
    view! {
        <section aria-labelledby="probe-about">
            <h2 id="probe-about">"Probe"</h2>
            <dl class="panel probe-page-facts">{facts}</dl>
        </section>
    }
    .into_any()
}

fn fact(pair: &[String]) -> AnyView {
    let [name, value] = pair else {
        return nothing();
    };
    let (is_topic, name, value) = (name == TOPIC, name.clone(), value.clone());
    let value = if is_topic {
        view! { <code>{value}</code> }.into_any()
    } else {
        value.into_any()
    };
    view! {
        <dt>{name}</dt>
        <dd>{value}</dd>
    }
    .into_any()
}

/// Only what it did say.
fn facts(probe: &Probe) -> Vec<String> {
    let reading = probe.reading.unwrap_or_default();
    let whole = |number: f64| chart::decimal(number as f32, 0);
    let facts = [
        (
            "Battery",
            reading.battery.map(|percent| whole(percent) + " %"),
        ),
        (
            "Soil",
            reading.temperature.map(|celsius| value(celsius) + " °C"),
        ),
        ("Raw", reading.raw.map(whole)),
        (TOPIC, Some(probe.topic.clone())),
    ];
    let mut said = Vec::new();
    for (name, text) in facts {
        if let Some(text) = text {
            said.extend([String::from(name), text]);
        }
    }
    said
}

/// The pumps that water this soil.
fn waters(id: ProbeId) -> AnyView {
    let fleet = use_fleet();
    let pumps: Memo<Vec<String>> = memo(move || {
        let zone = fleet
            .probe(&id, |probe| probe.zone.clone())
            .unwrap_or_default();
        fleet.layout(|fleet| {
            fleet
                .pumps_of_zone(&zone)
                .map(|pump| key_of_device(&pump.device))
                .collect()
        })
    });
    let has_pumps = memo(move || pumps.with(|pumps| !pumps.is_empty()));
    part_if(has_pumps, move || {
        view! {
            <section aria-labelledby="probe-waters">
                <h2 id="probe-waters">"Waters"</h2>
                {list(pumps, pump_card)}
            </section>
        }
        .into_any()
    })
}

fn pump_card(key: String) -> AnyView {
    let device = device_of_key(&key);
    device
        .map(|device| view! { <PumpCard device /> }.into_any())
        .into_any()
}

/// No such probe has been heard of, or not yet.
fn unknown(id: &ProbeId) -> AnyView {
    let connection = use_connection();
    let name = crate::format::name_of_level(id.as_str().rsplit('/').next().unwrap_or_default());
    let lead = text(move || {
        String::from(if connection.with(Connection::is_connected) {
            "Nothing has been heard of this probe yet. It shows here with its first message."
        } else {
            "Waiting for the broker."
        })
    });
    view! {
        <nav class="probe-page-trail" aria-label="Breadcrumb">
            <a href="/">"Field"</a>
        </nav>
        <h1 tabindex="-1">{name}</h1>
        <p class="page-lead">{lead}</p>
    }
    .into_any()
}

const TOPIC: &str = "Topic";
