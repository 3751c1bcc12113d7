//! Who asks.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a principal is here for. Rights follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sends snippets; reads its own runs.
    Agent,
    /// Sends snippets and modules; reads its own runs.
    Developer,
    /// Runs the machine: keys, switches; reads every run.
    Operator,
    /// Reads every run and the log; runs nothing.
    Auditor,
}

impl Role {
    /// The contract's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Developer => "developer",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Agent, Self::Developer, Self::Operator, Self::Auditor]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a role: agent, developer, operator or auditor"))
    }
}

/// Who asks: the holder of a key, or whoever reaches the loopback listener while no key exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// `key:<key id>` or `local`.
    pub id: String,
    /// The key's name, or `local`.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

impl Principal {
    /// Whoever reaches the loopback listener of a server without keys: it may do everything.
    pub fn local() -> Self {
        Self { id: "local".to_owned(), name: "local".to_owned(), role: Role::Operator }
    }
}
