//! Carries a picture's commands out on a canvas.

use chart::{Anchor, Command, Dash, Ink, Paint, Picture};
use js_sys::Array;
use wasm_bindgen::JsValue;
use web_sys::CanvasRenderingContext2d;

use super::{ink::Inks, scratch::Scratch};

/// Paints a picture on a canvas that is clear.
pub(super) fn paint(
    context: &CanvasRenderingContext2d,
    picture: &Picture,
    inks: &Inks,
    scratch: &mut Option<Scratch>,
) {
    let brush = Brush { context, inks };
    context.set_line_join("round");
    context.set_line_cap("butt");
    context.set_text_baseline("middle");
    for command in &picture.commands {
        match command {
            Command::Fill { rect, paint } => {
                brush.load(*paint);
                context.fill_rect(
                    rect.x.into(),
                    rect.y.into(),
                    rect.width.into(),
                    rect.height.into(),
                );
            }
            Command::Stroke {
                from,
                until,
                paint,
                width,
                dash,
            } => {
                brush.load(*paint);
                brush.stroke(&picture.corners[*from..*until], *width, *dash);
            }
            Command::Raster { rect } => {
                if scratch.is_none() {
                    *scratch = Scratch::new();
                }
                if let Some(scratch) = scratch {
                    scratch.paint(&picture.raster, inks);
                    context.set_global_alpha(1.0);
                    let _ = context.draw_image_with_html_canvas_element_and_dw_and_dh(
                        &scratch.canvas,
                        rect.x.into(),
                        rect.y.into(),
                        rect.width.into(),
                        rect.height.into(),
                    );
                }
            }
            Command::Dot {
                x,
                y,
                radius,
                ink,
                hollow,
            } => brush.dot((*x, *y), *radius, *ink, *hollow),
            Command::Text {
                x,
                y,
                anchor,
                ink,
                strong,
                text,
            } => {
                brush.load(Paint::from(*ink));
                context.set_font(if *strong {
                    &inks.font_strong
                } else {
                    &inks.font
                });
                context.set_text_align(match anchor {
                    Anchor::Start => "left",
                    Anchor::Middle => "center",
                    Anchor::End => "right",
                });
                let _ = context.fill_text(text, (*x).into(), (*y).into());
            }
        }
    }
    context.set_global_alpha(1.0);
}

struct Brush<'a> {
    context: &'a CanvasRenderingContext2d,
    inks: &'a Inks,
}

impl Brush<'_> {
    fn load(&self, paint: Paint) {
        let color = self.inks.color(paint.ink);
        self.context.set_fill_style_str(color);
        self.context.set_stroke_style_str(color);
        self.context.set_global_alpha(paint.alpha.into());
    }

    fn stroke(&self, corners: &[(f32, f32)], width: f32, dash: Dash) {
        let context = self.context;
        context.begin_path();
        let mut is_open = false;
        for &(x, y) in corners {
            if x.is_nan() {
                is_open = false;
            } else if is_open {
                context.line_to(x.into(), y.into());
            } else {
                context.move_to(x.into(), y.into());
                is_open = true;
            }
        }
        context.set_line_width(width.into());
        if dash == Dash::Solid {
            context.stroke();
            return;
        }
        let lengths = dash.lengths().iter().copied().map(JsValue::from);
        let _ = context.set_line_dash(&lengths.collect::<Array>());
        context.stroke();
        let _ = context.set_line_dash(&Array::new());
    }

    /// A dot with a rim of what lies under it, so that it stands off its line.
    fn dot(&self, (x, y): (f32, f32), radius: f32, ink: Ink, hollow: bool) {
        let (outer, inner) = if hollow {
            (ink, Ink::Surface)
        } else {
            (Ink::Surface, ink)
        };
        let rim = if hollow { 1.0 } else { 1.5 };
        for (radius, ink) in [
            (radius + rim, outer),
            (if hollow { radius - 1.0 } else { radius }, inner),
        ] {
            self.load(Paint::from(ink));
            self.context.begin_path();
            let _ = self.context.arc(
                x.into(),
                y.into(),
                radius.into(),
                0.0,
                core::f64::consts::TAU,
            );
            self.context.fill();
        }
    }
}
