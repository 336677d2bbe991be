//! One probe on a card: name, number, trend, curve, age.

use chart::{Band, Span, live_window};
use field::Timestamp;
use leptos::prelude::*;

use crate::{
    components::{badge::Badge, sparkline::Sparkline},
    format::value,
    router::probe_path,
    state::{Freshness, Probe, ProbeId, Standing},
    store::{use_fleet, use_now, utc_offset},
    words::{self, collected, tendency, tendency_spoken},
};

/// One probe on a card.
#[component]
pub fn ProbeCard(
    /// Which.
    id: ProbeId,
) -> impl IntoView {
    let fleet = use_fleet();
    let now = use_now();
    let path = probe_path(&id);
    let face = {
        let id = id.clone();
        Memo::new(move |_| {
            fleet.probe(&id, |probe| Face::of(probe, now.get())).unwrap_or_default()
        })
    };
    let empty = chart::Series::new(1);
    let curve = Signal::derive(move || {
        let now = now.get();
        fleet
            .probe(&id, |probe| sparkline(probe, now))
            .unwrap_or_else(|| chart::Sparkline {
                series: empty.clone(),
                window: Span::default(),
                now: now.millis(),
                band: None,
                is_fresh: false,
                expiry: None,
            })
    });
    let badge = move || face.with(|face| face.standing).map(standing_badge);
    view! {
        <article class="probe-card" data-status=move || face.with(|face| face.status)>
            <div class="probe-card-head">
                <h3>
                    <a href=path>{move || face.with(|face| face.name.clone())}</a>
                </h3>
                {badge}
            </div>
            <div class="probe-card-reading">
                <p class="probe-card-value">
                    <strong>{move || face.with(|face| face.value.clone())}</strong>
                    " "
                    <span class="probe-card-unit">{move || face.with(|face| face.unit.clone())}</span>
                </p>
                <p class="probe-card-trend">
                    <span aria-hidden="true">{move || face.with(|face| face.trend.clone())}</span>
                    <span class="visually-hidden">
                        {move || face.with(|face| face.trend_spoken.clone())}
                    </span>
                </p>
            </div>
            <div class="probe-card-chart">
                <Sparkline chart=curve label=Signal::derive(move || face.with(|face| face.curve.clone())) />
            </div>
            <div class="probe-card-foot">
                <p class="probe-card-status">
                    <b>{move || face.with(|face| face.word)}</b>
                    " "
                    {move || face.with(|face| face.age.clone())}
                </p>
                <p class="probe-card-span">{move || face.with(|face| face.span.clone())}</p>
            </div>
        </article>
    }
}

/// What the card says, every word of it: what does not change is not written again.
#[derive(Debug, Clone, PartialEq, Default)]
struct Face {
    name: String,
    value: String,
    unit: String,
    trend: String,
    trend_spoken: String,
    curve: String,
    status: &'static str,
    word: &'static str,
    age: String,
    span: String,
    standing: Option<Standing>,
}

impl Face {
    fn of(probe: &Probe, now: Timestamp) -> Self {
        let freshness = probe.freshness(now);
        let (word, age) = words::freshness(freshness, now, utc_offset(now));
        let trend = probe.tendency().filter(|_| matches!(freshness, Freshness::Live { .. }));
        let span = match probe.history.first() {
            Some(first) => collected(first.time, now),
            None => String::new(),
        };
        Self {
            name: probe.name.clone(),
            value: probe.moisture().map_or_else(|| "–".into(), value),
            unit: probe.unit.clone(),
            trend: trend.map(tendency).unwrap_or_default(),
            trend_spoken: trend.map(tendency_spoken).unwrap_or_default(),
            curve: match span.as_str() {
                "" => ["No curve of ", &probe.name, " yet"].concat(),
                span => ["Curve of ", &probe.name, " over ", span].concat(),
            },
            status: freshness.as_str(),
            word: if probe.fault.is_some() { "unreadable message" } else { word },
            age,
            span,
            standing: probe.standing(now),
        }
    }
}

fn sparkline(probe: &Probe, now: Timestamp) -> chart::Sparkline {
    let first = probe.history.first().map_or(now.millis(), |first| first.time);
    chart::Sparkline {
        series: probe.history.clone(),
        window: live_window(first, None, now.millis()),
        now: now.millis(),
        band: probe.target.map(|target| Band {
            low: target.low() as f32,
            high: target.high() as f32,
        }),
        is_fresh: matches!(probe.freshness(now), Freshness::Live { .. }),
        expiry: probe.expires_after.and_then(|expiry| i64::try_from(expiry.as_millis()).ok()),
    }
}

/// Where a value stands, as a badge.
pub fn standing_badge(standing: Standing) -> impl IntoView {
    let (tone, word) = match standing {
        Standing::Dry => ("clay", "dry"),
        Standing::InBand => ("leaf", "in band"),
        Standing::Wet => ("water", "wet"),
    };
    view! { <Badge tone word /> }
}
