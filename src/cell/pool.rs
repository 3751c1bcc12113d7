//! A pool of idle cells of one kind, and the replacement of its zygote.

use super::cells::{CellsError, CellsSettings, Count, PoolSettings};
use super::control::{Sealed, ZygoteOrder};
use super::handle::{Cell, IdleCell};
use super::keeper::{self, Zygote};
use super::kind::ZygoteKind;
use super::observe::Observer;
use crate::telemetry::ZygoteReplacement;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot, watch};

/// How long a zygote may take from its start until it is sealed. An estimate with much room.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Least age of a zygote that is replaced for a fault of one of its cells. Guests can fault at will; without this they could keep a core busy with
/// starting zygotes.
const FAULT_REST: Duration = Duration::from_secs(1);

/// First pause before a zygote that failed is started again; doubled each time up to [`RETRY_MOST`].
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MOST: Duration = Duration::from_secs(5);

/// Where a pool stands.
#[derive(Debug, Clone)]
enum Standing {
    Starting,
    Ready,
    Failed(String),
}

struct Inner {
    current: Option<Arc<Zygote>>,
    /// Every zygote that is not gone, the current one included.
    alive: Vec<Weak<Zygote>>,
    idle: VecDeque<IdleCell>,
}

/// The idle cells of one kind.
pub(super) struct Pool {
    settings: PoolSettings,
    order: ZygoteOrder,
    replace_after_forks: u64,
    replace_after: Duration,
    executable: PathBuf,
    observer: Observer,
    inner: Mutex<Inner>,
    /// One permit per idle cell, so that takers queue in order.
    ready: Semaphore,
    standing: watch::Sender<Standing>,
    starting: AtomicBool,
    stopping: AtomicBool,
    failures: AtomicU32,
    replenishing: AtomicBool,
    runtime: tokio::runtime::Handle,
    itself: Weak<Pool>,
}

impl Pool {
    pub(super) fn new(settings: PoolSettings, all: &CellsSettings) -> Arc<Self> {
        let order = ZygoteOrder { kind: settings.kind, heap_bytes_max: settings.heap_bytes_max, huge_pages: settings.huge_pages };
        let observer = Observer::new(Arc::clone(&all.telemetry), settings.kind);
        Arc::new_cyclic(|itself| Self {
            settings,
            observer,
            order,
            replace_after_forks: all.replace_after_forks,
            replace_after: all.replace_after,
            executable: all.executable.clone(),
            inner: Mutex::new(Inner { current: None, alive: Vec::new(), idle: VecDeque::new() }),
            ready: Semaphore::new(0),
            standing: watch::Sender::new(Standing::Starting),
            starting: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            failures: AtomicU32::new(0),
            replenishing: AtomicBool::new(false),
            runtime: tokio::runtime::Handle::current(),
            itself: itself.clone(),
        })
    }

    /// What the current zygote told of itself.
    pub(super) fn sealed(&self) -> Result<Sealed, CellsError> {
        let current = self.lock().current.as_ref().map(|zygote| zygote.sealed.clone());
        current.ok_or(CellsError::NotStarted { kind: self.kind().label(), why: "it is being replaced".into() })
    }

    pub(super) fn kind(&self) -> ZygoteKind {
        self.settings.kind
    }

    pub(super) fn observer(&self) -> &Observer {
        &self.observer
    }

    pub(super) fn order(&self) -> &ZygoteOrder {
        &self.order
    }

