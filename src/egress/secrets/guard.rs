//! Looking for stand-ins in what goes out: whole texts in every layer of percent-encoding, and bodies as they stream, as they are and with one layer
//! of percent-encoding taken off.

use super::net::Net;
use aho_corasick::automaton::StateID;

/// How many layers of percent-encoding are taken off a URL or a header.
const LAYERS_MAX: usize = 8;

/// Whose stand-ins are in `text`, in any layer of percent-encoding, each owner once.
pub(super) fn owners_in(net: &Net, text: &[u8]) -> Vec<usize> {
    let mut owners = net.owners_in(text);
    let mut layer = if text.contains(&b'%') { text.to_vec() } else { return owners };
    for _ in 0..LAYERS_MAX {
        let decoded = decode(&layer);
        if decoded.len() == layer.len() {
            break;
        }
        owners.extend(net.owners_in(&decoded));
        layer = decoded;
    }
    owners.sort_unstable();
    owners.dedup();
    owners
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut escape = Escape::default();
    let mut decoded = Vec::with_capacity(text.len());
    text.iter().for_each(|&byte| escape.feed(byte, |byte| decoded.push(byte)));
    escape.flush(|byte| decoded.push(byte));
    decoded
}

/// Takes off one layer of percent-encoding, byte by byte; what is no escape stays as it is.
#[derive(Default, Clone, Copy)]
struct Escape {
    /// The start of what may become an escape: a `%`, and a digit.
    begun: Option<Option<u8>>,
}

impl Escape {
    fn feed(&mut self, byte: u8, mut give: impl FnMut(u8)) {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (self.begun.take(), byte) {
            (None, b'%') => self.begun = Some(None),
            (None, byte) => give(byte),
            (Some(None), byte) if digit(byte).is_some() => self.begun = Some(Some(byte)),
            (Some(Some(first)), byte) if digit(byte).is_some() => give(16 * digit(first).unwrap_or(0) + digit(byte).unwrap_or(0)),
            (Some(first), byte) => {
                self.begun = Some(first);
                self.flush(&mut give);
                self.feed(byte, give);
            }
        }
    }

    /// How many bytes wait for the end of an escape.
    fn waiting(self) -> usize {
        self.begun.map_or(0, |first| 1 + usize::from(first.is_some()))
    }

    /// Gives what never became an escape.
    fn flush(&mut self, mut give: impl FnMut(u8)) {
        if let Some(first) = self.begun.take() {
            give(b'%');
            first.into_iter().for_each(give);
        }
    }
}

/// Searches one body, piece by piece.
pub(super) struct Watch {
    plain: StateID,
    /// The search behind the escapes; none while it would see the same as the other.
    decoded: Option<Decoded>,
    seen: usize,
    /// Bytes that may be sent; never shrinks.
    free: usize,
}

struct Decoded {
    escape: Escape,
    state: StateID,
}

impl Watch {
    pub(super) fn new(net: &Net) -> Self {
        Self { plain: net.start(), decoded: None, seen: 0, free: 0 }
    }

    /// Takes the next piece. Returns how many bytes in all may be sent, or whose stand-in was found.
    pub(super) fn feed(&mut self, net: &Net, piece: &[u8]) -> Result<usize, usize> {
        self.seen += piece.len();
        let mut rest = piece;
        while let Some((&byte, more)) = rest.split_first() {
            rest = more;
            if self.plain == net.start() && self.decoded.is_none() && byte != b'%' && net.is_idle(byte) {
                // Most bytes of most bodies: they change nothing, and neither do their like behind them.
                let idle = more.iter().take_while(|&&byte| byte != b'%' && net.is_idle(byte)).count();
                rest = &more[idle..];
            } else {
                self.step(net, byte)?;
            }
        }
        // A byte behind an escape was up to three.
        let behind = self.decoded.as_ref().map_or(0, |decoded| 3 * net.depth(decoded.state) + decoded.escape.waiting());
        let held = net.depth(self.plain).max(behind);
        self.free = self.free.max(self.seen.saturating_sub(held));
        Ok(self.free)
    }

    #[inline]
    fn step(&mut self, net: &Net, byte: u8) -> Result<(), usize> {
        if byte == b'%' && self.decoded.is_none() {
            self.decoded = Some(Decoded { escape: Escape::default(), state: self.plain });
        }
        self.plain = net.step(self.plain, byte);
        found(net, self.plain)?;
        let Some(decoded) = &mut self.decoded else { return Ok(()) };
        let mut hit = Ok(());
        let state = &mut decoded.state;
        decoded.escape.feed(byte, |byte| {
            *state = net.step(*state, byte);
            hit = hit.and_then(|()| found(net, *state));
        });
        // Equal states see the same future, until the next escape.
        if decoded.escape.begun.is_none() && decoded.state == self.plain {
            self.decoded = None;
        }
        hit
    }
}

#[inline]
fn found(net: &Net, state: StateID) -> Result<(), usize> {
    if net.is_hit(state) { net.hits(state).next().map_or(Ok(()), |hit| Err(hit.owner)) } else { Ok(()) }
}
