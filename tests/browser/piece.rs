//! What a piece of the page promises to those who write one.

use std::{cell::Cell, rc::Rc};

use any_spawner::Executor;
use dashboard::{
    dom::{Listener, document, window},
    piece::Piece,
    signal::Signal,
};
use leptos::reactive::effect::RenderEffect;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Element, HtmlElement};

use crate::page::settle;

/// Where a piece is put for one test.
struct Stage(Element);

impl Stage {
    fn new() -> Self {
        // Another test may have done so.
        let _ = Executor::init_wasm_bindgen();
        let stage = document().create_element("div").unwrap();
        document().body().unwrap().append_child(&stage).unwrap();
        Self(stage)
    }

    fn put(&self, piece: Piece) -> Piece {
        piece.append_to(&self.0);
        piece
    }

    fn button(&self, text: &str) -> Option<HtmlElement> {
        crate::role::find(&self.0, "button", text)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.0.remove();
    }
}

#[wasm_bindgen_test]
fn text_is_never_html() {
    let stage = Stage::new();
    let hostile = "<b onclick='x()'>&amp;</b>";
    let piece = stage.put(Piece::new(
        r#"<p><a data-at="place"></a></p>"#,
        move |places| {
            places.text("place", hostile);
            places.attribute("place", "title", Some(hostile));
        },
    ));
    let place = piece.element("place").unwrap();
    assert_eq!(place.text_content().as_deref(), Some(hostile));
    assert_eq!(place.get_attribute("title").as_deref(), Some(hostile));
    assert_eq!(place.child_element_count(), 0);
}

#[wasm_bindgen_test]
async fn a_place_follows_its_signal() {
    let stage = Stage::new();
    let signal = signal(String::from("one"));
    let read = signal.clone();
    let piece = stage.put(Piece::new("<p></p>", move |places| {
        places.text("", &read.get());
    }));
    let text = || piece.element("").unwrap().text_content().unwrap();
    assert_eq!(text(), "one");
    signal.set("two".into());
    settle().await;
    assert_eq!(text(), "two");
}

#[wasm_bindgen_test]
async fn what_stands_in_a_place_is_not_written_again() {
    let stage = Stage::new();
    let signal = signal(0);
    let read = signal.clone();
    let piece = stage.put(Piece::new("<p></p>", move |places| {
        read.get();
        places.text("", "the same");
    }));
    // A text node that is written again is another one, and takes a reader's selection with it.
    let node = piece.element("").unwrap().first_child();
    signal.set(1);
    settle().await;
    assert!(
        node.unwrap()
            .is_same_node(piece.element("").unwrap().first_child().as_ref())
    );
}

#[wasm_bindgen_test]
async fn an_attribute_is_set_and_removed() {
    let stage = Stage::new();
    let signal = signal(Some("page"));
    let read = signal.clone();
    let piece = stage.put(Piece::new("<a></a>", move |places| {
        let current = read.get();
        places.attribute("", "aria-current", current);
        places.show("", current.is_some());
    }));
    let element = piece.element("").unwrap();
    assert_eq!(
        element.get_attribute("aria-current").as_deref(),
        Some("page")
    );
    assert!(!element.has_attribute("hidden"));
    signal.set(None);
    settle().await;
    assert!(!element.has_attribute("aria-current"));
    assert!(element.has_attribute("hidden"));
}

#[wasm_bindgen_test]
async fn a_list_keeps_the_elements_whose_key_stays_and_their_focus() {
    let stage = Stage::new();
    let keys = signal(keys("bcd"));
    let _piece = stage.put(list(&keys));
    let kept = stage.button("c").unwrap();
    kept.focus().unwrap();
    for order in ["abcd", "acd", "cdx", "c", "xcy"] {
        keys.set(self::keys(order));
        settle().await;
        assert_eq!(stage.0.text_content().as_deref(), Some(order));
        assert!(stage.button("c").as_ref() == Some(&kept));
        assert!(document().active_element().as_ref() == Some(&*kept));
    }
}

#[wasm_bindgen_test]
async fn of_a_list_only_what_stands_wrong_is_moved() {
    let stage = Stage::new();
    let keys = signal(keys("abcd"));
    let _piece = stage.put(list(&keys));
    for (focused, order) in [("c", "bcda"), ("c", "abcd"), ("b", "dabc"), ("b", "adbc")] {
        stage.button(focused).unwrap().focus().unwrap();
        keys.set(self::keys(order));
        settle().await;
        assert_eq!(stage.0.text_content().as_deref(), Some(order));
        let holder = document().active_element().unwrap();
        assert_eq!(holder.text_content().as_deref(), Some(focused), "{order}");
    }
}

