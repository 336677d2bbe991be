//! What stands around one output buffer: the broker core, the socket, its peer, and the connection's task.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, ErrorKind},
    sync::{Arc, Mutex as Notes, PoisonError},
    task::{Context, Poll, Waker},
};

use shuttle::{
    future::block_on,
    rand::{Rng, thread_rng},
    sync::{Condvar, Mutex},
    thread,
};

use crate::buffer::{OutputBuffer, OutputLimits, Phase};

/// One connection, and all who have to do with it.
#[derive(Debug)]
pub(crate) struct World {
    buffer: OutputBuffer,
    core: Mutex<Core>,
    core_changed: Condvar,
    /// Whether answers wait for a store, which is always behind.
    has_store: bool,
    socket: Mutex<Socket>,
    socket_changed: Condvar,
    /// Never held while another thread may run, so it changes nothing about who runs when.
    notes: Notes<Written>,
}

/// What the broker core believes.
#[derive(Debug)]
struct Core {
    keeps_up: bool,
    /// Answers that wait for the store.
    held: VecDeque<u8>,
}

#[derive(Debug, Default)]
struct Socket {
    room: usize,
    /// What the runtime believes: a write that found no room takes it away, new room gives it back.
    is_ready: bool,
    is_broken: bool,
    /// Packets that the peer sent and the task has not answered.
    unanswered: usize,
    received: Vec<u8>,
    /// Who has sent a part of a batch and will send the rest.
    within_batch: Option<thread::ThreadId>,
    /// Of the task, if it waits for something.
    waker: Option<Waker>,
}

/// What the test writes down.
#[derive(Debug, Default)]
struct Written {
    /// All that was taken into the buffer, in order.
    appended: Vec<u8>,
    counts: Counts,
}

/// How often something happened that a scenario is about.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) times_full: u64,
    pub(crate) times_behind: u64,
    pub(crate) times_up_again: u64,
    pub(crate) times_reader_waited: u64,
    /// Appends to a buffer that takes nothing more.
    pub(crate) times_refused: u64,
}

impl World {
    /// A connection whose peer has sent so many packets.
    pub(crate) fn new(unanswered: usize) -> Arc<Self> {
        Self::with(unanswered, false)
    }

    /// The same, and the answers wait for a store.
    pub(crate) fn with_store(unanswered: usize) -> Arc<Self> {
        Self::with(unanswered, true)
    }

    fn with(unanswered: usize, has_store: bool) -> Arc<Self> {
        Arc::new(Self {
            buffer: OutputBuffer::new(),
            core: Mutex::new(Core {
                keeps_up: true,
                held: VecDeque::new(),
            }),
            core_changed: Condvar::new(),
            has_store,
            socket: Mutex::new(Socket {
                is_ready: true,
                unanswered,
                ..Socket::default()
            }),
            socket_changed: Condvar::new(),
            notes: Notes::default(),
        })
    }

    pub(crate) fn start(
        self: &Arc<Self>,
        act: impl FnOnce(&Self) + Send + 'static,
    ) -> thread::JoinHandle<()> {
        let world = Arc::clone(self);
        thread::spawn(move || act(&world))
    }

    pub(crate) fn start_task(self: &Arc<Self>) -> thread::JoinHandle<()> {
        self.start(|world| block_on(poll_fn(|context| world.poll_task(context))))
    }

    /// Appends a few bytes that nobody else appends; tells whether they have to be flushed by the caller.
    pub(crate) fn append(&self, name: u8, number: u8) -> bool {
        let mut core = self.core.lock().expect("no thread has failed");
        self.append_locked(&mut core, name, number)
    }

    fn append_locked(&self, core: &mut Core, name: u8, number: u8) -> bool {
        let mut is_taken = false;
        let appended = self.buffer.append(&LIMITS, |pending| {
            let bytes = [b'<', name, b'0' + number, b'>'];
            pending.extend_from_slice(&bytes);
            self.note(|notes| notes.appended.extend_from_slice(&bytes));
            is_taken = true;
        });
        if !is_taken {
            assert!(!appended.must_flush, "there is nothing to flush");
            self.note(|notes| notes.counts.times_refused += 1);
        }
        if appended.fell_behind {
            self.fall_behind(core);
        }
        appended.must_flush
    }

