//! The clocks of a guest: whole milliseconds, counted from the start of its run.
//!
//! A clock finer than a tenth of a millisecond makes cache and speculation attacks practical. `Date` is coarse in V8 already;
//! these ops replace the fine ones of the Web API crate, and `js/clock.js` covers `Temporal`.

use deno_core::{OpDecl, OpState, op2};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// When the run began, on both clocks.
pub struct Clock {
    started: Instant,
    started_epoch: Duration,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self { started: Instant::now(), started_epoch: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() }
    }
}

/// Writes `millis` as the Web API scripts read a time: seconds, then nanoseconds, each an `u32`.
fn expose(millis: u128, out: &mut [u8]) {
    let seconds = u32::try_from(millis / 1000).unwrap_or(u32::MAX);
    let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
    if let Some(out) = out.first_chunk_mut::<8>() {
        out[..4].copy_from_slice(&seconds.to_ne_bytes());
        out[4..].copy_from_slice(&nanos.to_ne_bytes());
    }
}

#[op2(fast)]
fn op_cordon_now(state: &mut OpState, #[buffer] out: &mut [u8]) {
    let elapsed = state.try_borrow::<Clock>().map(|clock| clock.started.elapsed()).unwrap_or_default();
    expose(elapsed.as_millis(), out);
}

#[op2(fast)]
fn op_cordon_time_origin(state: &mut OpState, #[buffer] out: &mut [u8]) {
    let origin = state.try_borrow::<Clock>().map(|clock| clock.started_epoch).unwrap_or_default();
    expose(origin.as_millis(), out);
}

/// The coarse implementation of a fine clock's op, by the fine one's name.
pub(crate) fn coarse(name: &str) -> Option<OpDecl> {
    match name {
        "op_now" => Some(op_cordon_now()),
        "op_time_origin" => Some(op_cordon_time_origin()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::expose;

    #[test]
    fn a_time_is_exposed_in_whole_milliseconds() {
        let mut out = [0; 8];
        expose(12_345, &mut out);
        assert_eq!(out[..4], 12_u32.to_ne_bytes());
        assert_eq!(out[4..], 345_000_000_u32.to_ne_bytes());
    }
}
