//! A chart's window as a table.

use chart::Scene;

use super::Read;
use crate::piece::Piece;

/// The window as a table: lowest, highest and newest value for each stretch of time.
pub(super) fn chart_table(scene: Read<Scene>, label: Read<String>) -> Piece {
    Piece::new(include_str!("table.html"), move |places| {
        places.text("caption", &label());
        let rows = scene().rows(ROWS_MAX);
        // A row is known by its time, so that one whose cells change stays where a reader is.
        let times: Vec<String> = rows.iter().map(|row| row.time.clone()).collect();
        places.list("rows", &times, &|_| Piece::new(ROW, |_| ()));
        for (at, row) in rows.iter().enumerate() {
            places.within("rows", at, &mut |places| {
                places.text("0", &row.time);
                for (place, cell) in ["1", "2", "3"].into_iter().zip(&row.cells) {
                    places.text(place, cell);
                }
            });
        }
    })
}

const ROW: &str = r#"<tr><th scope="row" data-at="0"></th><td data-at="1"></td><td data-at="2"></td><td data-at="3"></td></tr>"#;

/// More would be no table that a person reads.
const ROWS_MAX: usize = 24;
