//! What the cells room tells operators.

use super::control::Sealed;

/// A system call of a cell was refused by its filter.
pub(super) fn refused_call(zygote: &'static str, call: &'static str) {
    tracing::warn!(zygote, call, "a cell's system call was refused");
}

/// A zygote is to be replaced.
pub(super) fn zygote_replaced(zygote: &'static str, reason: &'static str) {
    tracing::info!(zygote, reason, "a zygote is replaced");
}

/// A zygote is sealed.
pub(super) fn zygote_sealed(zygote: &'static str, sealed: &Sealed) {
    tracing::debug!(zygote, start_ms = sealed.start.as_millis(), "a zygote is sealed");
}

/// A cell ended.
pub(super) fn cell_exit(zygote: &'static str, cause: &'static str) {
    tracing::trace!(zygote, cause, "a cell ended");
}
