//! Label values about zygotes, cells and what seals them.

use super::{Label, known_or};
use crate::model::Tier;

labels! {
    /// What a zygote and its cells are for: the `tier` label of cell metrics.
    CellKind {
        /// Runs of tier 0.
        Untrusted = "0",
        /// Runs of tier 1.
        Validated = "1",
        /// Runs of tier 2.
        Production = "2",
        /// Parsing and checking.
        Intake = "intake",
    }
}

impl From<Tier> for CellKind {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Untrusted => Self::Untrusted,
            Tier::Validated => Self::Validated,
            Tier::Production => Self::Production,
        }
    }
}

labels! {
    /// What a cell is doing.
    CellState {
        /// Being forked.
        Starting = "starting",
        /// Waiting in the pool.
        Idle = "idle",
        /// Serving its order, or ending.
        Running = "running",
    }
}

labels! {
    /// Why a cell's process ended.
    CellExit {
        /// It served its run and exited by itself.
        Done = "done",
        /// It was never used: its zygote was replaced or the server drained.
        Unused = "unused",
        /// Killed for CPU time, past the grace.
        Cpu = "cpu",
        /// Killed for wall time, past the grace.
        Wall = "wall",
        /// It ran out of memory.
        Memory = "memory",
        /// Killed because the client went away.
        Canceled = "canceled",
        /// Killed by an operator's order.
        KillSwitch = "killSwitch",
        /// Killed because what it sent broke the protocol.
        Protocol = "protocol",
        /// It died of a signal or a failed check that is no limit.
        Crashed = "crashed",
        /// Its zygote or the supervisor failed.
        Internal = "internal",
    }
}

labels! {
    /// Why a zygote was replaced.
    ZygoteReplacement {
        /// It had forked often enough.
        Forks = "forks",
        /// It was old enough.
        Age = "age",
        /// One of its cells died of SIGSEGV or SIGILL.
        Fault = "fault",
        /// It died.
        Died = "died",
    }
}

labels! {
    /// How far a hardening layer is in force.
    LayerState {
        /// In full.
        Enforced = "enforced",
        /// In part.
        Partial = "partial",
        /// Not at all.
        Unavailable = "unavailable",
    }
}

impl LayerState {
    /// The state that a probe's words begin with, such as `partial: ABI 3`; words that begin otherwise count as unavailable.
    pub fn of(words: &str) -> Self {
        let first = words.split([':', ' ']).next().unwrap_or_default();
        known_or(first, Self::Unavailable)
    }
}

labels! {
    /// A system call that seccomp refuses to cells.
    Syscall {
        /// Network.
        Socket = "socket",
        /// Network.
        Connect = "connect",
        /// Files.
        Open = "open",
        /// Files.
        Openat = "openat",
        /// Programs.
        Execve = "execve",
        /// Programs.
        Execveat = "execveat",
        /// Processes.
        Clone = "clone",
        /// Processes.
        Clone3 = "clone3",
        /// Processes.
        Fork = "fork",
        /// Processes.
        Vfork = "vfork",
        /// Other processes.
        Ptrace = "ptrace",
        /// Other processes.
        Kill = "kill",
        /// Other processes.
        ProcessVmReadv = "process_vm_readv",
        /// Other processes.
        ProcessVmWritev = "process_vm_writev",
        /// The kernel.
        IoUringSetup = "io_uring_setup",
        /// The kernel.
        Bpf = "bpf",
        /// The kernel.
        PerfEventOpen = "perf_event_open",
        /// The kernel.
        Userfaultfd = "userfaultfd",
        /// The kernel.
        Keyctl = "keyctl",
        /// The kernel.
        Mount = "mount",
        /// The kernel.
        Unshare = "unshare",
        /// Any other.
        Other = "other",
    }
}

impl Syscall {
    /// The call named `name`; anything else is [`Syscall::Other`].
    pub fn of(name: &str) -> Self {
        known_or(name, Self::Other)
    }
}
