//! What a lint can't say about the tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{client_cases, conformance, progress, workspace};

mod link;
mod places;
mod pure_crate;
mod style;
mod text;

/// Fails if anything is untidy, naming all of it.
pub(crate) fn run() -> Result<()> {
    let tree = Tree::read(&workspace::root())?;
    let mut faults = text::faults(&tree);
    faults.extend(style::faults(&tree));
    faults.extend(places::faults(&tree));
    faults.extend(link::faults(&tree));
    faults.extend(pure_crate::faults(&tree));
    faults.extend(conformance::faults(&tree));
    faults.extend(client_cases::faults(&tree));
    for fault in &faults {
        progress::say(fault);
    }
    match faults.len() {
        0 => Ok(()),
        n_faults => bail!("{n_faults} untidy places"),
    }
}

/// The project's own files by path from the root; text where they are text.
#[derive(Default)]
pub(crate) struct Tree {
    text_by_path: BTreeMap<PathBuf, Option<String>>,
}

impl Tree {
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, Path::new(""))?;
        Ok(tree)
    }

    fn read_folder(&mut self, root: &Path, folder: &Path) -> Result<()> {
        let path = root.join(folder);
        let entries =
            fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for entry in entries {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if NOT_OURS.iter().any(|built| path.ends_with(built)) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                self.read_folder(root, &path)?;
            } else {
                let text = String::from_utf8(fs::read(root.join(&path))?).ok();
                self.text_by_path.insert(path, text);
            }
        }
        Ok(())
    }

    pub(crate) fn text(&self, path: impl AsRef<Path>) -> Option<&str> {
        self.text_by_path.get(path.as_ref())?.as_deref()
    }

    fn texts(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.text_by_path
            .iter()
            .filter_map(|(path, text)| Some((path.as_path(), text.as_deref()?)))
    }

    pub(crate) fn texts_with(&self, extension: &str) -> impl Iterator<Item = (&Path, &str)> {
        self.texts()
            .filter(move |(path, _)| path.extension().is_some_and(|found| found == extension))
    }

    /// Whether there is such a file or a folder with a file in it.
    fn contains(&self, path: &Path) -> bool {
        self.text_by_path.keys().any(|file| file.starts_with(path))
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let text_by_path = files
            .iter()
            .map(|(path, text)| (path.into(), Some((*text).to_owned())))
            .collect();
        Self { text_by_path }
    }
}

/// What git ignores, and git itself.
const NOT_OURS: [&str; 6] = [
    ".git",
    "target",
    "dist",
    "fuzz/corpus",
    "fuzz/artifacts",
    "node_modules",
];
