//! A chart to take away: as a picture, or as the values in view.

use chart::Scene;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, CanvasRenderingContext2d, HtmlAnchorElement, HtmlCanvasElement, Url};

use crate::dom::{document, window};

/// Saves what a canvas shows, on the colour that lies below it.
pub(super) fn save_picture(shown: &HtmlCanvasElement, name: &str) {
    // A browser that cannot do it saves nothing.
    let url = opaque(shown).and_then(|canvas| canvas.to_data_url().ok());
    if let Some(url) = url {
        save(&url, name, ".png");
    }
}

/// Saves the readings in view.
pub(super) fn save_csv(scene: &Scene, name: &str) {
    let parts = js_sys::Array::of1(&JsValue::from(scene.csv()));
    let url = Blob::new_with_str_sequence(&parts)
        .and_then(|blob| Url::create_object_url_with_blob(&blob));
    if let Ok(url) = url {
        save(&url, name, ".csv");
        let _ = Url::revoke_object_url(&url);
    }
}

fn opaque(shown: &HtmlCanvasElement) -> Option<HtmlCanvasElement> {
    let canvas = document().create_element("canvas").ok()?;
    let canvas: HtmlCanvasElement = canvas.unchecked_into();
    canvas.set_width(shown.width());
    canvas.set_height(shown.height());
    let context = canvas.get_context("2d").ok()??;
    let context: CanvasRenderingContext2d = context.unchecked_into();
    let style = window().get_computed_style(shown).ok()??;
    context.set_fill_style_str(&style.get_property_value("--color-surface").ok()?);
    context.fill_rect(0.0, 0.0, shown.width().into(), shown.height().into());
    context
        .draw_image_with_html_canvas_element(shown, 0.0, 0.0)
        .ok()?;
    Some(canvas)
}

fn save(url: &str, name: &str, suffix: &str) {
    let Ok(link) = document().create_element("a") else {
        return;
    };
    let link: HtmlAnchorElement = link.unchecked_into();
    link.set_href(url);
    link.set_download(&[name, suffix].concat());
    link.click();
}
