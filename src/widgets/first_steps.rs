//! What is shown before any device has said anything.

use leptos::prelude::*;

use crate::{
    components::reactive::{memo, part, text},
    link::use_link,
    state::Connection,
    store::use_connection,
};

/// How to begin, once the broker is there and nobody has spoken; empty cards until then.
#[component]
pub fn FirstSteps() -> AnyView {
    let connection = use_connection();
    let is_connected = memo(move || connection.with(Connection::is_connected));
    part(move || {
        if is_connected.get() {
            view! { <HowToBegin /> }.into_any()
        } else {
            view! {
                <div class="waiting-cards" aria-hidden="true">
                    <div></div>
                    <div></div>
                    <div></div>
                    <div></div>
                </div>
            }
            .into_any()
        }
    })
    .into_any()
}

#[component]
fn HowToBegin() -> AnyView {
    let link = use_link();
    view! {
        <section class="first-steps panel">
            <div>
                <h2>"No device has said anything yet"</h2>
                <p>
                    "The page listens at " <code>{text(move || link.address.get())}</code>
                    ". A probe appears here with its first message; nothing has to be set up."
                </p>
            </div>
            <ol>
                <li>
                    <strong>"Try it with one message"</strong>
                    <pre>"mosquitto_pub -t rootzone/greenhouse/bench-a/moisture -m 37.2"</pre>
                </li>
                <li>
                    <strong>"Say what is right for it"</strong>
                    <pre>
                        "mosquitto_pub -r -t rootzone/config/bench-a -m '{\"name\":\"Bench A\",\"target\":[25,40]}'"
                    </pre>
                </li>
                <li>
                    <strong>"Connect what you have"</strong>
                    <p>
                        "Sensors that announce themselves to Home Assistant over MQTT (ESPHome, Zigbee2MQTT and others) appear by themselves."
                    </p>
                </li>
            </ol>
        </section>
    }
    .into_any()
}
