//! The supervisor's side of one zygote: a thread of its own starts it, listens to it until it ends, and hands its cells to the pool.
//!
//! A thread and not a task: the parent-death signal of a child is tied to the thread that started it.

use super::control::{CellId, Exit, ExitCause, FromZygote, Sealed, ToZygote, ZygoteOrder, receive, send};
use super::handle::{IdleCell, clock_of};
use super::pool::Pool;
use super::stderr;
use crate::telemetry::CellExit;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

/// A zygote that is sealed and forks cells.
pub(super) struct Zygote {
    control: OwnedFd,
    /// What it told of itself.
    pub(super) sealed: Sealed,
    born: Instant,
    forks: AtomicU64,
    suspicious: AtomicBool,
    retiring: AtomicBool,
    resident_bytes: u64,
    brood: Mutex<Brood>,
}

/// Fork requests that a zygote has at once. Each carries a descriptor, and the kernel bounds how many descriptors of one user may be
/// under way between processes. Enough to keep a zygote busy while the answers travel.
const REQUESTS_MAX: usize = 4;

/// The cells of one zygote.
#[derive(Default)]
struct Brood {
    cells: HashMap<CellId, Registered>,
    /// Asked of the zygote and not answered yet.
    requested: usize,
}

/// A cell from the fork request to its end.
struct Registered {
    exit: oneshot::Sender<Exit>,
    /// True once it got its order: then whoever watches it tells how it ended.
    ordered: Arc<AtomicBool>,
    /// Present until the zygote says that the cell exists.
    unborn: Option<(std::os::unix::net::UnixStream, oneshot::Receiver<Exit>)>,
}

impl Zygote {
    /// Asks for cells until `wanted` are on their way, or as many as may be at once. To be called again when one has arrived.
    pub(super) fn breed(&self, wanted: usize) -> io::Result<()> {
        let mut brood = self.lock();
        while brood.requested < wanted.min(REQUESTS_MAX) && !self.is_retiring() {
            self.request_cell(&mut brood)?;
        }
        Ok(())
    }

    fn request_cell(&self, brood: &mut Brood) -> io::Result<()> {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let ours = std::os::unix::net::UnixStream::from(ours);
        ours.set_nonblocking(true)?;
        let id = self.forks.fetch_add(1, Ordering::Relaxed);
        // At most REQUESTS_MAX small messages are in the socket's buffer, so this does not block.
        send(&self.control, &ToZygote::Fork(id), Some(theirs.as_fd()))?;
        let (sender, receiver) = oneshot::channel();
        brood.cells.insert(id, Registered { exit: sender, ordered: Arc::default(), unborn: Some((ours, receiver)) });
        brood.requested += 1;
        Ok(())
    }

    /// Cells forked so far.
    pub(super) fn forks(&self) -> u64 {
        self.forks.load(Ordering::Relaxed)
    }

    /// When it was sealed.
    pub(super) fn born(&self) -> Instant {
        self.born
    }

    /// True after a cell died in a way that makes the shared address-space layout suspect.
    pub(super) fn is_suspicious(&self) -> bool {
        self.suspicious.load(Ordering::Relaxed)
    }

    /// Resident size when it was sealed, in bytes.
    pub(super) fn resident_bytes(&self) -> u64 {
        self.resident_bytes
    }

    /// No more forks; it ends with its last cell.
    pub(super) fn retire(&self) {
        self.retiring.store(true, Ordering::Release);
        self.end_if_done();
    }

    /// True once it was told to retire.
    pub(super) fn is_retiring(&self) -> bool {
        self.retiring.load(Ordering::Acquire)
    }

    /// Cells alive or being born, and how many of them are being born.
    pub(super) fn cells(&self) -> (usize, usize) {
        let brood = self.lock();
        (brood.cells.len(), brood.requested)
    }

    fn end_if_done(&self) {
        if self.is_retiring() && self.lock().cells.is_empty() {
            // The zygote reads the end of the control socket and exits; its keeper's thread sees that and ends as well.
            let _ = rustix::net::shutdown(&self.control, rustix::net::Shutdown::Both);
        }
    }

