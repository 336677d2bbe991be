//! One style sheet instead of one for each component: a request less for each, and they compress better together.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::{Context, Result};

/// Joins the style sheets that the page of a folder links, in their order, into one.
pub(crate) fn join(folder: &Path) -> Result<()> {
    let page = folder.join("index.html");
    let html =
        fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let mut joined = String::new();
    for tag in style_links(&html) {
        let file = folder.join(file_name(tag));
        joined += &fs::read_to_string(&file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        joined.push('\n');
    }
    let mut hasher = DefaultHasher::new();
    joined.hash(&mut hasher);
    let name = format!("style-{:016x}.css", hasher.finish());
    for tag in style_links(&html) {
        fs::remove_file(folder.join(file_name(tag)))?;
    }
    fs::write(folder.join(&name), joined)?;
    fs::write(&page, with_one_link(&html, &name))?;
    Ok(())
}

/// The page with its first style sheet replaced by another, and without the rest.
fn with_one_link(html: &str, name: &str) -> String {
    let mut linked = html.to_owned();
    for (index, tag) in style_links(html).enumerate() {
        let replacement = if index == 0 {
            tag.replace(file_name(tag), name)
        } else {
            String::new()
        };
        linked = linked.replacen(tag, &replacement, 1);
    }
    linked
}

/// The tags that link style sheets, as a minifier may have left them.
fn style_links(html: &str) -> impl Iterator<Item = &str> {
    html.split_inclusive('>')
        .filter_map(|piece| piece.rfind("<link").map(|start| &piece[start..]))
        .filter(|tag| attribute(tag, "rel") == Some("stylesheet"))
}

/// The last part of the address.
fn file_name(tag: &str) -> &str {
    let address = attribute(tag, "href").unwrap_or_default();
    address.rsplit('/').next().unwrap_or(address)
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = tag.split_once(&format!(" {name}="))?;
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split([' ', '>']).next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        assert_eq!(with_one_link(html, "style-1.css"), expected);
    }

    #[test]
    fn the_first_link_stands_for_all() {
        check(
            r#"<link rel="icon" href="/icon.svg" /><link rel="stylesheet" href="/a-1.css"/> <link rel="stylesheet" href="/b-2.css"/><p>"#,
            r#"<link rel="icon" href="/icon.svg" /><link rel="stylesheet" href="/style-1.css"/> <p>"#,
        );
    }

    #[test]
    fn minified_links_are_understood() {
        check(
            "<link href=/sub/a-1.css rel=stylesheet><link href=/sub/b-2.css rel=stylesheet>",
            "<link href=/sub/style-1.css rel=stylesheet>",
        );
    }
}
