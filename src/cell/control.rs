//! Messages between the supervisor and a zygote, over a sequenced-packet socket pair: one packet, one message, at most one descriptor.

use super::ZygoteKind;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recvmsg,
    sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// Longest message, in bytes: one fits a packet. The largest one lists the ops of the realm (about 8 KiB) and the hardening layers.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// Names a cell between its supervisor and its zygote.
pub(super) type CellId = u64;

/// What a zygote is to become.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ZygoteOrder {
    /// Whom it serves.
    pub kind: ZygoteKind,
    /// The largest memory limit that a run of its tier can have, in bytes.
    pub heap_bytes_max: u64,
    /// True when the program's code and constants move into huge pages, for cheaper forks.
    pub huge_pages: bool,
}

/// Supervisor to zygote.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToZygote {
    /// First message: become this.
    Begin(ZygoteOrder),
    /// Fork a cell; its socket comes along.
    Fork(CellId),
}

/// Zygote to supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromZygote {
    /// Warm, sealed and ready to fork.
    Sealed(Box<Sealed>),
    /// It could not become what it should be.
    Failed(String),
    /// A cell exists; its pidfd comes along.
    Forked(CellId),
    /// A cell could not be forked.
    NotForked(CellId, String),
    /// A cell ended.
    Exited(CellId, Exit),
}

/// What a zygote tells of itself once sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Hardening layers by name, and `enforced`, `partial: …` or `unavailable: …`.
    pub layers: Vec<(String, String)>,
    /// What it has loaded.
    pub facts: GuestFacts,
    /// Time from its start to here.
    pub start: Duration,
    /// Resident size in bytes.
    pub resident_bytes: u64,
    /// Bytes of the program in huge pages, or why there are none.
    pub huge_pages: Result<u64, String>,
}

/// What a warm guest host is made of; part of every identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuestFacts {
    /// Names of the registered ops, sorted; empty without V8.
    pub ops: Vec<String>,
    /// V8's version; empty without V8.
    pub v8_version: String,
    /// V8's flags; empty without V8.
    pub v8_flags: String,
}

/// How a cell ended, by the kernel's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Exit code or signal.
    pub cause: ExitCause,
    /// CPU time from fork to end.
    pub cpu: Duration,
    /// Peak resident size in bytes, pages shared with the zygote included.
    pub max_rss_bytes: u64,
}

/// Exit code or signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExitCause {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// Its zygote died, and the kernel took the cell along.
    ZygoteLost,
}

/// One received message.
pub(super) struct Received<T> {
    /// The message.
    pub(super) message: T,
    /// The descriptor that came along.
    pub(super) descriptor: Option<OwnedFd>,
}

/// Sends one message and the descriptors that go along (none or one).
pub(super) fn send<T: Serialize>(socket: impl AsFd, message: &T, descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let bytes = postcard::to_stdvec(message).map_err(io::Error::other)?;
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(io::Error::other(format!("a control message of {} bytes, at most {MESSAGE_BYTES_MAX}", bytes.len())));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors: &[BorrowedFd<'_>] = &descriptor.into_iter().collect::<Vec<_>>();
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    rustix::io::retry_on_intr(|| sendmsg(socket.as_fd(), &[IoSlice::new(&bytes)], &mut ancillary, SendFlags::NOSIGNAL))?;
    Ok(())
}

/// Receives one message, waiting for it; `None` when the other end is gone.
pub(super) fn receive<T: DeserializeOwned>(socket: impl AsFd) -> io::Result<Option<Received<T>>> {
    let mut bytes = vec![0; MESSAGE_BYTES_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received =
        rustix::io::retry_on_intr(|| recvmsg(socket.as_fd(), &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::CMSG_CLOEXEC))?;
    if received.bytes == 0 {
        return Ok(None);
    }
    if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(io::Error::other("a control message was cut"));
    }
    let message = postcard::from_bytes(&bytes[..received.bytes]).map_err(io::Error::other)?;
    let descriptor = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok(Some(Received { message, descriptor }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    #[test]
    fn a_message_crosses_with_its_descriptor_and_the_end_is_seen() {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).expect("socket pair");
        let (read, write) = rustix::pipe::pipe().expect("pipe");
        send(&ours, &ToZygote::Fork(7), Some(write.as_fd())).expect("sent");
        let received = receive::<ToZygote>(&theirs).expect("received").expect("a message");
        assert!(matches!(received.message, ToZygote::Fork(7)));
        rustix::io::write(received.descriptor.expect("a descriptor"), b"x").expect("the descriptor is the pipe");
        assert_eq!(rustix::io::read(read, &mut [0; 4]), Ok(1));
        drop(ours);
        assert!(receive::<ToZygote>(&theirs).expect("the end").is_none());
    }
}
