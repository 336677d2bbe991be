//! A piece of the page: HTML with named places, and what fills them.
//!
//! The HTML of a piece stands in a file beside its code and never changes;
//! an element with `data-at="name"` is a place that the code fills.
//! What fills the places is one closure, which Leptos runs again when a signal that it read changes.
//! The macro `view!` would compile every element, attribute and closure to code of its own:
//! the same page is four times as large that way.
//!
//! Whatever comes from a device goes into a place as text or as an attribute, never as HTML.

use std::{any::Any, cell::RefCell, rc::Rc};

use leptos::reactive::{effect::RenderEffect, graph::untrack};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, HtmlTemplateElement};

use crate::{
    dom::{Listener, document},
    signal::watch,
};

/// A part of the page that is shown as long as it is kept.
pub struct Piece {
    root: Element,
    places: Rc<RefCell<Places>>,
    /// Kept for their `Drop`.
    kept: Vec<Box<dyn Any>>,
    _filling: RenderEffect<()>,
}

/// The places of a piece while they are filled. What stands in one already is not written again.
pub struct Places {
    places: Vec<Place>,
}

struct Place {
    name: String,
    element: Element,
    /// What was written: attributes by name, and the text under an empty one.
    written: Vec<(&'static str, Option<String>)>,
    pieces: Vec<(String, Piece)>,
}

impl Piece {
    /// Makes a piece of HTML with one outer element. `fill` runs at once and whenever what it read changes.
    pub fn new(html: &'static str, fill: impl FnMut(&mut Places) + 'static) -> Self {
        Self::of_boxed(html, Box::new(fill))
    }

    fn of_boxed(html: &'static str, mut fill: Box<dyn FnMut(&mut Places)>) -> Self {
        let root = parse(html);
        let places = Rc::new(RefCell::new(Places {
            places: places_of(&root),
        }));
        let filled = Rc::clone(&places);
        let filling = watch(Box::new(move || fill(&mut filled.borrow_mut())));
        Self {
            root,
            places,
            kept: Vec::new(),
            _filling: filling,
        }
    }

    /// Calls back on every event of this kind at a place; the outer element is the place without a name.
    #[must_use]
    pub fn on(
        mut self,
        place: &str,
        event: &'static str,
        callback: impl FnMut(Event) + 'static,
    ) -> Self {
        self.listen(place, event, Box::new(callback));
        self
    }

    fn listen(&mut self, place: &str, event: &'static str, callback: Box<dyn FnMut(Event)>) {
        if let Some(element) = self.element(place) {
            self.keep(Listener::new(element.into(), event, callback));
        }
    }

    /// The element at a place; the outer element is the place without a name.
    #[must_use]
    pub fn element(&self, place: &str) -> Option<Element> {
        let mut places = self.places.borrow_mut();
        places.find(place).map(|place| place.element.clone())
    }

    /// Keeps something for as long as the piece is kept.
    pub fn keep(&mut self, kept: impl Any) {
        self.kept.push(Box::new(kept));
    }

    /// Puts the piece at the end of an element.
    pub fn append_to(&self, parent: &Element) {
        // Only a parent within the piece itself would refuse it.
        let _ = parent.append_child(&self.root);
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.root.remove();
        // The filling's task, which ends a little later, has a hand on them too.
        self.places.borrow_mut().places.clear();
    }
}

impl Places {
    /// Writes a text.
    pub fn text(&mut self, place: &str, text: &str) {
        if let Some(element) = self.write(place, "", Some(text)) {
            element.set_text_content(Some(text));
        }
    }

    /// Sets an attribute, or removes it.
    pub fn attribute(&mut self, place: &str, name: &'static str, value: Option<&str>) {
        if let Some(element) = self.write(place, name, value) {
            // The names are ours, so none is refused.
            let _ = match value {
                Some(value) => element.set_attribute(name, value),
                None => element.remove_attribute(name),
            };
        }
    }

    /// Sets a custom property of CSS, which carries a number to the style sheet.
    pub fn property(&mut self, place: &str, name: &'static str, value: &str) {
        if let Some(element) = self.write(place, name, Some(value)) {
            let _ = element
                .unchecked_ref::<HtmlElement>()
                .style()
                .set_property(name, value);
        }
    }

