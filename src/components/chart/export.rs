//! A chart to take away: as a picture, or as the values in view.

use chart::{Scene, Size};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, HtmlAnchorElement, HtmlCanvasElement, Url};

use super::{QUANTITY, title};
use crate::{
    components::canvas::{Surface, context_of},
    dom::{document, window},
};

/// Saves what a canvas shows of a scene, under its title, on the colour that lies below it.
pub(super) fn save_picture(shown: &HtmlCanvasElement, scene: &Scene) {
    let Ok(whole) = shown.clone_node() else {
        return;
    };
    let whole: HtmlCanvasElement = whole.unchecked_into();
    // Only what is in the page has its colours.
    let _ = shown.after_with_node_1(&whole);
    // A browser that cannot do it saves nothing.
    let url = draw(shown, &whole, scene).and_then(|()| whole.to_data_url().ok());
    whole.remove();
    if let Some(url) = url {
        save(&url, scene, ".png");
    }
}

/// Saves the readings in view.
pub(super) fn save_csv(scene: &Scene) {
    let parts = js_sys::Array::of1(&JsValue::from(scene.csv()));
    let url = Blob::new_with_str_sequence(&parts)
        .and_then(|blob| Url::create_object_url_with_blob(&blob));
    if let Ok(url) = url {
        save(&url, scene, ".csv");
        let _ = Url::revoke_object_url(&url);
    }
}

/// Puts the title and, of several lines, their names above what is shown.
fn draw(shown: &HtmlCanvasElement, whole: &HtmlCanvasElement, scene: &Scene) -> Option<()> {
    let ratio = window().device_pixel_ratio() as f32;
    let (width, height) = (shown.width() as f32 / ratio, shown.height() as f32 / ratio);
    // The names of several stand below it, with the looks of their lines.
    let title = match scene.has_several() {
        true => String::from(QUANTITY),
        false => title(scene),
    };
    let (head, top) = scene.head(&title, width);
    let size = Size {
        width,
        height: top + height,
        ratio,
    };
    Surface::new(whole.clone())?.show(&head, size);
    let context = context_of(whole)?;
    context
        .draw_image_with_html_canvas_element_and_dw_and_dh(
            shown,
            0.0,
            top.into(),
            width.into(),
            height.into(),
        )
        .ok()?;
    // What is still free has the colour that lies below.
    let style = window().get_computed_style(whole).ok()??;
    context.set_fill_style_str(&style.get_property_value("--color-surface").ok()?);
    context
        .set_global_composite_operation("destination-over")
        .ok()?;
    // In pixels of the screen.
    context.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0).ok()?;
    context.fill_rect(0.0, 0.0, whole.width().into(), whole.height().into());
    Some(())
}

fn save(url: &str, scene: &Scene, suffix: &str) {
    let Ok(link) = document().create_element("a") else {
        return;
    };
    let link: HtmlAnchorElement = link.unchecked_into();
    link.set_href(url);
    link.set_download(&[&title(scene), suffix].concat());
    link.click();
}
