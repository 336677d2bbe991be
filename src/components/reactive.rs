//! Closures of few types.
//!
//! A view is compiled anew for every type of closure in it, and no two closures have the same type.
//! Boxed, they are of one type for each thing that they give: that is what keeps the page small.
//! For the same reason a signal holds a text wherever a text will do.

use leptos::prelude::*;

/// A text that changes.
pub type Text = Box<dyn FnMut() -> String + Send>;

/// An attribute that is not always there.
pub type Maybe = Box<dyn FnMut() -> Option<String> + Send>;

/// A part of a view that changes as a whole.
pub type Part = Box<dyn FnMut() -> AnyView + Send>;

/// A text that changes.
pub fn text(read: impl FnMut() -> String + Send + 'static) -> Text {
    Box::new(read)
}

/// An attribute that is not always there.
pub fn maybe(read: impl FnMut() -> Option<String> + Send + 'static) -> Maybe {
    Box::new(read)
}

/// A part of a view that changes as a whole.
pub fn part(make: impl FnMut() -> AnyView + Send + 'static) -> Part {
    Box::new(make)
}

/// A part that is there while something holds.
pub fn part_if(holds: Memo<bool>, mut make: impl FnMut() -> AnyView + Send + 'static) -> AnyView {
    part(move || if holds.get() { make() } else { nothing() }).into_any()
}

/// A part for each key. All of them are made anew when the keys change, which they seldom do.
pub fn list(keys: Memo<Vec<String>>, piece: fn(String) -> AnyView) -> AnyView {
    part(move || many(keys.get().into_iter().map(piece).collect())).into_any()
}

/// Views one after the other.
#[must_use]
pub fn many(views: Vec<AnyView>) -> AnyView {
    views.into_any()
}

/// No view.
#[must_use]
pub fn nothing() -> AnyView {
    ().into_any()
}

/// A value that is told on only when it differs.
pub fn memo<T: PartialEq + Send + Sync + 'static>(
    read: impl Fn() -> T + Send + Sync + 'static,
) -> Memo<T> {
    memo_of(Box::new(read))
}

fn memo_of<T: PartialEq + Send + Sync + 'static>(
    read: Box<dyn Fn() -> T + Send + Sync>,
) -> Memo<T> {
    Memo::new(move |_| read())
}
