//! One execution, watched from outside: frames in, budgets kept, and a death that is certain.

use super::control::Exit;
use super::errands::Errands;
use super::exit::Death;
use super::handle::{Cell, Silence};
use super::link::TALK_BYTES_MAX;
use crate::model::frame::{self, FromCell, Order};
use crate::model::{Denial, LogLine, Outcome};
use crate::telemetry::CellExit;
use bytes::Bytes;
use std::time::{Duration, Instant};

/// How long after a limit the supervisor kills a cell whose own watchdog did not end it. The inner watchdog asks V8 every
/// 2 ms; what V8 does not answer within this is a native loop.
pub(super) const GRACE: Duration = Duration::from_millis(25);

/// What an execution may use.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// CPU time of the process from the order.
    pub cpu: Duration,
    /// Time from the order.
    pub wall: Duration,
    /// Memory that its run was granted, in bytes.
    pub memory_bytes: u64,
}

/// What a cell may send.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    /// Longest frame.
    pub frame_bytes: usize,
    /// Text of all log lines.
    pub log_bytes: u64,
    /// Number of log lines.
    pub log_lines: u64,
    /// Number of denials.
    pub denials: usize,
}

/// What a cell said that it dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// Log lines.
    pub logs: u64,
    /// Denials.
    pub denials: u64,
}

/// Most frames that tell what was dropped: one for each power of two of two 64-bit counts.
const DROPPED_FRAMES_MAX: u32 = 128;

/// Why the supervisor killed a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kill {
    /// Over its CPU budget and deaf to its own watchdog.
    Cpu,
    /// Over its wall budget and deaf to its own watchdog.
    Wall,
    /// Told to: by an operator, or because the client went away.
    Stopped(Outcome),
    /// It broke the protocol; the text says how.
    Lied(String),
}

/// How an execution went.
#[derive(Debug)]
pub struct Execution {
    /// The last frame, when there was one. A claim.
    pub last: Option<FromCell>,
    /// Log lines, within the caps.
    pub logs: Vec<LogLine>,
    /// Denials, within the caps.
    pub denials: Vec<Denial>,
    /// What it said that it dropped while it ran.
    pub dropped: Dropped,
    /// It said that V8 does not take a code cache of its order.
    pub cache_rejected: bool,
    /// Why the supervisor killed it, if it did so before the last frame.
    pub killed: Option<Kill>,
    /// What it died of, if it died without a last frame and unasked.
    pub death: Option<Death>,
    /// CPU time from the order to the last frame or the death, by the kernel's clock.
    pub cpu: Duration,
    /// Time from the order to the last frame or the death.
    pub wall: Duration,
}

impl Execution {
    /// An execution that never was, because there was no cell for it. The host's fault.
    pub fn lost() -> Self {
        Self {
            last: None,
            logs: Vec::new(),
            denials: Vec::new(),
            dropped: Dropped::default(),
            cache_rejected: false,
            killed: None,
            death: Some(Death::Host),
            cpu: Duration::ZERO,
            wall: Duration::ZERO,
        }
    }
}

/// The state of one execution under way.
struct Watch<'a> {
    cell: &'a mut Cell,
    caps: Caps,
    budget: Budget,
    started: Instant,
    cpu_at_start: Duration,
    logs: Vec<LogLine>,
    log_bytes: u64,
    denials: Vec<Denial>,
    dropped: Dropped,
    dropped_frames: u32,
    cache_rejected: bool,
    said_memory: bool,
}

/// Why watching ended.
enum End {
    Last(FromCell),
    Killed(Kill),
    Silent,
}

impl Cell {
    /// Gives `order` to this cell and watches it to its end. `stop` resolves when the execution must end early, with the outcome that this
    /// means. The process is dead or dying, and unable to send, when this returns.
    pub async fn execute(
        mut self,
        order: &Order,
        limits: (Budget, Caps),
        errands: &mut impl Errands,
        stop: impl Future<Output = Outcome>,
    ) -> Execution {
        let (budget, caps) = limits;
        let cpu_at_start = self.cpu().unwrap_or_default();
        let started = Instant::now();
        let mut watch = Watch {
            cell: &mut self,
            caps,
            budget,
            started,
            cpu_at_start,
            logs: Vec::new(),
            log_bytes: 0,
            denials: Vec::new(),
            dropped: Dropped::default(),
            dropped_frames: 0,
            cache_rejected: false,
            said_memory: false,
        };
        let end = watch.until_end(order, errands, stop).await;
        watch.conclude(end).await
    }
}

