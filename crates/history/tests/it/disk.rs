//! A store that keeps what was committed and loses the rest.

use std::collections::BTreeMap;

use history::{History, Key, Output, Reader, Restoration, Settings, Unreadable};

#[derive(Debug, Default, Clone)]
pub(crate) struct Disk {
    pub(crate) entries: BTreeMap<Vec<u8>, Vec<u8>>,
    pending: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    pub(crate) fails: bool,
}

impl Disk {
    /// Takes what there is to do; the result is the deadline.
    pub(crate) fn take_from(&mut self, history: &mut History) -> Option<i64> {
        loop {
            let (key, value) = match history.poll_output() {
                Output::Put { key, value } => (key, Some(value)),
                Output::Remove { key } => (key, None),
                Output::Timeout(deadline) => return deadline,
            };
            let mut bytes = Vec::new();
            key.encode(&mut bytes);
            self.pending.push((bytes, value));
        }
    }

    /// Makes all durable.
    pub(crate) fn commit(&mut self, history: &mut History, now: i64) {
        self.take_from(history);
        for (key, value) in self.pending.drain(..) {
            match value {
                Some(value) => self.entries.insert(key, value),
                None => self.entries.remove(&key),
            };
        }
        history.handle_stored(history.store_sequence(), now);
    }

    /// The power goes: what is durable is what there is.
    pub(crate) fn restart(&mut self, settings: &Settings, now: i64) -> History {
        self.pending.clear();
        let mut restoration = Restoration::new(settings.clone());
        let (from, to) = Key::RESTORED;
        for (key, value) in self.entries.range(from.to_vec()..to.to_vec()) {
            restoration.add(key, value).unwrap();
        }
        restoration.finish(now)
    }

    /// Runs and stores all that is due.
    pub(crate) fn settle(&mut self, history: &mut History, now: i64) {
        loop {
            let mut n_tasks = 0;
            while let Some(task) = history.next_task(now) {
                let sealed = task.run(self);
                history.finish(sealed, now);
                n_tasks += 1;
            }
            self.commit(history, now);
            if n_tasks == 0 {
                return;
            }
        }
    }

    /// The bytes of all keys and values.
    pub(crate) fn n_bytes(&self) -> u64 {
        let entries = self.entries.iter();
        entries
            .map(|(key, value)| (key.len() + value.len()) as u64)
            .sum()
    }

    /// How many entries there are of a kind.
    pub(crate) fn count(&self, is_one: impl Fn(Key) -> bool) -> usize {
        let keys = self.entries.keys().filter_map(|key| Key::decode(key));
        keys.filter(|key| is_one(*key)).count()
    }
}

impl Reader for Disk {
    fn read(&mut self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<(), Unreadable> {
        if self.fails {
            return Err(Unreadable);
        }
        if let Some(value) = self.entries.get(key) {
            found(value);
        }
        Ok(())
    }
}
