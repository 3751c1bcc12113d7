//! Code caches of artifacts: made when an artifact runs again, kept in memory only, and never looked into.

use crate::model::{Digest, Jit, ModuleCache, Tier};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::sync::Arc;

/// Memory for code caches in bytes: sixteen of the largest, or some hundred of sources of 100 KB.
const CODE_BYTES_MAX: u64 = 64 << 20;

/// How many entries the memory expects. So few that it is in one piece (quick_cache makes no piece for fewer than 32): in each of many pieces there
/// would be no room for the largest.
const CODE_ENTRIES: usize = 32;

/// Bookkeeping per entry in bytes, so that those without a cache are not free.
const ENTRY_BYTES: u64 = 256;

/// Whose code. V8 checks that its own version and flags made a cache, and of the source no more than the length, so the rest is checked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodeKey {
    /// The artifact.
    pub artifact: Digest,
    /// The tier of its cells.
    pub tier: Tier,
    /// Whether they have a JIT.
    pub jit: Jit,
    /// The identity of the build that they are of.
    pub build: Digest,
}

/// What is known of an artifact's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// It ran, and nothing was made of it yet.
    Ran,
    /// Its caches.
    Made(Arc<Vec<ModuleCache>>),
    /// None is to be made: it could not be, or V8 did not take it.
    Never,
}

/// Weighs what is kept.
#[derive(Clone)]
struct Weight;

impl Weighter<CodeKey, Code> for Weight {
    fn weight(&self, _: &CodeKey, code: &Code) -> u64 {
        let bytes = match code {
            Code::Made(caches) => caches.iter().map(|cache| cache.module.len() + cache.bytes.len()).sum(),
            Code::Ran | Code::Never => 0,
        };
        ENTRY_BYTES + bytes as u64
    }
}

/// The code of a server's artifacts. What has no room is forgotten, the least used first.
pub struct Codes {
    known: Cache<CodeKey, Code, Weight>,
}

impl Default for Codes {
    fn default() -> Self {
        Self { known: Cache::with_weighter(CODE_ENTRIES, CODE_BYTES_MAX, Weight) }
    }
}

impl Codes {
    /// What is known of `key`; nothing of an artifact that has not run.
    pub fn get(&self, key: &CodeKey) -> Option<Code> {
        self.known.get(key)
    }

    /// From now on this is known of `key`.
    pub fn put(&self, key: CodeKey, code: Code) {
        self.known.insert(key, code);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> CodeKey {
        CodeKey { artifact: Digest::of(&[number]), tier: Tier::Untrusted, jit: Jit::On, build: Digest::of(b"build") }
    }

    fn made(bytes: usize) -> Code {
        Code::Made(Arc::new(vec![ModuleCache { module: String::new(), bytes: vec![0; bytes].into() }]))
    }

    #[test]
    fn code_is_found_under_its_whole_key_only() {
        let codes = Codes::default();
        codes.put(key(0), made(10));
        assert_eq!(codes.get(&key(0)), Some(made(10)));
        let others = [
            key(1),
            CodeKey { tier: Tier::Validated, ..key(0) },
            CodeKey { jit: Jit::Off, ..key(0) },
            CodeKey { build: Digest::of(b"another"), ..key(0) },
        ];
        assert_eq!(others.map(|key| codes.get(&key)), [const { None }; 4]);
    }

    #[test]
    fn the_largest_code_is_kept_and_all_of_it_together_stays_inside_the_memory() {
        let largest = usize::try_from(crate::model::cache_bytes_max(u64::MAX)).expect("fits");
        let codes = Codes::default();
        for number in 0..100 {
            codes.put(key(number), made(largest));
            assert_eq!(codes.get(&key(number)), Some(made(largest)), "{number}");
            assert!(codes.known.weight() <= CODE_BYTES_MAX, "{number}: {}", codes.known.weight());
        }
    }
}
