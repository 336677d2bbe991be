//! The broker kept years of readings: a grower sees them where the page has heard nothing itself.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use field::json::{Fields, Json};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::{
    page::{Page, is_question, settle, topic_name, until},
    role::spoken,
};

#[wasm_bindgen_test]
async fn a_chart_begins_with_what_the_broker_kept_and_goes_on_with_what_comes() {
    let (page, _history) = open().await;
    page.press("link", "Bench a").await;
    page.press("button", "1 y").await;
    page.reads("figure", "", "lowest 20.0 %").await;
    page.says(MOISTURE, "61.5");
    page.reads("figure", "", "highest 61.5 %").await;
    page.reads("figure", "", "lowest 20.0 %").await;
    let text = spoken(&page.find("main", "").await.into());
    assert!(!text.contains("Collecting since"), "{text}");
}

#[wasm_bindgen_test]
async fn a_closer_look_asks_for_more_of_it() {
    let (page, history) = open().await;
    page.press("link", "Bench a").await;
    page.press("button", "All").await;
    let coarse = history.asks_of_a_chart().await;
    page.reads("figure", "", "lowest 20.0 %").await;
    page.press("button", "7 d").await;
    let fine = history.asks_of_a_chart().await;
    assert!(fine.step() * 20.0 < coarse.step(), "{fine:?} {coarse:?}");
    page.reads("figure", "", "lowest 20.0 %").await;
}

#[wasm_bindgen_test]
async fn after_a_reload_the_same_window_is_there() {
    let (page, history) = open().await;
    page.press("link", "Bench a").await;
    page.press("button", "30 d").await;
    page.reads("figure", "", "lowest 20.0 %").await;
    history.forget();
    page.reload().await;
    page.reads("figure", "", "lowest 20.0 %").await;
    let asked = history.asks_of_a_chart().await;
    assert!(asked.to - asked.from >= 30.0 * DAY);
}

#[wasm_bindgen_test]
async fn after_a_reload_it_is_known_when_the_newest_reading_came() {
    let (page, _history) = open().await;
    page.press("link", "Bench a").await;
    page.reads("main", "", "live").await;
    page.reload().await;
    page.reads("main", "", "live").await;
}

#[wasm_bindgen_test]
async fn until_the_broker_has_answered_a_chart_says_that_it_waits() {
    let page = Page::open_with(|broker| broker.publish(&topic_name(MOISTURE), "31", true)).await;
    let history = History::of(&page);
    history.is_held.set(true);
    page.press("link", "Bench a").await;
    page.reads("figure", "", "Fetching the readings.").await;
    history.is_held.set(false);
    page.reads("figure", "", "lowest 20.0 %").await;
}

#[wasm_bindgen_test]
async fn what_came_during_a_cut_is_asked_for() {
    let (page, history) = open().await;
    page.press("link", "Bench a").await;
    page.press("button", "24 h").await;
    page.reads("figure", "", "lowest 20.0 %").await;
    history.forget();
    page.broker.cut();
    history.asks_of_a_chart().await;
}

#[wasm_bindgen_test]
async fn the_cards_show_seven_days_for_one_question() {
    let (page, history) = open().await;
    for number in 0..5 {
        page.says(
            &format!("rootzone/greenhouse/shelf-{number}/moisture"),
            "40",
        );
    }
    let card = page.card("Bench a").await;
    card.reads("7 d").await;
    let asked = history.asked.borrow();
    let of_cards = asked.iter().filter(|question| question.points == 120.0);
    assert!(of_cards.count() <= 2, "{asked:?}");
}

#[wasm_bindgen_test]
async fn a_broker_that_kept_nothing_leaves_the_page_as_it_is() {
    let page = Page::open().await;
    page.says(MOISTURE, "31");
    page.press("link", "Bench a").await;
    page.reads("main", "", "Collecting since").await;
    page.reads("figure", "", "31.0 %").await;
}

/// A page whose broker keeps five years of one probe.
pub(crate) async fn open() -> (Page, History) {
    open_at("/").await
}

/// The same at an address.
pub(crate) async fn open_at(address: &str) -> (Page, History) {
    let page = Page::open_at(address, || (), |_| ()).await;
    page.reads("status", "", "Connected").await;
    let history = History::of(&page);
    page.keeps(MOISTURE, "31");
    page.says(MOISTURE, "31");
    settle().await;
    (page, history)
}

/// What answers in the place of the broker's history, until it is dropped: every probe had from 20 to 29 percent.
pub(crate) struct History {
    asked: Rc<RefCell<Vec<Question>>>,
    is_open: Rc<Cell<bool>>,
    /// Whether what is asked of a window is not answered yet.
    is_held: Rc<Cell<bool>>,
}

