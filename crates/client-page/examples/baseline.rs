//! What any page of Rust weighs: one future, and one formatted string.

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Runs when the page loads.
#[wasm_bindgen(start)]
pub fn start() {
    spawn_local(async {
        let number = (js_sys::Math::random() * 100.0) as u32;
        web_sys::console::log_1(&format!("a number: {number}").into());
    });
}
