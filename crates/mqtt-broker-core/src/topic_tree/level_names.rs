//! The texts of topic levels, each kept once.

use std::collections::HashMap;

/// Stands for the text of a level while somebody holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct LevelId(u32);

/// Which number stands for which text, counted by its holders.
#[derive(Debug, Default)]
pub(super) struct LevelNames {
    id_by_name: HashMap<Box<str>, LevelId>,
    names: Vec<Name>,
    free: Vec<LevelId>,
}

impl LevelNames {
    pub(super) fn find(&self, name: &str) -> Option<LevelId> {
        self.id_by_name.get(name).copied()
    }

    /// Finds or makes the number of a text and counts one more holder.
    pub(super) fn acquire(&mut self, name: &str) -> LevelId {
        if let Some(id) = self.find(name) {
            self.names[id.0 as usize].n_holders += 1;
            return id;
        }
        let entry = Name {
            text: name.into(),
            n_holders: 1,
        };
        let id = match self.free.pop() {
            Some(id) => {
                self.names[id.0 as usize] = entry;
                id
            }
            None => {
                let id = LevelId(
                    u32::try_from(self.names.len())
                        .expect("the subscription limits keep levels few"),
                );
                self.names.push(entry);
                id
            }
        };
        self.id_by_name.insert(name.into(), id);
        id
    }

    /// Counts one holder less and forgets the text with the last.
    pub(super) fn release(&mut self, id: LevelId) {
        let entry = &mut self.names[id.0 as usize];
        entry.n_holders -= 1;
        if entry.n_holders == 0 {
            let text = std::mem::take(&mut entry.text);
            self.id_by_name.remove(&text);
            self.free.push(id);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.id_by_name.len()
    }
}

#[derive(Debug)]
struct Name {
    text: Box<str>,
    n_holders: u32,
}
