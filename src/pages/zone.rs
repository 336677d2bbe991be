//! Every probe of a zone, aligned in time.

use std::rc::Rc;

use chart::{Scene, Series, View};

use crate::{
    components::chart::{Shared, ranges, small_chart},
    format::{count, value},
    piece::Piece,
    router::{link_to, probe_path},
    signal::watch,
    state::{Freshness, ProbeId},
    store::{ZONE, use_fleet, use_now},
    widgets::{
        chart_address::addressed_view,
        probe_card::show_standing,
        reading_chart::{ask_for, runs, scene_of},
    },
    words,
};

/// The page at `/zone/<zone>`.
#[must_use]
pub fn zone_page(key: &str) -> Piece {
    let fleet = use_fleet();
    let key = String::from(key);
    let (view, following) = addressed_view();
    let shared = Shared {
        view,
        ..Shared::default()
    };
    let asking = {
        let (key, view) = (key.clone(), Rc::clone(&shared.view));
        watch(Box::new(move || {
            let probes = fleet.layout().zone(&key).probes;
            ask_for(&probes, view.get(), POINTS);
        }))
    };
    let mut piece = Piece::new(include_str!("zone.html"), move |places| {
        let zone = fleet.layout().zone(&key);
        let probes: Vec<String> = zone.probes.iter().map(|id| id.as_str().into()).collect();
        places.attribute("field", "href", Some(&link_to("/")));
        // Also of one that nothing was heard of.
        places.text("name", &fleet.layout().zone_name(&key));
        places.text(
            "lead",
            &[&count(probes.len(), "probe"), ", side by side in time."].concat(),
        );
        places.part("ranges", probes.first().map(|_| ""), &|_| {
            ranges(Rc::clone(&shared.view))
        });
        places.list("charts", &probes, &|probe| {
            probe_chart(probe, &key, &shared)
        });
    });
    piece.keep((following, asking));
    piece
}

fn probe_chart(probe: &str, zone: &str, shared: &Shared) -> Piece {
    let id = ProbeId::new(probe);
    let headed = id.clone();
    let (zone, view) = (String::from(zone), Rc::clone(&shared.view));
    small_chart(
        Rc::new(move || scene(&id, &zone, view.get())),
        shared,
        move || heading(headed.clone()),
    )
}

/// Which probe it is, what it says now, and the way to its page.
fn heading(id: ProbeId) -> Piece {
    let fleet = use_fleet();
    Piece::new(include_str!("zone_probe.html"), move |places| {
        places.attribute("name", "href", Some(&probe_path(&id)));
        places.text("name", &fleet.layout().probe_name(&id));
        places.part("reading", Some(""), &|_| reading(id.clone()));
    })
}

/// What a probe says now: apart from what seldom changes, as this may change many times a second.
fn reading(id: ProbeId) -> Piece {
    let fleet = use_fleet();
    Piece::new(include_str!("zone_reading.html"), move |places| {
        let now = use_now().get();
        let Some(probe) = fleet.probe_calmly(&id) else {
            return;
        };
        let freshness = probe.freshness(now);
        let age = match (freshness, words::freshness(freshness, now, ZONE)) {
            // As it should be.
            (Freshness::Live { .. }, _) => String::new(),
            (_, (word, age)) => [word, " ", &age].concat(),
        };
        places.text("value", &probe.moisture().map_or_else(|| "–".into(), value));
        places.text("unit", &probe.unit);
        places.text("age", &age);
        show_standing(places, probe.standing(now));
    })
}

/// A probe's readings over the time that all of the zone have in common.
fn scene(id: &ProbeId, zone: &str, view: View) -> Scene {
    let (fleet, now) = (use_fleet(), use_now().get());
    let since = fleet.layout().since_of_zone(zone);
    let scene = fleet.probe_calmly(id).map(|probe| {
        let window = view.window(since.unwrap_or_default(), now.millis());
        Scene {
            since: since.unwrap_or_default(),
            ..scene_of(&probe, View::Fixed(window), now)
        }
    });
    let mut scene = scene.unwrap_or_else(|| Scene::of(Series::new(1)));
    scene.pumps = runs(fleet, id, now);
    scene
}

/// Half the pixels of a small chart.
const POINTS: i64 = 200;