    fn fall_behind(&self, core: &mut Core) {
        assert!(core.keeps_up, "the core knows that it does not keep up");
        core.keeps_up = false;
        self.note(|notes| notes.counts.times_behind += 1);
    }

    /// Lets an answer wait for the store.
    fn hold(&self, number: u8) {
        let mut core = self.core.lock().expect("no thread has failed");
        if self.buffer.hold(&LIMITS, N_ANSWER_BYTES) {
            self.fall_behind(&mut core);
        }
        core.held.push_back(number);
        self.core_changed.notify_all();
    }

    /// As the store's task does it, for so many answers.
    pub(crate) fn keep(&self, n_answers: usize) {
        for _ in 0..n_answers {
            let mut core = self.core.lock().expect("no thread has failed");
            let number = loop {
                match core.held.pop_front() {
                    Some(number) => break number,
                    None => core = self.core_changed.wait(core).expect("no thread has failed"),
                }
            };
            self.buffer.release(N_ANSWER_BYTES);
            let must_flush = self.append_locked(&mut core, b't', number);
            drop(core);
            if must_flush {
                self.flush();
            }
        }
    }

    pub(crate) fn append_and_flush(&self, name: u8, number: u8) {
        if self.append(name, number) {
            self.flush();
        }
    }

    /// As the flush list does it.
    pub(crate) fn flush(&self) {
        if self.buffer.flush(&LIMITS, |bytes| self.write(bytes)) {
            let mut core = self.core.lock().expect("no thread has failed");
            if self.buffer.try_set_writable(&LIMITS) {
                assert!(!core.keeps_up, "the core knows that it keeps up again");
                core.keeps_up = true;
                self.note(|notes| notes.counts.times_up_again += 1);
                self.core_changed.notify_all();
            }
        }
    }

    pub(crate) fn close(&self) {
        let core = self.core.lock().expect("no thread has failed");
        let must_flush = self.buffer.close(|pending| {
            pending.push(b'.');
            self.note(|notes| notes.appended.push(b'.'));
        });
        drop(core);
        if must_flush {
            self.flush();
        }
    }

    /// The peer takes a few bytes now and then, and finally all that come.
    pub(crate) fn take_bytes(&self) {
        for _ in 0..3 {
            let n = thread_rng().gen_range(1..=6);
            self.change_socket(|socket| socket.room += n);
        }
        self.change_socket(|socket| socket.room = usize::MAX);
    }

    pub(crate) fn break_socket(&self) {
        self.change_socket(|socket| socket.is_broken = true);
    }

    /// Waits until nothing is left to do; that it ends shows that no duty and no wake-up was lost.
    pub(crate) fn wait_until_settled(&self) {
        let n_appended = || self.note(|notes| notes.appended.len());
        let mut socket = self.socket.lock().expect("no thread has failed");
        while socket.unanswered > 0 || socket.received.len() < n_appended() {
            socket = self
                .socket_changed
                .wait(socket)
                .expect("no thread has failed");
        }
        drop(socket);
        let mut core = self.core.lock().expect("no thread has failed");
        while !core.keeps_up {
            core = self.core_changed.wait(core).expect("no thread has failed");
        }
    }

    pub(crate) fn check_all_sent(&self) {
        let socket = self.socket.lock().expect("no thread has failed");
        self.note(|notes| {
            assert_eq!(
                socket.received.escape_ascii().to_string(),
                notes.appended.escape_ascii().to_string()
            );
        });
    }

    pub(crate) fn counts(&self) -> Counts {
        self.note(|notes| notes.counts)
    }

