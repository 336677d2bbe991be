//! A small ordered map.

use std::borrow::Borrow;

/// A map kept as a sorted list: a fraction of a tree's code, and fast for the thousands it holds at most.
/// What is boxed is moved for nothing, and by the same code whatever it is.
#[derive(Debug, Clone)]
pub struct Table<K, V>(Vec<(K, Box<V>)>);

impl<K: Ord, V> Table<K, V> {
    /// The value under a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.place(key).ok()?;
        Some(&self.0[at].1)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.place(key).ok()?;
        Some(&mut self.0[at].1)
    }

    /// Whether there is a value under a key.
    pub fn contains_key(&self, key: &K) -> bool {
        self.place(key).is_ok()
    }

    /// Puts a value under a key, in place of the one that was there.
    pub fn insert(&mut self, key: K, value: V) {
        match self.place(&key) {
            Ok(at) => *self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, Box::new(value))),
        }
    }

    /// The value under a key, made if there was none.
    pub fn entry(&mut self, key: &K, make: impl FnOnce() -> V) -> &mut V
    where
        K: Clone,
    {
        let at = self.place(key).unwrap_or_else(|at| {
            self.0.insert(at, (key.clone(), Box::new(make())));
            at
        });
        &mut self.0[at].1
    }

    /// Takes away what is under a key.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.place(key).ok()?;
        Some(*self.0.remove(at).1)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pairs in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, &**value))
    }

    /// The same, to change the values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, &mut **value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.iter().map(|(_, value)| &**value)
    }

    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.0
            .binary_search_by(|(known, _)| known.borrow().cmp(key))
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_order_and_found() {
        let mut table = Table::default();
        for key in [3, 1, 2, 1] {
            table.insert(key, key * 10);
        }
        assert_eq!(table.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!((table.get(&2), table.get(&4)), (Some(&20), None));
        assert_eq!(
            (table.remove(&2), table.remove(&2), table.len()),
            (Some(20), None, 2)
        );
    }
}
