//! A canvas that nobody sees: there a raster becomes an image.

use chart::Raster;
use wasm_bindgen::{Clamped, JsCast};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use super::{context_of, ink::Inks};
use crate::dom::document;

/// Where a raster becomes an image. Pixels that are put on a canvas replace what lies below;
/// an image that is drawn covers it.
pub(super) struct Scratch {
    pub(super) canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    pixels: Vec<u8>,
}

impl Scratch {
    /// `None` if the browser has no such canvas.
    pub(super) fn new() -> Option<Self> {
        let canvas = document().create_element("canvas").ok()?;
        let canvas = canvas.dyn_into::<HtmlCanvasElement>().ok()?;
        Some(Self {
            context: context_of(&canvas)?,
            canvas,
            pixels: Vec::new(),
        })
    }

    pub(super) fn paint(&mut self, raster: &Raster, inks: &Inks) {
        let color = inks.rgb(&self.context);
        raster.paint(&color, &mut self.pixels);
        let (width, height) = (raster.width as u32, raster.height as u32);
        if (self.canvas.width(), self.canvas.height()) != (width, height) {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
        // Only an image without pixels is refused.
        let pixels = Clamped(self.pixels.as_slice());
        if let Ok(image) = ImageData::new_with_u8_clamped_array_and_sh(pixels, width, height) {
            let _ = self.context.put_image_data(&image, 0.0, 0.0);
        }
    }
}
