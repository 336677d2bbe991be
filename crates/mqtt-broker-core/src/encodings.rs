//! One message in bytes, encoded at most once for each form.

use std::num::NonZeroU32;

use mqtt_protocol::{EncodedPublish, Instant, ProtocolVersion, QoS};

use crate::message::Message;

/// The forms of the message that is being delivered. Their memory is used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Encodings {
    forms: [EncodedPublish; N_FORMS],
    /// One bit for each form that holds the present message.
    ready: u16,
    /// The form of a single receiver.
    own: EncodedPublish,
}

/// What a form depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form<'a> {
    pub(crate) version: ProtocolVersion,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
    pub(crate) subscription_identifiers: &'a [NonZeroU32],
}

impl Encodings {
    /// Begins another message.
    pub(crate) const fn clear(&mut self) {
        self.ready = 0;
    }

    /// The message in this form; `None` if it cannot be encoded because it is too large for the protocol.
    pub(crate) fn encode(
        &mut self,
        message: &Message,
        form: Form<'_>,
        now: Instant,
    ) -> Option<&EncodedPublish> {
        if form.version == ProtocolVersion::V5_0 && !form.subscription_identifiers.is_empty() {
            return message
                .encode(form, now, &mut self.own)
                .is_ok()
                .then_some(&self.own);
        }
        let index = form.index();
        if self.ready & (1 << index) == 0 {
            if message.encode(form, now, &mut self.forms[index]).is_err() {
                return None;
            }
            self.ready |= 1 << index;
        }
        Some(&self.forms[index])
    }

    /// The message for one receiver only, whatever is being delivered otherwise.
    pub(crate) fn encode_own(
        &mut self,
        message: &Message,
        form: Form<'_>,
        now: Instant,
    ) -> Option<&EncodedPublish> {
        message
            .encode(form, now, &mut self.own)
            .is_ok()
            .then_some(&self.own)
    }
}

impl Form<'_> {
    const fn index(self) -> usize {
        let version = match self.version {
            ProtocolVersion::V3_1_1 => 0,
            ProtocolVersion::V5_0 => 1,
        };
        let qos = match self.qos {
            QoS::AtMostOnce => 0,
            QoS::AtLeastOnce => 1,
            QoS::ExactlyOnce => 2,
        };
        (version * 3 + qos) * 2 + self.retain as usize
    }
}

const N_FORMS: usize = 12;
