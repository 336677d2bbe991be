//! Where the broker is, and how the page looks. Kept in this browser.

use leptos::prelude::*;

use crate::{
    components::{button::Button, choice::Choice, reactive::text, text_field::TextField},
    link::use_link,
    preferences,
    store::use_connection,
};

/// The page at `/settings`.
#[component]
pub fn SettingsPage() -> AnyView {
    view! {
        <h1 tabindex="-1">"Settings"</h1>
        <p class="page-lead">"Kept in this browser only."</p>
        <div class="settings">
            <Broker />
            <Theme />
        </div>
    }
    .into_any()
}

#[component]
fn Broker() -> AnyView {
    let link = use_link();
    let connection = use_connection();
    let typed = RwSignal::new(link.address.get_untracked());
    let error = RwSignal::new(String::new());
    let connect = move || {
        let address = String::from(typed.get_untracked().trim());
        if !is_address(&address) {
            error.set(
                " That is not an address: it begins with ws:// or wss:// and names a host.".into(),
            );
            return;
        }
        error.set(String::new());
        preferences::keep_broker_address(Some(&address));
        link.connect(address);
    };
    let reset = Callback::new(move |()| {
        error.set(String::new());
        preferences::keep_broker_address(None);
        let address = preferences::default_broker_address();
        typed.set(address.clone());
        link.connect(address);
    });
    let state = text(move || {
        connection.with(|connection| match connection.reason() {
            Some(reason) => [connection.title(), ": ", reason].concat(),
            None => connection.title().into(),
        })
    });
    let trip = text(move || match link.round_trip.get() {
        trip if trip.is_empty() => "not measured yet".into(),
        trip => trip,
    });
    let address = text(move || link.address.get());
    view! {
        <form
            class="panel"
            novalidate
            on:submit=move |event| {
                event.prevent_default();
                connect();
            }
        >
            <h2>"Broker"</h2>
            <TextField
                label="Address"
                id="broker-address"
                hint="MQTT over WebSocket, such as ws://192.168.1.10:8080/mqtt. Any broker will do."
                value=typed
                error
            />
            <div class="settings-actions">
                <button type="submit" class="button" data-kind="primary">"Connect"</button>
                <Button label="Use the one that served this page" on_press=reset />
            </div>
            <dl class="settings-facts">
                <dt>"State"</dt>
                <dd>{state}</dd>
                <dt>"Connected to"</dt>
                <dd><code>{address}</code></dd>
                <dt>"Round trip"</dt>
                <dd>{trip}</dd>
            </dl>
        </form>
    }
    .into_any()
}

#[component]
fn Theme() -> AnyView {
    let theme = RwSignal::new(preferences::theme());
    view! {
        <section class="panel">
            <h2>"Appearance"</h2>
            <Choice
                legend="Theme"
                name="theme"
                options=&THEMES
                chosen=theme
                on_choose=preferences::keep_theme
            />
        </section>
    }
    .into_any()
}

fn is_address(address: &str) -> bool {
    let host = address
        .strip_prefix("ws://")
        .or_else(|| address.strip_prefix("wss://"));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && !host.contains(' '))
}

const THEMES: [(&str, &str); 3] = [
    ("auto", "As the system"),
    ("light", "Light"),
    ("dark", "Dark"),
];
