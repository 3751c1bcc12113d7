//! Idle connections. One is used again only for the same principal, scheme, host and port.
//!
//! A connection from here was vetted when it was opened and nothing is resolved again: it leads where it led, whatever its name says by now. That stays
//! true for as long as the connection lives, which is 5 minutes at most, so that an origin that moved is not asked at its old place for long.

use super::Target;
use super::link::{Link, One, STREAMS_MAX, Two};
use crate::model::Scheme;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// How long a connection may wait for its next use.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// How long after its opening a connection is given new requests.
const AGE_MAX: Duration = Duration::from_secs(300);

/// How often connections that are too old are looked for while there are any.
const SWEEP: Duration = Duration::from_secs(5);

/// Idle connections of one key.
const PER_KEY_MAX: usize = 16;

/// Idle connections in all; the one that waits longest makes room.
const ALL_MAX: usize = 256;

/// Who may use a connection, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    principal: String,
    scheme: Scheme,
    host: String,
    port: u16,
}

impl Key {
    pub(super) fn new(principal: &str, target: &Target) -> Self {
        Self { principal: principal.to_owned(), scheme: target.scheme, host: target.host.clone(), port: target.port }
    }
}

/// The idle connections.
#[derive(Default)]
pub(super) struct Pool(Mutex<Shelves>);

#[derive(Default)]
struct Shelves {
    by_key: HashMap<Key, Vec<Kept>>,
    swept: bool,
}

/// A connection, and since when it was not used.
struct Kept {
    what: What,
    since: Instant,
}

enum What {
    One(One),
    Two(Two),
}

impl Kept {
    fn is_fresh(&self, now: Instant) -> bool {
        let (born, closed, idle) = match &self.what {
            What::One(one) => (one.line.born, one.is_closed(), true),
            What::Two(two) => (two.line.born, two.is_closed(), two.streams() == 0),
        };
        !closed && now.duration_since(born) < AGE_MAX && (!idle || now.duration_since(self.since) < IDLE_MAX)
    }
}

impl Pool {
    /// A connection that may be used now, the one that was used last first.
    pub(super) fn take(&self, key: &Key) -> Option<Link> {
        let mut shelves = self.lock();
        let now = Instant::now();
        let shelf = shelves.by_key.get_mut(key)?;
        shelf.retain(|kept| kept.is_fresh(now));
        let at = shelf.iter().rposition(|kept| match &kept.what {
            What::One(_) => true,
            What::Two(two) => two.streams() < STREAMS_MAX,
        })?;
        if let Some(Kept { what: What::Two(two), since }) = shelf.get_mut(at) {
            *since = now;
            return Some(two.lease());
        }
        match shelf.remove(at).what {
            What::One(one) => Some(Link::One(one)),
            What::Two(two) => Some(two.lease()),
        }
    }

    /// Keeps a connection whose exchange is over, both ways and to the end.
    pub(super) fn give_back(self: &Arc<Self>, key: &Key, link: Link) {
        match link {
            Link::One(one) => self.keep(key, What::One(one)),
            Link::Two(two, lease) => {
                drop(lease);
                let mut shelves = self.lock();
                for kept in shelves.by_key.get_mut(key).into_iter().flatten() {
                    if matches!(&kept.what, What::Two(other) if Arc::ptr_eq(&other.line, &two.line)) {
                        kept.since = Instant::now();
                    }
                }
            }
        }
    }

    /// Lets others use a connection that was just opened.
    pub(super) fn share(self: &Arc<Self>, key: &Key, two: Two) {
        self.keep(key, What::Two(two));
    }

    /// Closes all that are idle.
    pub(super) fn clear(&self) {
        self.lock().by_key.clear();
    }

    fn keep(self: &Arc<Self>, key: &Key, what: What) {
        let kept = Kept { what, since: Instant::now() };
        if !kept.is_fresh(kept.since) {
            return;
        }
        let mut shelves = self.lock();
        let shelf = shelves.by_key.entry(key.clone()).or_default();
        if shelf.len() >= PER_KEY_MAX {
            shelf.remove(0);
        }
        shelf.push(kept);
        shelves.make_room();
        if !std::mem::replace(&mut shelves.swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    /// Closes the connection that waits longest, if there are too many.
    fn make_room(&mut self) {
        if self.by_key.values().map(Vec::len).sum::<usize>() <= ALL_MAX {
            return;
        }
        let oldest = self
            .by_key
            .iter()
            .filter_map(|(key, shelf)| Some((shelf.iter().map(|kept| kept.since).min()?, key)))
            .min_by_key(|(since, _)| *since);
        let Some((since, key)) = oldest.map(|(since, key)| (since, key.clone())) else { return };
        if let Some(shelf) = self.by_key.get_mut(&key)
            && let Some(at) = shelf.iter().position(|kept| kept.since == since)
        {
            shelf.remove(at);
        }
    }
}

/// Closes connections that are too old, until there are none or the pool is gone.
async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(pool) = pool.upgrade() else { return };
        let mut shelves = pool.lock();
        let now = Instant::now();
        shelves.by_key.retain(|_, shelf| {
            shelf.retain(|kept| kept.is_fresh(now));
            !shelf.is_empty()
        });
        if shelves.by_key.is_empty() {
            shelves.swept = false;
            return;
        }
    }
}
