//! One probe on a card: name, number, trend, curve, age.

use chart::{Band, Series, Span, live_window, present};
use field::Timestamp;

use crate::{
    components::canvas::canvas,
    format::value,
    link::CARDS_SHOW,
    piece::{Piece, Places},
    router::probe_path,
    state::{Freshness, Probe, ProbeId, Standing},
    store::{ZONE, use_fleet, use_now},
    widgets::reading_chart::expiry_of,
    words::{self, collected, tendency, tendency_spoken},
};

/// One probe on a card.
#[must_use]
pub fn probe_card(key: &str) -> Piece {
    let fleet = use_fleet();
    let now = use_now();
    let id = ProbeId::new(key);
    let path = probe_path(&id);
    Piece::new(include_str!("probe_card.html"), move |places| {
        let now = now.get();
        let Some(probe) = fleet.probe(&id) else {
            return;
        };
        places.attribute("name", "href", Some(&path));
        show(places, &probe, now);
        let has_curve = !shown(&probe, now).1.0.is_empty();
        places.show("note", !has_curve);
        places.show("curve", has_curve);
        places.part("curve", has_curve.then_some(""), &|_| curve(id.clone()));
    })
}

/// Every word of the card.
fn show(places: &mut Places, probe: &Probe, now: Timestamp) {
    let freshness = probe.freshness(now);
    let (word, age) = words::freshness(freshness, now, ZONE);
    let trend = probe
        .tendency()
        .filter(|_| matches!(freshness, Freshness::Live { .. }));
    let from = Timestamp::from_millis(shown(probe, now).0.start);
    let span = collected(from, now);
    places.attribute("", "data-status", Some(freshness.as_str()));
    places.text("name", &probe.name);
    show_standing(places, probe.standing(now));
    places.text("value", &probe.moisture().map_or_else(|| "–".into(), value));
    places.text("unit", &probe.unit);
    places.text("trend", &trend.map(tendency).unwrap_or_default());
    places.text("spoken", &trend.map(tendency_spoken).unwrap_or_default());
    let label = ["Curve of ", &probe.name].concat();
    places.attribute("curve", "aria-label", Some(&label));
    places.text(
        "word",
        match (&probe.fault, &probe.config_fault) {
            (Some(_), _) => "unreadable message",
            (None, Some(_)) => "unreadable settings",
            (None, None) => word,
        },
    );
    places.text("age", &age);
    places.text("span", &span);
    let note = match freshness {
        Freshness::RetainedOnly => "Kept by the broker; when it was measured is not known.",
        Freshness::ClockAhead => "When it was measured is not known.",
        Freshness::Live { .. }
        | Freshness::Stale { .. }
        | Freshness::Cut { .. }
        | Freshness::Offline { .. }
        | Freshness::Silent => "The curve begins with its next reading.",
    };
    places.text("note", probe.complaint().as_deref().unwrap_or(note));
}

/// Where a value stands, as a badge.
pub fn show_standing(places: &mut Places, standing: Option<Standing>) {
    let (tone, word) = match standing {
        Some(Standing::Dry) => ("clay", "dry"),
        Some(Standing::InBand) => ("leaf", "good"),
        Some(Standing::Wet) => ("water", "wet"),
        None => ("", ""),
    };
    places.show("badge", standing.is_some());
    places.attribute("badge", "data-tone", Some(tone));
    places.text("badge", word);
}

/// The small chart of what was collected.
fn curve(id: ProbeId) -> Piece {
    let fleet = use_fleet();
    let now = use_now();
    let track = id.clone();
    canvas(
        move || {
            now.get();
            fleet.probe(&track);
        },
        move |size| {
            let now = now.get();
            let picture = fleet
                .probe(&id)
                .map(|probe| sparkline(&probe, now).draw(size));
            picture.unwrap_or_default()
        },
        drop,
    )
}

/// The part of time that a card's curve shows, and what there is of it.
fn shown(probe: &Probe, now: Timestamp) -> (Span, (&Series, i64)) {
    let from = match probe.past.since() {
        Some(_) => Some(probe.since().max((now - CARDS_SHOW).millis())),
        None => probe.collected_from().map(Timestamp::millis),
    };
    let window = live_window(from.unwrap_or(now.millis()), None, now.millis());
    (window, probe.readings(window))
}

fn sparkline(probe: &Probe, now: Timestamp) -> chart::Sparkline {
    let (window, (series, step)) = shown(probe, now);
    let newest = series.last();
    chart::Sparkline {
        series: series.clone(),
        window: Span::new(window.start, present(window.end, newest)),
        now: present(now.millis(), newest),
        band: probe.target.map(|target| Band {
            low: target.low() as f32,
            high: target.high() as f32,
        }),
        is_fresh: matches!(probe.freshness(now), Freshness::Live { .. }),
        expiry: expiry_of(probe, step),
    }
}
