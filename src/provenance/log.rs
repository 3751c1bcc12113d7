//! The log: one gapless sequence of records, each stored in one batch with its hashes and whatever belongs to it.

use super::complete::Tally;
use super::intended::Intended;
use super::merkle::{Frontier, leaf};
use super::record::{Intent, KeyEvent, PolicyEvent, RECORD_VERSION, Record, Refusal, ServerEvent};
use super::rows::RunRow;
use super::{ProvenanceError, recover};
use crate::model::{Digest, Durability, RunId};
use crate::store::{Batch, Commit, Permit, Store, Tree};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The longest record, in bytes. Source: the variables and limits of a grant (its
/// egress is told by digest where it is long) and an origin at the limits of a request, or two lists of a seal, with room.
pub const RECORD_BYTES_MAX: usize = 1 << 20;

/// A record's place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its sequence number, from 0.
    pub sequence: u64,
    /// Its leaf hash.
    pub leaf: Digest,
}

/// Where a record was put, and the store's count of failed writes at that time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) appended: Appended,
    pub(super) generation: u64,
}

/// The log of a store. Clones share it; one log per store.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    state: Mutex<State>,
    tally: Tally,
}

/// What the next record builds on.
struct State {
    /// The store's count of failed writes when this was read.
    generation: u64,
    frontier: Frontier,
}

impl Log {
    /// The log in `store`. Runs that an earlier server left open are sealed as `internalError`, cause `recovered`, on disk before
    /// this returns; their ids are returned. Blocks.
    ///
    /// Errors: [`ProvenanceError::Store`], [`ProvenanceError::Damaged`].
    pub fn open(store: Store) -> Result<(Self, Vec<RunId>), ProvenanceError> {
        let state = State::load(&store)?;
        let log = Self { inner: Arc::new(Inner { store, state: Mutex::new(state), tally: Tally::default() }) };
        let recovered = recover::seal_open_intents(&log)?;
        Ok((log, recovered))
    }

