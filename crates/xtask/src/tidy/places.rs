//! The places of the page's HTML (`data-at`) and the code that fills them name each other.
//!
//! A place that only one side knows would show nothing, and nothing else would say so.

use std::collections::BTreeSet;
use std::path::Path;

use super::Tree;

pub(super) fn faults(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    let sources = || {
        tree.texts_with("rs")
            .filter(|(path, _)| path.starts_with("src"))
    };
    let known: BTreeSet<_> = sources()
        .flat_map(|(path, code)| places_of(tree, path, code))
        .collect();
    for (path, code) in sources() {
        for place in places_of(tree, path, code) {
            let is_filled = fills_by_computed_name(code)
                || sources()
                    .filter(|(other, _)| belongs_to(other, path) || calls(code, other))
                    .any(|(_, code)| code.contains(&format!("\"{place}\"")));
            if !is_filled {
                faults.push(format!(
                    "{}: does not fill the place {place} of its HTML",
                    path.display()
                ));
            }
        }
        let own: BTreeSet<_> = sources()
            .filter(|(other, _)| belongs_to(path, other))
            .flat_map(|(other, code)| places_of(tree, other, code))
            .collect();
        // Code without HTML fills places of whoever calls it.
        let fillable = if own.is_empty() { &known } else { &own };
        for place in filled(code).filter(|place| !place.is_empty() && !fillable.contains(place)) {
            faults.push(format!(
                "{}: fills the place {place}, which its HTML has not",
                path.display()
            ));
        }
    }
    faults
}

/// Whether a file is a module or lies below it: `chart.rs`, `chart/table.rs`.
fn belongs_to(file: &Path, module: &Path) -> bool {
    file == module || file.starts_with(module.with_extension(""))
}

/// Whether code names something of a module: `probe_card::show_standing`.
fn calls(code: &str, module: &Path) -> bool {
    module
        .file_stem()
        .and_then(|stem| stem.to_str())
        .is_some_and(|stem| code.contains(&format!("{stem}::")))
}

/// The places in the HTML that a source file holds or includes.
fn places_of<'a>(tree: &'a Tree, path: &Path, code: &'a str) -> Vec<&'a str> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let included = after(code, "include_str!(\"")
        .filter_map(|name| tree.text(folder.join(name)))
        .flat_map(|html| after(html, PLACE));
    let own = code.split("#[cfg(test)]").next().unwrap_or(code);
    let own = own
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| after(line, PLACE));
    included.chain(own).collect()
}

/// Whether code fills a place whose name only comes up when it runs.
fn fills_by_computed_name(code: &str) -> bool {
    let mut calls = FILLING
        .into_iter()
        .flat_map(|call| code.split(call).skip(1));
    calls.any(|rest| !rest.trim_start().starts_with('"'))
}

/// The places that code names as the first argument of what fills or finds one.
fn filled(code: &str) -> impl Iterator<Item = &str> {
    FILLING.into_iter().flat_map(|call| {
        code.split(call)
            .skip(1)
            .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
    })
}

/// What stands between an opening and the next quotation mark.
fn after<'a>(text: &'a str, opening: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(opening)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
}

const PLACE: &str = "data-at=\"";
const FILLING: [&str; 7] = [
    "places.attribute(",
    "places.list(",
    "places.part(",
    "places.property(",
    "places.show(",
    "places.text(",
    "piece.element(",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_both_sides_name_are_fine() {
        let files = [
            (
                "src/chart.rs",
                r#"include_str!("chart.html"); places.text("", a); places.text("caption", b);"#,
            ),
            (
                "src/chart.html",
                r#"<figure><p data-at="caption"></p><i data-at="dot"></i></figure>"#,
            ),
            (
                "src/chart/crosshair.rs",
                "places.show(\n    \"dot\", true);",
            ),
            ("src/words.rs", "places.text(\"caption\", c);"),
        ];
        assert_eq!(faults(&Tree::of(&files)), [""; 0]);
    }

    #[test]
    fn a_place_that_one_side_does_not_know_is_named() {
        let files = [
            (
                "src/card.rs",
                r#"include_str!("card.html"); places.text("naem", a);"#,
            ),
            ("src/card.html", r#"<p data-at="name"></p>"#),
        ];
        assert_eq!(
            faults(&Tree::of(&files)),
            [
                "src/card.rs: does not fill the place name of its HTML",
                "src/card.rs: fills the place naem, which its HTML has not",
            ]
        );
    }
}
