//! Budgets of a run. A profile sets them; a request can only tighten them.

use serde::{Deserialize, Serialize};

/// The budgets of one run. Times in milliseconds, sizes in bytes unless the name says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// CPU time of the cell's process from the run's start. Waiting costs none.
    pub cpu_ms: u64,
    /// Time from the run's start to its end.
    pub wall_ms: u64,
    /// V8 heap and memory outside it (buffers) together, in MiB.
    pub memory_mb: u64,
    /// Outbound requests.
    pub sub_requests: u64,
    /// JSON text of the result.
    pub output_bytes: u64,
    /// Text of all log lines together.
    pub log_bytes: u64,
    /// Number of log lines.
    pub log_lines: u64,
    /// Source text of all modules together.
    pub source_bytes: u64,
    /// Number of modules.
    pub modules: u64,
    /// JSON text of the input.
    pub input_bytes: u64,
}

/// What a request asks for; each field that is present can only tighten the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LimitsRequest {
    /// See [`Limits::cpu_ms`].
    pub cpu_ms: Option<u64>,
    /// See [`Limits::wall_ms`].
    pub wall_ms: Option<u64>,
    /// See [`Limits::memory_mb`].
    pub memory_mb: Option<u64>,
    /// See [`Limits::sub_requests`].
    pub sub_requests: Option<u64>,
    /// See [`Limits::output_bytes`].
    pub output_bytes: Option<u64>,
    /// See [`Limits::log_bytes`].
    pub log_bytes: Option<u64>,
    /// See [`Limits::log_lines`].
    pub log_lines: Option<u64>,
}

/// A request that asked for a budget no run can start with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("limits.{name} is {asked}, the smallest that makes sense is {least}")]
pub struct LimitExceeded {
    /// The field, in the contract's spelling.
    pub name: &'static str,
    /// What was asked for.
    pub asked: u64,
    /// The least accepted.
    pub least: u64,
}

impl Limits {
    /// The smallest `memoryMb` that makes sense: V8 keeps about a quarter above what is live at the start.
    /// An estimate: the warm realm's live heap (2.3 MiB seen) and a young generation, with room.
    pub const MEMORY_MB_LEAST: u64 = 16;

    /// These limits, tightened by `asked`: each field is the lower of the two.
    pub fn tightened(self, asked: &LimitsRequest) -> Result<Self, LimitExceeded> {
        let least = [("cpuMs", asked.cpu_ms, 1), ("wallMs", asked.wall_ms, 1), ("memoryMb", asked.memory_mb, Self::MEMORY_MB_LEAST)];
        for (name, value, least) in least {
            if let Some(asked) = value.filter(|asked| *asked < least) {
                return Err(LimitExceeded { name, asked, least });
            }
        }
        let lower = |own: u64, asked: Option<u64>| asked.map_or(own, |asked| own.min(asked));
        Ok(Self {
            cpu_ms: lower(self.cpu_ms, asked.cpu_ms),
            wall_ms: lower(self.wall_ms, asked.wall_ms),
            memory_mb: lower(self.memory_mb, asked.memory_mb),
            sub_requests: lower(self.sub_requests, asked.sub_requests),
            output_bytes: lower(self.output_bytes, asked.output_bytes),
            log_bytes: lower(self.log_bytes, asked.log_bytes),
            log_lines: lower(self.log_lines, asked.log_lines),
            ..self
        })
    }

    /// These limits, none of what a run may use above that of `other`. What may be sent in, and how often something may be sent out, stays.
    pub fn least(self, other: &Self) -> Self {
        Self {
            cpu_ms: self.cpu_ms.min(other.cpu_ms),
            wall_ms: self.wall_ms.min(other.wall_ms),
            memory_mb: self.memory_mb.min(other.memory_mb),
            output_bytes: self.output_bytes.min(other.output_bytes),
            log_bytes: self.log_bytes.min(other.log_bytes),
            log_lines: self.log_lines.min(other.log_lines),
            ..self
        }
    }

    /// The memory budget in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_mb << 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: Limits = Limits {
        cpu_ms: 50,
        wall_ms: 2000,
        memory_mb: 64,
        sub_requests: 0,
        output_bytes: 1 << 20,
        log_bytes: 64 << 10,
        log_lines: 100,
        source_bytes: 1 << 20,
        modules: 64,
        input_bytes: 1 << 20,
    };

    #[test]
    fn a_request_can_tighten_and_never_widen() {
        let asked = LimitsRequest { cpu_ms: Some(10), wall_ms: Some(9_000), memory_mb: Some(16), ..Default::default() };
        let granted = PROFILE.tightened(&asked).expect("all above the least");
        assert_eq!((granted.cpu_ms, granted.wall_ms, granted.memory_mb), (10, 2000, 16));
    }

    #[test]
    fn a_budget_below_the_least_is_refused_by_name() {
        let asked = LimitsRequest { memory_mb: Some(15), ..Default::default() };
        assert_eq!(PROFILE.tightened(&asked), Err(LimitExceeded { name: "memoryMb", asked: 15, least: 16 }));
        let asked = LimitsRequest { cpu_ms: Some(0), ..Default::default() };
        assert!(PROFILE.tightened(&asked).is_err());
    }
}
