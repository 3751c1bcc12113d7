//! What a cell died of.

use super::control::{Exit, ExitCause};
use super::inside::{EXIT_NO_ORDER, EXIT_NOT_SEALED};
use crate::telemetry::CellExit;

/// Share of its memory budget that a cell must have used for a death by a memory-like signal to count as memory: three quarters.
/// An estimate, not yet measured.
const MEMORY_LIKE_NUM: u64 = 3;
const MEMORY_LIKE_DEN: u64 = 4;

/// What a cell that said no last word died of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Memory ran out: V8 said so, or it died the way a process dies whose allocation failed, with its budget used up.
    Memory,
    /// The kernel's CPU limit.
    Cpu,
    /// A signal that is no limit: a failed check of V8, a segmentation fault.
    Crash,
    /// Ours: it could not be sealed, its zygote died, somebody else killed it.
    Host,
}

impl Death {
    /// Reads the kernel's account. `said_memory` is V8's last word; `grown_bytes` how far its resident size grew over the
    /// zygote's; `budget_bytes` what its run may use.
    pub(super) fn of(exit: &Exit, said_memory: bool, grown_bytes: u64, budget_bytes: u64) -> Self {
        let budget_used = grown_bytes / MEMORY_LIKE_NUM >= budget_bytes / MEMORY_LIKE_DEN;
        match exit.cause {
            ExitCause::Signal(_) if said_memory => Self::Memory,
            ExitCause::Signal(libc::SIGXCPU) => Self::Cpu,
            ExitCause::Signal(libc::SIGKILL) if budget_used => Self::Memory,
            ExitCause::Signal(libc::SIGKILL) => Self::Host,
            ExitCause::Signal(_) if budget_used => Self::Memory,
            ExitCause::Signal(_) => Self::Crash,
            ExitCause::Code(EXIT_NOT_SEALED) | ExitCause::ZygoteLost => Self::Host,
            ExitCause::Code(_) if said_memory || budget_used => Self::Memory,
            ExitCause::Code(_) => Self::Crash,
        }
    }
}

impl From<Death> for CellExit {
    fn from(death: Death) -> Self {
        match death {
            Death::Memory => Self::Memory,
            Death::Cpu => Self::Cpu,
            Death::Crash => Self::Crashed,
            Death::Host => Self::Internal,
        }
    }
}

impl ExitCause {
    /// True for the ends of a cell that never got an order: its socket was closed, or its holder killed it.
    pub(super) fn is_of_the_unused(self) -> bool {
        matches!(self, Self::Code(EXIT_NO_ORDER) | Self::Signal(libc::SIGKILL))
    }

    /// True for deaths after which the address-space layout that all siblings share should not be trusted any longer.
    pub(super) fn is_suspicious(self) -> bool {
        matches!(self, Self::Signal(libc::SIGSEGV | libc::SIGILL | libc::SIGBUS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn exit(cause: ExitCause) -> Exit {
        Exit { cause, cpu: Duration::ZERO, max_rss_bytes: 0 }
    }

    #[test]
    fn a_silent_death_is_named_after_what_killed_it() {
        let budget = 64 << 20;
        let of = |cause, said, grown| Death::of(&exit(cause), said, grown, budget);
        assert_eq!(of(ExitCause::Signal(libc::SIGTRAP), true, 0), Death::Memory);
        assert_eq!(of(ExitCause::Signal(libc::SIGTRAP), false, 48 << 20), Death::Memory);
        assert_eq!(of(ExitCause::Signal(libc::SIGTRAP), false, 40 << 20), Death::Crash);
        assert_eq!(of(ExitCause::Signal(libc::SIGSEGV), false, 0), Death::Crash);
        assert_eq!(of(ExitCause::Signal(libc::SIGXCPU), false, 0), Death::Cpu);
        assert_eq!(of(ExitCause::Signal(libc::SIGKILL), false, 0), Death::Host);
        assert_eq!(of(ExitCause::ZygoteLost, false, 0), Death::Host);
        assert_eq!(of(ExitCause::Code(EXIT_NOT_SEALED), false, 0), Death::Host);
        assert_eq!(of(ExitCause::Code(1), false, 0), Death::Crash);
    }
}
