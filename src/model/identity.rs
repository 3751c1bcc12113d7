//! The immutable runtime identity of a run.

use super::{Digest, RecordedGrant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What identifies a build and the machine state it runs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildIdentity {
    /// Digest of the executable's bytes.
    pub binary: Digest,
    /// Digest over the host's JavaScript: every extension script and ours.
    pub host_javascript: Digest,
    /// Names of the ops that the realm registers, sorted.
    pub ops: Vec<String>,
    /// V8's version.
    pub v8_version: String,
    /// V8's flags as set by the zygote.
    pub v8_flags: String,
    /// Hardening layers and their state, as probed: `enforced`, `partial: …` or `unavailable: …`.
    pub hardening: BTreeMap<String, String>,
}

impl BuildIdentity {
    /// The digest over every part.
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Digest over artifact, grant (which holds profile and tier) and build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identity(pub Digest);

impl Identity {
    /// The identity of a run of `artifact` under `grant` on the build whose digest is `build`.
    pub fn of(artifact: Digest, grant: &RecordedGrant, build: Digest) -> Self {
        let parts =
            [b"cordon/identity/v1".as_slice(), artifact.as_bytes(), grant.digest().as_bytes(), build.as_bytes()].map(<[u8]>::to_vec);
        Self(Digest::of_parts(parts.iter().map(Vec::as_slice)))
    }
}
