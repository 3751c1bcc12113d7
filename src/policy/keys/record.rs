//! What is kept of a key.

use super::{KeyError, KeyId};
use crate::model::{Digest, Role};
use serde::{Deserialize, Serialize};

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A key's name, for people.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Letters, digits, `.`, `-` and `_`, starting with a letter or digit, at most 64 bytes.
    pub fn parse(name: &str) -> Result<Self, KeyError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if starts && name.bytes().all(plain) && name.len() <= NAME_BYTES_MAX {
            return Ok(Self(name.to_owned()));
        }
        Err(KeyError::Name(name.chars().take(NAME_BYTES_MAX).collect()))
    }
}

/// What an operator sees of a key. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyInfo {
    /// Its id.
    pub id: KeyId,
    /// Its name.
    pub name: KeyName,
    /// What its holder may do.
    pub role: Role,
    /// When it was made.
    pub created_at_ms: u64,
    /// When its secret was last changed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rotated_at_ms: Option<u64>,
    /// When it was revoked; absent while it is live.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked_at_ms: Option<u64>,
}

impl KeyInfo {
    /// True until it is revoked.
    pub fn is_live(&self) -> bool {
        self.revoked_at_ms.is_none()
    }
}

/// A key as it is stored: what an operator sees, and the hash of its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeyRecord {
    pub(super) info: KeyInfo,
    pub(super) hash: Digest,
}

impl KeyRecord {
    /// The stored form, JSON: text, numbers and a hash always have one.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
