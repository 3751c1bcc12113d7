//! What the world saw: requests, names that were asked for, secrets where they must not be.

use super::settings::{API_KEY, SECRETS};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Who was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An origin that rules may allow.
    Good,
    /// Whoever is outside policy.
    Sink,
    /// A service of the machine itself.
    Inside,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It is under way.
    Open,
    /// The whole answer was written.
    Answered,
    /// Who asked closed the connection before that.
    Left,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Who was asked.
    pub(crate) kind: Kind,
    /// Whether over TLS.
    pub(crate) tls: bool,
    /// The method.
    pub(crate) method: String,
    /// `Host`.
    pub(crate) host: String,
    /// Path and query.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, as far as it came.
    pub(crate) body: Vec<u8>,
    /// Bytes of the answer's body that the connection took.
    pub(crate) written: u64,
    /// How it ended.
    pub(crate) end: End,
}

/// All of it.
#[derive(Default)]
pub(crate) struct State {
    /// Requests since the last [`State::forget`].
    pub(crate) seen: Vec<Seen>,
    /// Names that the resolver was asked for.
    pub(crate) asked: Vec<String>,
    /// Secrets that arrived where they must not.
    pub(crate) leaks: Vec<String>,
    /// Most requests that were under way at once.
    pub(crate) most: usize,
    /// True when the world comes to its end.
    pub(super) over: bool,
    /// How many requests were forgotten: the number of the first in `seen`.
    forgotten: usize,
}

/// The state, and who waits for it to change.
#[derive(Default)]
pub(super) struct Notes {
    state: Mutex<State>,
    changed: Condvar,
}

impl Seen {
    /// The values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }
}

impl State {
    pub(super) fn forget(&mut self) {
        self.forgotten += self.seen.len();
        self.seen.clear();
        (self.most, self.asked, self.leaks) = (0, Vec::new(), Vec::new());
    }

    /// A line per request.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |seen: &Seen| format!("{:?} {} {}{} {:?}", seen.kind, seen.method, seen.host, seen.path, seen.end);
        self.seen.iter().map(line).collect()
    }

    /// Requests to good origins.
    pub(crate) fn good(&self) -> usize {
        self.seen.iter().filter(|seen| seen.kind == Kind::Good).count()
    }
}

impl Notes {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets those who wait go.
    pub(super) fn close(&self) {
        self.lock().over = true;
        self.changed.notify_all();
    }

    pub(super) fn asked(&self, name: &str) {
        self.lock().asked.push(name.to_owned());
    }

    /// A request arrived; its number.
    pub(super) fn arrived(&self, seen: Seen) -> usize {
        let mut state = self.lock();
        state.seen.push(seen);
        let under_way = state.seen.iter().filter(|seen| seen.end == End::Open).count();
        state.most = state.most.max(under_way);
        self.changed.notify_all();
        state.forgotten + state.seen.len() - 1
    }

    /// Something more is known of request `number`, unless it is forgotten.
    pub(super) fn note(&self, number: usize, note: impl FnOnce(&mut Seen)) {
        let mut state = self.lock();
        let at = number.checked_sub(state.forgotten);
        if let Some(seen) = at.and_then(|at| state.seen.get_mut(at)) {
            note(seen);
        }
        self.changed.notify_all();
    }

    /// The whole request `seen` was read: looks for secrets in it. Only the good host may get the one that is granted, in its header.
    pub(super) fn search(&self, seen: &Seen) {
        let granted = format!("Bearer {API_KEY}");
        let mut text = format!("{} {}{}\n", seen.method, seen.host, seen.path).into_bytes();
        for (name, value) in &seen.headers {
            let right = seen.kind == Kind::Good && seen.tls && seen.host == "good.example" && name == "authorization" && *value == granted;
            if !right {
                text.extend(format!("{name}: {value}\n").bytes());
            }
        }
        text.extend(&seen.body);
        let found = secrets_in(&text).into_iter().map(|name| format!("{name} at {:?} {}{}", seen.kind, seen.host, seen.path));
        self.lock().leaks.extend(found);
    }

    /// Waits for `probe` to find something; none after `patience`.
    pub(super) fn until<T>(&self, patience: Duration, mut probe: impl FnMut(&State) -> Option<T>) -> Option<T> {
        let (mut state, until) = (self.lock(), Instant::now() + patience);
        loop {
            if let Some(found) = probe(&state) {
                return Some(found);
            }
            let left = until.checked_duration_since(Instant::now())?;
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Names of the secrets whose value is in `bytes`: as it is, in base64 wherever in a longer text it stood, in hexadecimal digits, or back to front.
pub(super) fn secrets_in(bytes: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let found = SECRETS.iter().filter(|(_, value)| {
        let plain = [(*value).to_owned(), hex::encode(value), hex::encode_upper(value), value.chars().rev().collect()];
        plain.into_iter().chain((0..3).map(|before| packed(value, before))).any(|form| text.contains(&form))
    });
    found.map(|(name, _)| *name).collect()
}

/// What base64 makes of `value` behind `before` bytes of a group of three, without the digits that tell of its neighbours too.
fn packed(value: &str, before: usize) -> String {
    let digits = STANDARD_NO_PAD.encode([&[0; 3][..before], value.as_bytes()].concat());
    let shared = usize::from(!(before + value.len()).is_multiple_of(3));
    digits[(before * 8).div_ceil(6)..digits.len() - shared].to_owned()
}
