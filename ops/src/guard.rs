//! What the guest is refused inside the realm: each refusal is recorded before the guest sees its error.

use crate::capability::Capability;
use crate::console::PortBox;
use deno_core::{OpState, op2};

/// Records that text was not turned into code; `target` says by which door.
#[op2(fast)]
fn op_cordon_refuse_codegen(state: &mut OpState, #[string] target: &str) {
    if let Some(port) = state.try_borrow_mut::<PortBox>() {
        port.refuse(Capability::Codegen.refuse(target));
    }
}

deno_core::extension!(cordon_guard, ops = [op_cordon_refuse_codegen]);
