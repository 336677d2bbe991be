//! A chart's window as a table.

use chart::Scene;
use leptos::prelude::*;

/// The window as a table: lowest, highest and newest value for each stretch of time.
#[component]
pub fn ChartTable(scene: Signal<Scene>, label: Signal<String>) -> impl IntoView {
    let rows = Memo::new(move |_| scene.with(|scene| scene.rows(ROWS_MAX)));
    let body = move || {
        let row = |row: chart::Row| {
            view! {
                <tr>
                    <th scope="row">{row.time}</th>
                    <td>{row.lowest}</td>
                    <td>{row.highest}</td>
                    <td>{row.last}</td>
                </tr>
            }
        };
        rows.get().into_iter().map(row).collect_view()
    };
    view! {
        <div class="chart-table">
            <table>
                <caption>{label}</caption>
                <thead>
                    <tr>
                        <th scope="col">"From"</th>
                        <th scope="col">"Lowest"</th>
                        <th scope="col">"Highest"</th>
                        <th scope="col">"Last"</th>
                    </tr>
                </thead>
                <tbody>{body}</tbody>
            </table>
        </div>
    }
}

/// More would be no table that a person reads.
const ROWS_MAX: usize = 24;
