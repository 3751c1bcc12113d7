//! `[limits]`: the budgets.

use super::super::bounds;
use crate::config::Reader;
use crate::model::Limits;

/// Reads the section. What stands in the place of a missing budget is never seen: the profile is refused then.
pub(super) fn read(reader: &mut Reader<'_>) -> Limits {
    reader.require(&["cpu_ms", "wall_ms", "memory_mb"]);
    let limits = Limits {
        cpu_ms: reader.u64("cpu_ms", bounds::CPU_MS).unwrap_or(1),
        wall_ms: reader.u64("wall_ms", bounds::WALL_MS).unwrap_or(600_000),
        memory_mb: reader.u64("memory_mb", bounds::MEMORY_MB).unwrap_or(Limits::MEMORY_MB_LEAST),
        sub_requests: reader.u64("sub_requests", bounds::SUB_REQUESTS).unwrap_or(0),
        output_bytes: reader.u64("output_bytes", bounds::OUTPUT_BYTES).unwrap_or(1 << 20),
        log_bytes: reader.u64("log_bytes", bounds::LOG_BYTES).unwrap_or(64 << 10),
        log_lines: reader.u64("log_lines", bounds::LOG_LINES).unwrap_or(200),
        source_bytes: reader.u64("source_bytes", bounds::SOURCE_BYTES).unwrap_or(512 << 10),
        modules: reader.u64("modules", bounds::MODULES).unwrap_or(32),
        input_bytes: reader.u64("input_bytes", bounds::INPUT_BYTES).unwrap_or(1 << 20),
    };
    if limits.cpu_ms > limits.wall_ms {
        let message =
            format!("`limits.cpu_ms` is {}, more than `limits.wall_ms`, {}: it could never be used up", limits.cpu_ms, limits.wall_ms);
        reader.note_at("cpu_ms", message, "lower cpu_ms or raise wall_ms");
    }
    limits
}
