//! Randomness: always the kernel's, never V8's generator, whose state siblings of one zygote share.

use deno_core::op2;
use deno_error::JsErrorBox;

/// Most bytes that one call may ask for, as the Web Crypto specification says.
const QUOTA_BYTES: usize = 65_536;

/// Fills `out` with random bytes.
#[op2(fast)]
fn op_cordon_random(#[buffer] out: &mut [u8]) -> Result<(), JsErrorBox> {
    if out.len() > QUOTA_BYTES {
        return Err(JsErrorBox::range_error(format!("at most {QUOTA_BYTES} random bytes at once")));
    }
    getrandom::fill(out).map_err(|error| JsErrorBox::generic(format!("the kernel gave no randomness: {error}")))
}

deno_core::extension!(cordon_random, ops = [op_cordon_random]);
