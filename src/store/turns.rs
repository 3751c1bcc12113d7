//! Who writes: whoever commits, when nobody else does; a thread, when that could take long.
//!
//! Handing a record to a thread and hearing of it costs four switches of threads, more than writing it. So the writer is behind a lock that a
//! committing task tries and never waits for: who has it takes along what the others handed over meanwhile. What can block, which is waiting for
//! room and a disk that was seen to be slow, is left to the thread.

use super::writer::Writer;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, MutexGuard, OnceLock, TryLockError};
use std::thread::{Thread, park};

/// Most groups that a committing task writes for others; then the thread goes on.
const TURNS_MAX: usize = 4;

/// The writer and those who may have it.
pub(super) struct Turns {
    /// Gone once the store is closed, or broken by a panic.
    writer: Mutex<Option<Writer>>,
    /// Orders that were handed over, or are just being, and are not taken yet.
    waiting: AtomicUsize,
    closing: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Turns {
    pub(super) fn new(writer: Writer) -> Self {
        Self { writer: Mutex::new(Some(writer)), waiting: 0.into(), closing: false.into(), thread: OnceLock::new() }
    }

    /// Names the thread that runs [`Turns::serve`].
    pub(super) fn served_by(&self, thread: Thread) {
        // Only the opening of a store calls this, once.
        let _ = self.thread.set(thread);
    }

    /// Counts an order that is about to be handed over.
    pub(super) fn expect_one(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
    }

    /// Sees that what was handed over is written, or will be by another thread. Blocks for a write into the kernel's cache at most.
    pub(super) fn take(&self) {
        for _ in 0..TURNS_MAX {
            if !self.is_any_waiting() {
                return;
            }
            let mut held = match self.writer.try_lock() {
                Ok(held) => held,
                Err(TryLockError::Poisoned(held)) => given_up(held.into_inner()),
                // Who has it looks again after letting go of it.
                Err(TryLockError::WouldBlock) => return,
            };
            match held.as_mut() {
                Some(writer) if writer.is_quick() => self.write(writer),
                _ => break,
            }
        }
        self.wake();
    }

    /// The thread: writes what others leave to it until [`Turns::close`], then all there is; returns the path of the last segment.
    pub(super) fn serve(&self) -> PathBuf {
        while !self.closing.load(Ordering::SeqCst) {
            while self.is_any_waiting() && !self.closing.load(Ordering::SeqCst) {
                match self.lock().as_mut() {
                    Some(writer) => self.write(writer),
                    None => return PathBuf::new(),
                }
            }
            park();
        }
        let writer = self.lock().take();
        writer.map(Writer::finish).unwrap_or_default()
    }

    /// Ends the thread.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Whether an order waits. INVARIANT (no order is forgotten): who let go of the writer asks this afterwards, and who handed an order over asks it
    /// before trying to get the writer. With the fence, one of the two sees what the other did.
    fn is_any_waiting(&self) -> bool {
        fence(Ordering::SeqCst);
        self.waiting.load(Ordering::SeqCst) > 0
    }

    fn write(&self, writer: &mut Writer) {
        let orders = writer.take_waiting();
        self.waiting.fetch_sub(orders.len(), Ordering::SeqCst);
        if orders.is_empty() {
            // Somebody counted an order and was interrupted before handing it over.
            std::thread::yield_now();
        }
        writer.write_all(orders);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(|held| given_up(held.into_inner()))
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

/// Who had the writer panicked: nothing may follow what it wrote.
fn given_up(mut held: MutexGuard<'_, Option<Writer>>) -> MutexGuard<'_, Option<Writer>> {
    if let Some(writer) = held.take() {
        writer.give_up();
    }
    held
}