impl Watch<'_> {
    async fn until_end(&mut self, order: &Order, errands: &mut impl Errands, stop: impl Future<Output = Outcome>) -> End {
        tokio::pin!(stop);
        tokio::select! {
            sent = self.cell.order(order) => if sent.is_err() { return End::Silent },
            outcome = &mut stop => return End::Killed(Kill::Stopped(outcome)),
            () = tokio::time::sleep(self.budget.wall + GRACE) => return End::Killed(Kill::Wall),
        }
        let mut outgoing = Bytes::new();
        loop {
            let pause = match self.until_check() {
                Ok(pause) => pause,
                Err(kill) => return End::Killed(kill),
            };
            tokio::select! {
                biased;
                outcome = &mut stop => return End::Killed(Kill::Stopped(outcome)),
                // One at a time: what a cell does not read stays with who sends it.
                next = errands.next(), if outgoing.is_empty() => match frame::encode(&next, TALK_BYTES_MAX) {
                    Ok(bytes) => outgoing = bytes.into(),
                    Err(fault) => return End::Killed(Kill::Lied(format!("what it asked for does not fit a frame: {fault}"))),
                },
                frame = self.cell.frame(self.caps.frame_bytes, &mut outgoing) => match frame {
                    // All is sent: the next may follow.
                    Ok(None) => {}
                    Ok(Some(FromCell::Talk(talk))) => if let Err(lie) = errands.take(talk) { return End::Killed(Kill::Lied(lie)) },
                    Ok(Some(frame)) => if let Some(end) = self.take(frame) { return end },
                    Err(Silence::Fault(fault)) => return End::Killed(Kill::Lied(fault.to_string())),
                    Err(Silence::Closed) => return End::Silent,
                },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// How long nothing can go over a limit: CPU time cannot pass faster than the clock times the cell's two threads.
    fn until_check(&self) -> Result<Duration, Kill> {
        let wall_left = (self.budget.wall + GRACE).checked_sub(self.started.elapsed()).ok_or(Kill::Wall)?;
        let used = self.cell.cpu().unwrap_or_default().saturating_sub(self.cpu_at_start);
        let cpu_left = (self.budget.cpu + GRACE).checked_sub(used).ok_or(Kill::Cpu)?;
        Ok(wall_left.min(cpu_left).max(Duration::from_millis(1)))
    }

    /// Takes one frame; `Some` when it ends the execution.
    fn take(&mut self, frame: FromCell) -> Option<End> {
        match frame {
            FromCell::Log { level, message, at_ms } => {
                self.log_bytes += message.len() as u64;
                self.logs.push(LogLine { level, message, at_ms });
                let lines = self.logs.len() as u64;
                let over = lines > self.caps.log_lines || self.log_bytes > self.caps.log_bytes;
                over.then(|| End::Killed(Kill::Lied("it logged more than its budget".into())))
            }
            FromCell::Denied(denial) => {
                self.denials.push(denial);
                (self.denials.len() > self.caps.denials).then(|| End::Killed(Kill::Lied("it sent more denials than the cap".into())))
            }
            FromCell::Dropped { logs, denials } => {
                self.dropped = Dropped { logs, denials };
                self.dropped_frames += 1;
                (self.dropped_frames > DROPPED_FRAMES_MAX).then(|| End::Killed(Kill::Lied("it told too often what it dropped".into())))
            }
            FromCell::CacheRejected => {
                let again = std::mem::replace(&mut self.cache_rejected, true);
                again.then(|| End::Killed(Kill::Lied("it told twice that a code cache is none".into())))
            }
            FromCell::OutOfMemory => {
                self.said_memory = true;
                None
            }
            FromCell::Talk(_) => Some(End::Killed(Kill::Lied("it asked for something at the wrong time".into()))),
            last @ (FromCell::Finished(_)
            | FromCell::Prepared(_)
            | FromCell::Rejected(_)
            | FromCell::Checked(_)
            | FromCell::Compiled(_)) => Some(End::Last(last)),
        }
    }

    /// Makes the death certain and reads the kernel's account.
    async fn conclude(mut self, end: End) -> Execution {
        let cpu_by_clock = self.cell.cpu().map(|cpu| cpu.saturating_sub(self.cpu_at_start));
        let wall = self.started.elapsed();
        let (last, killed, exit) = match end {
            End::Last(frame) => {
                self.cell.kill();
                (Some(frame), None, None)
            }
            End::Killed(kill) => {
                self.cell.kill();
                (None, Some(kill), Some(self.cell.ended().await))
            }
            End::Silent => (None, None, Some(self.await_death().await)),
        };
        // INVARIANT (the kernel accounts): without a clock reading the CPU time is what wait4 reported.
        let cpu = match (cpu_by_clock, exit) {
            (_, Some(exit)) if !exit.cpu.is_zero() => exit.cpu.saturating_sub(self.cpu_at_start),
            (Some(cpu), _) => cpu,
            (None, _) => self.cell.ended().await.cpu.saturating_sub(self.cpu_at_start),
        };
        let grown = exit.map_or(0, |exit| exit.max_rss_bytes.saturating_sub(self.cell.zygote.resident_bytes()));
        if let Some(exit) = exit {
            tracing::debug!(cause = ?exit.cause, said_memory = self.said_memory, grown, "a cell died before its last frame");
        }
        let death = exit.filter(|_| killed.is_none()).map(|exit| Death::of(&exit, self.said_memory, grown, self.budget.memory_bytes));
        self.cell.observer().cell_ended(cause(killed.as_ref(), death));
        let Self { logs, denials, dropped, cache_rejected, .. } = self;
        Execution { last, logs, denials, dropped, cache_rejected, killed, death, cpu, wall }
    }

    /// A cell that closed its socket is dying; one that is not is killed after the grace.
    async fn await_death(&mut self) -> Exit {
        if let Ok(exit) = tokio::time::timeout(GRACE, self.cell.ended()).await {
            return exit;
        }
        self.cell.kill();
        self.cell.ended().await
    }
}

/// Why the process of an execution that was killed, or died unasked, or else said its last word, ended.
fn cause(killed: Option<&Kill>, death: Option<Death>) -> CellExit {
    match (killed, death) {
        (Some(Kill::Cpu), _) => CellExit::Cpu,
        (Some(Kill::Wall), _) => CellExit::Wall,
        (Some(Kill::Stopped(Outcome::KillSwitch)), _) => CellExit::KillSwitch,
        (Some(Kill::Stopped(_)), _) => CellExit::Canceled,
        (Some(Kill::Lied(_)), _) => CellExit::Protocol,
        (None, Some(death)) => death.into(),
        (None, None) => CellExit::Done,
    }
}
