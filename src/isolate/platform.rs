//! V8 as a process: its flags, its randomness and its platform, set once before anything else.

use crate::model::Jit;
use deno_core::{JsRuntime, v8};

/// V8's flags. `single-threaded`: no helper thread exists that a fork could lose or that could hide CPU time.
/// `max-lazy`: nothing is compiled before it is called. `disallow-code-generation-from-strings`: eval and its kin are off in every
/// context.
const FLAGS: &str = "--single-threaded --no-memory-reducer --max-lazy --disallow-code-generation-from-strings";

/// The flags that [`init_v8`] sets, as the build's identity names them.
pub fn v8_flags(jit: Jit) -> String {
    match jit {
        Jit::On => FLAGS.to_owned(),
        Jit::Off => format!("{FLAGS} --jitless"),
    }
}

/// Sets V8's flags and entropy source and initialises its platform. Once per process, on its main thread, before any other thread.
pub fn init_v8(jit: Jit) {
    v8::V8::set_flags_from_string(&v8_flags(jit));
    // A sealed process cannot open /dev/urandom, and V8 would fall back to the clock.
    v8::V8::set_entropy_source(|buffer| getrandom::fill(buffer).is_ok());
    // A platform without worker threads: what V8 posts for later runs when the run's own loop pumps it.
    JsRuntime::init_platform(Some(v8::new_single_threaded_default_platform(false).make_shared()));
}

/// Runs what V8 posted for later on `js`'s thread, at most `most` tasks.
pub(super) fn pump(js: &mut JsRuntime, most: usize) {
    let platform = v8::V8::get_current_platform();
    for _ in 0..most {
        if !v8::Platform::pump_message_loop(&platform, js.v8_isolate(), false) {
            return;
        }
    }
}

/// The version of the V8 that is linked.
pub fn v8_version() -> &'static str {
    deno_core::v8::V8::get_version()
}
