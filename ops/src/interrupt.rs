//! Ending a run from outside of it: one reason, set first and once, then the interruption of whatever the isolate does.
//!
//! V8's termination is a request that can get lost, so [`Kill`] is level-triggered: its keeper repeats [`Kill::press`] until the
//! run's thread has acknowledged.

use crate::alarm;
use deno_core::{JsRuntime, v8};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Duration;

/// How long an order may take before it is repeated. A request to terminate can get lost when it races with an ordinary throw.
pub const INSIST_EVERY: Duration = Duration::from_millis(2);

/// Frames of a killed run's stack that are kept.
const FRAMES_MAX: usize = 20;

/// Why a run is ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillReason {
    /// The CPU budget is used up.
    Cpu,
    /// The wall budget is used up.
    Wall,
    /// The memory budget is used up.
    Memory,
}

impl KillReason {
    const ALL: [Self; 3] = [Self::Cpu, Self::Wall, Self::Memory];

    fn number(self) -> u8 {
        match self {
            Self::Cpu => 1,
            Self::Wall => 2,
            Self::Memory => 3,
        }
    }
}

/// Where guest code was when it was interrupted. Positions are those of the code that V8 was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The function's name; empty when it has none.
    pub function: String,
    /// The script's name.
    pub script: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// The order to end one run.
pub struct Kill {
    reason: AtomicU8,
    acknowledged: AtomicBool,
    isolate: v8::IsolateHandle,
    stack: Mutex<Option<Vec<Frame>>>,
    sleeper: Mutex<Option<Waker>>,
}

impl Kill {
    /// An order for the run of `isolate`, not given yet.
    pub fn new(isolate: v8::IsolateHandle) -> Arc<Self> {
        Arc::new(Self {
            reason: AtomicU8::new(0),
            acknowledged: AtomicBool::new(false),
            isolate,
            stack: Mutex::new(None),
            sleeper: Mutex::new(None),
        })
    }

    /// The reason, once the order is given.
    pub fn reason(&self) -> Option<KillReason> {
        let number = self.reason.load(Ordering::Acquire);
        KillReason::ALL.into_iter().find(|reason| reason.number() == number)
    }

    /// Gives the order. The first reason stays; the interrupted stack is captured before anything is terminated.
    pub fn give(self: &Arc<Self>, reason: KillReason) {
        if self.reason.compare_exchange(0, reason.number(), Ordering::AcqRel, Ordering::Acquire).is_err() {
            return;
        }
        // The callback takes this count back; it is lost when the isolate never runs JavaScript again, with the process.
        let data = Arc::into_raw(self.clone()).cast_mut().cast::<c_void>();
        self.isolate.request_interrupt(interrupted, data);
        if let Some(waker) = lock(&self.sleeper).take() {
            waker.wake();
        }
        // Its keeper is to insist from now on.
        alarm::ring_after(INSIST_EVERY);
    }

    /// Insists: terminates whatever JavaScript runs.
    pub fn press(&self) {
        self.isolate.terminate_execution();
        if let Some(waker) = lock(&self.sleeper).take() {
            waker.wake();
        }
    }

    /// The run's thread has left JavaScript for good.
    pub fn acknowledge(&self) {
        self.acknowledged.store(true, Ordering::Release);
    }

    /// True once the run's thread has left JavaScript for good.
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged.load(Ordering::Acquire)
    }

    /// Whom to wake when the order is given while no JavaScript runs.
    pub fn wake_with(&self, waker: &Waker) {
        *lock(&self.sleeper) = Some(waker.clone());
    }

    /// The interrupted stack, innermost first; empty when no guest code was running.
    pub fn take_stack(&self) -> Vec<Frame> {
        lock(&self.stack).take().unwrap_or_default()
    }
}

/// A poisoned lock here guards plain data that is whole at every point.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

unsafe extern "C" fn interrupted(isolate: v8::UnsafeRawIsolatePtr, data: *mut c_void) {
    // SAFETY: `data` is the count that `give` leaked for this one call.
    let kill = unsafe { Arc::from_raw(data.cast::<Kill>().cast_const()) };
    // SAFETY: V8 calls this on the isolate's own thread, inside running JavaScript.
    let mut isolate = unsafe { v8::Isolate::from_raw_isolate_ptr(isolate) };
    if let Some(Realm(context)) = isolate.get_slot::<Realm>().cloned() {
        let isolate = &mut isolate;
        v8::scope_with_context!(scope, isolate, context);
        *lock(&kill.stack) = Some(frames(scope));
    }
    isolate.terminate_execution();
}

/// The context that guest code runs in, kept where an interrupt finds it.
#[derive(Clone)]
struct Realm(v8::Global<v8::Context>);

/// Lets interrupts of `runtime` read its stack.
pub(crate) fn prepare(runtime: &mut JsRuntime) {
    let context = runtime.main_context();
    runtime.v8_isolate().set_slot(Realm(context));
}

/// The running stack, without the host's own frames.
fn frames(scope: &mut v8::PinScope) -> Vec<Frame> {
    let Some(trace) = v8::StackTrace::current_stack_trace(scope, FRAMES_MAX) else { return Vec::new() };
    let mut frames = Vec::new();
    for index in 0..trace.get_frame_count() {
        let Some(frame) = trace.get_frame(scope, index) else { continue };
        let text = |name: Option<v8::Local<v8::String>>| name.map(|name| name.to_rust_string_lossy(scope)).unwrap_or_default();
        let script = text(frame.get_script_name(scope));
        if script.is_empty() || script.starts_with("ext:") {
            continue;
        }
        let function = text(frame.get_function_name(scope));
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        frames.push(Frame { function, script, line: number(frame.get_line_number()), column: number(frame.get_column()) });
    }
    frames
}