    /// The store under it.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.inner.tally
    }

    /// How many records it has, those on their way to the store included.
    pub fn size(&self) -> u64 {
        self.state().frontier.size()
    }

    /// Records that a run is about to start, and returns when `durability` is reached. Only an [`Intended`] can be sealed.
    ///
    /// Errors: [`ProvenanceError::RunKnown`], [`ProvenanceError::TooLarge`], [`ProvenanceError::Store`]: then nothing may run.
    pub async fn intend(&self, intent: Intent, with: Batch, durability: Durability) -> Result<Intended, ProvenanceError> {
        let key = *intent.run.0.as_bytes();
        let at_ms = now_ms();
        let mut row = RunRow::running(&intent, at_ms);
        let json = draft(at_ms, &Record::Intent(Box::new(intent.clone())))?;
        let permit = self.store().reserve().await?;
        // Before the intent can be seen: an open intent that is not under way is a missing seal.
        let under_way = self.tally().begin(intent.run);
        let enqueued = self.enqueue(permit, &json, durability, |place| {
            if self.store().get(Tree::RunRows, &key)?.is_some() {
                return Err(ProvenanceError::RunKnown(intent.run));
            }
            row.intent_sequence = place.appended.sequence;
            let open = with.put(Tree::OpenIntents, key, place.appended.sequence.to_be_bytes());
            Ok(open.put(Tree::RunRows, key, serde_json::to_vec(&row).map_err(form)?))
        });
        let (place, commit) = match enqueued {
            Ok(enqueued) => enqueued,
            Err(error) => {
                under_way.forget();
                return Err(error);
            }
        };
        // Made before the answer: should the caller go away while waiting, dropping it seals the run.
        let intended = Intended::new(self.clone(), intent, place, at_ms, under_way);
        match commit.await {
            Ok(()) => Ok(intended),
            Err(error) => {
                intended.disown();
                Err(error.into())
            }
        }
    }

    /// Records a refusal, in one batch with `with`.
    pub async fn refuse(&self, refusal: Refusal, with: Batch, durability: Durability) -> Result<Appended, ProvenanceError> {
        self.append(Record::Refusal(refusal), with, durability).await
    }

    /// Records what the server did.
    pub async fn server(&self, event: ServerEvent, durability: Durability) -> Result<Appended, ProvenanceError> {
        self.append(Record::Server(event), Batch::new(), durability).await
    }

    /// Records what happened to an API key, in one batch with `change`, which makes it happen. On disk when this returns.
    pub async fn key(&self, event: KeyEvent, change: Batch) -> Result<Appended, ProvenanceError> {
        self.append(Record::Key(event), change, Durability::Strict).await
    }

    /// Records `record` in one batch with what `change` makes of its sequence number and time, which makes it happen; tells that time. On disk
    /// when this returns: either both are there, or neither.
    pub async fn change(&self, record: Record, change: impl FnOnce(u64, u64) -> Batch) -> Result<(Appended, u64), ProvenanceError> {
        let at_ms = now_ms();
        let json = draft(at_ms, &record)?;
        let permit = self.store().reserve().await?;
        let (place, commit) = self.enqueue(permit, &json, Durability::Strict, |place| Ok(change(place.appended.sequence, at_ms)))?;
        commit.await?;
        Ok((place.appended, at_ms))
    }

    /// Records what happened to the policy in force. On disk when this returns.
    pub async fn policy(&self, event: PolicyEvent) -> Result<Appended, ProvenanceError> {
        self.append(Record::Policy(event), Batch::new(), Durability::Strict).await
    }

    async fn append(&self, record: Record, more: Batch, durability: Durability) -> Result<Appended, ProvenanceError> {
        let json = draft(now_ms(), &record)?;
        let permit = self.store().reserve().await?;
        let (place, commit) = self.enqueue(permit, &json, durability, |_| Ok(more))?;
        commit.await?;
        Ok(place.appended)
    }

    /// Gives a record its place and hands it to the store, in that order for all records, in one step without waiting.
    pub(super) fn enqueue(
        &self,
        permit: Permit,
        json: &[u8],
        durability: Durability,
        more: impl FnOnce(Place) -> Result<Batch, ProvenanceError>,
    ) -> Result<(Place, Commit), ProvenanceError> {
        let mut state = self.state();
        if state.generation != self.store().generation() {
            // A write failed: what was numbered after it was not stored either. Go on from what was.
            *state = State::load(self.store())?;
        }
        let sequence = state.frontier.size();
        let bytes = numbered(sequence, json);
        let leaf = leaf(&bytes);
        let hashes = state.frontier.next(leaf)?;
        let place = Place { appended: Appended { sequence, leaf: leaf.0.into() }, generation: state.generation };
        let batch = Batch::new().put(Tree::Records, sequence.to_be_bytes(), bytes);
        let batch = hashes.iter().fold(batch, |batch, (index, hash)| batch.put(Tree::Hashes, index.to_be_bytes(), hash.0));
        let commit = permit.commit(place.generation, batch.then(more(place)?), durability)?;
        state.frontier.push(&hashes);
        Ok((place, commit))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Reads where the log ends. The count is read first: a write that fails meanwhile then shows at the next record.
    fn load(store: &Store) -> Result<Self, ProvenanceError> {
        let generation = store.generation();
        let size = match store.last(Tree::Records)? {
            None => 0,
            Some((key, _)) => {
                let key =
                    key.try_into().map_err(|_| ProvenanceError::Damaged { sequence: 0, what: "a record's key is no number".to_owned() })?;
                u64::from_be_bytes(key) + 1
            }
        };
        Ok(Self { generation, frontier: Frontier::load(store, size)? })
    }
}

/// The JSON of a record without its sequence, which is known only when its turn comes.
pub(super) fn draft(at_ms: u64, record: &Record) -> Result<Vec<u8>, ProvenanceError> {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Draft<'a> {
        at_ms: u64,
        #[serde(flatten)]
        record: &'a Record,
    }
    let json = serde_json::to_vec(&Draft { at_ms, record }).map_err(form)?;
    if json.len() > RECORD_BYTES_MAX {
        return Err(ProvenanceError::TooLarge { bytes: json.len(), most: RECORD_BYTES_MAX });
    }
    Ok(json)
}

/// The bytes to store: the draft, with its version and its sequence in front.
fn numbered(sequence: u64, draft: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{{\"v\":{RECORD_VERSION},\"sequence\":{sequence},").into_bytes();
    bytes.extend_from_slice(draft.strip_prefix(b"{").unwrap_or(draft));
    bytes
}

pub(super) fn form(error: serde_json::Error) -> ProvenanceError {
    ProvenanceError::Form(error.to_string())
}

/// The server's clock, in milliseconds since 1970; a clock before that reads 0.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
