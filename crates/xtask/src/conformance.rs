//! `cargo xtask conformance`: which normative statements of MQTT the tests show.
//!
//! The statements are listed in `docs/conformance.csv`. A test says what it shows in the line above its attribute:
//! `// Shows`, the statements separated by commas, a full stop. `docs/conformance.md` is made of both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::tidy::Tree;
use crate::{progress, workspace};

/// Writes the report anew.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::read(&workspace::root())?;
    let (statements, faults) = statements(&tree);
    for fault in &faults {
        progress::say(fault);
    }
    if !faults.is_empty() {
        bail!("{LIST} is not in order");
    }
    let (markers, _) = markers(&tree);
    let path = workspace::root().join(REPORT);
    std::fs::write(&path, report(&statements, &markers))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// What the list, the markers and the report have against each other.
pub(crate) fn faults(tree: &Tree) -> Vec<String> {
    let (statements, mut faults) = statements(tree);
    let known: BTreeSet<_> = statements.iter().map(|statement| &statement.name).collect();
    for (path, code) in tree.texts_with("rs").filter(|(path, _)| is_searched(path)) {
        for (index, line) in code.lines().enumerate() {
            let comment = line.split_once("//").map_or("", |(_, comment)| comment);
            for name in names(comment).filter(|name| !known.contains(&(*name).to_owned())) {
                let at = index + 1;
                faults.push(format!("{}:{at}: {name} is not in {LIST}", path.display()));
            }
        }
    }
    let (markers, stray) = markers(tree);
    faults.extend(stray);
    for Statement { name, reason, .. } in &statements {
        match (markers.contains_key(name.as_str()), reason.is_empty()) {
            (false, true) => faults.push(format!(
                "{LIST}: {name} has neither a test that shows it nor a reason"
            )),
            (true, false) => faults.push(format!(
                "{LIST}: {name} has a reason, and a test that shows it all the same"
            )),
            (true, true) | (false, false) => {}
        }
    }
    if tree.text(REPORT) != Some(&report(&statements, &markers)) {
        faults.push(format!(
            "{REPORT}: is old; `cargo xtask conformance` writes it anew"
        ));
    }
    faults
}

/// A line of the list.
struct Statement {
    /// With its version: identifiers mean different things in the two.
    name: String,
    concerns: String,
    /// In our own words.
    asks: String,
    /// Why no test shows it; empty if one does.
    reason: String,
}

impl Statement {
    fn version(&self) -> &str {
        self.name.split(' ').next().unwrap_or_default()
    }

    fn identifier(&self) -> &str {
        let in_brackets = self.name.split(['[', ']']).nth(1);
        in_brackets.unwrap_or_default()
    }

    /// The first two numbers of its section.
    fn section(&self) -> String {
        let mut numbers = self
            .identifier()
            .split(|c: char| !c.is_ascii_digit())
            .filter(|number| !number.is_empty());
        let chapter = numbers.next().unwrap_or_default();
        match numbers.next() {
            None | Some("0") => chapter.to_owned(),
            Some(number) => format!("{chapter}.{number}"),
        }
    }
}

/// A test by its path of modules, and its file.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) file: String,
}

type Markers<'a> = BTreeMap<&'a str, Vec<Test>>;

fn statements(tree: &Tree) -> (Vec<Statement>, Vec<String>) {
    let text = tree.text(LIST).unwrap_or_default();
    let mut lines = text.lines();
    let mut faults = Vec::new();
    if lines.next() != Some(COLUMNS) {
        faults.push(format!("{LIST}: does not begin with {COLUMNS}"));
    }
    let mut statements: Vec<Statement> = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, line) in lines.enumerate() {
        let Ok([version, identifier, concerns, asks, reason]) = <[_; 5]>::try_from(fields(line))
        else {
            faults.push(format!("{LIST}:{}: has not five fields", index + 2));
            continue;
        };
        let name = format!("{version} [{identifier}]");
        if names(&name).next() != Some(&name) {
            faults.push(format!("{LIST}: {name} is no name of a statement"));
        }
        if !CONCERNED.contains(&&*concerns) {
            faults.push(format!("{LIST}: {name} concerns {concerns:?}"));
        }
        if asks.is_empty() {
            faults.push(format!("{LIST}: {name} asks nothing"));
        }
        if !seen.insert(name.clone()) {
            faults.push(format!("{LIST}: {name} is there twice"));
        }
        statements.push(Statement {
            name,
            concerns,
            asks,
            reason,
        });
    }
    (statements, faults)
}

/// The fields of a line of comma-separated values; a quoted one may have commas and doubled quotes in it.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let Some(field) = fields.last_mut() else {
            break;
        };
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    fields
}

