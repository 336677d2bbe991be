//! A chart's window as a table.

use chart::Scene;

use super::{Read, title};
use crate::piece::Piece;

/// The window as a table: of one line the lowest, highest and newest value for each stretch of time,
/// of several lines the newest of each.
pub(super) fn chart_table(scene: Read<Scene>) -> Piece {
    Piece::new(include_str!("table.html"), move |places| {
        let scene = scene();
        let table = scene.table(ROWS_MAX);
        let (step, rows) = table.map_or_else(Default::default, |table| (table.step, table.rows));
        let (mut title, values) = match (rows.is_empty(), scene.has_several()) {
            (true, _) => (title(&scene), ""),
            // The headings name several lines.
            (false, true) => (String::new(), "Last value of each "),
            (false, false) => (title(&scene), ": lowest, highest and last value of each "),
        };
        title.push_str(values);
        places.text("caption", &(title + &step));
        let mut headings = vec![String::from("From")];
        headings.extend(scene.headings().into_iter().map(String::from));
        places.list("headings", &headings, &|text| cell(HEADING, text));
        // A row is known by its time, so that one whose cells change stays where a reader is.
        let times: Vec<String> = rows.iter().map(|row| row.time.clone()).collect();
        places.list("rows", &times, &|_| Piece::new(ROW, |_| ()));
        for (at, row) in rows.iter().enumerate() {
            places.within("rows", at, &mut |places| {
                let numbers: Vec<String> = (0..row.cells.len())
                    .map(|number| chart::decimal(number as f32, 0))
                    .collect();
                let mut keys = vec![String::from("time")];
                keys.extend(numbers);
                places.list("", &keys, &|key| {
                    Piece::new(if key == "time" { ROW_HEADING } else { CELL }, |_| ())
                });
                let texts = [&row.time].into_iter().chain(&row.cells);
                for (at, text) in texts.enumerate() {
                    places.within("", at, &mut |places| places.text("", text));
                }
            });
        }
    })
}

fn cell(html: &'static str, text: &str) -> Piece {
    let text = String::from(text);
    Piece::new(html, move |places| places.text("", &text))
}

const HEADING: &str = r#"<th scope="col"></th>"#;
const ROW: &str = "<tr></tr>";
const ROW_HEADING: &str = r#"<th scope="row"></th>"#;
const CELL: &str = "<td></td>";

/// More would be no table that a person reads.
const ROWS_MAX: usize = 24;
