//! One probe on a card: name, number, trend, curve, age.

use std::sync::Arc;

use chart::{Band, Span, live_window};
use field::Timestamp;
use leptos::prelude::*;

use crate::{
    components::{
        badge::Badge,
        reactive::{memo, nothing, part, text},
        sparkline::Sparkline,
    },
    format::{millis, value},
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
) -> AnyView {
    let fleet = use_fleet();
    let now = use_now();
    let path = probe_path(&id);
    let face = {
        let id = id.clone();
        memo(move || {
            let now = now.get();
            fleet
                .probe(&id, |probe| Face::of(probe, now))
                .unwrap_or_default()
        })
    };
    let say = move |read: fn(&Face) -> &String| text(move || face.with(|face| read(face).clone()));
    let status = text(move || face.with(|face| face.status.into()));
    let word = text(move || face.with(|face| face.word.into()));
    let badge = part(move || match face.with(|face| face.standing) {
        Some(standing) => standing_badge(standing),
        None => nothing(),
    });
    let has_curve = memo(move || face.with(|face| !face.span.is_empty()));
    let picture = part(move || {
        if has_curve.get() {
            curve(id.clone(), face)
        } else {
            view! { <p class="probe-card-note">{say(|face| &face.note)}</p> }.into_any()
        }
    });
    view! {
        <article class="probe-card" data-status=status>
            <div class="probe-card-head">
                <h3>
                    <a href=path>{say(|face| &face.name)}</a>
                </h3>
                {badge}
            </div>
            <div class="probe-card-reading">
                <p class="probe-card-value">
                    <strong>{say(|face| &face.value)}</strong>
                    " "
                    <span class="probe-card-unit">{say(|face| &face.unit)}</span>
                </p>
                <p class="probe-card-trend">
                    <span aria-hidden="true">{say(|face| &face.trend)}</span>
                    <span class="visually-hidden">{say(|face| &face.trend_spoken)}</span>
                </p>
            </div>
            <div class="probe-card-chart">{picture}</div>
            <div class="probe-card-foot">
                <p class="probe-card-status">
                    <b>{word}</b>
                    " "
                    {say(|face| &face.age)}
                </p>
                <p class="probe-card-span">{say(|face| &face.span)}</p>
            </div>
        </article>
    }
    .into_any()
}

/// The small chart of what was collected.
fn curve(id: ProbeId, face: Memo<Face>) -> AnyView {
    let fleet = use_fleet();
    let now = use_now();
    let empty = chart::Series::new(1);
    let chart: Arc<dyn Fn() -> chart::Sparkline> = Arc::new(move || {
        let now = now.get();
        let chart = fleet.probe(&id, |probe| sparkline(probe, now));
        chart.unwrap_or_else(|| chart::Sparkline {
            series: empty.clone(),
            window: Span::default(),
            now: now.millis(),
            band: None,
            is_fresh: false,
            expiry: None,
        })
    });
    let label = text(move || face.with(|face| face.curve.clone()));
    view! { <Sparkline chart label /> }.into_any()
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
    /// What stands where the curve will be.
    note: String,
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
        let trend = probe
            .tendency()
            .filter(|_| matches!(freshness, Freshness::Live { .. }));
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
            curve: ["Curve of ", &probe.name, " over ", &span].concat(),
            note: match (&probe.fault, freshness) {
                (Some(fault), _) => ["Its message could not be read: ", fault, "."].concat(),
                (None, Freshness::RetainedOnly) => {
                    "Kept by the broker; when it was measured is not known.".into()
                }
                (None, _) => "The curve begins with its next reading.".into(),
            },
            status: freshness.as_str(),
            word: if probe.fault.is_some() {
                "unreadable message"
            } else {
                word
            },
            age,
            span,
            standing: probe.standing(now),
        }
    }
}

fn sparkline(probe: &Probe, now: Timestamp) -> chart::Sparkline {
    let first = probe
        .history
        .first()
        .map_or(now.millis(), |first| first.time);
    chart::Sparkline {
        series: probe.history.clone(),
        window: live_window(first, None, now.millis()),
        now: now.millis(),
        band: probe.target.map(|target| Band {
            low: target.low() as f32,
            high: target.high() as f32,
        }),
        is_fresh: matches!(probe.freshness(now), Freshness::Live { .. }),
        expiry: probe
            .expires_after
            .and_then(|expiry| i64::try_from(millis(expiry)).ok()),
    }
}

/// Where a value stands, as a badge.
#[must_use]
pub fn standing_badge(standing: Standing) -> AnyView {
    let (tone, word) = match standing {
        Standing::Dry => ("clay", "dry"),
        Standing::InBand => ("leaf", "in band"),
        Standing::Wet => ("water", "wet"),
    };
    view! { <Badge tone word /> }.into_any()
}
