//! The chart for `cargo xtask bench chart`: driven from JavaScript, so that it is measured as other people's is.

#![cfg(target_arch = "wasm32")]

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicUsize, Ordering};

use chart::{Bundle, Crosshair, Line, Picture, Scene, Series, Size, Span};
use dashboard::components::canvas::Surface;
use rlsf::SmallGlobalTlsf;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::HtmlCanvasElement;

/// Series that are measured together, on a canvas.
#[wasm_bindgen]
pub struct Chart {
    bundle: Bundle,
    surface: Surface,
    size: Size,
    scene: Scene,
    picture: Picture,
}

#[wasm_bindgen]
impl Chart {
    /// So many empty series of which so many readings are to come.
    #[must_use]
    pub fn on(canvas: HtmlCanvasElement, n_series: usize, n_points: usize) -> Option<Self> {
        let size = Size {
            ratio: web_sys::window()?.device_pixel_ratio() as f32,
            ..Size::new(canvas.client_width() as f32, canvas.client_height() as f32)
        };
        Some(Self {
            bundle: Bundle::new(n_series, n_points),
            surface: Surface::new(canvas)?,
            size,
            scene: Scene::of_lines(Vec::new()),
            picture: Picture::default(),
        })
    }

    /// Takes a reading of each series.
    pub fn append(&mut self, time: f64, values: &[f32]) {
        // What is drawn of them holds on to the readings.
        self.scene.lines.clear();
        self.bundle.append(time as i64, values);
    }

    /// Draws a window.
    pub fn draw(&mut self, start: f64, end: f64) {
        let lines = (0..).map_while(|number| self.bundle.series(number));
        let named = |(number, series): (usize, Series)| Line {
            name: chart::decimal(number as f32, 0),
            ..Line::of(series)
        };
        self.scene = Scene {
            window: Span::new(start as i64, end as i64),
            unit: String::from("%"),
            ..Scene::of_lines(lines.enumerate().map(named).collect())
        };
        self.picture = self.scene.draw(self.size);
        self.surface.show(&self.picture, self.size);
    }

    /// What the crosshair says where a pointer is.
    pub fn point(&self, x: f64) -> String {
        let time = self.picture.times.invert(x) as i64;
        let crosshair = self.scene.crosshair(&self.picture, time);
        crosshair.map(Self::words).unwrap_or_default()
    }

    fn words(crosshair: Crosshair) -> String {
        let mut words = crosshair.time_label;
        for reading in crosshair.readings {
            words.push('\n');
            words.push_str(&reading.label);
        }
        words
    }
}

/// The bytes in use.
#[wasm_bindgen]
#[must_use]
pub fn bytes_in_use() -> usize {
    IN_USE.load(Ordering::Relaxed)
}

/// The allocator of the page, counting.
struct Counting(SmallGlobalTlsf);

#[global_allocator]
static ALLOCATOR: Counting = Counting(SmallGlobalTlsf::new());
static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: it hands everything on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: what the caller keeps to is what the other asks for.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: what the caller keeps to is what the other asks for.
        unsafe { self.0.dealloc(pointer, layout) }
    }
}
