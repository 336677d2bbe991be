//! A clock that wakes the one thread while it waits for its sockets.

use std::{io, time::Duration};

use mio::{Registry, Token};

/// Wakes at a fixed rate.
#[cfg(target_os = "linux")]
pub(crate) struct Pacer {
    timer: rustix::fd::OwnedFd,
}

#[cfg(target_os = "linux")]
impl Pacer {
    pub(crate) fn new(per_second: u32, registry: &Registry, token: Token) -> io::Result<Self> {
        use rustix::{
            fd::AsRawFd,
            time::{
                Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec,
                timerfd_create, timerfd_settime,
            },
        };

        let interval = Duration::from_secs(1) / per_second.max(1);
        let interval = Timespec {
            tv_sec: interval.as_secs().cast_signed(),
            tv_nsec: interval.subsec_nanos().into(),
        };
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC,
        )?;
        let times = Itimerspec {
            it_interval: interval,
            it_value: interval,
        };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &times)?;
        registry.register(
            &mut mio::unix::SourceFd(&timer.as_raw_fd()),
            token,
            mio::Interest::READABLE,
        )?;
        Ok(Self { timer })
    }

    /// The longest wait for sockets.
    pub(crate) const fn wait(&self) -> Duration {
        TURN
    }

    /// Makes it ready to wake again.
    pub(crate) fn clear(&self) {
        // That nothing has expired is as good.
        let _ = rustix::io::read(&self.timer, &mut [0; 8]);
    }
}

/// Elsewhere nobody sleeps between two messages.
#[cfg(not(target_os = "linux"))]
pub(crate) struct Pacer;

#[cfg(not(target_os = "linux"))]
impl Pacer {
    pub(crate) fn new(_per_second: u32, _registry: &Registry, _token: Token) -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) const fn wait(&self) -> Duration {
        Duration::ZERO
    }

    pub(crate) const fn clear(&self) {}
}

/// How long a wait for sockets lasts when nothing comes.
pub(crate) const TURN: Duration = Duration::from_millis(20);