    /// Shows a place or hides it, from a screen reader too.
    pub fn show(&mut self, place: &str, is_shown: bool) {
        self.attribute(place, "hidden", (!is_shown).then_some(""));
    }

    /// Fills a place with a piece for each key, in order. A piece whose key stays is kept as it is.
    pub fn list(&mut self, place: &str, keys: &[String], make: &dyn Fn(&str) -> Piece) {
        let Some(place) = self.find(place) else {
            return;
        };
        if place.pieces.iter().map(|(key, _)| key).eq(keys) {
            return;
        }
        let mut before = std::mem::take(&mut place.pieces);
        for key in keys {
            let known = before.iter().position(|(known, _)| known == key);
            let piece = match known {
                Some(index) => before.swap_remove(index).1,
                // What its making reads is no reason to fill this one again.
                None => untrack(|| make(key)),
            };
            place.pieces.push((key.clone(), piece));
        }
        drop(before);
        // Moving an element takes the focus from it, so only those that stand wrong are moved.
        let mut next = place.element.first_element_child();
        for (_, piece) in &place.pieces {
            let after = next.as_ref().and_then(Element::next_element_sibling);
            if next.as_ref() == Some(&piece.root) {
                next = after;
            } else if after.as_ref() == Some(&piece.root) {
                // The one before it stands wrong, and is moved when its turn comes.
                next = piece.root.next_element_sibling();
            } else {
                let next = next.as_deref();
                let _ = place.element.insert_before(&piece.root, next);
            }
        }
    }

    /// Fills the places of one of a list's pieces from here, beside what that piece fills itself.
    pub fn within(&mut self, place: &str, index: usize, fill: &mut dyn FnMut(&mut Self)) {
        let pieces = self.find(place).map(|place| &place.pieces);
        if let Some((_, piece)) = pieces.and_then(|pieces| pieces.get(index)) {
            fill(&mut piece.places.borrow_mut());
        }
    }

    /// Fills a place with one piece, or with none. The piece is made anew when the key changes.
    pub fn part(&mut self, place: &str, key: Option<&str>, make: &dyn Fn(&str) -> Piece) {
        let keys: Vec<String> = key.map(String::from).into_iter().collect();
        self.list(place, &keys, make);
    }

    fn find(&mut self, place: &str) -> Option<&mut Place> {
        self.places.iter_mut().find(|known| known.name == place)
    }

    /// The element to write to; `None` if that stands there already.
    fn write(&mut self, place: &str, name: &'static str, value: Option<&str>) -> Option<Element> {
        let place = self.find(place)?;
        match place.written.iter_mut().find(|(known, _)| *known == name) {
            Some((_, written)) if written.as_deref() == value => return None,
            Some((_, written)) => *written = value.map(Into::into),
            None => place.written.push((name, value.map(Into::into))),
        }
        Some(place.element.clone())
    }
}

/// A piece that shows nothing.
#[must_use]
pub fn nothing() -> Piece {
    Piece::new("<span hidden></span>", |_| ())
}

fn parse(html: &'static str) -> Element {
    let template: HtmlTemplateElement = document()
        .create_element("template")
        .expect("a known element")
        .unchecked_into();
    template.set_inner_html(html);
    template
        .content()
        .first_element_child()
        .expect("a piece has an outer element")
}

/// The outer element, which has no name, and every element that has one.
fn places_of(root: &Element) -> Vec<Place> {
    let mut places = vec![Place::of(String::new(), root.clone())];
    if let Ok(found) = root.query_selector_all("[data-at]") {
        for index in 0..found.length() {
            if let Some(element) = found.get(index) {
                let element: Element = element.unchecked_into();
                places.push(Place::of(
                    element.get_attribute(AT).unwrap_or_default(),
                    element,
                ));
            }
        }
    }
    places
}

impl Place {
    const fn of(name: String, element: Element) -> Self {
        Self {
            name,
            element,
            written: Vec::new(),
            pieces: Vec::new(),
        }
    }
}

/// The name of the place at which an event happened; empty where that is none.
#[must_use]
pub fn place_of(event: &Event) -> String {
    let element = event.target().map(JsCast::unchecked_into::<Element>);
    let name = element.and_then(|element| element.get_attribute(AT));
    name.unwrap_or_default()
}

const AT: &str = "data-at";
