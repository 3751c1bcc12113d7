//! Reading the journal back after a stop that was not clean.
//!
//! A frame that cannot be read is the torn end of an interrupted write, unless it was on disk before: then later frames say so (each carries
//! the number of the last one known to be synced), and it is damage. A torn end is cut and set aside; damage is an error.

use super::super::{Batch, StoreError};
use super::frame::{self, Frame, HEAD_BYTES};
use super::segment;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

/// Bytes of the journal that were not acknowledged as being on disk and cannot be read as batches: kept, not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Where they are kept.
    pub file: PathBuf,
    /// The segment they come from.
    pub segment: PathBuf,
    /// Where they began in it.
    pub offset: u64,
    /// How many they are.
    pub bytes: u64,
    /// The number of the first batch that is not used.
    pub sequence: u64,
    /// How many readable batches stand behind the torn one and cannot be used without it.
    pub later: u64,
}

/// What the journal held.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Replayed {
    /// The number of the last batch; `None` when there was no segment.
    pub(crate) last: Option<u64>,
    /// How many batches.
    pub(crate) batches: u64,
    /// The torn end.
    pub(crate) set_aside: Vec<SetAside>,
    /// The segments that were read, oldest first.
    pub(crate) segments: Vec<PathBuf>,
}

/// A segment's bytes.
struct Source {
    path: PathBuf,
    first: u64,
    bytes: Vec<u8>,
}

/// Gives every batch of the journal in `folder` to `apply`, in order. `applied` is the last batch that the database says it has.
pub(crate) fn replay(folder: &Path, applied: u64, mut apply: impl FnMut(&Batch) -> Result<(), StoreError>) -> Result<Replayed, StoreError> {
    let segments = segment::list(folder).map_err(StoreError::at(folder))?;
    let mut replayed = Replayed { segments: segments.iter().map(|(_, path)| path.clone()).collect(), ..Replayed::default() };
    let Some(&(first, _)) = segments.first() else { return Ok(replayed) };
    if first > applied + 1 {
        let found = format!("and its oldest segment starts at {first}");
        return Err(StoreError::Missing { path: folder.to_owned(), expected: applied + 1, found });
    }
    let mut next = first;
    for (index, (first, path)) in segments.iter().enumerate() {
        let source = Source { path: path.clone(), first: *first, bytes: fs::read(path).map_err(StoreError::at(path))? };
        if source.first > next && frame::read_head(&source.bytes) == Some(source.first) {
            let found = format!("and the next segment starts at {first}");
            return Err(StoreError::Missing { path: folder.to_owned(), expected: next, found });
        }
        let end = replay_segment(&source, &mut next, &mut apply)?;
        if end < source.bytes.len() {
            let newer = segments.get(index + 1..).unwrap_or_default();
            replayed.set_aside = end_torn(folder, &source, end, next, newer)?;
            break;
        }
    }
    replayed.batches = next - first;
    replayed.last = Some(next - 1);
    Ok(replayed)
}

/// Replays one segment and says where its readable part ends.
fn replay_segment(source: &Source, next: &mut u64, apply: &mut impl FnMut(&Batch) -> Result<(), StoreError>) -> Result<usize, StoreError> {
    if frame::read_head(&source.bytes) != Some(*next) || source.first != *next {
        return Ok(0);
    }
    let mut offset = HEAD_BYTES;
    while let Some((frame, batch)) = readable(source.bytes.get(offset..).unwrap_or_default(), *next) {
        apply(&batch)?;
        offset += frame.bytes;
        *next += 1;
    }
    Ok(offset)
}

fn readable(bytes: &[u8], sequence: u64) -> Option<(Frame<'_>, Batch)> {
    let frame = frame::read(bytes).filter(|frame| frame.sequence == sequence)?;
    let batch = Batch::decode(frame.body)?;
    Some((frame, batch))
}

/// Cuts a torn end off and keeps it, after making sure that it is one.
fn end_torn(folder: &Path, source: &Source, end: usize, next: u64, newer: &[(u64, PathBuf)]) -> Result<Vec<SetAside>, StoreError> {
    let (mut later, mut synced) = later_frames(source.bytes.get(end..).unwrap_or_default(), next);
    for (_, path) in newer {
        let bytes = fs::read(path).map_err(StoreError::at(path))?;
        let (more, more_synced) = later_frames(&bytes, next);
        later += more;
        synced = synced.max(more_synced);
    }
    if synced >= next {
        return Err(StoreError::Damaged { segment: source.path.clone(), offset: end as u64, sequence: next, later });
    }
    let mut aside = vec![set_aside(folder, &source.path, end as u64, next, later)?];
    for (first, path) in newer {
        aside.push(set_aside(folder, path, 0, (*first).max(next), later)?);
    }
    segment::sync_folder(folder).map_err(StoreError::at(folder))?;
    Ok(aside)
}

/// How many readable frames after `sequence` there are, and the highest number they call synced.
fn later_frames(mut bytes: &[u8], sequence: u64) -> (u64, u64) {
    let (mut count, mut synced) = (0, 0);
    while let Some((offset, frame)) = frame::find_after(bytes, sequence) {
        count += 1;
        synced = synced.max(frame.synced);
        bytes = bytes.get(offset + frame.bytes..).unwrap_or_default();
    }
    (count, synced)
}

/// Copies the bytes of `path` from `offset` on to a file of their own, then cuts them off.
fn set_aside(folder: &Path, path: &Path, offset: u64, sequence: u64, later: u64) -> Result<SetAside, StoreError> {
    let bytes = fs::read(path).map_err(StoreError::at(path))?;
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let torn = bytes.get(start..).unwrap_or_default();
    let file = free_name(folder);
    fs::write(&file, torn).map_err(StoreError::at(&file))?;
    let segment = OpenOptions::new().write(true).open(path).map_err(StoreError::at(path))?;
    for step in [std::fs::File::open(&file).and_then(|file| file.sync_all()), segment.set_len(offset), segment.sync_all()] {
        step.map_err(StoreError::at(path))?;
    }
    Ok(SetAside { file, segment: path.to_owned(), offset, bytes: torn.len() as u64, sequence, later })
}

fn free_name(folder: &Path) -> PathBuf {
    let mut number = 1u64;
    loop {
        let file = folder.join(format!("torn-{number}"));
        if !file.exists() {
            return file;
        }
        number += 1;
    }
}
