//! API keys: made, rotated, revoked, listed, and checked on every request. Only a hash of each secret is kept.
//!
//! A revoked key stays on record, for audits and because a server that has ever had a key must not fall back to trusting everybody.

mod authenticate;
mod record;
mod token;

pub use record::{KeyInfo, KeyName};
pub use token::{KeyId, Token};

use crate::model::Role;
use arc_swap::ArcSwap;
use record::KeyRecord;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Most keys on record, revoked ones included: bounds the index and the rate limiter's map.
const KEYS_MAX: usize = 10_000;

/// Where key records are kept: id and bytes. Its errors are told in words.
pub trait KeyStore: Send + Sync {
    /// Every record.
    fn load_all(&self) -> Result<Vec<(String, Vec<u8>)>, String>;
    /// Keeps a record under its id, on disk before it returns.
    fn put(&self, id: &str, record: &[u8]) -> Result<(), String>;
}

/// Why a key could not be made, changed or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Caused by the operator: the name has another form.
    #[error("`{0}` is not a name for a key: use letters, digits, `.`, `-` and `_`, starting with a letter or digit, at most 64")]
    Name(String),
    /// Caused by the operator: a live key has this name.
    #[error("a key called `{0}` exists: choose another name, or rotate or revoke that one")]
    NameTaken(String),
    /// Caused by the operator: no key of this id.
    #[error("there is no key `{0}`: `cordon key list` shows them")]
    Unknown(String),
    /// Caused by the operator: a revoked key cannot be rotated.
    #[error("the key `{0}` is revoked: make a new one")]
    Revoked(KeyId),
    /// Caused by the operator: too many keys on record.
    #[error("there are {KEYS_MAX} keys on record, the most there can be: rotate keys instead of making new ones")]
    TooMany,
    /// The store failed.
    #[error("the keys cannot be read or written: {0}")]
    Store(String),
    /// The store holds something that is no key record.
    #[error("the record of key `{0}` is damaged: restore the data folder from a backup")]
    Damaged(String),
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness: {0}")]
    Random(String),
}

type Index = HashMap<KeyId, Arc<KeyRecord>>;

/// Every key of this server. Checking is lock-free; changes are stored first and take effect at once.
pub struct KeyRing {
    store: Box<dyn KeyStore>,
    index: ArcSwap<Index>,
    changing: Mutex<()>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("keys", &self.index.load().len()).finish_non_exhaustive()
    }
}

impl KeyRing {
    /// Loads every key. A record that cannot be read fails the whole, because it might be a revocation.
    pub fn open(store: Box<dyn KeyStore>) -> Result<Self, KeyError> {
        let records = store.load_all().map_err(KeyError::Store)?;
        let read = |(id, bytes): (String, Vec<u8>)| match (KeyId::parse(&id), KeyRecord::from_bytes(&bytes)) {
            (Some(key), Some(record)) if record.info.id == key => Ok((key, Arc::new(record))),
            (Some(_) | None, Some(_) | None) => Err(KeyError::Damaged(id.chars().take(64).collect())),
        };
        let index = records.into_iter().map(read).collect::<Result<Index, _>>()?;
        Ok(Self { store, index: ArcSwap::from_pointee(index), changing: Mutex::new(()) })
    }

    /// True while no key was ever made: then whoever reaches the loopback listener may do everything, and nothing but loopback may be bound.
    pub fn is_empty(&self) -> bool {
        self.index.load().is_empty()
    }

    /// Makes a key. The token is in the answer and nowhere else.
    pub fn create(&self, name: &str, role: Role) -> Result<(KeyInfo, Token), KeyError> {
        let name = KeyName::parse(name)?;
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let index = self.index.load();
        if index.len() >= KEYS_MAX {
            return Err(KeyError::TooMany);
        }
        if index.values().any(|record| record.info.is_live() && record.info.name == name) {
            return Err(KeyError::NameTaken(name.as_str().to_owned()));
        }
        let id = KeyId::random().map_err(no_randomness)?;
        let token = Token::random(id.clone()).map_err(no_randomness)?;
        let info = KeyInfo { id, name, role, created_at_ms: now_ms(), rotated_at_ms: None, revoked_at_ms: None };
        self.keep(KeyRecord { info, hash: token.hash() }).map(|info| (info, token))
    }

    /// Gives the key a new secret; the old one is refused from now on.
    pub fn rotate(&self, id: &str) -> Result<(KeyInfo, Token), KeyError> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let record = self.find(id)?;
        if !record.info.is_live() {
            return Err(KeyError::Revoked(record.info.id.clone()));
        }
        let token = Token::random(record.info.id.clone()).map_err(no_randomness)?;
        let info = KeyInfo { rotated_at_ms: Some(now_ms()), ..record.info.clone() };
        self.keep(KeyRecord { info, hash: token.hash() }).map(|info| (info, token))
    }

    /// Refuses the key from now on. Revoking twice changes nothing.
    pub fn revoke(&self, id: &str) -> Result<KeyInfo, KeyError> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let record = self.find(id)?;
        if !record.info.is_live() {
            return Ok(record.info.clone());
        }
        let info = KeyInfo { revoked_at_ms: Some(now_ms()), ..record.info.clone() };
        self.keep(KeyRecord { info, hash: record.hash })
    }

    /// Every key on record, oldest first.
    pub fn list(&self) -> Vec<KeyInfo> {
        let mut keys: Vec<KeyInfo> = self.index.load().values().map(|record| record.info.clone()).collect();
        keys.sort_by(|a, b| (a.created_at_ms, &a.id).cmp(&(b.created_at_ms, &b.id)));
        keys
    }

    fn find(&self, id: &str) -> Result<Arc<KeyRecord>, KeyError> {
        let unknown = || KeyError::Unknown(id.chars().take(64).collect());
        let key = KeyId::parse(id).ok_or_else(unknown)?;
        self.index.load().get(&key).cloned().ok_or_else(unknown)
    }

    /// Stores the record, then lets it take effect. Called with `changing` held.
    fn keep(&self, record: KeyRecord) -> Result<KeyInfo, KeyError> {
        let info = record.info.clone();
        self.store.put(info.id.as_str(), &record.to_bytes()).map_err(KeyError::Store)?;
        let mut index = Index::clone(&self.index.load());
        index.insert(info.id.clone(), Arc::new(record));
        self.index.store(Arc::new(index));
        Ok(info)
    }
}

fn no_randomness(error: getrandom::Error) -> KeyError {
    KeyError::Random(error.to_string())
}

/// Milliseconds since 1970; zero on a clock before that.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