/// A question for readings.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) points: f64,
}

impl Question {
    /// How long a row stands for.
    pub(crate) fn step(&self) -> f64 {
        ((self.to - self.from) / self.points).max(60_000.0).floor()
    }
}

impl History {
    fn of(page: &Page) -> Self {
        let history = Self {
            asked: Rc::default(),
            is_open: Rc::new(Cell::new(true)),
            is_held: Rc::default(),
        };
        let (broker, asked) = (Rc::downgrade(&page.broker), Rc::clone(&history.asked));
        let (is_open, is_held) = (Rc::clone(&history.is_open), Rc::clone(&history.is_held));
        let mut waiting: Vec<Fields> = Vec::new();
        spawn_local(async move {
            while is_open.get()
                && let Some(broker) = broker.upgrade()
            {
                for publish in broker.take_published().into_iter().filter(is_question) {
                    let text = String::from_utf8(publish.payload.to_vec()).unwrap();
                    let Some(Json::Object(question)) = Json::parse(&text) else {
                        panic!("a question is JSON: {text}");
                    };
                    waiting.push(question);
                }
                let is_due =
                    |question: &mut Fields| !is_held.get() || question.value("list").is_some();
                for question in waiting.extract_if(.., is_due) {
                    let topic = topic_name(text_of(&question, "response"));
                    for answer in answers(&question, &mut asked.borrow_mut()) {
                        broker.publish(&topic, &answer, false);
                    }
                }
                drop(broker);
                TimeoutFuture::new(2).await;
            }
        });
        history
    }

    /// Forgets what was asked so far.
    pub(crate) fn forget(&self) {
        self.asked.borrow_mut().clear();
    }

    /// The next question of a large chart, and no older one again.
    pub(crate) async fn asks_of_a_chart(&self) -> Question {
        until("a question of a chart", || {
            let mut asked = self.asked.borrow_mut();
            let at = asked.iter().position(|asked| asked.points > 1_000.0)?;
            Some(asked.drain(..=at).next_back().unwrap())
        })
        .await
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.is_open.set(false);
    }
}

fn answers(question: &Fields, asked: &mut Vec<Question>) -> Vec<String> {
    let now = js_sys::Date::now().floor();
    let since = now - 5.0 * 365.0 * DAY;
    let id = text_of(question, "id");
    let head = format!(r#"{{"id":"{id}","part":0,"now":{now}"#);
    if question.value("list").is_some() {
        let list = format!(r#"[{{"series":"{MOISTURE}","from":{since},"to":{now}}}]"#);
        return vec![format!(r#"{head},"more":false,"list":{list}}}"#)];
    }
    let number = |name: &str| match question.value(name) {
        Some(Json::Number(number)) => Some(*number),
        _ => None,
    };
    let asks = Question {
        from: number("from").unwrap(),
        to: number("to").unwrap_or(now),
        points: number("points").unwrap(),
    };
    asked.push(asks.clone());
    let step = asks.step();
    let start = asks.from.max(since);
    let n_rows = ((asks.to - start) / step) as usize;
    let column = |value: &dyn Fn(usize) -> i64| {
        let mut before = 0;
        let difference = |row: usize| {
            let value = value(row);
            let difference = value - std::mem::replace(&mut before, value);
            difference.to_string()
        };
        (0..n_rows).map(difference).collect::<Vec<_>>().join(",")
    };
    let low = |row: usize| 20 + (row % 8) as i64;
    let columns = [
        ("time", column(&|row| row as i64)),
        ("min", column(&low)),
        ("max", column(&|row| low(row) + 2)),
        ("mean", column(&|row| low(row) + 1)),
        ("last", column(&|row| low(row) + 1)),
    ];
    let columns: String = columns
        .iter()
        .map(|(name, column)| format!(r#","{name}":[{column}]"#))
        .collect();
    let series = question.value("series").and_then(Json::as_list).unwrap();
    let n_series = series.len();
    let answer = |(at, name): (usize, &Json)| {
        let (name, more) = (name.as_text().unwrap(), at + 1 < n_series);
        format!(
            r#"{head},"more":{more},"series":"{name}","from":{start},"to":{to},"step":{step},"start":{start},"unit":{step},"scale":1{columns}}}"#,
            to = asks.to,
        )
    };
    series.iter().enumerate().map(answer).collect()
}

fn text_of<'a>(question: &'a Fields, field: &str) -> &'a str {
    question.value(field).and_then(Json::as_text).unwrap()
}

pub(crate) const MOISTURE: &str = "rootzone/greenhouse/bench-a/moisture";
const DAY: f64 = 86_400_000.0;
