//! Numbers of the profile file that its reader holds it to and its schema tells editors.

use crate::model::Limits;
use std::ops::RangeInclusive;

/// `[limits]`.
pub(super) const CPU_MS: RangeInclusive<u64> = 1..=600_000;
pub(super) const WALL_MS: RangeInclusive<u64> = 1..=600_000;
pub(super) const MEMORY_MB: RangeInclusive<u64> = Limits::MEMORY_MB_LEAST..=4096;
pub(super) const SUB_REQUESTS: RangeInclusive<u64> = 0..=10_000;
pub(super) const OUTPUT_BYTES: RangeInclusive<u64> = 64..=64 << 20;
pub(super) const LOG_BYTES: RangeInclusive<u64> = 0..=16 << 20;
pub(super) const LOG_LINES: RangeInclusive<u64> = 0..=100_000;
pub(super) const SOURCE_BYTES: RangeInclusive<u64> = 1..=16 << 20;
pub(super) const MODULES: RangeInclusive<u64> = 1..=1024;
pub(super) const INPUT_BYTES: RangeInclusive<u64> = 4..=32 << 20;

/// Longest answer that a rule may allow, in bytes.
pub(super) const MAX_RESPONSE_BYTES: RangeInclusive<u64> = 1..=1 << 30;

/// Most requests that a rule may allow: the most that `limits.sub_requests` may.
pub(super) const MAX_REQUESTS: RangeInclusive<u64> = 1..=*SUB_REQUESTS.end();

/// Status of a fixture, and its longest delay in milliseconds.
pub(super) const STATUS: RangeInclusive<u64> = 200..=599;
pub(super) const LATENCY_MS: RangeInclusive<u64> = 0..=60_000;

/// `[promotion]`. Source: five reviewers are more than a change of any kind gets; ten thousand runs take a busy workflow a day; evidence is
/// gathered at least once a year; a month is the longest time to go on without it.
pub(super) const REVIEWS: RangeInclusive<u64> = 1..=5;
pub(super) const CLEAN_RUNS: RangeInclusive<u64> = 0..=10_000;
pub(super) const EVIDENCE_DAYS: RangeInclusive<u64> = 1..=366;
pub(super) const GRACE_HOURS: RangeInclusive<u64> = 0..=720;

/// Most rules, fixtures, secrets and cases of a profile, fixtures of a case, and denials that a case may expect. Each case is a run whenever
/// evidence is gathered.
pub(super) const RULES_MAX: usize = 256;
pub(super) const FIXTURES_MAX: usize = 256;
pub(super) const SECRETS_MAX: usize = 64;
pub(super) const CASES_MAX: usize = 100;
pub(super) const DENIALS_MAX: usize = 64;

/// Longest name of a case, and of an export as requests may name it, in characters.
pub(super) const CASE_NAME_CHARS_MAX: usize = 120;
pub(super) const ENTRYPOINT_CHARS_MAX: usize = 100;
