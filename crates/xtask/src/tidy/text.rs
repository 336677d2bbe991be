//! Long files, unfinished work, and paths of somebody's machine.

use std::path::Path;

use super::Tree;

pub(super) fn faults(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.texts() {
        let is_code = path
            .extension()
            .is_some_and(|found| CODE.iter().any(|code| found == *code));
        if is_code {
            faults.extend(length_fault(path, text));
            faults.extend(find(path, text, &UNFINISHED, "is unfinished: "));
        }
        if path.file_name().is_some_and(|name| name != "Cargo.lock") {
            faults.extend(machine_paths(path, text));
        }
    }
    faults
}

fn length_fault(path: &Path, text: &str) -> Option<String> {
    let n_lines = text.lines().count();
    let excepted = LONG_FILES
        .iter()
        .any(|(long, _reason)| path == Path::new(long));
    match (n_lines > LINES_MAX, excepted) {
        (true, false) => Some(format!(
            "{}: {n_lines} lines, and no reason among the exceptions of tidy",
            path.display()
        )),
        (false, true) => Some(format!(
            "{}: is short, and needs no exception any longer",
            path.display()
        )),
        (true, true) | (false, false) => None,
    }
}

fn machine_paths(path: &Path, text: &str) -> Vec<String> {
    let begins = |line: &str, at: usize| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-/~".contains(before))
    };
    numbered(text)
        .filter(|(_, line)| {
            MACHINE_PATHS
                .iter()
                .any(|start| line.match_indices(start).any(|(at, _)| begins(line, at)))
        })
        .map(|(number, line)| {
            format!(
                "{}:{number}: a path of one machine: {}",
                path.display(),
                line.trim()
            )
        })
        .collect()
}

fn find(path: &Path, text: &str, words: &[&str], what: &str) -> Vec<String> {
    numbered(text)
        .filter(|(_, line)| words.iter().any(|word| line.contains(word)))
        .map(|(number, line)| format!("{}:{number}: {what}{}", path.display(), line.trim()))
        .collect()
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

const LINES_MAX: usize = 800;

/// Files that are longer, each with its reason in one sentence.
const LONG_FILES: [(&str, &str); 0] = [];

const CODE: [&str; 3] = ["rs", "css", "html"];

// Written in two halves, so that this file does not accuse itself.
const UNFINISHED: [&str; 6] = [
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[ign", "ore"),
];
const MACHINE_PATHS: [&str; 4] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_needs_a_reason() {
        let long = "let a = 1;\n".repeat(LINES_MAX + 1);
        assert_eq!(faults(&Tree::of(&[("src/a.rs", &long)])).len(), 1);
        assert!(faults(&Tree::of(&[("src/a.rs", "let a = 1;\n")])).is_empty());
    }

    #[test]
    fn unfinished_work_is_named_with_its_line() {
        let text = format!("fn a() {{\n    {}!()\n}}\n", concat!("to", "do"));
        let faults = faults(&Tree::of(&[("src/a.rs", &text)]));
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("src/a.rs:2: "), "{faults:?}");
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_an_address_is_not() {
        let text = format!("cd {}me/ann/x\n", "/ho");
        assert_eq!(faults(&Tree::of(&[("README.md", &text)])).len(), 1);
        let text = format!("https://example.org{}me/ and docs{}me/\n", "/ho", "/ho");
        assert!(faults(&Tree::of(&[("README.md", &text)])).is_empty());
    }
}
