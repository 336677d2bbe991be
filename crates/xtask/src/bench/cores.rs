//! Which core does what. Linux only, as are the figures: they come from `/proc`.

use anyhow::{Context, Result, bail};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::Pid;

/// The cores that we may use.
pub(crate) struct Cores {
    all: Vec<usize>,
}

impl Cores {
    pub(crate) fn find() -> Result<Self> {
        let allowed = sched_getaffinity(MYSELF).context("cannot ask which cores there are")?;
        let all: Vec<_> = (0..CpuSet::count())
            .filter(|core| allowed.is_set(*core).unwrap_or(false))
            .collect();
        if all.len() < 2 {
            bail!("a broker and what measures it need a core each, and there is only one");
        }
        Ok(Self { all })
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// One for the broker, one for the generator.
    pub(crate) fn apart(&self) -> (Vec<usize>, Vec<usize>) {
        (vec![self.all[0]], vec![self.all[1]])
    }

    /// Two for the broker; the generator has another if there is one.
    pub(crate) fn shared(&self) -> (Vec<usize>, Vec<usize>) {
        let broker = self.all[..2].to_vec();
        let generator = match self.all.get(2) {
            Some(third) => vec![*third],
            None => broker.clone(),
        };
        (broker, generator)
    }
}

/// Does something while only these cores may be used; what is started in it keeps to them.
pub(crate) fn on<T>(cores: &[usize], act: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = sched_getaffinity(MYSELF)?;
    let mut only = CpuSet::new();
    for core in cores {
        only.set(*core)?;
    }
    sched_setaffinity(MYSELF, &only).context("cannot choose a core")?;
    let outcome = act();
    sched_setaffinity(MYSELF, &before).context("cannot have all cores back")?;
    outcome
}

/// Brokers that do not do it themselves have our limit: each connection is an open file.
pub(crate) fn raise_open_files() -> Result<()> {
    let (_, highest) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, highest, highest)
        .context("cannot raise the limit of open files")
}

/// This thread, in the words of the system calls.
const MYSELF: Pid = Pid::from_raw(0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_has_a_core_of_its_own_if_there_are_three() {
        let cores = |all: &[usize]| Cores { all: all.to_vec() };
        assert_eq!(cores(&[4, 5]).apart(), (vec![4], vec![5]));
        assert_eq!(cores(&[4, 5]).shared(), (vec![4, 5], vec![4, 5]));
        assert_eq!(cores(&[4, 5, 6, 7]).shared(), (vec![4, 5], vec![6]));
    }

    #[test]
    fn all_cores_come_back() {
        let before = sched_getaffinity(MYSELF).unwrap();
        let core = (0..CpuSet::count()).find(|core| before.is_set(*core).unwrap());
        let inside = on(&[core.unwrap()], || Ok(sched_getaffinity(MYSELF)?)).unwrap();
        let n_cores = |set: &CpuSet| {
            (0..CpuSet::count())
                .filter(|core| set.is_set(*core).unwrap())
                .count()
        };
        assert_eq!(n_cores(&inside), 1);
        assert_eq!(sched_getaffinity(MYSELF).unwrap(), before);
    }
}
