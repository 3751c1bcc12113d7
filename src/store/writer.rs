//! Orders batches, writes them to the journal and shows them to readers.

use super::journal::frame;
use super::journal::medium::{Maker, Medium};
use super::journal::segment::{AppendError, Segment};
use super::overlay::Numbered;
use super::shared::Shared;
use super::{Batch, Options, StoreError};
use crate::model::Durability;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::Thread;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Most batches in one write. Source: the queue's default bound over four, so that a group never starves the next.
const GROUP_BATCHES_MAX: usize = 256;

/// Bytes after which no more batches are taken for one write, so that who writes for others does not do so for long.
const GROUP_BYTES: usize = 1 << 20;

/// How long after a slow write nobody who must not wait may write.
const SLOW_FOR: Duration = Duration::from_secs(1);

pub(super) type Done = oneshot::Sender<Result<(), StoreError>>;

/// A batch that waits to be written.
pub(super) struct Order {
    /// The count of failed writes that the batch was made under.
    pub(super) generation: u64,
    pub(super) batch: Batch,
    pub(super) durability: Durability,
    pub(super) done: Done,
}

/// A written group, on its way to the disk.
pub(super) struct Written {
    pub(super) medium: Arc<dyn Medium>,
    pub(super) group: Vec<Numbered>,
    pub(super) waiters: Vec<Done>,
    /// The segment that this group did not go to any more: it is complete.
    pub(super) retired: Option<PathBuf>,
}

/// The writer's state.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) queue: mpsc::Receiver<Order>,
    /// Memory is bounded by `pending_bytes_max`, not here.
    pub(super) written: Sender<Written>,
    /// The thread that takes what was written. It lies down between batched groups and is woken for what cannot wait.
    pub(super) syncer: Thread,
    pub(super) segment: Segment,
    pub(super) folder: PathBuf,
    pub(super) maker: Maker,
    pub(super) options: Options,
    /// The number of the next batch.
    pub(super) next: u64,
    /// Until when the disk counts as slow.
    pub(super) slow_until: Option<Instant>,
}

impl Writer {
    /// Whether writing takes no longer than a system call: the database keeps up, so does the disk, and no new segment is due.
    pub(super) fn is_quick(&self) -> bool {
        let is_slow = self.slow_until.is_some_and(|until| Instant::now() < until);
        !is_slow && !self.is_full() && self.shared.overlay.has_room(self.options.pending_bytes_max)
    }

    /// Takes what waits, about one group of it.
    pub(super) fn take_waiting(&mut self) -> Vec<Order> {
        let (mut orders, mut bytes) = (Vec::new(), 0);
        while orders.len() < GROUP_BATCHES_MAX && bytes < GROUP_BYTES {
            let Ok(order) = self.queue.try_recv() else { break };
            bytes += order.batch.bytes();
            orders.push(order);
        }
        orders
    }

    /// Takes no more orders, because somebody panicked while writing: what is in the journal is not known any more.
    pub(super) fn give_up(self) {
        self.shared.broke("a thread panicked while it wrote the journal".to_owned());
    }

    /// Writes until nobody can hand over anything any more, then returns the path of the last segment.
    pub(super) fn finish(mut self) -> PathBuf {
        self.queue.close();
        let mut orders = Vec::new();
        while self.queue.blocking_recv_many(&mut orders, GROUP_BATCHES_MAX) > 0 {
            self.write_all(std::mem::take(&mut orders));
        }
        drop(self.written);
        self.syncer.unpark();
        self.segment.path().to_owned()
    }

    /// Writes `orders` in groups; blocks until there is room. One ends early where it would be longer than the longest batch: a failed write then costs no more than that.
    pub(super) fn write_all(&mut self, mut orders: Vec<Order>) {
        self.shared.overlay.wait_for_room(self.options.pending_bytes_max, || self.shared.broken().is_some());
        while !orders.is_empty() {
            let mut bytes = 0;
            let fits = orders.iter().take_while(|order| {
                bytes += order.batch.bytes();
                bytes <= frame::BODY_BYTES_MAX
            });
            let group = orders.drain(..fits.count().max(1)).collect();
            self.write(group);
        }
    }

