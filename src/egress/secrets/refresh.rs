//! Reading values: all at start, files again when they change, Vault again by its clock.

use super::place::{self, Look, Stamp};
use super::source::{Problem, Trouble};
use super::store::Secrets;
use super::value::Value;
use super::vault;
use crate::config::{SecretSource, VaultToken};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};
use zeroize::Zeroizing;

/// How often files are looked at: twice as often as a change has to be in force, 1 s.
const FILES_EVERY: Duration = Duration::from_millis(500);

/// How long after a failure Vault is asked again at the latest; its own clock may be a day.
const VAULT_AGAIN: Duration = Duration::from_secs(10);

impl Secrets {
    /// Reads all values, as the server does when it starts. Returns what is wrong.
    pub async fn read_all(&self) -> Vec<Problem> {
        for (name, spec) in &self.specs {
            if let SecretSource::Env(variable) = spec {
                self.put(name, place::variable(variable, self.environment).and_then(Value::new));
            }
        }
        self.read_files().await;
        self.read_vault().await;
        self.problems()
    }

    /// Reads files and Vault again as they change, until `stop` is over. What is wrong then is in `problems`, and in the log once.
    pub async fn keep_fresh(self: Arc<Self>, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = stop => {}
            () = self.watch_files() => {}
            () = self.watch_vault() => {}
        }
    }

    async fn watch_files(&self) {
        let mut clock = interval(FILES_EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            self.read_files().await;
        }
    }

    async fn watch_vault(&self) {
        let Some(refresh) = self.vault.as_ref().map(|vault| vault.refresh) else { return std::future::pending().await };
        let mut fine = self.problems().is_empty();
        loop {
            sleep(if fine { refresh } else { refresh.min(VAULT_AGAIN) }).await;
            fine = self.read_vault().await;
        }
    }

    async fn read_files(&self) {
        for (name, spec) in &self.specs {
            if let SecretSource::File(path) = spec {
                self.read_file(name, path).await;
            }
        }
    }

    async fn read_file(&self, name: &str, path: &Path) {
        match look_at(path, self.stamp_of(name)).await {
            Ok(Look::Same) => {}
            Ok(Look::New(text, stamp)) => {
                self.put(name, Value::of_file(text));
                self.stamp(name, Some(stamp));
            }
            Err(trouble) => {
                self.put(name, Err(trouble));
                self.stamp(name, None);
            }
        }
    }

    /// True when all that comes from Vault was read.
    async fn read_vault(&self) -> bool {
        let wanted: Vec<vault::Wanted<'_>> = self.specs.iter().filter_map(|(name, spec)| vault::Wanted::of(name, spec)).collect();
        if wanted.is_empty() {
            return true;
        }
        let values = match (&self.vault, self.vault_token().await) {
            (None, _) => Err(Trouble::new("there is no Vault to read it from", "add [vault] to the server's configuration")),
            (Some(_), Err(trouble)) => Err(trouble),
            (Some(vault), Ok(token)) => vault::read(vault, &token, &wanted).await,
        };
        match values {
            Ok(values) => values.into_iter().fold(true, |fine, (name, value)| self.put(name, value) && fine),
            Err(trouble) => {
                wanted.iter().for_each(|wanted| _ = self.put(wanted.name, Err(trouble.clone())));
                false
            }
        }
    }

    async fn vault_token(&self) -> Result<Zeroizing<String>, Trouble> {
        let text = match self.vault.as_ref().map(|vault| &vault.token) {
            None => return Ok(Zeroizing::default()),
            Some(VaultToken::Env(name)) => place::variable(name, self.environment)?,
            Some(VaultToken::File(path)) => match look_at(path, None).await? {
                Look::New(text, _) => text,
                Look::Same => Zeroizing::default(),
            },
        };
        vault::token(&text)
    }
}

/// Looks at a file without holding up the executor: it may be on a network's file system.
async fn look_at(path: &Path, before: Option<Stamp>) -> Result<Look, Trouble> {
    let path = path.to_owned();
    let looked = tokio::task::spawn_blocking(move || place::look(&path, before)).await;
    looked.unwrap_or_else(|error| Err(Trouble::new(format!("it was not read: {error}"), "tell the makers of Cordon")))
}
