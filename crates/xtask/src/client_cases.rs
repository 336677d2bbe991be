//! The cases that the browser client survives, each with the tests that show it: `docs/client-cases.md`.

use crate::conformance::{Test, tests};
use crate::tidy::Tree;

/// Cases without a test, and tests that are not there.
pub(crate) fn faults(tree: &Tree) -> Vec<String> {
    let Some(page) = tree.text(PAGE) else {
        return vec![format!("{PAGE}: is missing")];
    };
    let known = tests(tree);
    let mut faults = Vec::new();
    for (index, line) in page.lines().enumerate() {
        let Some((case, shown_by)) = row(line) else {
            continue;
        };
        let mut named = named(shown_by).peekable();
        if named.peek().is_none() {
            faults.push(format!("{PAGE}:{}: no test shows: {case}", index + 1));
        }
        for test in named.filter(|test| !known.contains(test)) {
            let Test { name, file } = test;
            faults.push(format!("{PAGE}:{}: no test {name} in {file}", index + 1));
        }
    }
    faults
}

/// A case and the names of its tests; not the head of a table.
fn row(line: &str) -> Option<(&str, &str)> {
    let (case, shown_by) = line.strip_prefix("| ")?.split_once(" | ")?;
    (case != "case").then_some((case, shown_by))
}

/// The tests of a row, each written as ``[`name`](../file)``.
fn named(shown_by: &str) -> impl Iterator<Item = Test> {
    shown_by.split("[`").skip(1).filter_map(|link| {
        let (name, rest) = link.split_once("`](../")?;
        let (file, _) = rest.split_once(')')?;
        Some(Test {
            name: name.to_owned(),
            file: file.to_owned(),
        })
    })
}

const PAGE: &str = "docs/client-cases.md";

#[cfg(test)]
mod tests {
    use super::{PAGE, faults};
    use crate::tidy::Tree;

    fn faults_of(row: &str) -> Vec<String> {
        let page = format!("# Cases\n\n| case | tests |\n|---|---|\n{row}\n");
        let code = "#[test]\nfn works() {}\n";
        faults(&Tree::of(&[
            (PAGE, &page),
            ("crates/a-b/tests/it/c.rs", code),
        ]))
    }

    #[test]
    fn a_case_whose_test_is_there_is_in_order() {
        let row = "| it works | [`a_b::it::c::works`](../crates/a-b/tests/it/c.rs) |";
        assert_eq!(faults_of(row), <[String; 0]>::default());
    }

    #[test]
    fn a_case_without_a_test_is_found() {
        let fault = "docs/client-cases.md:5: no test shows: it works";
        assert_eq!(faults_of("| it works |  |"), [fault]);
    }

    #[test]
    fn a_test_that_is_not_there_is_found() {
        for row in [
            "| it works | [`a_b::it::c::worked`](../crates/a-b/tests/it/c.rs) |",
            "| it works | [`a_b::it::c::works`](../crates/a-b/tests/it/d.rs) |",
        ] {
            assert_eq!(faults_of(row).len(), 1, "{row}");
        }
    }
}