    fn write(&mut self, orders: Vec<Order>) {
        let orders: Vec<Order> = orders.into_iter().filter_map(|order| self.admit(order)).collect();
        if orders.is_empty() {
            return;
        }
        let mut bytes = Vec::new();
        let synced = self.shared.synced();
        for (sequence, order) in (self.next..).zip(&orders) {
            frame::write(sequence, synced, &order.batch, &mut bytes);
        }
        let started = Instant::now();
        let appended = self.append(&bytes, orders.len() as u64);
        if started.elapsed() > self.options.slow_write {
            self.slow_until = Some(Instant::now() + SLOW_FOR);
        }
        match appended {
            Ok(retired) => self.hand_on(orders, retired),
            Err(error) => orders.into_iter().for_each(|order| drop(order.done.send(Err(error.clone())))),
        }
    }

    /// Refuses what cannot be stored any more.
    fn admit(&self, order: Order) -> Option<Order> {
        let refusal = self.shared.broken().or_else(|| (order.generation != self.shared.generation()).then_some(StoreError::Superseded));
        match refusal {
            None => Some(order),
            Some(error) => {
                drop(order.done.send(Err(error)));
                None
            }
        }
    }

    /// Whether the next write goes to a new segment.
    fn is_full(&self) -> bool {
        let is_old = self.segment.started().elapsed() >= self.options.segment_age_max;
        (is_old || self.segment.bytes() >= self.options.segment_bytes_max) && self.segment.frames() > 0
    }

    /// Appends `bytes` to the segment, or to a new one when its time has come; returns the segment that is complete by that.
    fn append(&mut self, bytes: &[u8], frames: u64) -> Result<Option<PathBuf>, StoreError> {
        let mut retired = None;
        if self.is_full() {
            let new = Segment::create(&self.folder, self.next, &self.maker).map_err(|error| self.shared.failed(error.to_string()))?;
            retired = Some(std::mem::replace(&mut self.segment, new));
        }
        match (self.segment.append(bytes, frames), retired) {
            (Ok(()), retired) => Ok(retired.map(|segment| segment.path().to_owned())),
            (Err(AppendError::Undone(error)), Some(old)) => {
                // The new segment has no frame yet, so the old one can go on; the next try makes the new one again.
                let new = std::mem::replace(&mut self.segment, old);
                std::fs::remove_file(new.path()).map_err(|error| self.shared.broke(error.to_string()))?;
                Err(self.shared.failed(error.to_string()))
            }
            (Err(AppendError::Undone(error)), None) => Err(self.shared.failed(error.to_string())),
            (Err(AppendError::Stuck(error)), _) => Err(self.shared.broke(error.to_string())),
        }
    }

    /// The operating system has the group: readers see it, batched waiters hear of it, the syncer takes it.
    fn hand_on(&mut self, orders: Vec<Order>, retired: Option<PathBuf>) {
        let (mut group, mut batched, mut waiters) = (Vec::new(), Vec::new(), Vec::new());
        for order in orders {
            group.push(Numbered { sequence: self.next, batch: Arc::new(order.batch) });
            self.next += 1;
            match order.durability {
                Durability::Batched => batched.push(order.done),
                Durability::Strict => waiters.push(order.done),
            }
        }
        self.shared.overlay.add(&group);
        self.shared.recovered();
        for done in batched {
            // A waiter that went away does not undo its batch.
            drop(done.send(Ok(())));
        }
        let is_urgent = !waiters.is_empty();
        let written = Written { medium: self.segment.medium(), group, waiters, retired };
        let sent = self.written.send(written).map_err(|unsent| unsent.0);
        if is_urgent {
            self.syncer.unpark();
        }
        if let Err(unsent) = sent {
            let error = self.shared.broke("the thread that syncs the journal ended".to_owned());
            unsent.waiters.into_iter().for_each(|done| drop(done.send(Err(error.clone()))));
        }
    }
}
