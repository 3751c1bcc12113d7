//! Zygotes and cells: forking, hardening, pools, reaping, and the supervision of one execution.
//!
//! A zygote is this binary, re-executed; it loads a guest host (`guest`), seals itself (`seal`, `seccomp`) and forks cells (`zygote`).
//! A cell takes one order, obeys it and ends (`inside`). The supervisor keeps one thread per zygote (`keeper`), a pool of idle cells per
//! kind (`pool`), and watches each execution from outside (`execution`).

mod cells;
mod control;
mod errands;
mod execution;
mod exit;
mod guest;
mod handle;
mod inside;
mod keeper;
mod kind;
mod link;
mod observe;
mod os;
mod pool;
#[cfg(debug_assertions)]
mod probe;
mod seal;
mod seccomp;
mod stderr;
mod zygote;

pub use cells::{Cells, CellsError, CellsSettings, Count, PoolSettings};
pub use control::{Exit, ExitCause, GuestFacts, Sealed, ZygoteOrder};
pub use errands::{Errands, NoErrands};
pub use execution::{Budget, Caps, Dropped, Execution, Kill};
pub use exit::Death;
pub use guest::{Link, OutOfMemory, Warm, WarmGuest};
pub use handle::Cell;
pub use inside::{DATA_SLACK_BYTES, PREPARE_MEMORY_BYTES};
pub use kind::ZygoteKind;

pub use seal::ENFORCED;
pub use zygote::zygote_main;
