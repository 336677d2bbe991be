//! Providers, landmarks, and the page that the address means.

use std::rc::Rc;

use any_spawner::Executor;
use leptos::reactive::effect::RenderEffect;

use crate::{
    components::frame::FrameTask,
    dom::{document, offer_focus},
    link::Link,
    pages::{
        field::field_page, not_found::not_found_page, probe::probe_page, pumps::pumps_page,
        settings::settings_page, zone::zone_page,
    },
    piece::{Piece, Places},
    preferences,
    router::{Route, follow_location, link_to},
    signal::{Signal, watch},
    store::{Stores, use_brokers, use_fleet},
    widgets::{
        connection_badge::connection_badge, connection_notice::connection_notice,
        stop_all::stop_all_panel,
    },
};

/// The whole page, in the document for as long as it is kept.
pub struct App {
    link: &'static Link,
    _page: Piece,
    _watching: [RenderEffect<()>; 2],
}

impl App {
    /// Puts the page into the document and connects to the broker.
    #[must_use]
    pub fn open() -> Self {
        // An earlier page has done so already; then there is nothing to do.
        let _ = Executor::init_wasm_bindgen();
        let Stores { link, brokers, .. } = Stores::open();
        preferences::show_theme();
        link.start();
        brokers.open();

        let (path, listeners) = follow_location(|| brokers.follow());
        let shown = Rc::clone(&path);
        let mut page = Piece::new(include_str!("app.html"), move |places| show(places, &shown)).on(
            "stop",
            "click",
            move |_| link.stop_all(),
        );
        page.keep(listeners);
        if let Some(body) = document().body() {
            page.append_to(&body);
        }
        remove_loading_state();
        // Moves a screen reader to the page that was navigated to.
        let focusing = FrameTask::new(|| offer_focus("main h1"));
        let mut is_first = true;
        let navigated = Rc::clone(&path);
        let watching = [
            watch(Box::new(move || {
                // What it reads says when there is another page.
                route(&navigated);
                if !std::mem::take(&mut is_first) {
                    focusing.request();
                }
            })),
            // Apart, for a name that comes later is no navigation.
            watch(Box::new(move || {
                document().set_title(&title(&route(&path)));
            })),
        ];
        Self {
            link,
            _page: page,
            _watching: watching,
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.link.close();
    }
}

fn show(places: &mut Places, path: &Signal<String>) {
    places.part("badge", Some(""), &|_| connection_badge());
    places.part("stopping", Some(""), &|_| stop_all_panel());
    places.part("notice", Some(""), &|_| connection_notice());
    let route = route(path);
    for (place, path) in [
        ("home", "/"),
        ("field", "/"),
        ("pumps", "/pumps"),
        ("settings", "/settings"),
    ] {
        places.attribute(place, "aria-current", current(&route, place));
        places.attribute(place, "href", Some(&link_to(path)));
    }
    let key = if matches!(route, Route::Settings) {
        "/settings"
    } else {
        &path.read()
    };
    places.part("main", Some(key), &|_| page(&route));
}

fn page(route: &Route) -> Piece {
    match route {
        Route::Field => field_page(),
        Route::Probe(id) => probe_page(id),
        Route::Zone(key) => zone_page(key),
        Route::Pumps => pumps_page(),
        Route::Settings => settings_page(),
        Route::NotFound => not_found_page(),
    }
}

/// The page that is shown: the settings, while they have to ask which broker is meant.
fn route(path: &Signal<String>) -> Route {
    let path = path.read();
    if use_brokers().asked_at.read().as_deref() == Some(&path) {
        return Route::Settings;
    }
    Route::of_path(&path)
}

/// What `aria-current` says: a probe's page stands below the field.
fn current(route: &Route, place: &str) -> Option<&'static str> {
    match (route, place) {
        (Route::Field, "field") | (Route::Pumps, "pumps") | (Route::Settings, "settings") => {
            Some("page")
        }
        (Route::Probe(_) | Route::Zone(_), "field") => Some("true"),
        _ => None,
    }
}

/// What a tab and the browser's list of visited pages say.
fn title(route: &Route) -> String {
    let fleet = use_fleet();
    let mut title = match route {
        Route::Field => "Field".into(),
        Route::Probe(id) => {
            let fleet = fleet.layout();
            [&fleet.probe_name(id), ", ", &fleet.zone_name_of(id)].concat()
        }
        Route::Zone(key) => fleet.layout().zone_name(key),
        Route::Pumps => "Pumps".into(),
        Route::Settings => "Settings".into(),
        Route::NotFound => "Nothing here".into(),
    };
    title.push_str(" · Rootzone");
    title
}

/// What `index.html` showed until now.
fn remove_loading_state() {
    if let Ok(Some(loading)) = document().query_selector(".loading") {
        loading.remove();
    }
}
