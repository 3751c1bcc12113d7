//! How the guest's part of a run ends: with JSON text, or with an error that trusted JavaScript has read.

use crate::console::PortBox;
use crate::port::{Ending, Failure};
use deno_core::{OpState, op2};

/// Most bytes of a result's text. A string of more UTF-16 units than that cannot fit either.
#[op2(fast)]
fn op_cordon_output_bytes_max(state: &mut OpState) -> f64 {
    state.try_borrow::<PortBox>().map_or(0.0, |port| port.output_bytes_max() as f64)
}

/// Guest code is about to run.
#[op2(fast)]
fn op_cordon_guest_starts(state: &mut OpState) {
    if let Some(port) = state.try_borrow_mut::<PortBox>() {
        port.guest_starts();
    }
}

/// The result's JSON text.
#[op2(fast)]
fn op_cordon_result(state: &mut OpState, #[string] text: String) {
    if let Some(port) = state.try_borrow_mut::<PortBox>() {
        let bytes = text.len() as u64;
        let ending = if bytes > port.output_bytes_max() { Ending::TooLong { bytes } } else { Ending::Result(text) };
        port.end(ending);
    }
}

/// The result's text has at least `bytes` bytes, which is more than allowed.
#[op2(fast)]
fn op_cordon_too_long(state: &mut OpState, bytes: f64) {
    if let Some(port) = state.try_borrow_mut::<PortBox>() {
        port.end(Ending::TooLong { bytes: bytes as u64 });
    }
}

/// An uncaught error.
#[op2(fast)]
fn op_cordon_fail(state: &mut OpState, #[string] name: String, #[string] message: String, #[string] stack: String, refused: bool) {
    if let Some(port) = state.try_borrow_mut::<PortBox>() {
        port.end(Ending::Failed(Failure { name, message, stack, refused }));
    }
}

deno_core::extension!(
    cordon_finish,
    ops = [op_cordon_output_bytes_max, op_cordon_guest_starts, op_cordon_result, op_cordon_too_long, op_cordon_fail]
);
