//! Style sheets: one for each component, each linked by the page, each class used.

use std::collections::BTreeSet;
use std::path::Path;

use super::Tree;

pub(super) fn faults(tree: &Tree) -> Vec<String> {
    let page = tree.text("index.html").unwrap_or_default();
    let used = used_words(tree);
    let mut faults = Vec::new();
    for (path, sheet) in tree
        .texts_with("css")
        .filter(|(path, _)| path.starts_with("style"))
    {
        let shown = path.display().to_string();
        if !page.contains(&format!("href=\"{shown}\"")) {
            faults.push(format!("{shown}: is not linked in index.html"));
        }
        let classes = classes(sheet);
        if let Some(component) = component_of(path)
            && !classes.iter().any(|class| is_of(class, &component))
        {
            faults.push(format!("{shown}: styles no class {component}"));
        }
        let unused = classes.iter().filter(|class| !used.contains(*class));
        faults.extend(unused.map(|class| format!("{shown}: nothing has the class {class}")));
    }
    faults
}

/// `style/widgets/probe_card.css` is of `probe-card`; what lies directly in `style` is the whole page's.
fn component_of(path: &Path) -> Option<String> {
    let below = path.strip_prefix("style").ok()?;
    let in_folder = below.parent().is_some_and(|folder| folder != Path::new(""));
    let name = below.file_stem()?.to_str()?;
    in_folder.then(|| name.replace('_', "-"))
}

/// `probe-card` itself or a part of it, such as `probe-card-name`.
fn is_of(class: &str, component: &str) -> bool {
    class
        .strip_prefix(component)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The classes in a sheet's selectors.
fn classes(sheet: &str) -> BTreeSet<&str> {
    sheet
        .split('{')
        .filter_map(|piece| piece.rsplit(['}', ';']).next())
        .flat_map(|selector| selector.split('.').skip(1))
        .map(|rest| rest.split(|c| !is_of_class(c)).next().unwrap_or(rest))
        .filter(|class| class.starts_with(|first: char| first.is_ascii_lowercase()))
        .collect()
}

/// Every word of the page's HTML and code that could be a class.
fn used_words(tree: &Tree) -> BTreeSet<&str> {
    tree.texts_with("html")
        .chain(tree.texts_with("rs"))
        .filter(|(path, _)| path.starts_with("src") || *path == Path::new("index.html"))
        .flat_map(|(_, text)| text.split(|c| !is_of_class(c)))
        .collect()
}

fn is_of_class(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_styles_a_class_that_is_used_and_is_linked() {
        let mut files = vec![
            (
                "index.html",
                r#"<link data-trunk rel="css" href="style/widgets/probe_card.css" />"#,
            ),
            (
                "src/widgets/probe_card.html",
                r#"<li class="panel probe-card probe-card-name">"#,
            ),
            (
                "style/widgets/probe_card.css",
                ".probe-card-name:hover, .panel { top: 1.5rem; }",
            ),
        ];
        assert_eq!(faults(&Tree::of(&files)), [""; 0]);

        files.push((
            "style/components/badge.css",
            ".probe-card .lost { margin: 0.5rem }",
        ));
        assert_eq!(
            faults(&Tree::of(&files)),
            [
                "style/components/badge.css: is not linked in index.html",
                "style/components/badge.css: styles no class badge",
                "style/components/badge.css: nothing has the class lost",
            ]
        );
    }

    #[test]
    fn sheets_of_the_whole_page_belong_to_no_component() {
        let link = r#"<link data-trunk rel="css" href="style/base.css" />"#;
        assert!(faults(&Tree::of(&[("index.html", link), ("style/base.css", "")])).is_empty());
    }
}
