//! The page's one animation frame: whatever draws asks for its turn here.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::spawn_local;

use crate::dom::window;

/// Something that is drawn at most once a frame, and only while it is awake.
///
/// Dropping it ends it.
pub struct FrameTask(Rc<Task>);

struct Task {
    draw: RefCell<Box<dyn FnMut()>>,
    is_due: Cell<bool>,
    is_asleep: Cell<bool>,
}

impl FrameTask {
    /// A task that is awake and not due.
    pub fn new(draw: impl FnMut() + 'static) -> Self {
        let task = Rc::new(Task {
            draw: RefCell::new(Box::new(draw)),
            is_due: Cell::new(false),
            is_asleep: Cell::new(false),
        });
        FRAMES.with(|frames| {
            let mut tasks = frames.tasks.borrow_mut();
            tasks.retain(|task| task.strong_count() > 0);
            tasks.push(Rc::downgrade(&task));
        });
        Self(task)
    }

    /// Draws in the next frame; asked for during sleep, in the first one after it.
    pub fn request(&self) {
        self.0.is_due.set(true);
        if !self.0.is_asleep.get() {
            FRAMES.with(Frames::request);
        }
    }

    /// Puts the task to sleep, as long as nobody could see it, or wakes it.
    pub fn set_asleep(&self, is_asleep: bool) {
        self.0.is_asleep.set(is_asleep);
        if !is_asleep && self.0.is_due.get() {
            FRAMES.with(Frames::request);
        }
    }
}

/// Draws every task in the next frame: something they all depend on has changed.
pub fn request_all() {
    FRAMES.with(|frames| {
        for task in frames.tasks.borrow().iter().filter_map(Weak::upgrade) {
            task.is_due.set(true);
        }
        frames.request();
    });
}

struct Frames {
    tasks: RefCell<Vec<Weak<Task>>>,
    /// When the frame began.
    start: Cell<f64>,
    /// The task whose turn is first.
    next: Cell<usize>,
    is_requested: Cell<bool>,
    /// Whether what is asked for is drawn in the frame that there is.
    is_open: Cell<bool>,
    callback: Closure<dyn FnMut()>,
}

impl Frames {
    fn new() -> Self {
        Self {
            tasks: RefCell::default(),
            start: Cell::new(0.0),
            next: Cell::new(0),
            is_requested: Cell::new(false),
            is_open: Cell::new(false),
            callback: Closure::new(|| FRAMES.with(Self::run)),
        }
    }

    fn request(&self) {
        if self.is_requested.get() || self.is_open.get() {
            return;
        }
        let callback = self.callback.as_ref().unchecked_ref();
        self.is_requested
            .set(window().request_animation_frame(callback).is_ok());
    }

    fn run(&self) {
        self.is_requested.set(false);
        self.is_open.set(true);
        self.start.set(now());
        self.draw();
        // What was drawn may have told readers of a signal, who are heard before the browser paints:
        // if there is time, a chart is drawn with the message that it shows, and not a frame later.
        spawn_local(async {
            FRAMES.with(|frames| {
                frames.is_open.set(false);
                frames.draw();
            });
        });
    }

    fn draw(&self) {
        // A task may add others while it draws.
        let tasks: Vec<_> = self
            .tasks
            .borrow()
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        // Those that did not fit into the frame before come first.
        let next = self.next.get().min(tasks.len());
        let (first, last) = tasks.split_at(next);
        for (number, task) in last.iter().chain(first).enumerate() {
            if !task.is_due.get() || task.is_asleep.get() {
                continue;
            }
            if now() - self.start.get() > BUDGET_MS {
                self.next.set((next + number) % tasks.len());
                self.request();
                return;
            }
            task.is_due.set(false);
            (task.draw.borrow_mut())();
        }
    }
}

/// How long a frame may take to draw; what does not fit is drawn in the next one.
const BUDGET_MS: f64 = 10.0;

fn now() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}

thread_local! {
    static FRAMES: Frames = Frames::new();
}
