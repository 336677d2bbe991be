//! One canvas and what draws on it: the right size, the right moment, the page's colours.

mod ink;
mod paint;
mod scratch;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use chart::{Picture, Raster, Size};
use leptos::reactive::graph::untrack;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use self::scratch::Scratch;
use crate::{components::frame::FrameTask, dom::window, piece::Piece};

/// A canvas that shows a picture: drawn anew when what the picture is made from changes, when its
/// size, the screen's resolution or the theme does, at most once a frame and never while it is out
/// of sight.
///
/// `depends_on` reads every signal that the picture is made from. `picture` makes it, inside an animation frame,
/// and tracks nothing. `painted` takes it without its commands: its scales say what lies where.
#[must_use]
pub fn canvas(
    mut depends_on: impl FnMut() + 'static,
    picture: impl FnMut(Size) -> Picture + 'static,
    painted: impl Fn(Picture) + 'static,
) -> Piece {
    let task = Rc::new(RefCell::new(None::<Rc<FrameTask>>));
    let wanted = Rc::clone(&task);
    let mut piece = Piece::new(
        r#"<canvas class="canvas" aria-hidden="true"></canvas>"#,
        move |_| {
            depends_on();
            if let Some(task) = &*wanted.borrow() {
                task.request();
            }
        },
    );
    let element = piece.element("").map(JsCast::unchecked_into);
    let mount = element.and_then(|canvas| Mount::new(canvas, Box::new(picture), Box::new(painted)));
    *task.borrow_mut() = mount.as_ref().map(|mount| Rc::clone(&mount.task));
    piece.keep(mount);
    piece
}

/// What lives as long as the canvas is in the page.
struct Mount {
    task: Rc<FrameTask>,
    resize: web_sys::ResizeObserver,
    sight: web_sys::IntersectionObserver,
    _on_resize: Closure<dyn FnMut()>,
    _on_sight: Closure<dyn FnMut(js_sys::Array)>,
}

impl Mount {
    /// `None` if the browser has no such canvas; the page then shows its words alone.
    fn new(
        element: HtmlCanvasElement,
        mut picture: Box<dyn FnMut(Size) -> Picture>,
        painted: Box<dyn Fn(Picture)>,
    ) -> Option<Self> {
        let mut surface = Surface::new(element.clone())?;
        let size = Rc::new(Cell::new(Size::default()));
        let task = Rc::new(FrameTask::new({
            let size = Rc::clone(&size);
            move || {
                let size = Size {
                    ratio: window().device_pixel_ratio() as f32,
                    ..size.get()
                };
                if size.width < 1.0 || size.height < 1.0 {
                    return;
                }
                let mut picture = untrack(|| picture(size));
                surface.show(&picture, size);
                picture.commands = Vec::new();
                picture.corners = Vec::new();
                picture.raster = Raster::default();
                painted(picture);
            }
        }));
        let on_resize = Closure::<dyn FnMut()>::new({
            let (element, task) = (element.clone(), Rc::clone(&task));
            move || {
                let (width, height) = (element.client_width(), element.client_height());
                size.set(Size::new(width as f32, height as f32));
                task.request();
            }
        });
        let on_sight = Closure::<dyn FnMut(js_sys::Array)>::new({
            let task = Rc::clone(&task);
            move |entries: js_sys::Array| {
                let newest = entries
                    .at(-1)
                    .unchecked_into::<web_sys::IntersectionObserverEntry>();
                task.set_asleep(!newest.is_intersecting());
            }
        });
        let resize = web_sys::ResizeObserver::new(on_resize.as_ref().unchecked_ref()).ok()?;
        let sight = web_sys::IntersectionObserver::new(on_sight.as_ref().unchecked_ref()).ok()?;
        resize.observe(&element);
        sight.observe(&element);
        Some(Self {
            task,
            resize,
            sight,
            _on_resize: on_resize,
            _on_sight: on_sight,
        })
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        self.resize.disconnect();
        self.sight.disconnect();
    }
}

/// What draws on a canvas; `None` if the browser has no such canvas.
pub fn context_of(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}

/// A canvas and what is needed to show pictures on it.
pub struct Surface {
    element: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    scratch: Option<Scratch>,
}

impl Surface {
    /// `None` if the browser has no such canvas.
    #[must_use]
    pub fn new(element: HtmlCanvasElement) -> Option<Self> {
        Some(Self {
            context: context_of(&element)?,
            element,
            scratch: None,
        })
    }

    /// Shows a picture in place of the one before.
    pub fn show(&mut self, picture: &Picture, size: Size) {
        self.clear(size);
        let inks = ink::inks(&self.element);
        paint::paint(&self.context, picture, &inks, &mut self.scratch);
    }

    /// Clears the canvas and lets a CSS pixel be as many of the screen's as it is.
    fn clear(&self, size: Size) {
        let (element, context) = (&self.element, &self.context);
        let pixels = |length: f32| (length * size.ratio).round() as u32;
        let (width, height) = (pixels(size.width), pixels(size.height));
        // Setting a canvas's size clears it, and costs even if it is the same.
        if (element.width(), element.height()) != (width, height) {
            element.set_width(width);
            element.set_height(height);
        }
        let ratio = f64::from(size.ratio);
        // Neither call fails with finite numbers.
        let _ = context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
        context.clear_rect(0.0, 0.0, f64::from(size.width), f64::from(size.height));
    }
}
