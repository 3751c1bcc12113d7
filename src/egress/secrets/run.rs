//! The secrets of one run: its stand-ins, the values behind them, and the searches for both, which are built when the first request needs them.

use super::cache::Cache;
use super::misuse::{When, Wrong, canary, unavailable, wrong};
use super::net::{Case, Net};
use super::scrub::Hidden;
use super::source::Trouble;
use super::spell::Spellings;
use super::store::Secrets;
use super::token::Tokens;
use super::value::Value;
use crate::egress::Misuse;
use crate::model::{SecretGrant, SecretMode};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// Whether a run gets real values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// As they are when the run starts; a value that changes later is for later runs.
    Real,
    /// None, as at tier 0 and in mode `synthetic`: placeholders look the same, and no value is ever behind them.
    Withheld,
}

/// The secrets of one run. Its `Debug` form shows names only.
pub struct RunSecrets {
    pub(super) grants: Vec<Granted>,
    pub(super) tokens: Tokens,
    cache: Arc<Cache>,
    guard: OnceLock<Result<Arc<Guard>, String>>,
    hidden: OnceLock<Result<Option<Arc<Hidden>>, String>>,
}

/// One grant, and what is behind it.
pub(super) struct Granted {
    pub(super) grant: SecretGrant,
    pub(super) value: Result<Arc<Value>, Trouble>,
    /// Which of the run's placeholders is its own; none in mode `inject`.
    pub(super) placeholder: Option<usize>,
}

impl Granted {
    fn named_value(&self) -> Option<(&str, &Arc<Value>)> {
        Some((&self.grant.name, self.value.as_ref().ok()?))
    }
}

/// The search for stand-ins.
pub(super) struct Guard {
    pub(super) net: Net,
    /// What it means that a body has an owner's stand-in.
    in_body: Vec<Misuse>,
}

impl Guard {
    pub(super) fn in_body(&self, owner: usize) -> Misuse {
        self.in_body.get(owner).cloned().unwrap_or_else(|| unavailable("", "an unknown stand-in was found"))
    }
}

/// Whose stand-in was found.
pub(super) enum Owner<'a> {
    /// A grant's.
    Placeholder(&'a Granted),
    /// The decoy of this name.
    Decoy(&'a str),
}

impl RunSecrets {
    /// The secrets of a run that has `grants`.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn new(grants: &[SecretGrant], secrets: &Secrets, values: Values) -> Result<Arc<Self>, getrandom::Error> {
        let mut placeholders = 0;
        let granted = grants.iter().map(|grant| {
            let placeholder = (grant.mode == SecretMode::Placeholder).then_some(placeholders);
            placeholders += usize::from(placeholder.is_some());
            let value = match values {
                Values::Real => secrets.value(&grant.name),
                Values::Withheld => Err(Trouble::new("this run gets no real values", "run it under a profile that does")),
            };
            Granted { grant: grant.clone(), value, placeholder }
        });
        let grants: Vec<Granted> = granted.collect();
        let tokens = Tokens::random(placeholders)?;
        Ok(Arc::new(Self { grants, tokens, cache: secrets.cache(), guard: OnceLock::new(), hidden: OnceLock::new() }))
    }

    /// The variables of `env` that stand for secrets: names and this run's placeholders.
    pub fn env(&self) -> Vec<(String, String)> {
        self.grants.iter().filter_map(|granted| Some((granted.grant.name.clone(), self.token(granted)?.to_owned()))).collect()
    }

    /// Decoys for `env`, to be put there so that no enumeration shows them; those whose names are `taken` or granted are left out.
    pub fn decoys(&self, taken: &[&str]) -> Vec<(String, String)> {
        let granted = |name: &str| self.grants.iter().any(|granted| granted.grant.name == name);
        let free = self.tokens.decoys.iter().filter(|decoy| !taken.contains(&decoy.name) && !granted(decoy.name));
        free.map(|decoy| (decoy.name.to_owned(), decoy.value.clone())).collect()
    }

    /// The placeholder of a grant.
    pub(super) fn token(&self, granted: &Granted) -> Option<&str> {
        granted.placeholder.and_then(|at| self.tokens.placeholders.get(at)).map(String::as_str)
    }

    /// Who the owner number of the guard's net is: placeholders first, then decoys.
    pub(super) fn owner(&self, number: usize) -> Option<Owner<'_>> {
        let decoy = || number.checked_sub(self.tokens.placeholders.len()).and_then(|at| self.tokens.decoys.get(at));
        let grant = self.grants.iter().find(|granted| granted.placeholder == Some(number)).map(Owner::Placeholder);
        grant.or_else(|| decoy().map(|decoy| Owner::Decoy(decoy.name)))
    }

    /// The first decoy among owners, as the misuse that it is.
    pub(super) fn decoy_among(&self, owners: &[usize]) -> Result<(), Misuse> {
        let decoy = owners.iter().find_map(|&number| match self.owner(number) {
            Some(Owner::Decoy(name)) => Some(canary(name)),
            Some(Owner::Placeholder(_)) | None => None,
        });
        decoy.map_or(Ok(()), Err)
    }

    /// The search for stand-ins.
    pub(super) fn guard(&self) -> Result<Arc<Guard>, Misuse> {
        let built = self.guard.get_or_init(|| self.build_guard().map(Arc::new));
        built.clone().map_err(|error| self.unsearchable(&error))
    }

    fn build_guard(&self) -> Result<Guard, String> {
        let decoys = self.tokens.decoys.iter().map(|decoy| decoy.value.as_str());
        let tokens: Vec<&str> = self.tokens.placeholders.iter().map(String::as_str).chain(decoys).collect();
        let meant = (0..tokens.len()).filter_map(|number| self.owner(number)).map(|owner| match owner {
            Owner::Placeholder(granted) => wrong(&granted.grant, Wrong::Body, When::Asked),
            Owner::Decoy(name) => canary(name),
        });
        let in_body = meant.collect();
        let spellings: Vec<Spellings> = tokens.iter().copied().map(Spellings::of_token).collect();
        Ok(Guard { net: Net::of(&spellings, Case::Same)?, in_body })
    }

    /// The search for values; none when the run has none.
    pub(super) fn hidden(&self) -> Result<Option<Arc<Hidden>>, Misuse> {
        let built = self.hidden.get_or_init(|| {
            let values: Vec<(&str, &Arc<Value>)> = self.grants.iter().filter_map(Granted::named_value).collect();
            if values.is_empty() { Ok(None) } else { self.cache.get(&values).map(Some) }
        });
        built.clone().map_err(|error| self.unsearchable(&error))
    }

    /// Nothing may leave or come back unsearched.
    fn unsearchable(&self, error: &str) -> Misuse {
        let name = self.grants.first().map_or("", |granted| &granted.grant.name);
        unavailable(name, &format!("what would look for it cannot be built: {error}"))
    }
}

impl fmt::Debug for RunSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.grants.iter().map(|granted| &granted.grant.name)).finish()
    }
}
