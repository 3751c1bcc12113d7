//! Admission: how many runs, and how much memory in sum, may be granted at once. The machine's memory is admitted, not hoped for.

use crate::model::{Problem, ProblemCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Seconds after which a caller that found no room should try again.
const RETRY_AFTER_SECONDS: u64 = 1;

/// What the machine has for runs.
#[derive(Debug, Clone, Copy)]
pub struct Capacity {
    /// Runs at once.
    pub running_max: usize,
    /// Memory in sum, in MiB: each run counts with all that its cell may map.
    pub memory_mb: u64,
    /// Runs that may wait for room.
    pub queue_max: usize,
    /// How long a run may wait for room.
    pub queue_wait: Duration,
}

/// The gate that every run passes.
#[derive(Debug, Clone)]
pub struct Admission {
    capacity: Capacity,
    running: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
}

/// Room for one run; given back when dropped.
#[derive(Debug)]
pub struct Admitted {
    _running: OwnedSemaphorePermit,
    _memory: OwnedSemaphorePermit,
}

/// Counts one waiting run for as long as it waits.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Admission {
    /// A gate for `capacity`.
    pub fn new(capacity: Capacity) -> Self {
        let memory_mb = usize::try_from(capacity.memory_mb).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        Self {
            capacity,
            running: Arc::new(Semaphore::new(capacity.running_max)),
            memory: Arc::new(Semaphore::new(memory_mb)),
            waiting: Arc::new(AtomicUsize::new(0)),
        }
    }

    /// Waits for room for a run whose cell may map `memory_mb`. The caller's machine is the cause of every refusal.
    pub async fn admit(&self, memory_mb: u64) -> Result<Admitted, Problem> {
        if memory_mb > self.capacity.memory_mb {
            return Err(Problem::new(
                ProblemCode::Overloaded,
                format!("one such run needs {memory_mb} MiB, the server admits {} MiB in sum", self.capacity.memory_mb),
                "ask for less with limits.memoryMb, or raise admission.memory_mb in cordon.toml",
            ));
        }
        let permits = u32::try_from(memory_mb).unwrap_or(u32::MAX);
        if let Some(admitted) = self.at_once(permits) {
            return Ok(admitted);
        }
        let waiting = self.queue()?;
        let both = async {
            let memory = Arc::clone(&self.memory).acquire_many_owned(permits).await;
            let running = Arc::clone(&self.running).acquire_owned().await;
            memory.ok().zip(running.ok())
        };
        let both = tokio::time::timeout(self.capacity.queue_wait, both).await;
        drop(waiting);
        match both {
            Ok(Some((memory, running))) => Ok(Admitted { _running: running, _memory: memory }),
            Ok(None) => Err(draining()),
            Err(_) => Err(overloaded(format!("no room came free within {} ms", self.capacity.queue_wait.as_millis()))),
        }
    }

    /// Room for work that nobody waits for: none while a run waits, or would have to.
    pub fn spare(&self, memory_mb: u64) -> Option<Admitted> {
        let permits = u32::try_from(memory_mb).unwrap_or(u32::MAX);
        if self.waiting() > 0 { None } else { self.at_once(permits) }
    }

    fn at_once(&self, permits: u32) -> Option<Admitted> {
        let memory = Arc::clone(&self.memory).try_acquire_many_owned(permits).ok()?;
        let running = Arc::clone(&self.running).try_acquire_owned().ok()?;
        Some(Admitted { _running: running, _memory: memory })
    }

    /// A place in the queue, if there is one.
    fn queue(&self) -> Result<Waiting<'_>, Problem> {
        if self.running.is_closed() {
            return Err(draining());
        }
        let before = self.waiting.fetch_add(1, Ordering::AcqRel);
        let place = Waiting(&self.waiting);
        if before >= self.capacity.queue_max {
            return Err(overloaded(format!("{} runs are waiting already", self.capacity.queue_max)));
        }
        Ok(place)
    }

    /// Refuses every further run; those that wait are refused as well.
    pub fn close(&self) {
        self.running.close();
        self.memory.close();
    }

    /// Runs that wait for room now.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Memory that runs have now, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        let free = u64::try_from(self.memory.available_permits()).unwrap_or(u64::MAX);
        self.capacity.memory_mb.saturating_sub(free) << 20
    }

    /// Runs that have room now.
    pub fn running(&self) -> usize {
        self.capacity.running_max.saturating_sub(self.running.available_permits())
    }
}

fn overloaded(detail: String) -> Problem {
    let mut problem = Problem::new(ProblemCode::Overloaded, detail, "try again after the time in Retry-After, or add capacity");
    problem.retry_after = Some(RETRY_AFTER_SECONDS);
    problem
}

fn draining() -> Problem {
    let mut problem = Problem::new(
        ProblemCode::Draining,
        "the server is stopping and takes no more runs",
        "send it to another server, or try again when this one is back",
    );
    problem.retry_after = Some(RETRY_AFTER_SECONDS);
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(running_max: usize, memory_mb: u64, queue_max: usize) -> Admission {
        Admission::new(Capacity { running_max, memory_mb, queue_max, queue_wait: Duration::from_millis(20) })
    }

    #[tokio::test]
    async fn memory_is_admitted_up_to_the_sum_and_not_one_mebibyte_past_it() {
        let gate = gate(10, 100, 10);
        let first = gate.admit(60).await.expect("fits");
        let second = gate.admit(40).await.expect("fills it exactly");
        assert_eq!(gate.admit(1).await.expect_err("full").code, ProblemCode::Overloaded);
        drop(first);
        gate.admit(60).await.expect("given back");
        drop(second);
        assert!(gate.admit(101).await.expect_err("never fits").detail.contains("101 MiB"));
    }

    #[tokio::test]
    async fn the_queue_has_a_bound_and_a_run_past_it_is_shed_at_once() {
        let gate = gate(1, 100, 1);
        let holder = gate.admit(1).await.expect("first");
        let waits = tokio::spawn({
            let gate = gate.clone();
            async move { gate.admit(1).await.map(drop) }
        });
        while gate.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        let shed = gate.admit(1).await.expect_err("the queue is full");
        assert!(shed.detail.contains("waiting already"));
        assert_eq!(shed.retry_after, Some(1));
        drop(holder);
        waits.await.expect("no panic").expect("admitted when the holder left");
        assert_eq!((gate.waiting(), gate.running()), (0, 0));
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_gets_room_only_while_no_run_would_wait() {
        let gate = gate(2, 100, 1);
        let all = gate.spare(100).expect("free");
        assert!(gate.spare(1).is_none(), "not a mebibyte more");
        drop(all);
        let _run = gate.admit(60).await.expect("fits");
        assert!(gate.spare(41).is_none());
        let waits = gate.queue().expect("a place in the queue");
        assert!(gate.spare(1).is_none(), "a run waits");
        drop(waits);
        let _spare = gate.spare(40).expect("fits");
        assert!(gate.spare(0).is_none(), "two are admitted");
        gate.close();
        assert!(gate.spare(1).is_none(), "closed");
    }

    #[tokio::test]
    async fn a_closed_gate_refuses_as_draining() {
        let gate = gate(1, 100, 1);
        let _holder = gate.admit(1).await.expect("first");
        gate.close();
        assert_eq!(gate.admit(1).await.expect_err("closed").code, ProblemCode::Draining);
    }
}
