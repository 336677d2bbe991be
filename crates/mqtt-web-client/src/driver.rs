//! The shell's loop.

use std::{cell::RefCell, rc::Rc, time::Duration};

use mqtt_protocol::{Instant, ReasonCode, TopicFilter};

use crate::{
    Events, Options, Publication, PublishError, Receipt, Status, StopReason, SubscribeError,
    SubscriptionOptions, Transport,
    event::EventQueue,
    receipt,
    transport::{Generation, LinkEvent},
};

pub(crate) struct Driver {}

#[derive(Clone)]
pub(crate) struct Wake;

impl Wake {
    pub(crate) fn link_event(&self, _generation: Generation, _event: LinkEvent) {}
}

impl Driver {
    pub(crate) fn start(_transport: Rc<dyn Transport>, options: Options) -> (Rc<Self>, Events) {
        let queue = Rc::new(RefCell::new(EventQueue::new(options.limits.events_len_max)));
        (Rc::new(Self {}), Events::new(queue))
    }

    pub(crate) fn publish(
        &self,
        _publication: Publication,
    ) -> Receipt<Result<ReasonCode, PublishError>> {
        let (answer, receipt) = receipt::pair();
        answer.give(Err(PublishError::NotConnected));
        receipt
    }

    pub(crate) fn subscribe(
        &self,
        _topic_filters: Vec<TopicFilter>,
        _options: SubscriptionOptions,
    ) -> Receipt<Result<Vec<ReasonCode>, SubscribeError>> {
        receipt::pair().1
    }

    pub(crate) fn unsubscribe(
        &self,
        _topic_filters: Vec<TopicFilter>,
    ) -> Receipt<Result<Vec<ReasonCode>, SubscribeError>> {
        receipt::pair().1
    }

    pub(crate) fn status(&self) -> Status {
        Status::Stopped {
            reason: StopReason::ByCaller,
        }
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::START
    }

    pub(crate) fn round_trip_time(&self) -> Option<Duration> {
        None
    }

    pub(crate) fn reconnect_now(&self) {}

    pub(crate) fn disconnect(&self) {}
}