    /// One turn of the connection's task: send what a full socket left over, read, answer.
    fn poll_task(&self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let status = loop {
                let status = self
                    .buffer
                    .poll_status(&LIMITS, self.has_store, context.waker());
                if !status.is_socket_full || self.poll_writable(context).is_pending() {
                    break status;
                }
                self.flush();
            };
            match status.phase {
                Phase::Open if status.may_read => match self.poll_read(context) {
                    Poll::Ready(Some(number)) => {
                        if self.has_store {
                            self.hold(number);
                        } else {
                            self.append_and_flush(b't', number);
                        }
                        self.finish_packet();
                    }
                    Poll::Ready(None) => self.buffer.abandon(),
                    Poll::Pending => return Poll::Pending,
                },
                Phase::Open => {
                    self.note(|notes| notes.counts.times_reader_waited += 1);
                    return Poll::Pending;
                }
                Phase::Closing => match self.poll_read(context) {
                    Poll::Ready(Some(_)) => self.finish_packet(),
                    Poll::Ready(None) => self.buffer.abandon(),
                    Poll::Pending => return Poll::Pending,
                },
                Phase::Sent | Phase::Broken => return Poll::Ready(()),
            }
        }
    }

    /// The number of a packet of the peer; `None` at the end.
    fn poll_read(&self, context: &Context<'_>) -> Poll<Option<u8>> {
        let mut socket = self.socket.lock().expect("no thread has failed");
        if socket.is_broken {
            return Poll::Ready(None);
        }
        if socket.unanswered == 0 {
            socket.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(u8::try_from(socket.unanswered).ok())
    }

    fn finish_packet(&self) {
        let mut socket = self.socket.lock().expect("no thread has failed");
        socket.unanswered -= 1;
        self.socket_changed.notify_all();
    }

    fn poll_writable(&self, context: &Context<'_>) -> Poll<()> {
        let mut socket = self.socket.lock().expect("no thread has failed");
        if socket.is_ready {
            return Poll::Ready(());
        }
        socket.waker = Some(context.waker().clone());
        Poll::Pending
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut socket = self.socket.lock().expect("no thread has failed");
        let me = thread::current().id();
        assert!(
            socket.within_batch.take().is_none_or(|other| other == me),
            "two flush at once"
        );
        self.note(|notes| {
            let rest = &notes.appended[socket.received.len()..];
            assert!(rest.starts_with(bytes), "the order is kept");
        });
        if socket.is_broken {
            return Err(ErrorKind::ConnectionReset.into());
        }
        if thread_rng().gen_ratio(1, 8) {
            socket.within_batch = Some(me);
            return Err(ErrorKind::Interrupted.into());
        }
        let n = bytes.len().min(socket.room);
        if n == 0 || !socket.is_ready {
            socket.is_ready = false;
            self.note(|notes| notes.counts.times_full += 1);
            return Err(ErrorKind::WouldBlock.into());
        }
        socket.room -= n;
        socket.received.extend_from_slice(&bytes[..n]);
        socket.within_batch = (n < bytes.len()).then_some(me);
        self.socket_changed.notify_all();
        Ok(n)
    }

    fn change_socket(&self, change: impl FnOnce(&mut Socket)) {
        let mut socket = self.socket.lock().expect("no thread has failed");
        change(&mut socket);
        socket.is_ready = true;
        let waker = socket.waker.take();
        drop(socket);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn note<R>(&self, act: impl FnOnce(&mut Written) -> R) -> R {
        act(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Counts {
    pub(crate) const fn add(&mut self, other: &Self) {
        self.times_full += other.times_full;
        self.times_behind += other.times_behind;
        self.times_up_again += other.times_up_again;
        self.times_reader_waited += other.times_reader_waited;
        self.times_refused += other.times_refused;
    }
}

/// Of what [`World::append`] appends.
const N_ANSWER_BYTES: usize = 4;

/// A few appends cross each of them.
const LIMITS: OutputLimits = OutputLimits {
    high_watermark: 10,
    low_watermark: 4,
    stop_reading: 14,
};
