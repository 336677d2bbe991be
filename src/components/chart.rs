//! A large chart with axes, a crosshair, a sentence and a table.

pub mod crosshair;
pub mod table;

use chart::{Picture, Scene};
use leptos::prelude::*;

use self::crosshair::Stage;
use self::table::ChartTable;
use crate::components::canvas::Canvas;

/// A large chart: pointer, touch and arrow keys read its values, a sentence says what it shows,
/// and it can be read as a table.
#[component]
pub fn Chart(
    /// What it shows.
    #[prop(into)]
    scene: Signal<Scene>,
    /// What is measured where: "Moisture of Bed 1".
    #[prop(into)]
    label: Signal<String>,
    /// Controls that stand above it.
    children: Children,
) -> impl IntoView {
    let painted = RwSignal::new(Picture::default());
    let shows_table = RwSignal::new(false);
    let summary = Memo::new(move |_| scene.with(Scene::summary));
    let toggle = move || {
        if shows_table.get() {
            "Hide the table"
        } else {
            "Show as table"
        }
    };
    view! {
        <figure class="chart">
            <div class="chart-controls">
                {children()}
                <button
                    type="button"
                    class="button"
                    aria-expanded=move || if shows_table.get() { "true" } else { "false" }
                    on:click=move |_| shows_table.update(|shows| *shows = !*shows)
                >
                    {toggle}
                </button>
            </div>
            <Stage scene painted label>
                <Canvas
                    depends_on=move || scene.track()
                    picture=move |size| scene.with_untracked(|scene| scene.draw(size))
                    painted=move |picture| painted.set(picture)
                />
            </Stage>
            <figcaption class="chart-caption">{summary}</figcaption>
            <Show when=move || shows_table.get()>
                <ChartTable scene label />
            </Show>
        </figure>
    }
}