#[wasm_bindgen_test]
async fn a_list_takes_any_order() {
    let stage = Stage::new();
    let keys = signal(keys("abcd"));
    let _piece = stage.put(list(&keys));
    for order in ["dcba", "badc", "", "cab"] {
        keys.set(self::keys(order));
        settle().await;
        assert_eq!(stage.0.text_content().as_deref(), Some(order));
    }
}

#[wasm_bindgen_test]
async fn what_a_listed_piece_reads_fills_only_that_piece_again() {
    let stage = Stage::new();
    let signal = signal(0);
    let n_fills = counter();
    let (read, filled) = (signal.clone(), n_fills.clone());
    let _piece = stage.put(Piece::new("<div></div>", move |places| {
        filled.set(filled.get() + 1);
        places.list("", &keys("a"), &|_| {
            let begin = read.get();
            let read = read.clone();
            Piece::new("<p></p>", move |places| {
                places.text("", &(read.get() - begin).to_string());
            })
        });
    }));
    signal.set(7);
    settle().await;
    assert_eq!(stage.0.text_content().as_deref(), Some("7"));
    assert_eq!(n_fills.get(), 1);
}

#[wasm_bindgen_test]
async fn effects_and_listeners_end_with_the_piece() {
    let stage = Stage::new();
    let signal = signal(0);
    let (n_fills, n_effects, n_clicks) = (counter(), counter(), counter());
    let (filled, ran, clicked) = (n_fills.clone(), n_effects.clone(), n_clicks.clone());
    let (read, read_beside) = (signal.clone(), signal.clone());
    let mut piece = Piece::new("<button>Press</button>", move |_| {
        read.get();
        filled.set(filled.get() + 1);
    })
    .on("", "click", move |_| clicked.set(clicked.get() + 1));
    piece.keep(RenderEffect::new(move |_| {
        read_beside.get();
        ran.set(ran.get() + 1);
    }));
    let piece = stage.put(piece);
    let button = stage.button("Press").unwrap();
    button.click();
    signal.set(signal.get_untracked() + 1);
    settle().await;
    assert_eq!((n_fills.get(), n_effects.get(), n_clicks.get()), (2, 2, 1));
    drop(piece);
    // A listener that stayed would call what is gone.
    let n_errors = counter();
    let failed = n_errors.clone();
    let fail = move |_| failed.set(failed.get() + 1);
    let listening = Listener::new(window().into(), "error", Box::new(fail));
    button.click();
    drop(listening);
    assert_eq!(n_errors.get(), 0);
    signal.set(signal.get_untracked() + 1);
    settle().await;
    assert_eq!((n_fills.get(), n_effects.get(), n_clicks.get()), (2, 2, 1));
    assert!(!button.is_connected());
}

#[wasm_bindgen_test]
async fn a_piece_of_a_list_ends_when_its_key_goes_or_its_list_does() {
    let stage = Stage::new();
    let keys = signal(keys("ab"));
    let n_ended = counter();
    let (read, ended) = (keys.clone(), n_ended.clone());
    let piece = stage.put(Piece::new("<ul></ul>", move |places| {
        let ended = ended.clone();
        places.list("", &read.get(), &move |_| {
            let ended = ended.clone();
            let mut piece = Piece::new("<li></li>", |_| ());
            piece.keep(Ending(ended));
            piece
        });
    }));
    keys.set(self::keys("b"));
    settle().await;
    assert_eq!(n_ended.get(), 1);
    drop(piece);
    assert_eq!(n_ended.get(), 2);
}

#[wasm_bindgen_test]
fn a_place_is_found_where_it_stood_before_it_was_filled() {
    let piece = Piece::new(
        r#"<div><p data-at="inner"></p><p data-at="text"></p></div>"#,
        |places| {
            places.part("inner", Some(""), &|_| {
                Piece::new(r#"<b data-at="text"></b>"#, |_| ())
            });
        },
    );
    assert_eq!(piece.element("text").unwrap().tag_name(), "P");
}

/// Counts when it is dropped.
struct Ending(Rc<Cell<u32>>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// A list of buttons.
fn list(keys: &Rc<Signal<Vec<String>>>) -> Piece {
    let keys = keys.clone();
    Piece::new("<div></div>", move |places| {
        places.list("", &keys.get(), &|key| {
            let key = String::from(key);
            Piece::new("<button></button>", move |places| places.text("", &key))
        });
    })
}

fn keys(letters: &str) -> Vec<String> {
    letters.chars().map(String::from).collect()
}

fn signal<T>(value: T) -> Rc<Signal<T>> {
    Rc::new(Signal::new(value))
}

fn counter() -> Rc<Cell<u32>> {
    Rc::default()
}
