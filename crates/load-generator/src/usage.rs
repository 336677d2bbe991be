//! What a process uses, as the system counts it.

use std::{collections::BTreeMap, fs, io, path::PathBuf, time::Duration};

/// A process that somebody watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    id: u32,
}

impl Process {
    /// The process with this number.
    #[must_use]
    pub const fn new(id: u32) -> Self {
        Self { id }
    }

    /// The CPU time of all its threads until now.
    ///
    /// # Errors
    ///
    /// There is no such process, or no `/proc`.
    pub fn cpu_time(self) -> io::Result<CpuTime> {
        let mut by_thread = BTreeMap::new();
        for entry in fs::read_dir(self.path("task"))? {
            let entry = entry?;
            let Some(thread) = entry.file_name().to_str().and_then(|id| id.parse().ok()) else {
                continue;
            };
            // A thread may end while we look, and a kernel may not count so finely.
            let text = fs::read_to_string(entry.path().join("schedstat")).unwrap_or_default();
            if let Some(nanos) = text.split(' ').next().and_then(|field| field.parse().ok()) {
                by_thread.insert(thread, Duration::from_nanos(nanos));
            }
        }
        let stat = fs::read_to_string(self.path("stat"))?;
        let ticks = ticks(&stat).ok_or(io::ErrorKind::InvalidData)?;
        Ok(CpuTime {
            by_thread,
            whole: Duration::from_secs_f64(ticks as f64 / ticks_per_second()),
        })
    }

    /// Bytes of memory that it holds.
    ///
    /// # Errors
    ///
    /// There is no such process, or no `/proc`.
    pub fn resident_bytes(self) -> io::Result<u64> {
        // The first is exact; the second is what everybody may read.
        let (text, name) = match fs::read_to_string(self.path("smaps_rollup")) {
            Ok(text) => (text, "Rss:"),
            Err(_) => (fs::read_to_string(self.path("status"))?, "VmRSS:"),
        };
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes
            .map(|kibibytes| kibibytes * 1024)
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Bytes that it has given, or is about to give, to disks.
    ///
    /// # Errors
    ///
    /// There is no such process, or it is not ours to ask.
    pub fn written_bytes(self) -> io::Result<u64> {
        let text = fs::read_to_string(self.path("io"))?;
        let number = |line: &str| line.strip_prefix("write_bytes: ")?.parse().ok();
        text.lines()
            .find_map(number)
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    fn path(self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.id))
    }
}

/// CPU time of a process: by thread in nanoseconds, and of all in the system's ticks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuTime {
    by_thread: BTreeMap<u32, Duration>,
    whole: Duration,
}

impl CpuTime {
    /// What was used since an earlier moment.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Duration {
        let counted = !self.by_thread.is_empty();
        // What a thread used that has ended in between is only in the sum.
        let complete = earlier
            .by_thread
            .keys()
            .all(|thread| self.by_thread.contains_key(thread));
        if counted && complete {
            self.by_thread_since(earlier).into_iter().sum()
        } else {
            self.whole.saturating_sub(earlier.whole)
        }
    }

    /// What each thread used since an earlier moment, the busiest first.
    #[must_use]
    pub fn by_thread_since(&self, earlier: &Self) -> Vec<Duration> {
        let mut used: Vec<_> = self
            .by_thread
            .iter()
            .map(|(thread, now)| {
                now.saturating_sub(earlier.by_thread.get(thread).copied().unwrap_or_default())
            })
            .collect();
        used.sort_unstable_by(|a, b| b.cmp(a));
        used
    }
}

/// `utime` and `stime`, counted behind the name, which may have spaces and brackets.
fn ticks(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(") ")?;
    let mut fields = behind_name.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(unix)]
fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

#[cfg(not(unix))]
fn ticks_per_second() -> f64 {
    100.0
}

/// What this process used until now.
#[cfg(unix)]
pub(crate) fn own_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

#[cfg(not(unix))]
pub(crate) fn own_cpu_time() -> Duration {
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 100 0 0 0 12 30 0 0 20 0 1 0 5 6 7";
        assert_eq!(ticks(stat), Some(42));
    }

    #[test]
    fn a_thread_that_ended_is_counted_in_the_sum() {
        let time = |threads: &[(u32, u64)], whole| CpuTime {
            by_thread: threads
                .iter()
                .map(|&(thread, ms)| (thread, Duration::from_millis(ms)))
                .collect(),
            whole: Duration::from_millis(whole),
        };
        let earlier = time(&[(1, 10), (2, 5)], 20);
        let later = time(&[(1, 13), (2, 5), (3, 4)], 30);
        assert_eq!(later.since(&earlier), Duration::from_millis(7));
        assert_eq!(
            time(&[(1, 13)], 30).since(&earlier),
            Duration::from_millis(10)
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn our_own_memory_and_time_are_found() {
        let process = Process::new(std::process::id());
        assert!(process.resident_bytes().unwrap() > 0);
        process.cpu_time().unwrap();
    }
}
