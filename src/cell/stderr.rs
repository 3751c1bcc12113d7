//! What zygotes and cells write on descriptor 2: refused system calls, and V8's fatal text. Bounded on both ends.

use super::observe::Observer;
use super::os::REFUSED_PREFIX;
use super::seccomp::call_name;
use rustix::pipe::{PipeFlags, pipe_with};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe::Receiver;

/// How often the pipe is emptied at most. What a flood writes in between beyond the pipe's 64 KiB is dropped by the kernel, because the
/// writing end never blocks.
const PAUSE: Duration = Duration::from_millis(50);

/// Bytes read at most between two pauses.
const CHUNK_BYTES: u64 = 64 << 10;

/// A pipe neither end of which blocks.
pub(super) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?)
}

/// Reads the pipe to its end in the background.
pub(super) fn drain(read: OwnedFd, runtime: &tokio::runtime::Handle, observer: Observer) -> io::Result<()> {
    let _inside = runtime.enter();
    let mut reader = BufReader::new(Receiver::from_owned_fd(read)?);
    runtime.spawn(async move {
        loop {
            let mut chunk = Vec::new();
            match (&mut reader).take(CHUNK_BYTES).read_until(b'\n', &mut chunk).await {
                Ok(0) | Err(_) => return,
                Ok(_) => note(&String::from_utf8_lossy(&chunk), &observer),
            }
            if reader.buffer().is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
    });
    Ok(())
}

fn note(line: &str, observer: &Observer) {
    match refused_call(line) {
        Some(call) => observer.refused_call(call),
        None => tracing::debug!(text = line.trim_end(), "a cell's last words"),
    }
}

/// The name of the call that a line reports as refused.
fn refused_call(line: &str) -> Option<&'static str> {
    line.strip_prefix(REFUSED_PREFIX)?.trim_end().parse().ok().map(call_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_named_and_anything_else_is_text() {
        assert_eq!(refused_call(&format!("{REFUSED_PREFIX}{}\n", libc::SYS_socket)), Some("socket"));
        assert_eq!(refused_call(&format!("{REFUSED_PREFIX}99999\n")), Some("other"));
        assert_eq!(refused_call("# Fatal error in , line 0\n"), None);
        assert_eq!(refused_call(&format!("{REFUSED_PREFIX}x\n")), None);
    }
}
