//! The server's secrets: each name's last good value, and what is wrong with it. A value that cannot be read again stays in force.

use super::cache::Cache;
use super::place::Stamp;
use super::source::{Problem, Trouble, VaultSpec};
use super::value::Value;
use crate::config::SecretSource;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::watch;

/// Reads a variable of the environment.
type Environment = fn(&str) -> Option<OsString>;

/// The values of all secrets of the configuration. Only [`super::RunSecrets`] gets at them.
pub struct Secrets {
    pub(super) specs: BTreeMap<String, SecretSource>,
    pub(super) vault: Option<VaultSpec>,
    pub(super) environment: Environment,
    held: RwLock<BTreeMap<String, Held>>,
    cache: Arc<Cache>,
    /// How many readings there were; whoever waits for one subscribes.
    readings: watch::Sender<u64>,
}

/// What is known of one secret.
#[derive(Default)]
struct Held {
    value: Option<Arc<Value>>,
    trouble: Option<Trouble>,
    stamp: Option<Stamp>,
}

impl Secrets {
    /// Secrets that come from `specs`. Nothing is read yet.
    pub fn new(specs: BTreeMap<String, SecretSource>, vault: Option<VaultSpec>) -> Arc<Self> {
        Self::with(specs, vault, |name| std::env::var_os(name))
    }

    /// As `new`, with variables from elsewhere.
    pub(super) fn with(specs: BTreeMap<String, SecretSource>, vault: Option<VaultSpec>, environment: Environment) -> Arc<Self> {
        Arc::new(Self { specs, vault, environment, held: RwLock::default(), cache: Arc::default(), readings: watch::Sender::default() })
    }

    /// What is wrong now. A secret in this list may still have an older value.
    pub fn problems(&self) -> Vec<Problem> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.iter().filter_map(|(name, held)| held.trouble.clone().map(|trouble| trouble.of(name))).collect()
    }

    /// The value in force.
    pub(super) fn value(&self, name: &str) -> Result<Arc<Value>, Trouble> {
        if !self.specs.contains_key(name) {
            let mend = format!("add [secrets.{name}] with env, file or vault to the server's configuration");
            return Err(Trouble::new("the configuration does not define it", mend));
        }
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let one = held.get(name);
        let trouble = || one.and_then(|held| held.trouble.clone()).unwrap_or_else(|| Trouble::new("it was not read yet", "wait"));
        one.and_then(|held| held.value.clone()).ok_or_else(trouble)
    }

    /// The searches for values that were built.
    pub(super) fn cache(&self) -> Arc<Cache> {
        Arc::clone(&self.cache)
    }

    /// Waits until `state` is true of the store, looking after each reading.
    #[cfg(test)]
    pub(super) async fn until(&self, state: impl Fn(&Self) -> bool) {
        let mut readings = self.readings.subscribe();
        readings.wait_for(|_| state(self)).await.map(|_| ()).unwrap_or_default();
    }

    /// What a file looked like when it was read last.
    pub(super) fn stamp_of(&self, name: &str) -> Option<Stamp> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).get(name).and_then(|held| held.stamp)
    }

    /// Notes what a reading brought; a failure leaves the last value in force. True for a value.
    pub(super) fn put(&self, name: &str, read: Result<Value, Trouble>) -> bool {
        let fine = self.note(name, read);
        self.readings.send_modify(|count| *count += 1);
        fine
    }

    fn note(&self, name: &str, read: Result<Value, Trouble>) -> bool {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let one = held.entry(name.to_owned()).or_default();
        match read {
            Ok(value) => {
                let same = one.value.as_ref().is_some_and(|old| old.expose() == value.expose());
                if !same {
                    one.value = Some(Arc::new(value));
                }
                one.trouble = None;
                true
            }
            Err(trouble) => {
                if one.trouble.as_ref() != Some(&trouble) {
                    tracing::warn!(
                        secret = name,
                        older = one.value.is_some(),
                        "a secret cannot be read: {}; {}",
                        trouble.what,
                        trouble.mend
                    );
                }
                one.trouble = Some(trouble);
                false
            }
        }
    }

    pub(super) fn stamp(&self, name: &str, stamp: Option<Stamp>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.entry(name.to_owned()).or_default().stamp = stamp;
    }
}
