//! The answer to a call that takes time.

use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// Resolves when the answer is in. Dropping it is fine: the call goes on.
#[derive(Debug)]
#[must_use = "the answer says whether the call succeeded; drop it explicitly if nobody cares"]
pub struct Receipt<T>(Rc<RefCell<Slot<T>>>);

/// The other end of a [`Receipt`].
#[derive(Debug)]
pub(crate) struct Answer<T>(Rc<RefCell<Slot<T>>>);

#[derive(Debug)]
struct Slot<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

pub(crate) fn pair<T>() -> (Answer<T>, Receipt<T>) {
    let slot = Rc::new(RefCell::new(Slot {
        value: None,
        waker: None,
    }));
    (Answer(Rc::clone(&slot)), Receipt(slot))
}

/// A receipt that is answered already.
pub(crate) fn given<T>(value: T) -> Receipt<T> {
    let (answer, receipt) = pair();
    answer.give(value);
    receipt
}

impl<T> Answer<T> {
    pub(crate) fn give(self, value: T) {
        if let Some(waker) = self.put(value) {
            waker.wake();
        }
    }

    /// Gives the answer and leaves it to the caller to wake who waits for it.
    pub(crate) fn put(self, value: T) -> Option<Waker> {
        let mut slot = self.0.borrow_mut();
        slot.value = Some(value);
        slot.waker.take()
    }
}

impl<T> Future for Receipt<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut slot = self.0.borrow_mut();
        match slot.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                slot.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
