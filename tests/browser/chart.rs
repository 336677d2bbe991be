//! A grower reads a chart, goes through time and compares probes.

use dashboard::{
    components::canvas::context_of,
    dom::{document, window},
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{
    HtmlCanvasElement, HtmlElement, KeyboardEvent, KeyboardEventInit, PointerEvent,
    PointerEventInit, WheelEvent, WheelEventInit,
};

use crate::{
    history::{self, History},
    page::{Page, settle, topic_name, until},
};

#[wasm_bindgen_test]
async fn what_is_shown_stands_in_the_address() {
    let page = open().await;
    page.press("button", "7 d").await;
    until("the range in the address", || {
        (search() == "?window=7d").then_some(())
    })
    .await;
    let range = page.find("button", "7 d").await;
    assert_eq!(range.get_attribute("aria-pressed").as_deref(), Some("true"));
    assert!(page.sees("button", "Back to now").is_none());
}

#[wasm_bindgen_test]
async fn keys_zoom_and_move_and_a_button_leads_back() {
    let (page, _history) = years("7 d").await;
    press_key("+", false).await;
    until("less time", || (shown_secs()? < WEEK).then_some(())).await;
    press_key("ArrowLeft", true).await;
    page.press("button", "Back to now").await;
    page.loses("button", "Back to now").await;
}

#[wasm_bindgen_test]
async fn arrow_keys_tell_values() {
    let page = open().await;
    until("a reading", || {
        let spoken = stage()?.query_selector("[aria-live]").ok()??;
        stage()?.dispatch_event(&key("ArrowLeft", false)).ok()?;
        spoken.text_content()?.contains("31.0 %").then_some(())
    })
    .await;
    assert!(page.sees("button", "Save picture").is_some());
}

#[wasm_bindgen_test]
async fn a_pump_s_runs_are_shaded_under_the_soil_that_it_waters() {
    let page = open().await;
    page.says("rootzone/orchard/tree-1/moisture", "40");
    page.keeps("rootzone/greenhouse/pump-1/pump/state", "ON");
    until("a shaded run", || (n_watered()? > 0).then_some(())).await;
    page.reads("figure", "", "Pump 1 ran 1 time").await;
    page.press("link", "Field").await;
    page.press("link", "Tree 1").await;
    page.reads("figure", "", "lowest 40.0 %").await;
    until("a picture without a run", || {
        (n_watered()? == 0).then_some(())
    })
    .await;
}

#[wasm_bindgen_test]
async fn a_chart_without_readings_says_so() {
    let page = Page::open_with(|broker| {
        broker.publish(&topic_name(history::MOISTURE), "31", true);
    })
    .await;
    page.press("link", "Bench a").await;
    page.reads("figure", "", "No reading in this window").await;
    page.says(history::MOISTURE, "32");
    page.reads("figure", "", "lowest 32.0 %").await;
}

#[wasm_bindgen_test]
async fn probes_of_a_zone_stand_on_one_chart() {
    let page = open().await;
    page.says("rootzone/greenhouse/bench-b/moisture", "44");
    let box_of_other = until("the other probe", || {
        let found = document().query_selector(".reading-chart-others input");
        found
            .ok()?
            .map(|found| found.unchecked_into::<HtmlElement>())
    })
    .await;
    box_of_other.click();
    page.reads("figure", "", "Bench a 31.0 %; Bench b 44.0 %")
        .await;
    page.press("button", "Show as table").await;
    page.reads("table", "", "Last value of each 1 s From Bench a Bench b")
        .await;
    page.press("button", "Bench a").await;
    page.reads("table", "", "From Bench b").await;
    let hidden = page.find("button", "Bench a").await;
    assert_eq!(
        hidden.get_attribute("aria-pressed").as_deref(),
        Some("false")
    );
}

#[wasm_bindgen_test]
async fn a_wheel_zooms_and_a_drag_moves() {
    let (page, _history) = years("7 d").await;
    wheel(-100.0, true);
    until("less time", || (shown_secs()? < WEEK).then_some(())).await;
    wheel(100.0, true);
    wheel(100.0, true);
    until("more time", || (shown_secs()? > WEEK).then_some(())).await;
    let before = search();
    wheel(-100.0, false);
    settle().await;
    assert_eq!(search(), before, "a wheel alone scrolls the page");
    page.press("button", "7 d").await;
    page.loses("button", "Back to now").await;
    point("pointerdown", "mouse", 1, 200);
    point("pointermove", "mouse", 1, 500);
    point("pointerup", "mouse", 1, 500);
    page.press("button", "Back to now").await;
    page.loses("button", "Back to now").await;
}

#[wasm_bindgen_test]
async fn two_fingers_zoom_and_one_reads() {
    let (page, _history) = years("7 d").await;
    point("pointerdown", "touch", 1, 300);
    until("a reading", readout).await;
    assert_eq!(shown_secs(), Some(WEEK), "one finger reads");
    point("pointerdown", "touch", 2, 200);
    point("pointermove", "touch", 2, 100);
    for finger in [1, 2] {
        point("pointerup", "touch", finger, 100);
    }
    until("half as much time", || {
        let shown = shown_secs()? / WEEK;
        (0.4..0.6).contains(&shown).then_some(())
    })
    .await;
    drop(page);
}

#[wasm_bindgen_test]
async fn pointing_reads_values_and_leaving_ends_it() {
    let (_page, _history) = years("30 d").await;
    point("pointermove", "mouse", 1, 300);
    let read = until("a reading", readout).await;
    assert!(read.contains('%') && read.contains(':'), "{read}");
    point("pointerleave", "mouse", 1, 300);
    until("none", || readout().is_none().then_some(())).await;
}

#[wasm_bindgen_test]
async fn the_picture_and_the_values_are_saved() {
    let (page, _history) = years("7 d").await;
    let _saving = Saving::observe();
    page.press("button", "Save picture").await;
    let (name, picture) = until("a picture", saved).await;
    assert_eq!(name, "Moisture of Bench a.png");
    assert!(picture.contains("PNG"), "it is a picture");
    let shown: HtmlCanvasElement = stage()
        .unwrap()
        .query_selector("canvas")
        .unwrap()
        .unwrap()
        .unchecked_into();
    assert!(
        saved_height() > shown.height(),
        "there is a title above the chart"
    );
    let n_canvases = document().query_selector_all("canvas").unwrap().length();
    assert_eq!(n_canvases, 1, "nothing of it is left in the page");
    page.press("button", "Save values (CSV)").await;
    let (name, values) = until("values", || {
        saved().filter(|saved| saved.0.ends_with(".csv"))
    })
    .await;
    assert_eq!(name, "Moisture of Bench a.csv");
    let mut rows = values.lines();
    assert_eq!(rows.next(), Some("time,Bench a"));
    let row = rows.next().unwrap();
    assert!(row.contains("T") && row.contains("Z,2"), "{row}");
}

#[wasm_bindgen_test]
async fn an_address_says_which_window_and_which_probes() {
    let address = "/probe/greenhouse/bench-a?window=30d&beside=greenhouse%2Fbench-b";
    let (page, _history) = history::open_at(address).await;
    page.says(OTHER, "44");
    page.reads("figure", "", "Bench b 44.0 %").await;
    let range = page.find("button", "30 d").await;
    assert_eq!(range.get_attribute("aria-pressed").as_deref(), Some("true"));
    page.find("checkbox", "Bench b").await.click();
    until("the address without it", || {
        (search() == "?window=30d").then_some(())
    })
    .await;
}

#[wasm_bindgen_test]
async fn probes_of_the_same_name_are_hidden_apart() {
    let page = open().await;
    page.says(OTHER, "44");
    for device in ["bench-a", "bench-b"] {
        page.keeps(&format!("rootzone/config/{device}"), r#"{"name":"Bench"}"#);
    }
    page.find("checkbox", "Bench").await.click();
    page.reads("figure", "", "Bench 31.0 %; Bench 44.0 %").await;
    page.press("button", "Bench").await;
    until("one of them", || {
        let shown = document().query_selector_all(".chart-legend [aria-pressed=true]");
        (shown.ok()?.length() == 1).then_some(())
    })
    .await;
}

#[wasm_bindgen_test]
async fn what_is_hidden_is_not_named_by_what_is_saved() {
    let page = open().await;
    page.says(OTHER, "44");
    page.find("checkbox", "Bench b").await.click();
    page.reads("figure", "", "Bench b 44.0 %").await;
    page.press("button", "Bench a").await;
    let _saving = Saving::observe();
    until("the chart named after the other one", || {
        let label = stage()?.get_attribute("aria-label")?;
        label.starts_with("Moisture of Bench b. ").then_some(())
    })
    .await;
    page.press("button", "Save values (CSV)").await;
    let (name, values) = until("values", saved).await;
    assert_eq!(name, "Moisture of Bench b.csv");
    assert_eq!(values.lines().next(), Some("time,Bench b"));
}

#[wasm_bindgen_test]
async fn a_small_chart_says_what_it_shows_and_leads_to_its_probe() {
    let page = Page::open_at("/zone/greenhouse", || (), |_| ()).await;
    page.find("heading", "Greenhouse").await;
    page.keeps("rootzone/config/bench-b", r#"{"target":[14,22]}"#);
    page.keeps(OTHER, "44");
    page.reads("figure", "", "44.0 % age unknown").await;
    page.says(OTHER, "45");
    page.reads("figure", "", "Bench b 45.0 % wet").await;
    page.reads("figure", "", "highest 45.0 %").await;
    until("help with the keys", || {
        let label = stage()?.get_attribute("aria-label")?;
        (label.starts_with("Moisture of Bench b. ") && label.contains("arrow keys")).then_some(())
    })
    .await;
    page.press("link", "Bench b").await;
    page.reads("main", "", OTHER).await;
}

#[wasm_bindgen_test]
async fn a_small_chart_tells_its_first_readings_at_once() {
    let page = Page::open_at("/zone/greenhouse", || (), |_| ()).await;
    let _clock = SlowClock::start();
    page.keeps(OTHER, "44");
    page.reads("figure", "", "No reading in this window").await;
    let before = js_sys::Date::now();
    page.says(OTHER, "45");
    page.reads("figure", "", "highest 45.0 %").await;
    let waited = js_sys::Date::now() - before;
    assert!(waited < 2_000.0, "it took {waited} ms of the page's clock");
}

#[wasm_bindgen_test]
async fn the_probes_of_a_zone_are_compared_at_one_moment() {
    let (page, _history) = history::open_at("/zone/greenhouse").await;
    page.says(OTHER, "44");
    page.press("button", "30 d").await;
    until("the range in the address", || {
        (search() == "?window=30d").then_some(())
    })
    .await;
    let stages = until("two charts", || {
        let stages = document().query_selector_all(".chart-stage").ok()?;
        (stages.length() == 2).then_some(stages)
    })
    .await;
    until("a crosshair on both", || {
        point_on(
            stages.get(0)?.unchecked_ref(),
            "pointermove",
            "mouse",
            1,
            200,
        );
        let shown = document().query_selector_all(".chart-crosshair:not([hidden])");
        (shown.ok()?.length() == 2).then_some(())
    })
    .await;
    // By the keys the one that has the focus is read, and the others keep quiet.
    until("one chart that speaks", || {
        let stages = document().query_selector_all(".chart-stage").ok()?;
        let stage: HtmlElement = stages.get(0)?.unchecked_into();
        stage.dispatch_event(&key("ArrowLeft", false)).ok()?;
        let live = document()
            .query_selector_all(".chart-stage [aria-live]")
            .ok()?;
        let speaks = |at| {
            live.get(at)
                .is_some_and(|it| it.text_content() != Some(String::new()))
        };
        let n_speaking = (0..live.length()).filter(|at| speaks(*at)).count();
        (n_speaking == 1 && live.length() == 2).then_some(())
    })
    .await;
}

/// The page of a probe of which the broker kept five years, showing a range of them.
async fn years(range: &str) -> (Page, History) {
    let (page, history) = history::open().await;
    page.press("link", "Bench a").await;
    page.press("button", range).await;
    page.reads("figure", "", "lowest 20.0 %").await;
    // What cannot be seen is not painted, and only what is can be pointed at.
    stage().unwrap().scroll_into_view();
    until("a painted chart", || {
        point("pointermove", "mouse", 1, 300);
        readout()?.contains('%').then_some(())
    })
    .await;
    point("pointerleave", "mouse", 1, 300);
    settle().await;
    (page, history)
}

/// How long the window in the address is.
fn shown_secs() -> Option<f64> {
    let search = search();
    let window = search.strip_prefix("?window=")?;
    if let Some((start, end)) = window.split_once('-') {
        return Some(end.parse::<f64>().ok()? - start.parse::<f64>().ok()?);
    }
    let unit = match window.chars().last()? {
        'd' => 86_400.0,
        'h' => 3_600.0,
        _ => 1.0,
    };
    Some(window.get(..window.len() - 1)?.parse::<f64>().ok()? * unit)
}

fn wheel(delta: f64, ctrl: bool) {
    let init = WheelEventInit::new();
    init.set_delta_y(delta);
    init.set_ctrl_key(ctrl);
    init.set_bubbles(true);
    init.set_client_x(left(&stage().unwrap()) + 300);
    let event = WheelEvent::new_with_event_init_dict("wheel", &init).unwrap();
    stage().unwrap().dispatch_event(&event).unwrap();
}

/// So many pixels from the chart's left edge.
fn point(kind: &str, pointer: &str, id: i32, x: i32) {
    point_on(&stage().unwrap(), kind, pointer, id, x);
}

fn point_on(stage: &HtmlElement, kind: &str, pointer: &str, id: i32, x: i32) {
    let init = PointerEventInit::new();
    init.set_pointer_id(id);
    init.set_pointer_type(pointer);
    init.set_client_x(left(stage) + x);
    let event = PointerEvent::new_with_event_init_dict(kind, &init).unwrap();
    stage.dispatch_event(&event).unwrap();
}

fn left(stage: &HtmlElement) -> i32 {
    stage.get_bounding_client_rect().left() as i32
}

/// What the card beside the crosshair says, if it is shown.
fn readout() -> Option<String> {
    let card = document().query_selector(".chart-crosshair:not([hidden]) .chart-readout");
    card.ok()??.text_content()
}

/// While it is kept, a link that is clicked by the page saves nothing: its name and what it leads to are kept.
struct Saving(JsValue);

impl Saving {
    fn observe() -> Self {
        let before = js_sys::Reflect::get(&links(), &"click".into()).unwrap();
        let keep = js_sys::Function::new_no_args(
            "const request = new XMLHttpRequest(); request.open('GET', this.href, false); request.send(); window.saved = [this.download, request.responseText, this.href];",
        );
        js_sys::Reflect::set(&links(), &"click".into(), &keep).unwrap();
        Self(before)
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        js_sys::Reflect::set(&links(), &"click".into(), &self.0).unwrap();
    }
}

/// While it is kept, the page's clock is so slow that whatever waits for it is told from what does not.
struct SlowClock;

impl SlowClock {
    fn start() -> Self {
        run(
            "const now = Date.now, start = now(); Date.now = () => start + (now() - start) / 4; Date.now.real = now;",
        );
        Self
    }
}

impl Drop for SlowClock {
    fn drop(&mut self) {
        run("Date.now = Date.now.real;");
    }
}

fn run(script: &str) {
    let script = js_sys::Function::new_no_args(script);
    script.call0(&JsValue::NULL).unwrap();
}

/// What all links have in common.
fn links() -> JsValue {
    let link = document().create_element("a").unwrap();
    js_sys::Object::get_prototype_of(&link).into()
}

fn saved() -> Option<(String, String)> {
    let saved = js_sys::Reflect::get(&window(), &"saved".into()).ok()?;
    let saved: js_sys::Array = saved.dyn_into().ok()?;
    Some((saved.get(0).as_string()?, saved.get(1).as_string()?))
}

/// How high the picture is that was saved last, in its own pixels.
fn saved_height() -> u32 {
    let saved = js_sys::Reflect::get(&window(), &"saved".into()).unwrap();
    let url = js_sys::Array::from(&saved).get(2).as_string().unwrap();
    let png = window().atob(url.split_once(',').unwrap().1).unwrap();
    // Each character is a byte, and these four are the height.
    let height = png.chars().skip(20).take(4);
    height.fold(0, |height, byte| height * 256 + u32::from(byte))
}

/// The page of a probe that has said something.
async fn open() -> Page {
    let page = Page::open().await;
    page.says("rootzone/greenhouse/bench-a/moisture", "31");
    page.press("link", "Bench a").await;
    until("a chart", stage).await;
    settle().await;
    page
}

fn stage() -> Option<HtmlElement> {
    let stage = document().query_selector(".chart-stage").ok()??;
    Some(stage.unchecked_into())
}

/// How many pixels at the foot of the plot have the colour of water, once a picture is painted.
fn n_watered() -> Option<usize> {
    // What cannot be seen is not painted.
    stage()?.scroll_into_view();
    let canvas: HtmlCanvasElement = stage()?.query_selector("canvas").ok()??.unchecked_into();
    let (width, height) = (canvas.width(), canvas.height());
    let pixels = pixels(&canvas, width, height)?;
    let style = window().get_computed_style(&canvas).ok()??;
    let drop: HtmlCanvasElement = document().create_element("canvas").ok()?.unchecked_into();
    let context = context_of(&drop)?;
    context.set_fill_style_str(&style.get_property_value("--color-water").ok()?);
    context.fill_rect(0.0, 0.0, 1.0, 1.0);
    let water = self::pixels(&drop, 1, 1)?[0];
    // Above the labels of the time axis.
    let foot = (f64::from(canvas.client_height()) - 28.0 - 1.5) * window().device_pixel_ratio();
    let mut rows = pixels.chunks(width as usize);
    let row = rows.nth(foot as usize)?;
    let is_painted = pixels.iter().any(|pixel| pixel[3] > 0);
    is_painted.then(|| row.iter().filter(|pixel| **pixel == water).count())
}

fn pixels(canvas: &HtmlCanvasElement, width: u32, height: u32) -> Option<Vec<[u8; 4]>> {
    let context = context_of(canvas)?;
    let image = context.get_image_data(0.0, 0.0, width.into(), height.into());
    Some(image.ok()?.data().0.as_chunks().0.to_vec())
}

async fn press_key(name: &str, shift: bool) {
    stage().unwrap().dispatch_event(&key(name, shift)).unwrap();
    settle().await;
}

fn key(name: &str, shift: bool) -> KeyboardEvent {
    let init = KeyboardEventInit::new();
    init.set_key(name);
    init.set_shift_key(shift);
    KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &init).unwrap()
}

fn search() -> String {
    window().location().search().unwrap()
}

const OTHER: &str = "rootzone/greenhouse/bench-b/moisture";
const WEEK: f64 = 7.0 * 86_400.0;
