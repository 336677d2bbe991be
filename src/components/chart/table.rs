//! A chart's window as a table.

use std::sync::Arc;

use chart::Scene;
use leptos::prelude::*;

use super::Read;
use crate::components::reactive::{many, memo, part, text};

/// The window as a table: lowest, highest and newest value for each stretch of time.
#[must_use]
pub fn chart_table(scene: &Read<Scene>, label: &Read<String>) -> AnyView {
    let (scene, label) = (Arc::clone(scene), Arc::clone(label));
    // Four cells to a row.
    let cells = memo(move || {
        let rows = scene().rows(ROWS_MAX).into_iter();
        rows.flat_map(|row| [row.time, row.lowest, row.highest, row.last])
            .collect::<Vec<String>>()
    });
    let body = part(move || cells.with(|cells| many(cells.chunks_exact(4).map(row).collect())));
    let caption = text(move || label());
    view! {
        <div class="chart-table">
            <table>
                <caption>{caption}</caption>
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
    .into_any()
}

fn row(cells: &[String]) -> AnyView {
    let cell = |index: usize| cells.get(index).cloned().unwrap_or_default();
    view! {
        <tr>
            <th scope="row">{cell(0)}</th>
            <td>{cell(1)}</td>
            <td>{cell(2)}</td>
            <td>{cell(3)}</td>
        </tr>
    }
    .into_any()
}

/// More would be no table that a person reads.
const ROWS_MAX: usize = 24;