/// The tests that show each statement, and the markers that stand on none.
fn markers(tree: &Tree) -> (Markers<'_>, Vec<String>) {
    let mut markers = Markers::new();
    let mut faults = Vec::new();
    for (path, code) in tree.texts_with("rs").filter(|(path, _)| is_searched(path)) {
        let mut pending: Vec<&str> = Vec::new();
        let mut lines = code.lines().enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let at = format!("{}:{}", path.display(), index + 1);
            let Some(shown) = line.trim_start().strip_prefix(MARKER) else {
                if is_test_attribute(line) && !pending.is_empty() {
                    let name = lines.clone().find_map(|(_, line)| function(line));
                    for shown in pending.drain(..) {
                        let test = test(path, name.unwrap_or_default());
                        markers.entry(shown).or_default().push(test);
                    }
                }
                pending.clear();
                continue;
            };
            let in_it: Vec<_> = names(shown).collect();
            if in_it.is_empty() {
                continue;
            }
            if format!("{}.", in_it.join(", ")) != shown {
                faults.push(format!("{at}: is not `// Shows A, B.`: {}", line.trim()));
            }
            pending.extend(in_it);
            let next = lines.peek().map_or("", |(_, line)| line);
            if !is_test_attribute(next) && !next.trim_start().starts_with(MARKER) {
                faults.push(format!("{at}: stands on no test"));
            }
        }
    }
    for tests in markers.values_mut() {
        tests.sort();
        tests.dedup();
    }
    (markers, faults)
}

/// Every test of the tree.
pub(crate) fn tests(tree: &Tree) -> BTreeSet<Test> {
    let mut tests = BTreeSet::new();
    for (path, code) in tree.texts_with("rs").filter(|(path, _)| is_searched(path)) {
        let mut lines = code.lines();
        while let Some(line) = lines.next() {
            if is_test_attribute(line) {
                let name = lines.clone().find_map(function);
                tests.extend(name.map(|name| test(path, name)));
            }
        }
    }
    tests
}

fn is_searched(path: &Path) -> bool {
    path.starts_with("crates") || path.starts_with("tests")
}

fn is_test_attribute(line: &str) -> bool {
    line.trim_start()
        .strip_prefix("#[")
        .is_some_and(|attribute| {
            ["test]", "tokio::test", "wasm_bindgen_test"]
                .iter()
                .any(|test| attribute.starts_with(test))
        })
}

/// The name of the function that a line begins.
fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split('(').next()
}

/// `crates/mqtt-protocol/tests/it/codec.rs` is `mqtt_protocol::it::codec`.
fn test(path: &Path, function: &str) -> Test {
    let file = path.display().to_string();
    let module = file
        .trim_start_matches("crates/")
        .trim_end_matches(".rs")
        .split('/')
        .filter(|part| !["src", "tests", "lib", "main"].contains(part))
        .map(|part| part.replace('-', "_"))
        .collect::<Vec<_>>()
        .join("::");
    Test {
        name: format!("{module}::{function}"),
        file,
    }
}

/// The statements that a text names with their version, in its order.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(" [MQTT-").filter_map(|(at, _)| {
        let version = VERSIONS.into_iter().find(|version| {
            text[..at]
                .strip_suffix(version)
                .is_some_and(|before| !before.ends_with(|c: char| c.is_ascii_digit() || c == '.'))
        })?;
        let end = at + text[at..].find(']')? + 1;
        Some(&text[at - version.len()..end])
    })
}

fn report(statements: &[Statement], markers: &Markers<'_>) -> String {
    let mut report = HEAD.to_owned();
    for version in VERSIONS {
        for concerns in CONCERNED {
            let mut n_all = 0;
            let mut n_shown = 0;
            for statement in statements {
                let is_counted = statement.version() == version && statement.concerns == concerns;
                n_all += u32::from(is_counted);
                n_shown += u32::from(is_counted && markers.contains_key(statement.name.as_str()));
            }
            let n_others = n_all - n_shown;
            let _ = writeln!(
                report,
                "| {version} | {concerns} | {n_all} | {n_shown} | {n_others} |"
            );
        }
    }
    let mut version = "";
    let mut section = String::new();
    for statement in statements {
        if statement.version() != version {
            version = statement.version();
            section.clear();
            let _ = writeln!(report, "\n## MQTT {version}");
        }
        if statement.section() != section {
            section = statement.section();
            let title = title(version, &section);
            let _ = writeln!(report, "\n### {version} §{section} {title}\n\n{TABLE}");
        }
        let tests = markers.get(statement.name.as_str()).map(|tests| {
            let links: Vec<_> = tests
                .iter()
                .map(|test| format!("[`{}`](../{})", test.name, test.file))
                .collect();
            links.join("<br>")
        });
        let _ = writeln!(
            report,
            "| {} | {} | {} | {} |",
            statement.identifier(),
            statement.concerns,
            statement.asks.replace('|', "\\|"),
            tests.unwrap_or_else(|| statement.reason.replace('|', "\\|")),
        );
    }
    report
}

