//! The same request sent twice runs once: `Idempotency-Key`, scoped to the principal.
//!
//! While a run goes on, a second request waits for its answer. Afterwards the store remembers key, body and run for a day.
//! A request that was refused before its intent left no trace to repeat, so its key stays free.

use crate::model::{Digest, Principal, Problem, ProblemCode, RunId};
use crate::provenance::now_ms;
use crate::store::{Batch, Range, Store, StoreError, Tree};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long a key is remembered after its run was admitted.
const REMEMBERED: Duration = Duration::from_hours(24);

/// Keys that one sweep looks at, so that it never holds the store long.
const SWEEP_KEYS: usize = 1000;

/// A caller's `Idempotency-Key` with the digest of the body it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The key: 1 to 255 visible ASCII characters.
    pub key: String,
    /// Digest of the request's body, byte for byte.
    pub body: Digest,
}

/// What the store remembers of a key.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Remembered {
    body: Digest,
    run: RunId,
    at_ms: u64,
}

type Answer = Result<Bytes, Problem>;

struct UnderWay {
    body: Digest,
    answer: watch::Receiver<Option<Answer>>,
}

/// The keys of a server.
#[derive(Clone)]
pub(super) struct Keys {
    store: Store,
    under_way: Arc<Mutex<HashMap<Digest, UnderWay>>>,
}

/// What a key means for the request that brought it.
pub(super) enum Claim {
    /// Nobody came before: run it, and tell the others.
    First(First),
    /// The same request is under way: its answer will do.
    Wait(watch::Receiver<Option<Answer>>),
    /// The same request ran: its report will do.
    Ran(RunId),
}

/// The right and duty of the first request with a key.
pub(super) struct First {
    id: Digest,
    body: Digest,
    answer: watch::Sender<Option<Answer>>,
    keys: Keys,
}

impl Keys {
    pub(super) fn new(store: Store) -> Self {
        Self { store, under_way: Arc::default() }
    }

    /// What `idempotency` means when `principal` brings it. The caller is the cause of `idempotencyConflict`.
    pub(super) fn claim(&self, principal: &Principal, idempotency: &Idempotency) -> Result<Claim, Problem> {
        let id = Digest::of_parts([principal.id.as_bytes(), idempotency.key.as_bytes()]);
        let mut under_way = self.lock();
        let place = match under_way.entry(id) {
            Entry::Occupied(entry) if entry.get().body == idempotency.body => return Ok(Claim::Wait(entry.get().answer.clone())),
            Entry::Occupied(_) => return Err(conflict()),
            Entry::Vacant(place) => place,
        };
        // Looked up under the lock: a run that ends now has its key in the store before it leaves the map.
        match self.remembered(&id).map_err(unreadable)? {
            Some(before) if before.body == idempotency.body => return Ok(Claim::Ran(before.run)),
            Some(_) => return Err(conflict()),
            None => {}
        }
        let (answer, receiver) = watch::channel(None);
        place.insert(UnderWay { body: idempotency.body, answer: receiver });
        Ok(Claim::First(First { id, body: idempotency.body, answer, keys: self.clone() }))
    }

    fn remembered(&self, id: &Digest) -> Result<Option<Remembered>, StoreError> {
        let bytes = self.store.get(Tree::Idempotency, id.as_bytes())?;
        let remembered = bytes.and_then(|bytes| serde_json::from_slice::<Remembered>(&bytes).ok());
        Ok(remembered.filter(|remembered| !expired(remembered, now_ms())))
    }

    /// The change that forgets what is older than a day, among the first [`SWEEP_KEYS`] keys after `from`; and where to go on.
    pub(super) fn sweep(&self, from: &[u8]) -> Result<(Batch, Option<Vec<u8>>), StoreError> {
        let now = now_ms();
        let rows = self.store.range(Tree::Idempotency, &Range::first(SWEEP_KEYS).after(from))?;
        let next = (rows.len() == SWEEP_KEYS).then(|| rows.last().map(|(key, _)| key.to_vec())).flatten();
        let old = |value: &[u8]| serde_json::from_slice::<Remembered>(value).map_or(true, |remembered| expired(&remembered, now));
        let batch =
            rows.iter().filter(|(_, value)| old(value)).fold(Batch::new(), |batch, (key, _)| batch.delete(Tree::Idempotency, key.to_vec()));
        Ok((batch, next))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, UnderWay>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl First {
    /// The change that remembers this key for `run`; stored with the run's intent.
    pub(super) fn remember(&self, run: RunId) -> Batch {
        let remembered = Remembered { body: self.body, run, at_ms: now_ms() };
        // Digests, an id and a number always have a JSON form.
        let bytes = serde_json::to_vec(&remembered).unwrap_or_default();
        Batch::new().put(Tree::Idempotency, self.id.as_bytes().as_slice(), bytes)
    }

    /// Tells everybody who waits.
    pub(super) fn answered(self, answer: &Answer) {
        self.answer.send_replace(Some(answer.clone()));
    }
}

impl Drop for First {
    fn drop(&mut self) {
        self.keys.lock().remove(&self.id);
    }
}

/// The answer of the request that came first; `None` when it ended without one.
pub(super) async fn await_answer(mut answer: watch::Receiver<Option<Answer>>) -> Option<Answer> {
    let answered = answer.wait_for(Option::is_some).await.ok();
    answered.and_then(|answered| answered.clone())
}

fn expired(remembered: &Remembered, now_ms: u64) -> bool {
    u128::from(now_ms.saturating_sub(remembered.at_ms)) > REMEMBERED.as_millis()
}

fn conflict() -> Problem {
    let detail = "this Idempotency-Key came with another body before";
    Problem::new(ProblemCode::IdempotencyConflict, detail, "use a new key for a new request; repeat a request byte for byte")
}

fn unreadable(error: StoreError) -> Problem {
    Problem::new(
        ProblemCode::InternalError,
        format!("the key cannot be looked up: {error}"),
        "ask the operator to look at the server's log",
    )
}
