//! Single topics, for parts of the page that read no more of the broker than that.

use std::rc::Rc;

use mqtt_web_client::TopicFilter;

use crate::{link::Reader, signal::Signal, store::use_link};

/// Something that a message can say.
pub trait Payload: Sized {
    /// What it says; `None` if it is none of that.
    fn of_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Payload for String {
    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_utf8(bytes.into()).ok()
    }
}

/// What the newest message says that a Topic Filter matches, as long as this is kept.
pub struct Topic<T> {
    value: Rc<Signal<Option<T>>>,
    reader: Reader,
}

/// Subscribes; what comes within one animation frame is one change.
/// `None` for a text that is no Topic Filter.
#[must_use]
pub fn use_topic<T: Payload + 'static>(topic_filter: &str) -> Option<Topic<T>> {
    let topic_filter = TopicFilter::new(topic_filter).ok()?;
    let value = Rc::new(Signal::new(None));
    let told = Rc::clone(&value);
    let reader: Reader = Rc::new(move |payload| told.set(payload.and_then(T::of_bytes)));
    use_link().read_topic(topic_filter, Rc::clone(&reader));
    Some(Topic { value, reader })
}

impl<T: Clone> Topic<T> {
    /// What it says; `None` before the first message. Whoever asks is told of the next one.
    #[must_use]
    pub fn get(&self) -> Option<T> {
        self.value.get()
    }
}

impl<T> Drop for Topic<T> {
    fn drop(&mut self) {
        use_link().end_reading(&self.reader);
    }
}
