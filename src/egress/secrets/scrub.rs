//! Taking real values out of what comes back: each spelling becomes `[secret NAME]`, across the borders of pieces, and nothing waits but what may be the
//! start of a spelling.

use super::net::Net;
use crate::egress::Scrubber;
use aho_corasick::automaton::StateID;
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use zeroize::Zeroize;

/// Spellings of values, and what they become.
pub(super) struct Hidden {
    pub(super) net: Net,
    /// By owner.
    pub(super) marks: Vec<Bytes>,
}

/// Bytes that are to be replaced, as positions from the body's start.
struct Found {
    start: u64,
    end: u64,
    owner: usize,
}

/// Takes values out of one body.
pub(super) struct Scrub {
    hidden: Arc<Hidden>,
    state: StateID,
    /// Bytes seen.
    seen: u64,
    /// Bytes dealt with: passed on, or replaced.
    done: u64,
    /// What lies between: seen and not dealt with.
    tail: Vec<u8>,
    /// In the order of their ends; none overlaps another.
    found: Vec<Found>,
    /// End of what was replaced last; it grows as long as further spellings begin before it.
    gone: u64,
}

impl Scrub {
    pub(super) fn new(hidden: Arc<Hidden>) -> Self {
        let state = hidden.net.start();
        Self { hidden, state, seen: 0, done: 0, tail: Vec::new(), found: Vec::new(), gone: 0 }
    }

    /// Runs the automaton over `piece` and notes what it finds.
    fn search(&mut self, piece: &[u8]) {
        let hidden = Arc::clone(&self.hidden);
        let mut state = self.state;
        for &byte in piece {
            state = hidden.net.step(state, byte);
            self.seen += 1;
            if hidden.net.is_hit(state) {
                hidden.net.hits(state).for_each(|hit| self.note(self.seen - hit.length as u64, hit.owner));
            }
        }
        self.state = state;
    }

    /// Notes a spelling that ends at the last byte. What overlaps becomes one replacement, named after the one that begins first.
    fn note(&mut self, start: u64, owner: usize) {
        if start < self.gone {
            self.gone = self.seen;
            return;
        }
        let mut merged = Found { start, end: self.seen, owner };
        while let Some(last) = self.found.pop_if(|last| last.end > merged.start) {
            if last.start <= merged.start {
                merged = Found { end: self.seen, ..last };
            }
        }
        self.found.push(merged);
    }

    /// Passes on what lies before `safe`, which no later spelling can reach. `fresh` follows the tail.
    fn pass(&mut self, fresh: &Bytes, safe: u64) -> Bytes {
        if self.tail.is_empty() && self.found.is_empty() && self.gone <= self.done {
            let count = fresh.len().min(to_len(safe - self.done));
            self.done = safe;
            self.tail.extend_from_slice(&fresh[count..]);
            return fresh.slice(..count);
        }
        self.tail.extend_from_slice(fresh);
        let mut out = BytesMut::with_capacity(self.tail.len());
        let base = self.done;
        for found in std::mem::take(&mut self.found) {
            if found.start < safe {
                self.copy(base, found.start, &mut out);
                out.extend_from_slice(&self.hidden.marks[found.owner]);
                self.gone = found.end;
            } else {
                self.found.push(found);
            }
        }
        self.copy(base, safe, &mut out);
        let dealt = to_len(self.done - base);
        self.tail[..dealt].zeroize();
        self.tail.drain(..dealt);
        out.freeze()
    }

    /// Passes on the bytes of the tail, which starts at `base`, up to `end`, without those that were replaced.
    fn copy(&mut self, base: u64, end: u64, out: &mut BytesMut) {
        let start = self.done.max(self.gone).min(end);
        out.extend_from_slice(&self.tail[to_len(start - base)..to_len(end - base)]);
        self.done = self.done.max(end);
    }
}

/// Distances within the tail, which is in memory.
fn to_len(distance: u64) -> usize {
    usize::try_from(distance).unwrap_or(usize::MAX)
}

impl Scrubber for Scrub {
    fn feed(&mut self, piece: Bytes) -> Bytes {
        self.search(&piece);
        let safe = self.seen - self.hidden.net.depth(self.state) as u64;
        // What was replaced is not held back: it is known to be a value.
        self.pass(&piece, safe.max(self.done))
    }

    fn finish(&mut self) -> Bytes {
        self.state = self.hidden.net.start();
        self.pass(&Bytes::new(), self.seen)
    }
}

impl Drop for Scrub {
    fn drop(&mut self) {
        self.tail.zeroize();
    }
}

/// `bytes` without values; none when they had none.
pub(super) fn whole(hidden: &Arc<Hidden>, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut scrub = Scrub::new(Arc::clone(hidden));
    scrub.search(bytes);
    if scrub.found.is_empty() {
        return None;
    }
    Some(scrub.pass(&Bytes::copy_from_slice(bytes), bytes.len() as u64).to_vec())
}
