//! Links between our own documents lead somewhere.

use std::path::{Component, Path, PathBuf};

use super::Tree;

pub(super) fn faults(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in tree.texts_with("md") {
        for target in targets(text) {
            if !resolves(tree, path, target) {
                faults.push(format!(
                    "{}: the link to {target} leads nowhere",
                    path.display()
                ));
            }
        }
    }
    faults
}

/// What stands in `](…)`, outside code.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines()
        .filter(move |line| {
            let fence = line.trim_start().starts_with("```");
            in_code ^= fence;
            !in_code && !fence
        })
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
}

fn resolves(tree: &Tree, from: &Path, target: &str) -> bool {
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let path = if file.is_empty() {
        from.to_path_buf()
    } else {
        normal(&from.parent().unwrap_or(Path::new("")).join(file))
    };
    tree.contains(&path)
        && (heading.is_empty()
            || tree
                .text(&path)
                .is_some_and(|text| headings(text).any(|found| found == heading)))
}

/// The names under which headings can be linked to.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                normal.push(component);
            }
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_folders_and_headings_resolve() {
        let tree = Tree::of(&[
            (
                "README.md",
                "[a](docs/a.md#two-words) [c](crates/chart) [w](https://example.org)",
            ),
            (
                "docs/a.md",
                "## Two words\n[back](../README.md) [up](#two-words)\n```\n[x](no)\n```\n",
            ),
            ("crates/chart/Cargo.toml", ""),
        ]);
        assert_eq!(faults(&tree), [""; 0]);
    }

    #[test]
    fn a_link_that_leads_nowhere_is_named() {
        let tree = Tree::of(&[("README.md", "[a](docs/a.md) [b](#none)")]);
        assert_eq!(
            faults(&tree),
            [
                "README.md: the link to docs/a.md leads nowhere",
                "README.md: the link to #none leads nowhere",
            ]
        );
    }
}
