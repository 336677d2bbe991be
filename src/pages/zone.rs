//! Every probe of a zone, aligned in time.

use std::rc::Rc;

use chart::{Scene, Series};

use crate::{
    components::chart::{Read, Shared, ranges, small_chart},
    format::count,
    piece::Piece,
    router::link_to,
    state::ProbeId,
    store::{use_fleet, use_now},
    widgets::{
        chart_address::addressed_view,
        reading_chart::{runs, scene_of},
    },
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
    let mut piece = Piece::new(include_str!("zone.html"), move |places| {
        let zone = fleet.layout().zone(&key);
        let probes: Vec<String> = zone.probes.iter().map(|id| id.as_str().into()).collect();
        places.attribute("field", "href", Some(&link_to("/")));
        places.text("name", &zone.name);
        places.text(
            "lead",
            &[&count(probes.len(), "probe"), ", side by side in time."].concat(),
        );
        places.part("ranges", probes.first().map(|_| ""), &|_| {
            let first = zone.probes.first().cloned();
            let scene: Read<Scene> = Rc::new(move || match &first {
                Some(id) => scene(id),
                None => Scene::of(Series::new(1)),
            });
            ranges(Rc::clone(&shared.view), scene)
        });
        places.list("charts", &probes, &|key| probe_chart(key, &shared));
    });
    piece.keep(following);
    piece
}

fn probe_chart(key: &str, shared: &Shared) -> Piece {
    let fleet = use_fleet();
    let id = ProbeId::new(key);
    let named = id.clone();
    let label: Read<String> = Rc::new(move || {
        let name = fleet.probe(&named).map(|probe| probe.name.clone());
        name.unwrap_or_default()
    });
    small_chart(Rc::new(move || scene(&id)), label, shared)
}

fn scene(id: &ProbeId) -> Scene {
    let (fleet, now) = (use_fleet(), use_now().get());
    let scene = fleet.probe(id).map(|probe| scene_of(&probe, now));
    let mut scene = scene.unwrap_or_else(|| Scene::of(Series::new(1)));
    scene.pumps = runs(fleet, id, now);
    scene
}
