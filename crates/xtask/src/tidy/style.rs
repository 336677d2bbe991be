//! Style sheets: one for each component, each linked by the page.

use std::path::Path;

use super::Tree;

pub(super) fn faults(tree: &Tree) -> Vec<String> {
    let page = tree.text("index.html").unwrap_or_default();
    let mut faults = Vec::new();
    for (path, _) in tree
        .texts_with("css")
        .filter(|(path, _)| path.starts_with("style"))
    {
        let shown = path.display().to_string();
        if !page.contains(&format!("href=\"{shown}\"")) {
            faults.push(format!("{shown}: is not linked in index.html"));
        }
        faults.extend(source_fault(tree, path));
    }
    faults
}

/// `style/widgets/probe-card.css` belongs to `src/widgets/probe_card.rs`.
fn source_fault(tree: &Tree, path: &Path) -> Option<String> {
    let below = path.strip_prefix("style").ok()?;
    let in_folder = below.parent().is_some_and(|folder| folder != Path::new(""));
    let file = below.file_stem()?.to_str()?.replace('-', "_");
    let source = Path::new("src").join(below.with_file_name(file).with_extension("rs"));
    (in_folder && tree.text(&source).is_none())
        .then(|| format!("{}: there is no {}", path.display(), source.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_needs_its_component_and_its_link() {
        let mut files = vec![
            (
                "index.html",
                r#"<link data-trunk rel="css" href="style/widgets/probe-card.css" />"#,
            ),
            ("src/widgets/probe_card.rs", ""),
            ("style/widgets/probe-card.css", ""),
        ];
        assert!(faults(&Tree::of(&files)).is_empty());

        files.push(("style/components/button.css", ""));
        assert_eq!(
            faults(&Tree::of(&files)),
            [
                "style/components/button.css: is not linked in index.html",
                "style/components/button.css: there is no src/components/button.rs",
            ]
        );
    }

    #[test]
    fn sheets_of_the_whole_page_belong_to_no_component() {
        let link = r#"<link data-trunk rel="css" href="style/base.css" />"#;
        assert!(faults(&Tree::of(&[("index.html", link), ("style/base.css", "")])).is_empty());
    }
}
