//! Aliases: names under which an artifact is served, moved from one to the next.

use super::{Digest, Noted, Principal};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest alias, in characters: a label of DNS, so that an alias may become one.
const CHARS_MAX: usize = 63;

/// A name for an artifact: small letters, digits and `-`, beginning with a letter. Never a digest's text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AliasName(String);

/// Caused by a caller that wrote an alias wrongly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an alias: use 1 to 63 small letters, digits and `-`, beginning with a letter and not ending with `-`")]
pub struct AliasError(String);

impl AliasName {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AliasName {
    type Error = AliasError;
    fn try_from(text: String) -> Result<Self, AliasError> {
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let right = begins && plain && text.len() <= CHARS_MAX && !text.ends_with('-');
        if right { Ok(Self(text)) } else { Err(AliasError(text.chars().take(80).collect())) }
    }
}

impl From<AliasName> for String {
    fn from(name: AliasName) -> Self {
        name.0
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An alias was moved, made or taken away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AliasMove {
    /// The alias.
    pub alias: AliasName,
    /// What it leads to from then on; absent when it was taken away.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub artifact: Option<Digest>,
    /// What it led to before; absent when it was new.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub previous: Option<Digest>,
    /// Who moved it.
    pub by: Principal,
}

/// A move with its place in the log.
pub type AliasRow = Noted<AliasMove>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_a_label_and_never_a_digest() {
        for good in ["a", "orders", "orders-v2", "a1", &"a".repeat(63)] {
            assert_eq!(AliasName::try_from(good.to_owned()).map(String::from).as_deref(), Ok(good));
        }
        let digest = Digest::of(b"x").to_string();
        for bad in ["", "-a", "a-", "1a", "A", "a.b", "a/b", "a b", "ä", &"a".repeat(64), &digest] {
            assert!(AliasName::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
