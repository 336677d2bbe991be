//! A large chart with axes, a crosshair, a sentence and a table.

pub mod crosshair;
pub mod table;

use std::sync::Arc;

use chart::{Picture, Scene};
use leptos::prelude::*;

use self::{crosshair::stage, table::chart_table};
use crate::components::{
    canvas::Canvas,
    reactive::{memo, part_if, text},
};

/// Reads something that a chart shows, and tracks it.
pub type Read<T> = Arc<dyn Fn() -> T + Send + Sync>;

/// A large chart: pointer, touch and arrow keys read its values, a sentence says what it shows,
/// and it can be read as a table.
#[component]
pub fn Chart(
    /// What it shows.
    scene: Read<Scene>,
    /// What is measured where: "Moisture of Bed 1".
    label: Read<String>,
    /// Controls that stand above it.
    controls: AnyView,
) -> AnyView {
    let painted = RwSignal::new(Picture::default());
    let shows_table = RwSignal::new(false);
    let is_table = memo(move || shows_table.get());
    let toggle = text(move || {
        String::from(if shows_table.get() {
            "Hide the table"
        } else {
            "Show as table"
        })
    });
    let expanded = text(move || String::from(if shows_table.get() { "true" } else { "false" }));
    let summary = {
        let scene = Arc::clone(&scene);
        text(move || scene().summary())
    };
    let table = {
        let (scene, label) = (Arc::clone(&scene), Arc::clone(&label));
        part_if(is_table, move || chart_table(&scene, &label))
    };
    let (track, draw) = (Arc::clone(&scene), Arc::clone(&scene));
    let canvas = view! {
        <Canvas
            depends_on=Box::new(move || drop(track()))
            picture=Box::new(move |size| draw().draw(size))
            painted=Box::new(move |picture| painted.set(picture))
        />
    };
    view! {
        <figure class="chart">
            <div class="chart-controls">
                {controls}
                <button
                    type="button"
                    class="button"
                    aria-expanded=expanded
                    on:click=move |_| shows_table.update(|shows| *shows = !*shows)
                >
                    {toggle}
                </button>
            </div>
            {stage(scene, painted, label, canvas.into_any())}
            <figcaption class="chart-caption">{summary}</figcaption>
            {table}
        </figure>
    }
    .into_any()
}
