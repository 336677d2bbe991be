//! A chart's window as a table.

use chart::Scene;

use super::Read;
use crate::piece::Piece;

/// The window as a table: lowest, highest and newest value for each stretch of time.
pub(super) fn chart_table(scene: Read<Scene>, label: Read<String>) -> Piece {
    Piece::new(include_str!("table.html"), move |places| {
        places.text("caption", &label());
        let rows = scene().rows(ROWS_MAX).into_iter();
        // A row is its own key: one that changes is made anew.
        let rows: Vec<String> = rows
            .map(|row| [row.time, row.lowest, row.highest, row.last].join(BETWEEN))
            .collect();
        places.list("rows", &rows, &row);
    })
}

fn row(cells: &str) -> Piece {
    let cells: Vec<String> = cells.split(BETWEEN).map(String::from).collect();
    Piece::new(
        r#"<tr><th scope="row" data-at="0"></th><td data-at="1"></td><td data-at="2"></td><td data-at="3"></td></tr>"#,
        move |places| {
            for (place, cell) in ["0", "1", "2", "3"].into_iter().zip(&cells) {
                places.text(place, cell);
            }
        },
    )
}

/// No cell holds it.
const BETWEEN: &str = "\t";

/// More would be no table that a person reads.
const ROWS_MAX: usize = 24;
