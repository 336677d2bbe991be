//! Finds elements as a screen reader does: by role and name, and only what is shown.

use dashboard::dom::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, Node};

/// The first element of a role whose name is this; an empty name is any name.
pub(crate) fn find(within: &Element, role: &str, name: &str) -> Option<HtmlElement> {
    find_all(within, role, name).into_iter().next()
}

/// Every element of a role whose name is this; an empty name is any name.
pub(crate) fn find_all(within: &Element, role: &str, name: &str) -> Vec<HtmlElement> {
    let found = within.query_selector_all(&selector(role)).unwrap();
    (0..found.length())
        .map(|index| found.get(index).unwrap().unchecked_into::<HtmlElement>())
        .filter(|element| is_shown(element))
        .filter(|element| name.is_empty() || name_of(element) == name)
        .collect()
}

/// What is read out of an element: its text without what is hidden, with single spaces.
pub(crate) fn spoken(element: &Element) -> String {
    let mut text = String::new();
    speak(element, &mut text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn speak(node: &Node, text: &mut String) {
    let children = node.child_nodes();
    for index in 0..children.length() {
        let child = children.get(index).unwrap();
        match child.dyn_ref::<Element>() {
            Some(element) if is_hidden(element) => {}
            Some(element) if INLINE.contains(&element.tag_name().as_str()) => {
                speak(element, text);
            }
            Some(element) => {
                text.push(' ');
                speak(element, text);
                text.push(' ');
            }
            None => text.push_str(&child.text_content().unwrap_or_default()),
        }
    }
}

fn selector(role: &str) -> String {
    let native = match role {
        "article" => "article",
        "button" => "button:not([role])",
        "combobox" => "select",
        "figure" => "figure",
        "heading" => "h1, h2, h3",
        "link" => "a[href]",
        "main" => "main",
        "navigation" => "nav",
        "region" => "section[aria-label], section[aria-labelledby]",
        "textbox" => "input[type=text], input[type=password]",
        "checkbox" => "input[type=checkbox]",
        "row" => "tbody tr",
        "rowgroup" => "tbody",
        "table" => "table",
        "radio" => "input[type=radio]",
        "listitem" => "li",
        _ => return format!("[role={role}]"),
    };
    native.into()
}

fn name_of(element: &Element) -> String {
    if let Some(label) = element.get_attribute("aria-label") {
        return label;
    }
    let label = element
        .get_attribute("aria-labelledby")
        .and_then(|id| document().get_element_by_id(&id))
        .or_else(|| {
            let id = element.get_attribute("id")?;
            let selector = format!("label[for='{id}']");
            document().query_selector(&selector).unwrap()
        })
        .or_else(|| element.closest("label").unwrap());
    spoken(label.as_ref().unwrap_or(element))
}

fn is_shown(element: &Element) -> bool {
    element
        .closest("[hidden], [aria-hidden=true]")
        .unwrap()
        .is_none()
}

fn is_hidden(element: &Element) -> bool {
    element.matches("[hidden], [aria-hidden=true]").unwrap()
}

/// What stands within a line; everything else stands apart.
const INLINE: [&str; 5] = ["A", "B", "CODE", "SPAN", "STRONG"];
