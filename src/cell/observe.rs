//! What the cells room tells operators.

use super::ZygoteKind;
use super::control::Sealed;
use crate::telemetry::{CellExit, CellKind, Syscall, Telemetry, ZygoteReplacement};
use std::sync::Arc;

/// Tells of the zygotes and cells of one kind, in metrics and in the log.
#[derive(Clone)]
pub(super) struct Observer {
    telemetry: Arc<Telemetry>,
    kind: ZygoteKind,
}

impl Observer {
    pub(super) fn new(telemetry: Arc<Telemetry>, kind: ZygoteKind) -> Self {
        Self { telemetry, kind }
    }

    /// A system call of a cell was refused by its filter.
    pub(super) fn refused_call(&self, call: &'static str) {
        tracing::warn!(zygote = self.kind.label(), call, "a cell's system call was refused");
        self.telemetry.seccomp_refusal(Syscall::of(call));
    }

    /// A zygote is to be replaced.
    pub(super) fn zygote_replaced(&self, reason: ZygoteReplacement) {
        tracing::info!(zygote = self.kind.label(), reason = reason.as_str(), "a zygote is replaced");
        self.telemetry.zygote_replaced(self.kind.into(), reason);
    }

    /// A zygote is sealed.
    pub(super) fn zygote_sealed(&self, sealed: &Sealed) {
        let (zygote, start_ms) = (self.kind.label(), sealed.start.as_millis());
        match &sealed.huge_pages {
            Ok(bytes) => tracing::debug!(zygote, start_ms, huge_mb = bytes >> 20, "a zygote is sealed"),
            Err(why) => tracing::debug!(zygote, start_ms, huge_pages = why, "a zygote is sealed"),
        }
    }

    /// A cell ended.
    pub(super) fn cell_ended(&self, cause: CellExit) {
        tracing::trace!(zygote = self.kind.label(), cause = cause.as_str(), "a cell ended");
        self.telemetry.cell_exit(self.kind.into(), cause);
    }
}

impl From<ZygoteKind> for CellKind {
    fn from(kind: ZygoteKind) -> Self {
        match kind {
            ZygoteKind::Runs(tier, _) => tier.into(),
            ZygoteKind::Intake => Self::Intake,
        }
    }
}
