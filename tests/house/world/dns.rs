//! The world's resolver: each name has one address, but for one that has two in turn.

use super::notes::Notes;
use super::{GOOD, SINK};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Types of records (RFC 1035 §3.2.2, RFC 3596 §2.1).
const A: u16 = 1;
const AAAA: u16 = 28;

/// A server over UDP. It ends when it is dropped.
pub(super) struct Dns {
    pub(super) address: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Dns {
    /// Starts one that notes which names it was asked for.
    pub(super) fn start(notes: &Arc<Notes>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let (address, over) = (socket.local_addr().expect("an address"), Arc::<AtomicBool>::default());
        let (ended, notes) = (Arc::clone(&over), Arc::clone(notes));
        let thread = std::thread::spawn(move || serve(&socket, &ended, &notes));
        Self { address, over, thread: Some(thread) }
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // Wakes the thread.
        let woken = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(&[], self.address));
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

fn serve(socket: &UdpSocket, over: &AtomicBool, notes: &Notes) {
    let (mut packet, mut flips) = ([0; 1500], 0_u32);
    while let Ok((length, from)) = socket.recv_from(&mut packet) {
        if over.load(Ordering::Acquire) {
            return;
        }
        let Some((name, kind, end)) = question(&packet[..length]) else { continue };
        notes.asked(&name);
        let flipped = name == "flip.wild.example" && kind == A && {
            flips += 1;
            flips.is_multiple_of(2)
        };
        let answer = answer(&packet[..end], kind, address(&name, flipped));
        // Who asked may be gone.
        let _ = socket.send_to(&answer, from);
    }
}

/// Name and type of the question, and where it ends.
fn question(packet: &[u8]) -> Option<(String, u16, usize)> {
    let (mut at, mut labels) = (12, Vec::new());
    loop {
        let length = usize::from(*packet.get(at)?);
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(packet.get(at + 1..at + 1 + length)?).to_lowercase());
        at += 1 + length;
    }
    let kind = packet.get(at + 1..at + 3)?;
    packet.get(at + 3..at + 5)?;
    Some((labels.join("."), u16::from_be_bytes([kind[0], kind[1]]), at + 5))
}

/// The address of a name; `flipped` tells which of its two the one name has.
fn address(name: &str, flipped: bool) -> IpAddr {
    let text = match name {
        "flip.wild.example" if flipped => "127.0.0.2",
        "rebind.wild.example" => "127.0.0.2",
        "loop.wild.example" => "127.0.0.1",
        "meta.wild.example" => "169.254.169.254",
        "six.wild.example" => "::1",
        name if is_good(name) => GOOD,
        _ => SINK,
    };
    text.parse().expect("an address")
}

/// True for a name that some profile of the world allows.
pub(super) fn is_good(name: &str) -> bool {
    let below = name.strip_suffix(".wild.example").is_some_and(|label| !label.is_empty() && !label.contains('.'));
    below || matches!(name, "good.example" | "other.example")
}

/// An answer to `question`, a message up to the end of its question: the record of its type, if `address` is of it. It may not be kept (TTL 0).
fn answer(question: &[u8], kind: u16, address: IpAddr) -> Vec<u8> {
    let data = match (kind, address) {
        (A, IpAddr::V4(four)) => four.octets().to_vec(),
        (AAAA, IpAddr::V6(six)) => six.octets().to_vec(),
        _ => Vec::new(),
    };
    let count = u8::from(!data.is_empty());
    let mut message = [&question[..2], &[0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0], &question[12..]].concat();
    if count > 0 {
        let [high, low] = kind.to_be_bytes();
        message.extend([0xc0, 12, high, low, 0, 1, 0, 0, 0, 0, 0, data.len() as u8]);
        message.extend(data);
    }
    message
}
