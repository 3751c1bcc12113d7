//! A cell as the supervisor holds it.

use super::control::{Exit, ExitCause};
use super::keeper::Zygote;
use super::observe::Observer;
use super::pool::Pool;
use crate::model::frame::{self, FrameFault, FromCell, Order};
use bytes::{Bytes, BytesMut};
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;

/// First room for what a cell sends, in bytes: an ordinary run's frames in one read.
const BUFFER_BYTES: usize = 4 << 10;

/// Least room for one read, in bytes: what is left at the end of the buffer may be next to nothing.
const READ_BYTES_LEAST: usize = 1 << 10;

/// Most room for one read, in bytes: a piece of a body and its frame.
const READ_BYTES_MAX: usize = 80 << 10;

/// A cell that exists and has no order yet.
pub(super) struct IdleCell {
    pub(super) stream: std::os::unix::net::UnixStream,
    pub(super) pidfd: OwnedFd,
    pub(super) clock: Option<ClockId>,
    pub(super) exit: oneshot::Receiver<Exit>,
    pub(super) ordered: Arc<AtomicBool>,
    pub(super) zygote: Arc<Zygote>,
}

/// Caused by the cell: it stopped speaking the protocol.
#[derive(Debug, thiserror::Error)]
pub(super) enum Silence {
    /// It sent something that is no frame.
    #[error("{0}")]
    Fault(#[from] FrameFault),
    /// Its end of the socket is closed.
    #[error("the cell closed its socket")]
    Closed,
}

/// A cell taken from the pool. Dropping it kills the process: no cell outlives its holder.
pub struct Cell {
    stream: UnixStream,
    pidfd: OwnedFd,
    clock: Option<ClockId>,
    exit: oneshot::Receiver<Exit>,
    ended: Option<Exit>,
    ordered: Arc<AtomicBool>,
    waited: Option<Duration>,
    buffer: BytesMut,
    pub(super) zygote: Arc<Zygote>,
    pool: Arc<Pool>,
    /// Another idle cell was asked for in this one's place.
    replaced: bool,
}

impl Cell {
    pub(super) fn new(idle: IdleCell, pool: Arc<Pool>, waited: Option<Duration>) -> io::Result<Self> {
        let stream = UnixStream::from_std(idle.stream)?;
        Ok(Self {
            stream,
            pidfd: idle.pidfd,
            clock: idle.clock,
            exit: idle.exit,
            ended: None,
            ordered: idle.ordered,
            waited,
            buffer: BytesMut::with_capacity(BUFFER_BYTES),
            zygote: idle.zygote,
            pool,
            replaced: false,
        })
    }

    /// Gives the cell its one order, then asks for another idle cell to take this one's place.
    pub(super) async fn order(&mut self, order: &Order) -> io::Result<()> {
        let bytes = frame::encode(order, frame::TO_CELL_MAX).map_err(io::Error::other)?;
        self.ordered.store(true, Ordering::Release);
        let written = self.stream.write_all(&bytes).await;
        // Not earlier: the fork would compete with the order for the machine.
        self.replace();
        written
    }

    /// How long its taker waited for it to be forked; none when it was idle already.
    pub fn waited(&self) -> Option<Duration> {
        self.waited
    }

    pub(super) fn observer(&self) -> &Observer {
        self.pool.observer()
    }

    fn replace(&mut self) {
        if !std::mem::replace(&mut self.replaced, true) {
            self.pool.replenish();
        }
    }

    /// The next frame, longest `most` bytes, while what is in `outgoing` is sent; none as soon as all of that has gone. Reading never waits for
    /// writing, so a cell that writes and a supervisor that writes do not wait for each other. Cancelling loses nothing.
    pub(super) async fn frame(&mut self, most: usize, outgoing: &mut Bytes) -> Result<Option<FromCell>, Silence> {
        let (mut reader, mut writer) = self.stream.split();
        loop {
            if let Some(decoded) = frame::decode(&self.buffer, most)? {
                bytes::Buf::advance(&mut self.buffer, decoded.taken);
                return Ok(Some(decoded.frame));
            }
            // As much at once as the frame needs, but no more for an announcement than this.
            self.buffer.reserve(frame::missing(&self.buffer).clamp(READ_BYTES_LEAST, READ_BYTES_MAX));
            tokio::select! {
                read = reader.read_buf(&mut self.buffer) => match read {
                    Ok(0) | Err(_) => return Err(Silence::Closed),
                    Ok(_) => {}
                },
                written = writer.write_buf(outgoing), if !outgoing.is_empty() => {
                    // It is about to close its end; what it said before that is still to be read.
                    if written.is_err() {
                        outgoing.clear();
                    }
                    if outgoing.is_empty() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Kills the process. A process that is gone already is as good.
    pub fn kill(&self) {
        // The only failures are "it is gone" and a pidfd that is not one, which the type rules out.
        let _ = rustix::process::pidfd_send_signal(&self.pidfd, rustix::process::Signal::KILL);
    }

    /// CPU time of the process since its fork; `None` once the kernel has forgotten it.
    pub fn cpu(&self) -> Option<Duration> {
        clock_gettime(self.clock?).ok().map(Duration::from)
    }

    /// Waits for the kernel's account of its end, which stays the same once it is known. Kill it first unless it ends on its own.
    pub(super) async fn ended(&mut self) -> Exit {
        if let Some(ended) = self.ended {
            return ended;
        }
        let lost = Exit { cause: ExitCause::ZygoteLost, cpu: Duration::ZERO, max_rss_bytes: 0 };
        let exit = (&mut self.exit).await.unwrap_or(lost);
        *self.ended.insert(exit)
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        self.kill();
        // One that was taken and never got its order has left the pool all the same.
        self.replace();
    }
}

/// The CPU clock of the process behind a pidfd; none when it is gone.
pub(super) fn clock_of(pidfd: &OwnedFd) -> Option<ClockId> {
    outer_pid(pidfd).and_then(|pid| clock_getcpuclockid(pid).ok())
}

/// The pid in this namespace behind a pidfd, as the kernel tells it.
fn outer_pid(pidfd: &OwnedFd) -> Option<Pid> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).ok()?;
    let pid = text.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim().parse().ok()?;
    (pid > 0).then(|| Pid::from_raw(pid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{PidfdFlags, getpid, pidfd_open};

    #[test]
    fn a_pidfd_tells_its_pid() {
        let own = pidfd_open(getpid(), PidfdFlags::empty()).expect("own pidfd");
        assert_eq!(outer_pid(&own), Some(Pid::this()));
    }
}
