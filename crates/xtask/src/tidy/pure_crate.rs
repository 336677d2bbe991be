//! The pure crates say of themselves that they are.

use std::path::Path;

use super::Tree;
use crate::workspace::PURE_CRATES;

pub(super) fn faults(tree: &Tree) -> Vec<String> {
    let own_settings = tree.text("clippy.toml").unwrap_or_default();
    let first = tree.text(bans(PURE_CRATES[0])).unwrap_or_default();
    let mut faults = Vec::new();
    for name in PURE_CRATES {
        let library = tree
            .text(format!("crates/{name}/src/lib.rs"))
            .unwrap_or_default();
        for line in LIBRARY_LINES {
            if !library.lines().any(|found| found == line) {
                faults.push(format!("crates/{name}/src/lib.rs: {line} is missing"));
            }
        }
        let bans_of_it = tree.text(bans(name)).unwrap_or_default();
        if bans_of_it != first {
            faults.push(format!(
                "crates/{name}/clippy.toml: differs from that of {}",
                PURE_CRATES[0]
            ));
        }
        // The nearest clippy.toml wins and does not merge.
        for line in own_settings
            .lines()
            .filter(|line| !bans_of_it.contains(line))
        {
            faults.push(format!(
                "crates/{name}/clippy.toml: the root's {line} is missing"
            ));
        }
    }
    faults
}

fn bans(name: &str) -> impl AsRef<Path> {
    format!("crates/{name}/clippy.toml")
}

const LIBRARY_LINES: [&str; 2] = ["#![forbid(unsafe_code)]", "#![warn(missing_docs)]"];

#[cfg(test)]
mod tests {
    use super::*;

    fn files(library: &str, clippy: &str) -> Vec<(String, String)> {
        let mut files = vec![(
            "clippy.toml".to_owned(),
            "allow-unwrap-in-tests = true\n".to_owned(),
        )];
        for name in PURE_CRATES {
            files.push((format!("crates/{name}/src/lib.rs"), library.to_owned()));
            files.push((format!("crates/{name}/clippy.toml"), clippy.to_owned()));
        }
        files
    }

    fn faults_of(files: &[(String, String)]) -> Vec<String> {
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        faults(&Tree::of(&files))
    }

    #[test]
    fn a_missing_attribute_a_missing_setting_and_a_difference_are_found() {
        let good = "#![forbid(unsafe_code)]\n#![warn(missing_docs)]\n";
        let clippy = "allow-unwrap-in-tests = true\ndisallowed-types = []\n";
        let mut tree = files(good, clippy);
        assert_eq!(faults_of(&tree), [""; 0]);

        let last = tree.len() - 1;
        tree[last].1 = "disallowed-types = []\n".to_owned();
        assert_eq!(faults_of(&tree).len(), 2);
        assert_eq!(faults_of(&files("", clippy)).len(), 2 * PURE_CRATES.len());
    }
}
