//! The client in a real browser, over a link that the test holds in its hand.

#![cfg(target_arch = "wasm32")]
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod client;
mod fake_web_socket;
mod in_page_server;
mod lifecycle;
mod persistence;
mod requests;
mod streams;
mod web_socket;

use futures_util::{StreamExt as _, future::select, pin_mut};
use gloo_timers::future::TimeoutFuture;
use mqtt_web_client::{Event, Events, Status};

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// The first event for which `pick` gives something.
async fn next<T>(events: &mut Events, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    let wanted = async {
        loop {
            let event = events.next().await.expect("the client is there");
            if let Some(picked) = pick(event) {
                break picked;
            }
        }
    };
    within_10_s(wanted).await
}

async fn status(events: &mut Events, mut is_wanted: impl FnMut(&Status) -> bool) -> Status {
    next(events, |event| match event {
        Event::Status(status) if is_wanted(&status) => Some(status),
        Event::Status(_)
        | Event::Message(_)
        | Event::Subscribed { .. }
        | Event::Persistence(_)
        | Event::Published { .. }
        | Event::Dropped { .. } => None,
    })
    .await
}

async fn connected(events: &mut Events) {
    status(events, Status::is_connected).await;
}

async fn within_10_s<T>(future: impl Future<Output = T>) -> T {
    let timeout = TimeoutFuture::new(10_000);
    pin_mut!(future);
    match select(future, timeout).await {
        futures_util::future::Either::Left((value, _)) => value,
        futures_util::future::Either::Right(_) => panic!("nothing came within 10 s"),
    }
}

/// Lets everything happen that is due.
async fn tick() {
    TimeoutFuture::new(0).await;
}
