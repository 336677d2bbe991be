//! What the broker kept: asked for when probes or charts lack it.

use std::time::Duration;

use chart::Span;
use mqtt_web_client::{Message, Publication, QoS, QueuePolicy, TopicName};

use super::Link;
use crate::{
    format::millis,
    state::{Heard, ProbeId, Purpose, Window},
    store::moment,
};

impl Link {
    /// Asks for a window of some probes' readings, unless something is being asked for a chart already.
    pub fn ask_for_chart(&self, probes: Vec<ProbeId>, window: Window) {
        self.ask_for(Purpose::Chart, probes, window);
    }

    /// What messages say of what the broker kept.
    pub(super) fn hear_history(&self, messages: &[Message]) -> Vec<Heard> {
        let mut archive = self.archive.borrow_mut();
        let topic = String::from(archive.topic());
        let mut heard = Vec::new();
        for message in messages {
            if message.topic_name.as_str() == topic {
                heard.extend(archive.hear(&message.payload, moment()));
            }
        }
        heard
    }

    /// Asks what there is of new probes, and after an answer for the curves on their cards.
    pub(super) fn ask_history(&self, has_heard: bool) {
        if !self.connection.read_untracked().is_connected() {
            return;
        }
        let is_free = |purpose| self.archive.borrow().is_free(purpose);
        if is_free(Purpose::Listing) {
            let mut has_news = false;
            self.fleet.update(&mut |fleet| has_news = fleet.take_news());
            if has_news {
                let request = self.archive.borrow_mut().ask_for_list(moment());
                self.request(request);
            }
        }
        if has_heard && is_free(Purpose::Cards) {
            let window = cards_window();
            let lacking = self.fleet.lacking(window);
            if !lacking.is_empty() {
                self.ask_for(Purpose::Cards, lacking, window);
            }
        }
    }

    fn ask_for(&self, purpose: Purpose, probes: Vec<ProbeId>, window: Window) {
        let mut archive = self.archive.borrow_mut();
        if archive.is_free(purpose) && self.connection.read_untracked().is_connected() {
            let request = archive.ask_for_window(purpose, probes, window, moment());
            drop(archive);
            self.request(request);
        }
    }

    fn request(&self, request: String) {
        if let (Ok(topic_name), Some(client)) = (TopicName::new(TOPIC), self.client()) {
            drop(client.publish(Publication {
                qos: QoS::AtMostOnce,
                queue: QueuePolicy::Never,
                ..Publication::new(topic_name, request)
            }));
        }
    }
}

/// What the curves on the cards show.
#[must_use]
fn cards_window() -> Window {
    let now = moment().millis();
    Window {
        span: Span::new(now - millis(CARDS_SHOW) as i64, now),
        is_live: true,
        points: CARD_POINTS,
    }
}

const TOPIC: &str = "rootzone/history/get";
/// How far back the curves on the cards go.
pub const CARDS_SHOW: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Half the pixels of a curve: a row of the answer has a lowest and a highest value.
const CARD_POINTS: i64 = 120;
