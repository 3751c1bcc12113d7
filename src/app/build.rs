//! The identity of this build, per tier: binary, host JavaScript, ops, V8 and the hardening layers in force.

use super::failure::Failure;
use crate::cell::Sealed;
use crate::isolate;
use crate::model::{BuildIdentity, Digest};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io;
use std::path::Path;

/// This program, also while its file is being replaced.
pub(super) const EXECUTABLE: &str = "/proc/self/exe";

/// The digest of this program's bytes.
pub(super) fn binary() -> Result<Digest, Failure> {
    hash(Path::new(EXECUTABLE)).map_err(|error| Failure::machine(format!("this program cannot be read: {error}"), "mount /proc"))
}

fn hash(path: &Path) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(Digest::from(<[u8; 32]>::from(hasher.finalize())))
}

/// The identity of this build as the zygote that told `sealed` runs it.
pub(super) fn identity(binary: Digest, sealed: Sealed) -> BuildIdentity {
    BuildIdentity {
        binary,
        host_javascript: isolate::host_javascript_digest(),
        ops: sealed.facts.ops,
        v8_version: sealed.facts.v8_version,
        v8_flags: sealed.facts.v8_flags,
        hardening: sealed.layers.into_iter().collect(),
    }
}
