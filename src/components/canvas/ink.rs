//! The colours and the font of the moment, read from the style sheets once a theme.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use chart::{Ink, Rgb};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use crate::components::frame;
use crate::dom::{document, window};

/// What a canvas draws with.
#[derive(Default)]
pub(super) struct Inks {
    colors: Vec<String>,
    bytes: OnceCell<Vec<u8>>,
    /// For labels.
    pub(super) font: String,
    /// For labels that stand out.
    pub(super) font_strong: String,
}

impl Inks {
    /// The colour of a role, as CSS writes it.
    pub(super) fn color(&self, ink: Ink) -> &str {
        self.colors.get(ink as usize).map_or("", String::as_str)
    }

    /// The colours as red, green and blue. `canvas` is one that may be painted over.
    pub(super) fn rgb(&self, canvas: &CanvasRenderingContext2d) -> impl Fn(Ink) -> Rgb {
        let bytes = self.bytes.get_or_init(|| self.paint_all(canvas));
        move |ink| {
            let pixel = bytes.get(ink as usize * 4..);
            match pixel {
                Some(&[red, green, blue, ..]) => [red, green, blue],
                _ => Rgb::default(),
            }
        }
    }

    /// However CSS writes a colour, a canvas knows what it looks like.
    fn paint_all(&self, canvas: &CanvasRenderingContext2d) -> Vec<u8> {
        for ink in Ink::ALL {
            canvas.set_fill_style_str(self.color(ink));
            canvas.fill_rect(ink as usize as f64, 0.0, 1.0, 1.0);
        }
        let painted = canvas.get_image_data(0.0, 0.0, Ink::ALL.len() as f64, 1.0);
        painted.map(|image| image.data().0).unwrap_or_default()
    }

    fn read(element: &HtmlCanvasElement) -> Option<Self> {
        let style = window().get_computed_style(element).ok()??;
        let value = |name: &str| style.get_property_value(name).unwrap_or_default();
        let font = |weight: &str| {
            let mut font = String::from(weight);
            font.push_str(" 12px ");
            font.push_str(&value("font-family"));
            font
        };
        Some(Self {
            colors: Ink::ALL
                .into_iter()
                .map(|ink| value(property(ink)))
                .collect(),
            bytes: OnceCell::new(),
            font: font("400"),
            font_strong: font("600"),
        })
    }
}

/// The inks of the moment, as they are at this element.
pub(super) fn inks(element: &HtmlCanvasElement) -> Rc<Inks> {
    INKS.with_borrow_mut(|cache| {
        if cache.is_watching {
            if let Some(inks) = &cache.inks {
                return Rc::clone(inks);
            }
        } else {
            cache.is_watching = true;
            watch_theme();
        }
        let inks = Rc::new(Inks::read(element).unwrap_or_else(|| Inks {
            font: String::from("12px sans-serif"),
            font_strong: String::from("600 12px sans-serif"),
            ..Inks::default()
        }));
        cache.inks = Some(Rc::clone(&inks));
        inks
    })
}

const fn property(ink: Ink) -> &'static str {
    match ink {
        Ink::Leaf => "--color-leaf",
        Ink::LeafWash => "--color-leaf-wash",
        Ink::Water => "--color-water",
        Ink::Clay => "--color-clay",
        Ink::Line => "--color-line",
        Ink::Ink => "--color-ink",
        Ink::SoftInk => "--color-ink-soft",
        Ink::Surface => "--color-surface",
        Ink::First => "--color-line-1",
        Ink::Second => "--color-line-2",
        Ink::Third => "--color-line-3",
        Ink::Fourth => "--color-line-4",
        Ink::Fifth => "--color-line-5",
        Ink::Sixth => "--color-line-6",
        Ink::Seventh => "--color-line-7",
        Ink::Eighth => "--color-line-8",
    }
}

/// Forgets the inks and draws everything again whenever the theme changes. The page has one theme
/// for as long as it lives, so this watches as long.
fn watch_theme() {
    let on_change = Closure::<dyn FnMut()>::new(|| {
        INKS.with_borrow_mut(|cache| cache.inks = None);
        frame::request_all();
    })
    .into_js_value();
    let on_change = on_change.unchecked_ref::<js_sys::Function>();
    for query in ["(prefers-color-scheme: dark)", "(forced-colors: active)"] {
        if let Ok(Some(list)) = window().match_media(query) {
            let _ = list.add_event_listener_with_callback("change", on_change);
        }
    }
    if let (Ok(observer), Some(root)) = (
        web_sys::MutationObserver::new(on_change),
        document().document_element(),
    ) {
        let options = web_sys::MutationObserverInit::new();
        options.set_attributes(true);
        let _ = observer.observe_with_options(&root, &options);
    }
}

#[derive(Default)]
struct Cache {
    inks: Option<Rc<Inks>>,
    is_watching: bool,
}

thread_local! {
    static INKS: RefCell<Cache> = RefCell::default();
}
