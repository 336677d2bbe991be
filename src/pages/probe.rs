//! One probe: a large live chart and what the probe says about itself.

use chart::clock;
use field::{DeviceId, Timestamp};
use leptos::prelude::*;

use crate::{
    components::notice::Notice,
    format::{moment, value},
    state::{Connection, Freshness, Probe, ProbeId, Standing},
    store::{use_connection, use_fleet, use_now, utc_offset},
    widgets::{
        probe_card::standing_badge,
        pump_card::PumpCard,
        reading_chart::{ReadingChart, scene_of, watering_pumps},
    },
    words,
};

/// The page at `/probe/<zone>/<device>`.
#[component]
pub fn ProbePage(
    /// The probe's id, as in the address.
    id: String,
) -> impl IntoView {
    let fleet = use_fleet();
    let id = ProbeId::new(&id);
    let is_known = {
        let id = id.clone();
        Memo::new(move |_| fleet.probe(&id, |_| ()).is_some())
    };
    view! {
        <div class="probe-page">
            {move || {
                let id = id.clone();
                if is_known.get() {
                    view! {
                        <Head id=id.clone() />
                        <ReadingChart id=id.clone() />
                        <div class="probe-page-more">
                            <About id=id.clone() />
                            <Waters id />
                        </div>
                    }
                        .into_any()
                } else {
                    view! { <Unknown id /> }.into_any()
                }
            }}
        </div>
    }
}

/// Name, value, age, and where it is going.
#[component]
fn Head(
    /// Which probe.
    id: ProbeId,
) -> impl IntoView {
    let fleet = use_fleet();
    let now = use_now();
    let pumps = watering_pumps(fleet, id.clone());
    let last_run = Memo::new(move |_| {
        let end = |device: &DeviceId| fleet.pump(device, |pump| pump.last_run()?.end).flatten();
        pumps.with(|pumps| pumps.iter().filter_map(end).max())
    });
    let zone = {
        let id = id.clone();
        Memo::new(move |_| {
            let zone = fleet
                .probe(&id, |probe| probe.zone.clone())
                .unwrap_or_default();
            fleet.layout(|fleet| fleet.zone_name(&zone))
        })
    };
    let face = Memo::new(move |_| {
        let (now, last_run) = (now.get(), last_run.get());
        fleet
            .probe(&id, |probe| Face::of(probe, last_run, now))
            .unwrap_or_default()
    });
    let say = move |read: fn(&Face) -> &String| move || face.with(|face| read(face).clone());
    let fault = move || {
        let text = face.with(|face| face.fault.clone())?;
        Some(view! { <Notice tone="clay" title="The newest message could not be read:" text /> })
    };
    view! {
        <nav class="probe-page-trail" aria-label="Breadcrumb">
            <a href="/">"Field"</a>
            <span aria-hidden="true">"/"</span>
            <span>{zone}</span>
        </nav>
        <div class="probe-page-head" data-status=move || face.with(|face| face.status)>
            <div class="probe-page-title">
                <h1 tabindex="-1">{say(|face| &face.name)}</h1>
                {move || face.with(|face| face.standing).map(standing_badge)}
            </div>
            <div class="probe-page-reading">
                <p class="probe-page-value">
                    <strong>{say(|face| &face.value)}</strong>
                    " "
                    <span>{say(|face| &face.unit)}</span>
                </p>
                <p class="probe-page-status">
                    <b>{move || face.with(|face| face.word)}</b>
                    " "
                    {say(|face| &face.age)}
                </p>
            </div>
            <p class="page-lead">{say(|face| &face.outlook)}</p>
        </div>
        {fault}
    }
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
    fault: Option<String>,
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
            fault: probe.fault.as_ref().map(|fault| fault.to_string() + "."),
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
#[component]
fn About(
    /// Which probe.
    id: ProbeId,
) -> impl IntoView {
    let fleet = use_fleet();
    let facts = Memo::new(move |_| fleet.probe(&id, facts).unwrap_or_default());
    let row = |(name, text): (&'static str, String)| {
        let text = if name == TOPIC {
            view! { <code>{text}</code> }.into_any()
        } else {
            text.into_any()
        };
        view! {
            <dt>{name}</dt>
            <dd>{text}</dd>
        }
    };
    view! {
        <section aria-labelledby="probe-about">
            <h2 id="probe-about">"Probe"</h2>
            <dl class="panel probe-page-facts">
                {move || facts.get().into_iter().map(row).collect_view()}
            </dl>
        </section>
    }
}

/// Only what it did say.
fn facts(probe: &Probe) -> Vec<(&'static str, String)> {
    let reading = probe.reading.unwrap_or_default();
    let number = |number: f64, unit: &str| chart::decimal(number as f32, 0) + unit;
    let facts = [
        (
            "Battery",
            reading.battery.map(|percent| number(percent, " %")),
        ),
        (
            "Soil",
            reading.temperature.map(|celsius| value(celsius) + " °C"),
        ),
        ("Raw", reading.raw.map(|count| number(count, ""))),
        (TOPIC, Some(probe.topic.clone())),
    ];
    facts
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)))
        .collect()
}

/// The pumps that water this soil.
#[component]
fn Waters(
    /// Which probe.
    id: ProbeId,
) -> impl IntoView {
    let pumps = watering_pumps(use_fleet(), id);
    view! {
        <Show when=move || !pumps.with(Vec::is_empty)>
            <section aria-labelledby="probe-waters">
                <h2 id="probe-waters">"Waters"</h2>
                <For
                    each=move || pumps.get()
                    key=Clone::clone
                    children=|device| view! { <PumpCard device /> }
                />
            </section>
        </Show>
    }
}

/// No such probe has been heard of, or not yet.
#[component]
fn Unknown(
    /// Which probe.
    id: ProbeId,
) -> impl IntoView {
    let connection = use_connection();
    let name = crate::format::name_of_level(id.as_str().rsplit('/').next().unwrap_or_default());
    let lead = move || {
        if connection.with(Connection::is_connected) {
            "Nothing has been heard of this probe yet. It shows here with its first message."
        } else {
            "Waiting for the broker."
        }
    };
    view! {
        <nav class="probe-page-trail" aria-label="Breadcrumb">
            <a href="/">"Field"</a>
        </nav>
        <h1 tabindex="-1">{name}</h1>
        <p class="page-lead">{lead}</p>
    }
}

const TOPIC: &str = "Topic";
