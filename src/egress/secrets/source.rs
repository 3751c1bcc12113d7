//! Where values come from, and what is wrong with one. Plain data; the configuration's reader has checked its form.

use crate::config::VaultToken;
use std::fmt;
use std::time::Duration;

/// The Vault that values are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultSpec {
    /// Its URL: `https`, or `http` on loopback.
    pub address: String,
    /// Where the token comes from.
    pub token: VaultToken,
    /// Namespace of an enterprise server.
    pub namespace: Option<String>,
    /// How often values are read again.
    pub refresh: Duration,
    /// Certificates in PEM that are trusted besides the system's.
    pub extra_ca_pem: Option<Vec<u8>>,
}

/// A secret has no value, or not its newest one. Caused by the configuration or by what keeps the value; never names the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Name of the secret.
    pub secret: String,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub mend: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "secret `{}`: {}; {}", self.secret, self.what, self.mend)
    }
}

/// What is wrong, and how to mend it, before it is known which secrets it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) what: String,
    pub(super) mend: String,
}

impl Trouble {
    pub(super) fn new(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), mend: mend.into() }
    }

    pub(super) fn of(self, secret: &str) -> Problem {
        Problem { secret: secret.to_owned(), what: self.what, mend: self.mend }
    }
}