fn title(version: &str, section: &str) -> &'static str {
    TITLES
        .iter()
        .find(|(versions, number, _)| versions.contains(&version) && *number == section)
        .map_or("", |(_, _, title)| *title)
}

const LIST: &str = "docs/conformance.csv";
const REPORT: &str = "docs/conformance.md";
const COLUMNS: &str = "version,identifier,concerns,asks,reason";
const MARKER: &str = "// Shows ";
const VERSIONS: [&str; 2] = ["3.1.1", "5.0"];
const CONCERNED: [&str; 4] = ["Server", "Client", "both", "neither"];
const TABLE: &str =
    "| statement | concerns | asks | tests, or why there is none |\n|---|---|---|---|";
const HEAD: &str = "\
# Conformance

What MQTT 3.1.1 and 5.0 ask, in our own words, and the tests that show it.
`cargo xtask conformance` writes this page from [conformance.csv](conformance.csv) and the lines above the tests \
that begin with `// Shows`.

| version | concerns | statements | shown by tests | with a reason |
|---|---|---|---|---|
";

/// The specification's chapters, as far as they have statements.
const TITLES: [(&[&str], &str, &str); 35] = [
    (&VERSIONS, "1.5", "Data representation"),
    (&["3.1.1"], "2.2", "Fixed header"),
    (&["3.1.1"], "2.3", "Variable header"),
    (&["5.0"], "2.1", "Structure of a packet"),
    (&["5.0"], "2.2", "Variable header"),
    (&VERSIONS, "3.1", "CONNECT"),
    (&VERSIONS, "3.2", "CONNACK"),
    (&VERSIONS, "3.3", "PUBLISH"),
    (&VERSIONS, "3.4", "PUBACK"),
    (&VERSIONS, "3.5", "PUBREC"),
    (&VERSIONS, "3.6", "PUBREL"),
    (&VERSIONS, "3.7", "PUBCOMP"),
    (&VERSIONS, "3.8", "SUBSCRIBE"),
    (&VERSIONS, "3.9", "SUBACK"),
    (&VERSIONS, "3.10", "UNSUBSCRIBE"),
    (&VERSIONS, "3.11", "UNSUBACK"),
    (&VERSIONS, "3.12", "PINGREQ"),
    (&VERSIONS, "3.14", "DISCONNECT"),
    (&VERSIONS, "3.15", "AUTH"),
    (&VERSIONS, "4.1", "Session State"),
    (&VERSIONS, "4.2", "Network Connections"),
    (&VERSIONS, "4.3", "Quality of Service"),
    (&VERSIONS, "4.4", "Message delivery retry"),
    (&VERSIONS, "4.5", "Message receipt"),
    (&VERSIONS, "4.6", "Message ordering"),
    (&VERSIONS, "4.7", "Topic Names and Topic Filters"),
    (&["3.1.1"], "4.8", "Errors"),
    (&["5.0"], "4.8", "Subscriptions"),
    (&["5.0"], "4.9", "Flow control"),
    (&["5.0"], "4.12", "Enhanced authentication"),
    (&["5.0"], "4.13", "Errors"),
    (&VERSIONS, "6", "WebSocket"),
    (&VERSIONS, "7", "Conformance"),
    (&VERSIONS, "7.1", "Conformance clauses"),
    (&VERSIONS, "7.2", "Conformance clauses"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "3.1.1 [MQTT-1.0.0-1]";
    const SECOND: &str = "5.0 [MQTT-1.0.0-1]";

    /// A tree whose report is in order, with this list and this test file.
    fn tree(list: &str, code: &str) -> Vec<(String, String)> {
        let mut files = vec![
            (LIST.to_owned(), format!("{COLUMNS}\n{list}")),
            (
                "crates/mqtt-broker/tests/it/a.rs".to_owned(),
                code.to_owned(),
            ),
        ];
        let tree = of(&files);
        let (statements, _) = statements(&tree);
        let report = report(&statements, &markers(&tree).0);
        files.push((REPORT.to_owned(), report));
        files
    }

    fn of(files: &[(String, String)]) -> Tree {
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        Tree::of(&files)
    }

    #[track_caller]
    fn check(list: &str, code: &str, expected: &[&str]) {
        assert_eq!(faults(&of(&tree(list, code))), expected);
    }

    fn shown_by(attribute: &str) -> String {
        format!("{MARKER}{FIRST}, {SECOND}.\n{attribute}\nfn it_holds() {{}}\n")
    }

    const BOTH: &str =
        "3.1.1,MQTT-1.0.0-1,Server,\"one, \"\"two\"\"\",\n5.0,MQTT-1.0.0-1,both,three,\n";

    #[test]
    fn statements_with_a_test_or_a_reason_are_in_order() {
        for attribute in [
            "#[test]",
            "#[tokio::test]",
            "#[tokio::test(x)]",
            "#[wasm_bindgen_test]",
        ] {
            check(BOTH, &shown_by(attribute), &[]);
        }
        check("5.0,MQTT-1.0.0-1,neither,three,because\n", "", &[]);
        let one_by_one = format!("{MARKER}{FIRST}.\n{MARKER}{SECOND}.\n#[test]\nfn a() {{}}");
        check(BOTH, &one_by_one, &[]);
    }

    #[test]
    fn a_statement_with_neither_or_both_is_named() {
        check(
            "5.0,MQTT-1.0.0-1,Server,three,\n",
            "",
            &[
                "docs/conformance.csv: 5.0 [MQTT-1.0.0-1] has neither a test that shows it nor a reason",
            ],
        );
        let list = BOTH.replace("three,", "three,because");
        check(
            &list,
            &shown_by("#[test]"),
            &[
                "docs/conformance.csv: 5.0 [MQTT-1.0.0-1] has a reason, and a test that shows it all the same",
            ],
        );
    }

    #[test]
    fn an_unknown_statement_is_named_in_markers_and_in_comments() {
        let unknown = concat!("5.0 [MQ", "TT-9.9.9-9]");
        let code = format!(
            "{}let a = 1; // {unknown}: why\nlet b = \"{unknown}\";\n",
            shown_by("#[test]")
        );
        check(
            BOTH,
            &code,
            &[&format!(
                "crates/mqtt-broker/tests/it/a.rs:4: {unknown} is not in {LIST}"
            )],
        );
    }

    #[test]
    fn a_marker_in_another_form_or_on_no_test_is_named() {
        let test = shown_by("#[test]");
        let code = format!("{test}{MARKER}that {SECOND} holds.\n#[test]\nfn b() {{}}\n");
        check(
            BOTH,
            &code,
            &[&format!(
                "crates/mqtt-broker/tests/it/a.rs:4: is not `// Shows A, B.`: {MARKER}that {SECOND} holds."
            )],
        );
        let code = format!("{test}{MARKER}{SECOND}.\n\n#[test]\nfn b() {{}}\n");
        check(
            BOTH,
            &code,
            &["crates/mqtt-broker/tests/it/a.rs:4: stands on no test"],
        );
        check(BOTH, &format!("{test}{MARKER}that it moves.\n"), &[]);
    }

    #[test]
    fn a_list_out_of_order_is_named() {
        check(
            "5.0,MQTT-1.0.0-1,Servers,,because\n5.0,MQTT-1.0.0-1,Server,x,because\n1,2,3\n6,MQTT-1,Server,x,y\n",
            "",
            &[
                "docs/conformance.csv: 5.0 [MQTT-1.0.0-1] concerns \"Servers\"",
                "docs/conformance.csv: 5.0 [MQTT-1.0.0-1] asks nothing",
                "docs/conformance.csv: 5.0 [MQTT-1.0.0-1] is there twice",
                "docs/conformance.csv:4: has not five fields",
                "docs/conformance.csv: 6 [MQTT-1] is no name of a statement",
            ],
        );
    }

    #[test]
    fn an_old_report_is_named() {
        let mut files = tree(BOTH, &shown_by("#[test]"));
        files[2].1.push('x');
        assert_eq!(
            faults(&of(&files)),
            ["docs/conformance.md: is old; `cargo xtask conformance` writes it anew"]
        );
    }

    #[test]
    fn the_report_counts_and_links() {
        let files = tree(BOTH, &shown_by("#[test]"));
        let report = &files[2].1;
        for line in [
            "| 3.1.1 | Server | 1 | 1 | 0 |",
            "| 5.0 | both | 1 | 1 | 0 |",
            "## MQTT 5.0",
            "| MQTT-1.0.0-1 | Server | one, \"two\" | [`mqtt_broker::it::a::it_holds`](../crates/mqtt-broker/tests/it/a.rs) |",
        ] {
            assert!(
                report.lines().any(|found| found == line),
                "{line}:\n{report}"
            );
        }
    }
}