    /// Ends it now; the kernel takes its cells along.
    pub(super) fn stop(&self) {
        self.retiring.store(true, Ordering::Release);
        let _ = rustix::net::shutdown(&self.control, rustix::net::Shutdown::Both);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Brood> {
        self.brood.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens until the zygote is gone.
    fn listen(self: &Arc<Self>, pool: &Arc<Pool>) {
        loop {
            match receive::<FromZygote>(&self.control) {
                Ok(Some(received)) => self.hear(received.message, received.descriptor, pool),
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(zygote = pool.kind().label(), %error, "a zygote's control message could not be read");
                    return;
                }
            }
        }
    }

    fn hear(self: &Arc<Self>, message: FromZygote, descriptor: Option<OwnedFd>, pool: &Arc<Pool>) {
        match (message, descriptor) {
            (FromZygote::Forked(id), Some(pidfd)) => self.born_cell(id, pidfd, pool),
            (FromZygote::Exited(id, exit), _) => self.ended_cell(id, exit, pool),
            (FromZygote::NotForked(id, why), _) => {
                tracing::error!(zygote = pool.kind().label(), why, "a cell could not be forked");
                let mut brood = self.lock();
                // With this the supervisor's end of its socket closes: a cell that exists all the same reads the end and exits.
                brood.cells.remove(&id);
                brood.requested -= 1;
                drop(brood);
                self.end_if_done();
                pool.fork_failed();
            }
            (FromZygote::Forked(_) | FromZygote::Sealed(_) | FromZygote::Failed(_), _) => {
                tracing::error!(zygote = pool.kind().label(), "a zygote spoke out of turn");
            }
        }
    }

    fn born_cell(self: &Arc<Self>, id: CellId, pidfd: OwnedFd, pool: &Arc<Pool>) {
        let born = |registered: &mut Registered| registered.unborn.take().map(|born| (born, Arc::clone(&registered.ordered)));
        let unborn = self.lock().cells.get_mut(&id).and_then(born);
        if let Some(((stream, exit), ordered)) = unborn {
            let clock = clock_of(&pidfd);
            pool.offer(IdleCell { stream, pidfd, clock, exit, ordered, zygote: Arc::clone(self) });
            self.lock().requested -= 1;
            // Not before: until here the cell counted twice.
            pool.replenish();
        }
    }

    fn ended_cell(&self, id: CellId, exit: Exit, pool: &Arc<Pool>) {
        let registered = self.lock().cells.remove(&id);
        if exit.cause.is_suspicious() {
            self.suspicious.store(true, Ordering::Relaxed);
        }
        if let Some(registered) = registered {
            registered.ended(exit, pool);
        }
        self.end_if_done();
    }

    /// The zygote is gone, and so are its cells.
    fn lost(&self, pool: &Pool) {
        for (_, registered) in self.lock().cells.drain() {
            let gone = Exit { cause: ExitCause::ZygoteLost, cpu: std::time::Duration::ZERO, max_rss_bytes: 0 };
            registered.ended(gone, pool);
        }
    }
}

impl Registered {
    fn ended(self, exit: Exit, pool: &Pool) {
        if !self.ordered.load(Ordering::Acquire) {
            pool.observer().cell_ended(if exit.cause.is_of_the_unused() { CellExit::Unused } else { CellExit::Internal });
        }
        // Nobody waits for the end of a cell whose run was answered already.
        let _ = self.exit.send(exit);
    }
}

/// Starts a zygote for `pool` in a thread of its own, which listens to it until it ends.
pub(super) fn start(pool: Arc<Pool>, runtime: tokio::runtime::Handle) -> io::Result<()> {
    let name = format!("zygote-{}", pool.kind().label());
    std::thread::Builder::new().name(name).spawn(move || keep(&pool, &runtime))?;
    Ok(())
}

fn keep(pool: &Arc<Pool>, runtime: &tokio::runtime::Handle) {
    match spawn(pool, runtime) {
        Ok((zygote, mut child)) => {
            let zygote = Arc::new(zygote);
            pool.installed(Arc::clone(&zygote));
            zygote.listen(pool);
            // Gone, or speaking nonsense: either way nothing of it may live on.
            let _ = child.kill();
            let _ = child.wait();
            zygote.lost(pool);
            pool.uninstalled(&zygote);
        }
        Err(error) => pool.not_started(&error),
    }
}

/// Starts the process and waits until it is sealed.
fn spawn(pool: &Pool, runtime: &tokio::runtime::Handle) -> io::Result<(Zygote, Child)> {
    let (control, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    let (stderr_read, stderr_write) = stderr::pipe()?;
    let mut command = Command::new(pool.executable());
    command.arg("zygote").env_clear().current_dir("/").stdin(theirs).stdout(Stdio::null()).stderr(stderr_write);
    let mut child = command.spawn()?;
    drop(command);
    stderr::drain(stderr_read, runtime, pool.observer().clone())?;
    match begin(&control, pool.order()) {
        Ok(sealed) => {
            let zygote = Zygote {
                control,
                born: Instant::now(),
                resident_bytes: sealed.resident_bytes,
                sealed,
                forks: AtomicU64::new(0),
                suspicious: AtomicBool::new(false),
                retiring: AtomicBool::new(false),
                brood: Mutex::default(),
            };
            Ok((zygote, child))
        }
        Err(error) => {
            let _ = child.kill();
            let _ = child.wait();
            Err(error)
        }
    }
}

fn begin(control: &OwnedFd, order: &ZygoteOrder) -> io::Result<Sealed> {
    send(control, &ToZygote::Begin(order.clone()), None)?;
    match receive::<FromZygote>(control)?.map(|received| received.message) {
        Some(FromZygote::Sealed(sealed)) => Ok(*sealed),
        Some(FromZygote::Failed(why)) => Err(io::Error::other(why)),
        Some(FromZygote::Forked(_) | FromZygote::NotForked(..) | FromZygote::Exited(..)) => {
            Err(io::Error::other("it spoke before it was sealed"))
        }
        None => Err(io::Error::other("it ended before it was sealed")),
    }
}
