//! What charts show stands in the page's address, so that a link shows it again.

use std::rc::Rc;

use chart::View;
use leptos::reactive::effect::RenderEffect;

use crate::{
    router::{BESIDE, WINDOW, field_in_address, show_in_address},
    signal::{Signal, watch},
    state::ProbeId,
    store::use_now,
};

/// The part of time that the address asks for; the address follows it as long as the second is kept.
pub fn addressed_view() -> (Rc<Signal<View>>, RenderEffect<()>) {
    let asked = View::from_text(&field_in_address(WINDOW));
    let view = Rc::new(Signal::new(asked.unwrap_or_default()));
    let shown = Rc::clone(&view);
    let following = follow(WINDOW, Box::new(move || shown.read().to_text()));
    (view, following)
}

/// The probes that the address puts beside the page's own; it follows them in the same way.
pub fn addressed_probes() -> (Rc<Signal<Vec<ProbeId>>>, RenderEffect<()>) {
    let asked = field_in_address(BESIDE);
    let asked = asked.split(JOINT).filter(|key| !key.is_empty());
    let probes = Rc::new(Signal::new(asked.map(ProbeId::new).collect::<Vec<_>>()));
    let shown = Rc::clone(&probes);
    let following = follow(
        BESIDE,
        Box::new(move || {
            let mut keys = String::new();
            for probe in shown.read().iter() {
                if !keys.is_empty() {
                    keys.push(JOINT);
                }
                keys.push_str(probe.as_str());
            }
            keys
        }),
    );
    (probes, following)
}

/// Writes a field of the address when its text changes, and no more than a few times a second: a
/// browser refuses an address for every step of a drag.
fn follow(field: &'static str, text: Box<dyn Fn() -> String>) -> RenderEffect<()> {
    let now = use_now();
    let mut written = None;
    watch(Box::new(move || {
        let (text, second) = (text(), now.get());
        let (before, at, n_written) = written.get_or_insert_with(|| (text.clone(), second, 0));
        if *at != second {
            (*at, *n_written) = (second, 0);
        }
        if *before != text && *n_written < WRITTEN_A_SECOND {
            show_in_address(field, &text);
            *before = text;
            *n_written += 1;
        }
    }))
}

/// Browsers allow about a hundred in half a minute.
const WRITTEN_A_SECOND: u32 = 3;
/// No Topic Name holds one.
const JOINT: char = '+';
