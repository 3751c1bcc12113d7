//! Where the console's formatted lines leave the realm.

use crate::port::{Level, Port};
use deno_core::{OpState, op2};

/// The port of the run, as ops find it in their state.
pub type PortBox = Box<dyn Port>;

/// One formatted message of level 0 (debug) to 4 (trace), the numbers of the console script. Says whether the log takes more.
#[op2(fast)]
fn op_cordon_log(state: &mut OpState, #[smi] level: i32, #[string] message: String) -> bool {
    let level = match level {
        0 | 4 => Level::Debug,
        2 => Level::Warn,
        3 => Level::Error,
        _ => Level::Info,
    };
    state.try_borrow_mut::<PortBox>().is_some_and(|port| port.log(level, message))
}

/// A message that was not even formatted, as the log takes no more.
#[op2(fast)]
fn op_cordon_log_drop(state: &mut OpState) {
    if let Some(port) = state.try_borrow_mut::<PortBox>() {
        port.log_dropped();
    }
}

deno_core::extension!(cordon_console, ops = [op_cordon_log, op_cordon_log_drop]);
