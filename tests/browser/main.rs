//! The whole page in a real browser, against a broker within the page.
//!
//! `cargo xtask test browser` runs it. The tests share one document, so each begins with a page of its own.

#![cfg(target_arch = "wasm32")]
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod chart;
mod connection;
mod navigation;
mod page;
mod piece;
mod probe;
mod pump;
mod role;
mod settings;
mod stop_all;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
