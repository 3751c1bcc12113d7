//! The floor of the usual way: a fresh V8 isolate and context per run, in threads of one process, nothing around them.
//!
//! No HTTP, no policy, no record, no containment. `benches/load.py` runs it beside the server and reports the ratio.
//! Settings by environment: `FLOOR_THREADS` (default 2), `FLOOR_SECONDS` (default 5), and
//! `FLOOR_V8_FLAGS` (default none). Prints one line of JSON.

use deno_core::v8;
use std::time::{Duration, Instant};

/// What every isolate runs; the same work as the snippet of `benches/load.py`.
const CODE: &str = "1+1";

fn main() {
    let threads = setting("FLOOR_THREADS", 2);
    let seconds = setting("FLOOR_SECONDS", 5);
    if let Ok(flags) = std::env::var("FLOOR_V8_FLAGS") {
        v8::V8::set_flags_from_string(&flags);
    }
    // Only threads born of the initialising one may run JavaScript where V8 protects its pages by memory keys.
    v8::V8::initialize_platform(v8::new_default_platform(0, false).make_shared());
    v8::V8::initialize();
    let start = Instant::now();
    let workers: Vec<_> = (0..threads).map(|_| std::thread::spawn(move || runs_until(start + Duration::from_secs(seconds)))).collect();
    let mut laps: Vec<Duration> = workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect();
    let elapsed = start.elapsed().as_secs_f64();
    laps.sort_unstable();
    let ms = |part: usize| laps.get(laps.len().saturating_sub(1) * part / 100).map_or(f64::NAN, |lap| lap.as_secs_f64() * 1e3);
    println!(
        "{{\"threads\": {threads}, \"runs\": {}, \"rps\": {:.1}, \"p50_ms\": {:.3}, \"p99_ms\": {:.3}, \"v8\": \"{}\"}}",
        laps.len(),
        laps.len() as f64 / elapsed,
        ms(50),
        ms(99),
        v8::V8::get_version()
    );
}

/// A positive whole number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).filter(|number| *number > 0).unwrap_or(default)
}

/// How long each fresh isolate took, one after the other, until `end`.
fn runs_until(end: Instant) -> Vec<Duration> {
    let mut laps = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        assert_eq!(run_once(), Some(2), "the floor must do the work it is compared by");
        laps.push(start.elapsed());
    }
    laps
}

/// A fresh isolate, a fresh context, one script, and both dropped.
fn run_once() -> Option<i32> {
    let isolate = &mut v8::Isolate::new(v8::CreateParams::default());
    v8::scope!(let scope, isolate);
    let context = v8::Context::new(scope, v8::ContextOptions::default());
    let scope = &v8::ContextScope::new(scope, context);
    let code = v8::String::new(scope, CODE)?;
    v8::Script::compile(scope, code, None)?.run(scope)?.int32_value(scope)
}
