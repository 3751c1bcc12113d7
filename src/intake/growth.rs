//! How much longer than its sources an artifact may come back. A few lines of TypeScript can ask for much JavaScript: each name of an enum is
//! printed several times, and each level of nesting indents its lines.

use super::refusal::Refusal;
use crate::model::frame::{PrepareOrder, ReadyModule, Rejection};

/// How much longer than its sources an artifact may come back, source maps included. An estimate.
const GROWTH_MAX: u64 = 16;

/// What every artifact may come back with, however short it is.
const GROWTH_BASE_BYTES: u64 = 64 << 10;

/// What the frame adds to all modules together: its version, its variant and a count.
const FRAME_BYTES: u64 = 16;

/// What the frame adds to one module: three lengths, five bytes each below 4 GiB, and a mark for its source map.
const MODULE_BYTES: u64 = 16;

/// The longest answer, in bytes, to an artifact whose sources are `source_bytes` long together.
pub fn answer_bytes_max(source_bytes: u64) -> u64 {
    source_bytes.saturating_mul(GROWTH_MAX).saturating_add(GROWTH_BASE_BYTES)
}

/// Refuses what has grown too long. INVARIANT (answers fit): what passes is encoded in at most `answer_bytes_max` bytes.
pub(super) fn check(order: &PrepareOrder, ready: &[ReadyModule]) -> Result<(), Rejection> {
    let source_bytes = order.modules.iter().map(|(_, source)| source.len() as u64).sum();
    let (bytes, most) = (FRAME_BYTES + ready.iter().map(length).sum::<u64>(), answer_bytes_max(source_bytes));
    if bytes <= most {
        return Ok(());
    }
    Err(Refusal::Grown { bytes, most, times: bytes / source_bytes.max(1) }.nowhere())
}

fn length(module: &ReadyModule) -> u64 {
    let map = module.source_map.as_ref().map_or(0, String::len);
    MODULE_BYTES + (module.name.len() + module.code.len() + map) as u64
}
