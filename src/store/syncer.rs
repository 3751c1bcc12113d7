//! The thread that brings the journal to the disk: at once for strict waiters, whatever waits together; in time for everything else.

use super::journal::segment::sync_folder;
use super::overlay::Numbered;
use super::shared::Shared;
use super::writer::{Done, Written};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

/// A group on disk, on its way to the database.
pub(super) struct Synced {
    pub(super) group: Vec<Numbered>,
    /// The segment that holds nothing newer than the groups before this one.
    pub(super) retired: Option<PathBuf>,
}

/// The syncer's state.
pub(super) struct Syncer {
    pub(super) shared: Arc<Shared>,
    pub(super) written: Receiver<Written>,
    pub(super) synced: SyncSender<Synced>,
    pub(super) folder: PathBuf,
    /// How long a batched group waits for others before it is synced.
    pub(super) delay: Duration,
}

impl Syncer {
    /// Works until the writer has ended and all it wrote is on disk.
    pub(super) fn run(self) {
        while let Ok(first) = self.written.recv() {
            let mut groups = vec![first];
            self.gather(&mut groups);
            self.sync(groups);
        }
    }

    /// Takes what was written meanwhile. Batched groups wait for others, and nobody wakes this thread for one more of them; a strict waiter takes along what is there.
    fn gather(&self, groups: &mut Vec<Written>) {
        let deadline = Instant::now() + self.delay;
        loop {
            let ended = self.take_along(groups);
            let left = deadline.saturating_duration_since(Instant::now());
            if ended || left.is_zero() || groups.iter().any(|written| !written.waiters.is_empty()) {
                return;
            }
            park_timeout(left);
        }
    }

    /// Takes all there is, as one sync covers it; true when the writer has ended. The overlay's bound is the bound of this as well.
    fn take_along(&self, groups: &mut Vec<Written>) -> bool {
        loop {
            match self.written.try_recv() {
                Ok(written) => groups.push(written),
                Err(end) => return end == TryRecvError::Disconnected,
            }
        }
    }

    fn sync(&self, groups: Vec<Written>) {
        // After a failed sync the kernel may call lost pages clean, so a second try proves nothing: it is never made.
        let result = match self.shared.broken() {
            Some(error) => Err(error),
            None => self.to_disk(&groups).map_err(|error| self.shared.broke(format!("the journal cannot be synced: {error}"))),
        };
        if let (Ok(()), Some(last)) = (&result, groups.iter().filter_map(|written| written.group.last()).next_back()) {
            self.shared.set_synced(last.sequence);
        }
        let mut together: Option<Synced> = None;
        for written in groups {
            written.waiters.into_iter().for_each(|done: Done| drop(done.send(result.clone())));
            if result.is_ok() {
                together = self.join(together, Synced { group: written.group, retired: written.retired });
            }
        }
        self.hand_on(together);
    }

    /// Joins a group to those before it, which it goes to the database with. One that begins a segment does not: what was before it goes first.
    fn join(&self, before: Option<Synced>, next: Synced) -> Option<Synced> {
        match before {
            Some(mut before) if next.retired.is_none() => {
                before.group.extend(next.group);
                Some(before)
            }
            before => {
                self.hand_on(before);
                Some(next)
            }
        }
    }

    /// INVARIANT (journal first): the database gets only what the journal has on disk, so replaying always completes it.
    fn hand_on(&self, synced: Option<Synced>) {
        if synced.is_some_and(|synced| self.synced.send(synced).is_err()) {
            self.shared.broke("the thread that fills the database ended".to_owned());
        }
    }

    /// One sync per segment that the groups went to, oldest first, and the folder's when a segment is new.
    fn to_disk(&self, groups: &[Written]) -> std::io::Result<()> {
        if groups.iter().any(|written| written.retired.is_some()) {
            sync_folder(&self.folder)?;
        }
        for (index, written) in groups.iter().enumerate() {
            let next = groups.get(index + 1);
            if next.is_none_or(|next| !Arc::ptr_eq(&next.medium, &written.medium)) {
                written.medium.sync()?;
            }
        }
        Ok(())
    }
}
