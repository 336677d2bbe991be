//! A chart to take away: as a picture, or as the values in view.

use chart::Scene;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, HtmlAnchorElement, HtmlCanvasElement, Url};

use crate::{
    components::canvas::context_of,
    dom::{document, window},
};

/// Saves what a canvas shows, on the colour that lies below it.
pub(super) fn save_picture(shown: &HtmlCanvasElement, name: &str) {
    // A browser that cannot do it saves nothing.
    let url = lay_under(shown).and_then(|()| shown.to_data_url().ok());
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

/// Fills what a picture leaves free. The next one begins with a clear canvas.
fn lay_under(shown: &HtmlCanvasElement) -> Option<()> {
    let context = context_of(shown)?;
    let style = window().get_computed_style(shown).ok()??;
    context.set_fill_style_str(&style.get_property_value("--color-surface").ok()?);
    context
        .set_global_composite_operation("destination-over")
        .ok()?;
    // In pixels of the screen.
    context.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0).ok()?;
    context.fill_rect(0.0, 0.0, shown.width().into(), shown.height().into());
    context.set_global_composite_operation("source-over").ok()
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
