//! The files of one kind in a folder of policies.

use crate::config::{Document, Mistake, Mistakes};
use std::path::{Path, PathBuf};

/// A kind of file in a folder of policies.
pub(super) struct Kind {
    /// How its names end, without the dot.
    pub(super) ending: &'static str,
    /// Several of them, in messages.
    pub(super) plural: &'static str,
    /// Most of them in a folder.
    pub(super) most: usize,
}

/// The files of `kind` in `folder` (not in folders inside it) with their names without the ending, in the order of names.
/// A folder that cannot be read or has too many of them is noted.
pub(super) fn documents_in(folder: &Path, kind: &Kind, mistakes: &Mistakes) -> Vec<(String, Document)> {
    let listed =
        std::fs::read_dir(folder).and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>());
    let mut paths: Vec<PathBuf> = match listed {
        Ok(paths) => paths.into_iter().filter(|path| path.extension().is_some_and(|end| end == kind.ending)).collect(),
        Err(error) => {
            let message = format!("the folder of {} cannot be read: {error}", kind.plural);
            mistakes.note(Mistake::of(folder.display().to_string(), message, "name a readable folder"));
            return Vec::new();
        }
    };
    paths.sort();
    if paths.len() > kind.most {
        let message = format!("the folder has {} {}", paths.len(), kind.plural);
        mistakes.note(Mistake::of(folder.display().to_string(), message, format!("keep it to {}", kind.most)));
        return Vec::new();
    }
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    paths.iter().filter_map(|path| Document::load(path, mistakes).map(|document| (stem(path), document))).collect()
}
