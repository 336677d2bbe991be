//! Changes that become durable together.

/// Changes that become durable together, in one arena.
///
/// It is filled in any order and applied in the order of keys; the last change of a key wins.
#[derive(Debug, Default, Clone)]
pub struct ChangeSet {
    bytes: Vec<u8>,
    changes: Vec<Change>,
}

/// Where a change is in the arena: the key up to `key_end`, then the value up to `end`.
#[derive(Debug, Clone, Copy)]
struct Change {
    start: usize,
    key_end: usize,
    end: usize,
    is_removal: bool,
}

impl ChangeSet {
    /// Changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the key the value that `write` appends to what it is given.
    ///
    /// There are other values before it in what `write` is given, so it must only append.
    pub fn put(&mut self, key: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        let (start, key_end) = self.push_key(key);
        write(&mut self.bytes);
        assert!(self.bytes.len() >= key_end, "a value is only appended");
        self.changes.push(Change {
            start,
            key_end,
            end: self.bytes.len(),
            is_removal: false,
        });
    }

    /// Removes the key, if it is there.
    pub fn remove(&mut self, key: &[u8]) {
        let (start, key_end) = self.push_key(key);
        self.changes.push(Change {
            start,
            key_end,
            end: key_end,
            is_removal: true,
        });
    }

    /// Every changed key once, in order, with its value; `None` removes it.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let mut changes: Vec<_> = self
            .changes
            .iter()
            .map(|change| {
                let value = (!change.is_removal).then(|| &self.bytes[change.key_end..change.end]);
                (&self.bytes[change.start..change.key_end], value)
            })
            .collect();
        // Stable, so that of one key the last is behind the others.
        changes.sort_by_key(|(key, _)| *key);
        let mut rest = changes.into_iter().peekable();
        std::iter::from_fn(move || {
            let mut change = rest.next()?;
            while let Some(later) = rest.next_if(|(key, _)| *key == change.0) {
                change = later;
            }
            Some(change)
        })
    }

    /// How often something was put or removed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The bytes of all keys and values.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets every change and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.changes.clear();
    }

    fn push_key(&mut self, key: &[u8]) -> (usize, usize) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        (start, self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_come_in_the_order_of_keys_and_the_last_of_a_key_wins() {
        let mut changes = ChangeSet::new();
        changes.put(b"b", |value| value.extend_from_slice(b"1"));
        changes.put(b"a", |_| ());
        changes.put(b"b", |value| value.extend_from_slice(b"2"));
        changes.put(b"c", |value| value.extend_from_slice(b"3"));
        changes.remove(b"c");
        let found: Vec<_> = changes.iter().collect();
        let expected: [(&[u8], Option<&[u8]>); 3] =
            [(b"a", Some(b"")), (b"b", Some(b"2")), (b"c", None)];
        assert_eq!(found, expected);
        assert_eq!((changes.len(), changes.n_bytes()), (5, 8));
    }

    #[test]
    fn clearing_keeps_the_memory() {
        let mut changes = ChangeSet::new();
        changes.put(b"key", |value| value.extend([0; 1000]));
        let capacity = changes.bytes.capacity();
        changes.clear();
        assert!(changes.is_empty());
        assert_eq!(changes.iter().count(), 0);
        assert_eq!(changes.bytes.capacity(), capacity);
    }
}
