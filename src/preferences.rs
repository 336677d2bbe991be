//! What this browser keeps: where the broker is, and the theme.

use crate::dom::{document, window};

/// The address that was chosen in the settings, if one was.
#[must_use]
pub fn broker_address() -> Option<String> {
    read(BROKER)
}

/// Keeps an address, or forgets it.
pub fn keep_broker_address(address: Option<&str>) {
    write(BROKER, address);
}

/// The broker that served this page. A debug build looks where `cargo run -p rootzone` listens.
#[must_use]
pub fn default_broker_address() -> String {
    if cfg!(debug_assertions) {
        return "ws://127.0.0.1:8080/mqtt".into();
    }
    let location = window().location();
    let scheme = match location.protocol().as_deref() {
        Ok("https:") => "wss://",
        _ => "ws://",
    };
    [scheme, &location.host().unwrap_or_default(), "/mqtt"].concat()
}

/// `auto`, `light` or `dark`.
#[must_use]
pub fn theme() -> String {
    read(THEME).unwrap_or_else(|| "auto".into())
}

/// Keeps a theme and shows it.
pub fn keep_theme(theme: &str) {
    write(THEME, (theme != "auto").then_some(theme));
    show_theme();
}

/// Shows the theme that was kept.
pub fn show_theme() {
    if let Some(root) = document().document_element() {
        // Neither name nor value can be one that the document refuses.
        let _ = root.set_attribute("data-theme", &theme());
    }
}

// A browser may forbid storage altogether; then nothing is kept, and the defaults hold.

fn read(key: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(key).ok()?
}

fn write(key: &str, value: Option<&str>) {
    let Ok(Some(storage)) = window().local_storage() else {
        return;
    };
    let _ = match value {
        Some(value) => storage.set_item(key, value),
        None => storage.remove_item(key),
    };
}

const BROKER: &str = "rootzone.broker";
const THEME: &str = "rootzone.theme";
