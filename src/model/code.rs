//! Code caches: what V8 compiled modules to, as bytes that nobody but V8 reads, and the order to make them.

use super::frame::ReadyModule;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Bytes of cache per byte of source. The sources of `benches/load/kept.py` take 1.8 times their length from 100 KB on, 3.5 times at 1 KB.
const CACHE_PER_SOURCE: u64 = 4;

/// Bytes of cache beyond that: what modules without functions take.
const CACHE_BYTES_SLACK: u64 = 64 << 10;

/// Most bytes of cache for one artifact, however long its source is: a quarter of the least memory that a run can have, which takes the cache up.
const CACHE_BYTES_MAX: u64 = 4 << 20;

/// An order to compile modules. Nothing of them runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompileOrder {
    /// The modules, ready for V8.
    pub modules: Vec<ReadyModule>,
    /// Most bytes of all caches together; a cache without room is left out.
    pub cache_bytes: u64,
}

/// What V8 compiled one module to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleCache {
    /// The module's name in the artifact.
    pub module: String,
    /// V8's own format.
    pub bytes: Bytes,
}

/// Most bytes of the code caches of an artifact with `source_bytes` of JavaScript.
pub fn cache_bytes_max(source_bytes: u64) -> u64 {
    source_bytes.saturating_mul(CACHE_PER_SOURCE).saturating_add(CACHE_BYTES_SLACK).min(CACHE_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_for_code_grows_with_the_source_up_to_its_most() {
        assert_eq!(cache_bytes_max(0), CACHE_BYTES_SLACK);
        assert_eq!(cache_bytes_max(1), CACHE_BYTES_SLACK + CACHE_PER_SOURCE);
        let last = (CACHE_BYTES_MAX - CACHE_BYTES_SLACK) / CACHE_PER_SOURCE;
        assert_eq!(
            [last - 1, last, last + 1, u64::MAX].map(cache_bytes_max),
            [CACHE_BYTES_MAX - 4, CACHE_BYTES_MAX, CACHE_BYTES_MAX, CACHE_BYTES_MAX]
        );
    }
}
