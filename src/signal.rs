//! A value whose readers are told when it changes.

use std::cell::{Ref, RefCell};

use leptos::reactive::{effect::RenderEffect, signal::ArcTrigger, traits::Notify, traits::Track};

/// A value whose readers are told when it changes.
///
/// Leptos's own signals are compiled anew for every type of value; of this, only what reads and writes it.
#[derive(Default)]
pub struct Signal<T> {
    value: RefCell<T>,
    readers: ArcTrigger,
}

impl<T> Signal<T> {
    /// A signal that nobody reads yet.
    pub fn new(value: T) -> Self {
        Self {
            value: RefCell::new(value),
            readers: ArcTrigger::new(),
        }
    }

    /// Reads it. What reads inside a piece's filling is run again after a change.
    pub fn read(&self) -> Ref<'_, T> {
        self.readers.track();
        self.value.borrow()
    }

    /// Reads it without being told of changes.
    pub fn read_untracked(&self) -> Ref<'_, T> {
        self.value.borrow()
    }

    /// Puts another value in its place.
    pub fn set(&self, value: T) {
        drop(self.replace(value));
    }

    /// Puts another value in its place, and hands out the one that was there.
    pub fn replace(&self, value: T) -> T {
        let before = self.value.replace(value);
        self.readers.notify();
        before
    }
}

impl<T: Clone> Signal<T> {
    /// The value.
    pub fn get(&self) -> T {
        self.read().clone()
    }

    /// The value, without being told of changes.
    pub fn get_untracked(&self) -> T {
        self.read_untracked().clone()
    }
}

/// Runs something at once and again whenever what it read has changed, as long as this is kept.
///
/// Leptos's own effects are compiled anew for every closure; of this, there is one.
pub fn watch(mut run: Box<dyn FnMut()>) -> RenderEffect<()> {
    RenderEffect::new(move |_| run())
}