    pub(super) fn executable(&self) -> &Path {
        &self.executable
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a zygote unless one is starting already.
    pub(super) fn start_zygote(&self) -> io::Result<()> {
        let Some(itself) = self.itself.upgrade() else { return Ok(()) };
        if self.stopping.load(Ordering::Acquire) || self.starting.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        keeper::start(itself, self.runtime.clone())
    }

    pub(super) async fn await_ready(&self) -> Result<(), CellsError> {
        let kind = self.kind().label();
        let mut standing = self.standing.subscribe();
        let settled = standing.wait_for(|standing| !matches!(standing, Standing::Starting));
        let settled = tokio::time::timeout(START_TIMEOUT, settled).await.map(|settled| settled.map(|standing| standing.clone()));
        match settled {
            Ok(Ok(Standing::Ready)) => Ok(()),
            Ok(Ok(Standing::Failed(why))) => Err(CellsError::NotStarted { kind, why }),
            Ok(Ok(Standing::Starting) | Err(_)) => Err(CellsError::Stopping),
            Err(_) => Err(CellsError::NotStarted { kind, why: format!("it was not sealed within {} s", START_TIMEOUT.as_secs()) }),
        }
    }

    pub(super) async fn take(&self) -> Result<Cell, CellsError> {
        let asked = Instant::now();
        let mut waited = None;
        loop {
            match self.ready.try_acquire() {
                Ok(permit) => permit.forget(),
                Err(_) => {
                    self.ready.acquire().await.map_err(|_| CellsError::Stopping)?.forget();
                    waited = Some(asked.elapsed());
                }
            }
            let Some(mut idle) = self.lock().idle.pop_front() else { continue };
            // One that died while idle, killed from outside or by the kernel for memory, is replaced and passed over.
            if idle.exit.try_recv() != Err(oneshot::error::TryRecvError::Empty) {
                self.replenish();
                continue;
            }
            let pool = self.itself.upgrade().ok_or(CellsError::Stopping)?;
            return Ok(Cell::new(idle, pool, waited).inspect_err(|_| self.replenish())?);
        }
    }

    /// Asks the current zygote for what is missing of the idle cells, and for a successor when its time has come. Looks at what is
    /// there, so that it may be called at any time and makes up for whatever was missed.
    pub(super) fn replenish(&self) {
        let inner = self.lock();
        let Some(current) = inner.current.clone() else { return };
        // Under the lock, so that nobody takes or offers a cell between counting and asking. Those of a predecessor do not count: they
        // are about to be discarded.
        let idle = inner.idle.iter().filter(|cell| Arc::ptr_eq(&cell.zygote, &current)).count();
        let asked = current.breed(self.settings.idle.saturating_sub(idle));
        drop(inner);
        if let Err(error) = asked {
            // A zygote that went away has a successor, which is asked when it is there; a machine without descriptors recovers.
            tracing::warn!(zygote = self.kind().label(), %error, "a cell could not be asked for");
            self.replenish_later();
        }
        if let Some(reason) = self.reason_to_replace(&current) {
            self.observer.zygote_replaced(reason);
            if let Err(error) = self.start_zygote() {
                tracing::error!(zygote = self.kind().label(), %error, "no successor could be started");
                self.starting.store(false, Ordering::Release);
            }
        }
    }

    fn reason_to_replace(&self, current: &Zygote) -> Option<ZygoteReplacement> {
        if self.starting.load(Ordering::Acquire) {
            None
        } else if current.is_suspicious() && current.born().elapsed() >= FAULT_REST {
            Some(ZygoteReplacement::Fault)
        } else if current.forks() >= self.replace_after_forks {
            Some(ZygoteReplacement::Forks)
        } else if current.born().elapsed() >= self.replace_after {
            Some(ZygoteReplacement::Age)
        } else {
            None
        }
    }

    /// A cell exists and is idle.
    pub(super) fn offer(&self, cell: IdleCell) {
        let mut inner = self.lock();
        // A cell of a zygote that is being retired is let go: its socket closes and it exits.
        if !cell.zygote.is_retiring() {
            inner.idle.push_back(cell);
            drop(inner);
            self.ready.add_permits(1);
        }
    }

    /// A zygote is sealed: it takes over, and its predecessor retires.
    pub(super) fn installed(&self, zygote: Arc<Zygote>) {
        self.observer.zygote_sealed(&zygote.sealed);
        let mut inner = self.lock();
        let before = inner.current.replace(Arc::clone(&zygote));
        inner.alive.retain(|alive| alive.strong_count() > 0);
        inner.alive.push(Arc::downgrade(&zygote));
        drop(inner);
        self.failures.store(0, Ordering::Relaxed);
        self.starting.store(false, Ordering::Release);
        self.replenish();
        self.standing.send_replace(Standing::Ready);
        if let Some(before) = before {
            before.retire();
            self.discard_idle_of(&before);
        }
        if self.stopping.load(Ordering::Acquire) {
            zygote.stop();
        }
    }

    fn discard_idle_of(&self, zygote: &Arc<Zygote>) {
        let mut inner = self.lock();
        let before = inner.idle.len();
        inner.idle.retain(|cell| !Arc::ptr_eq(&cell.zygote, zygote));
        let discarded = before - inner.idle.len();
        drop(inner);
        // A permit that is taken already makes its taker look again.
        self.ready.forget_permits(discarded);
    }

    /// A zygote is gone. Unless it retired, another one takes its place at once.
    pub(super) fn uninstalled(&self, zygote: &Arc<Zygote>) {
        self.discard_idle_of(zygote);
        let mut inner = self.lock();
        let was_current = inner.current.as_ref().is_some_and(|current| Arc::ptr_eq(current, zygote));
        if was_current {
            inner.current = None;
        }
        drop(inner);
        if was_current && !self.stopping.load(Ordering::Acquire) {
            self.observer.zygote_replaced(ZygoteReplacement::Died);
            self.not_started(&io::Error::other("the zygote died"));
        }
    }

    /// A zygote failed: try again after a pause that grows.
    pub(super) fn not_started(&self, error: &io::Error) {
        self.starting.store(false, Ordering::Release);
        if self.stopping.load(Ordering::Acquire) {
            return;
        }
        tracing::error!(zygote = self.kind().label(), %error, "a zygote is not there");
        self.standing.send_replace(Standing::Failed(error.to_string()));
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).min(6);
        let Some(itself) = self.itself.upgrade() else { return };
        self.runtime.spawn(async move {
            if failures > 0 {
                tokio::time::sleep((RETRY_FIRST * (1 << failures)).min(RETRY_MOST)).await;
            }
            if let Err(error) = itself.start_zygote() {
                itself.not_started(&error);
            }
        });
    }

    /// The zygote could not fork: its machine is out of processes, descriptors or memory.
    pub(super) fn fork_failed(&self) {
        self.replenish_later();
    }

    /// Looks again after a pause; one such look is planned at a time.
    fn replenish_later(&self) {
        let Some(itself) = self.itself.upgrade() else { return };
        if self.stopping.load(Ordering::Acquire) || self.replenishing.swap(true, Ordering::AcqRel) {
            return;
        }
        self.runtime.spawn(async move {
            tokio::time::sleep(RETRY_FIRST).await;
            itself.replenishing.store(false, Ordering::Release);
            itself.replenish();
        });
    }

    pub(super) fn count(&self) -> Count {
        let inner = self.lock();
        let (idle, zygotes): (_, Vec<_>) = (inner.idle.len(), inner.alive.iter().filter_map(Weak::upgrade).collect());
        drop(inner);
        let (alive, starting) = zygotes.iter().fold((0, 0), |(alive, starting), zygote| {
            let (cells, requested) = zygote.cells();
            (alive + cells, starting + requested)
        });
        Count { starting, idle, running: alive.saturating_sub(idle + starting) }
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.ready.close();
        let alive: Vec<_> = self.lock().alive.iter().filter_map(Weak::upgrade).collect();
        alive.iter().for_each(|zygote| zygote.stop());
        self.lock().idle.clear();
    }
}
