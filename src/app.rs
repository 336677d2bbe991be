//! Providers, landmarks, and the page that the address means.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::{
    components::reactive::{many, maybe, part},
    link::Link,
    pages::{
        field::FieldPage, not_found::NotFoundPage, probe::ProbePage, pumps::PumpsPage,
        settings::SettingsPage,
    },
    preferences,
    router::{Route, follow_location},
    state::{Connection, Fleet},
    store::{Clock, FleetStore, moment},
    widgets::{
        connection_badge::ConnectionBadge,
        connection_notice::ConnectionNotice,
        stop_all::{StopAllButton, StopAllPanel},
    },
};

/// The whole page.
#[component]
pub fn App() -> impl IntoView {
    let fleet = FleetStore::new(Fleet::new(0, moment()));
    let connection = RwSignal::new(Connection::Connecting { again: false });
    let clock = Clock::new();
    let link = Link::new(fleet, connection, clock);
    provide_context(fleet);
    provide_context(connection);
    provide_context(clock);
    provide_context(link);
    preferences::show_theme();
    link.connect(preferences::broker_address().unwrap_or_else(preferences::default_broker_address));

    let path = follow_location();
    Effect::new(move |before: Option<()>| {
        document().set_title(title(&route(path)));
        if before.is_some() {
            request_animation_frame(focus_heading);
        } else {
            remove_loading_state();
        }
    });
    let page = part(move || match route(path) {
        Route::Field => view! { <FieldPage /> }.into_any(),
        Route::Probe(id) => view! { <ProbePage id /> }.into_any(),
        Route::Pumps => view! { <PumpsPage /> }.into_any(),
        Route::Settings => view! { <SettingsPage /> }.into_any(),
        Route::NotFound => view! { <NotFoundPage /> }.into_any(),
    });
    view! {
        <div class="page">
            <a class="skip-link" href="#main">"Skip to content"</a>
            <header class="page-header">
                <div class="page-header-row">
                    <a class="brand" href="/" aria-label="Rootzone">
                        <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true" inner_html=MARK></svg>
                        <span class="brand-name">"Rootzone"</span>
                    </a>
                    <Navigation path />
                    <div class="page-header-end">
                        <ConnectionBadge />
                        <StopAllButton />
                    </div>
                </div>
                <StopAllPanel />
                <ConnectionNotice />
            </header>
            <main class="page-main" id="main" tabindex="-1">{page}</main>
        </div>
    }
}

#[component]
fn Navigation(
    /// The path in the address.
    path: RwSignal<String>,
) -> AnyView {
    let link = move |(href, label, icon): (&'static str, &'static str, &'static str)| {
        let current = maybe(move || current(&route(path), href).map(String::from));
        view! {
            <li>
                <a href=href aria-current=current>
                    <svg width="22" height="22" viewBox="0 0 24 24" aria-hidden="true" inner_html=icon></svg>
                    {label}
                </a>
            </li>
        }
        .into_any()
    };
    view! {
        <nav class="page-nav" aria-label="Pages">
            <ul>{many(PAGES.map(link).into())}</ul>
        </nav>
    }
    .into_any()
}

/// The page that is shown.
fn route(path: RwSignal<String>) -> Route {
    path.with(|path| Route::of_path(path))
}

/// What `aria-current` says: a probe's page stands below the field.
fn current(route: &Route, href: &str) -> Option<&'static str> {
    match (route, href) {
        (Route::Field, "/") | (Route::Pumps, "/pumps") | (Route::Settings, "/settings") => {
            Some("page")
        }
        (Route::Probe(_), "/") => Some("true"),
        _ => None,
    }
}

fn title(route: &Route) -> &'static str {
    match route {
        Route::Field => "Field · Rootzone",
        Route::Probe(_) => "Probe · Rootzone",
        Route::Pumps => "Pumps · Rootzone",
        Route::Settings => "Settings · Rootzone",
        Route::NotFound => "Nothing here · Rootzone",
    }
}

/// Moves a screen reader to the page that was navigated to.
fn focus_heading() {
    let heading = document().query_selector("main h1").ok().flatten();
    if let Some(heading) =
        heading.and_then(|heading| heading.dyn_into::<web_sys::HtmlElement>().ok())
    {
        // An element that cannot take the focus leaves it where it is.
        let _ = heading.focus();
    }
}

/// What `index.html` showed until now.
fn remove_loading_state() {
    if let Ok(Some(loading)) = document().query_selector(".loading") {
        loading.remove();
    }
}

const PAGES: [(&str, &str, &str); 3] = [
    ("/", "Field", ICON_FIELD),
    ("/pumps", "Pumps", ICON_PUMPS),
    ("/settings", "Settings", ICON_SETTINGS),
];

const MARK: &str = concat!(
    r#"<path fill="var(--color-leaf)" d="M17 15c-1-7 3-12 11-13 0 8-4 13-11 13z"/>"#,
    r#"<path fill="none" stroke="var(--color-leaf)" stroke-width="2" stroke-linecap="round" d="M16 18v-5"/>"#,
    r#"<path stroke="var(--color-clay)" stroke-width="2" stroke-linecap="round" d="M3 18h26"/>"#,
    r#"<path fill="none" stroke="var(--color-ink-soft)" stroke-width="2" stroke-linecap="round" d="M16 19v10M16 21l-6 6M16 21l6 6"/>"#,
);
const ICON_FIELD: &str = r#"<path fill="none" stroke="currentColor" stroke-width="1.7" stroke-linejoin="round" d="M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z"/>"#;
const ICON_PUMPS: &str = r#"<path fill="none" stroke="currentColor" stroke-width="1.7" stroke-linejoin="round" d="M12 3.5c3.5 4.2 5.5 7 5.5 10a5.5 5.5 0 0 1-11 0c0-3 2-5.800 5.500-10z"/>"#;
const ICON_SETTINGS: &str = r#"<path fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round" d="M4 7h9M17 7h3M4 17h3M11 17h9"/><circle cx="15" cy="7" r="2" fill="none" stroke="currentColor" stroke-width="1.7"/><circle cx="9" cy="17" r="2" fill="none" stroke="currentColor" stroke-width="1.7"/>"#;
