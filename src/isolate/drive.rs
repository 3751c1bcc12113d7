//! Drives one run: opens the realm's doors, calls the entrypoint and polls until the guest is done or a limit ends it.

use super::ending::{self, Budgets, Figures, Stop};
use super::limits::TimeBudget;
use super::line::{self, Line, Receive};
use super::port::{Desk, DeskPort, SpeechBudget};
use super::{WarmIsolate, loader, platform, trace};
use crate::model::frame::{ReadyModule, RunEnd, RunOrder};
use cordon_ops::interrupt::{Kill, KillReason};
use cordon_ops::{memory, realm};
use deno_core::PollEventLoopOptions;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

/// Tasks of V8's own that run between two polls.
const PLATFORM_TASKS_MAX: usize = 16;

/// Runs `order` to its end under its limits.
pub(super) fn run(warm: &mut WarmIsolate, order: RunOrder, line: Line) -> RunEnd {
    let started = Instant::now();
    let time = TimeBudget::start(started, &order);
    let Ok(Some(watchdog)) = warm.arm().map(|()| warm.watchdog.take()) else {
        let broken = Stop::Broken("the kernel gave no thread for the watchdog".to_owned());
        return finish(warm, broken, &Budgets::of(&order), &Desk::new(started, speech(&order), line.send));
    };
    let kill = watchdog.watch(time);
    let overrun = {
        let kill = kill.clone();
        move || kill.give(KillReason::Memory)
    };
    let budget = usize::try_from(order.memory_bytes).unwrap_or(usize::MAX);
    memory::begin(warm.js.v8_isolate(), &warm.account, budget, Box::new(overrun));
    attend(warm, order, line, &kill, started)
}

/// The same path for a harmless module, without a watchdog and without figures.
pub(super) fn warm_up(warm: &mut WarmIsolate, code: &str) -> RunEnd {
    // A module is loaded once per isolate: a name that no artifact can have, and another one each time.
    static WARM_UPS: AtomicU32 = AtomicU32::new(0);
    let name = format!("~{}.js", WARM_UPS.fetch_add(1, Ordering::Relaxed));
    let order = RunOrder {
        run: "warm-up".to_owned(),
        modules: vec![ReadyModule { name: name.clone(), code: code.to_owned(), source_map: None }],
        caches: Vec::new(),
        main: name,
        entrypoint: "default".to_owned(),
        input: "{\"warm\":[1]}".to_owned(),
        vars: vec![("A".to_owned(), "b".to_owned())],
        hidden: vec![("C".to_owned(), "d".to_owned())],
        cpu_ms: u64::MAX,
        wall_ms: u64::MAX,
        memory_bytes: u64::MAX,
        output_bytes: u64::MAX,
        log_bytes: u64::MAX,
        log_lines: u64::MAX,
        asks: 1,
        served: false,
    };
    let kill = Kill::new(warm.js.v8_isolate().thread_safe_handle());
    attend(warm, order, Line::dead(), &kill, Instant::now())
}

fn speech(order: &RunOrder) -> SpeechBudget {
    SpeechBudget { log_bytes: order.log_bytes, log_lines: order.log_lines, output_bytes: order.output_bytes, asks: order.asks }
}

/// Runs the guest and says how it ended.
fn attend(warm: &mut WarmIsolate, mut order: RunOrder, line: Line, kill: &Arc<Kill>, started: Instant) -> RunEnd {
    let Line { send, receive, wait } = line;
    let desk = Desk::new(started, speech(&order), send);
    line::open(wait);
    warm.loader.fill(std::mem::take(&mut order.modules), std::mem::take(&mut order.caches), desk.clone());
    realm::open(&mut warm.js, Box::new(DeskPort(desk.clone())));
    let stop = call(warm, &order, kill).map_or_else(Stop::Broken, |()| settle(warm, &desk, kill, receive));
    // INVARIANT (nothing after a kill): from here on no JavaScript runs in this process.
    kill.acknowledge();
    finish(warm, stop, &Budgets::of(&order), &desk)
}

fn finish(warm: &mut WarmIsolate, stop: Stop, budgets: &Budgets, desk: &Desk) -> RunEnd {
    memory::note(warm.js.v8_isolate(), &warm.account);
    let figures = Figures {
        logs_truncated: desk.logs_truncated(),
        denials_truncated: desk.denials_truncated(),
        start_us: desk.start_us(),
        heap_peak_bytes: warm.account.heap_peak(),
        external_peak_bytes: warm.account.external_peak(),
    };
    ending::frame(ending::describe(stop, budgets), figures)
}

/// Starts the run inside the realm. What it ends as comes through its port.
fn call(warm: &mut WarmIsolate, order: &RunOrder, kill: &Kill) -> Result<(), String> {
    let vars = serde_json::to_string(&(&order.vars, &order.hidden)).map_err(|error| error.to_string())?;
    let served = if order.served { "served" } else { "" };
    let texts: [&str; 6] = [&loader::specifier(&order.main), &order.entrypoint, &order.input, &vars, &order.run, served];
    let _entered = warm.timers.enter();
    let armed = realm::call(&mut warm.js, &warm.entry.arm, &[]);
    if kill.reason().is_some() {
        return Ok(());
    }
    let invoked = armed.and_then(|()| realm::call(&mut warm.js, &warm.entry.invoke, &texts));
    invoked.ok_or_else(|| "an argument is longer than V8's longest string".to_owned())
}

/// Polls until the guest is done or a limit ends it.
fn settle(warm: &mut WarmIsolate, desk: &Rc<Desk>, kill: &Arc<Kill>, mut receive: Receive) -> Stop {
    let WarmIsolate { js, timers, loader, entry, .. } = warm;
    let over = || kill.reason().is_some() || desk.has_ended();
    let poll = |cx: &mut Context<'_>| {
        kill.wake_with(cx.waker());
        while !over()
            && desk.awaits_supervisor()
            && let Some(frame) = receive()
        {
            if let Some(delivery) = desk.take(frame) {
                realm::deliver(js, &entry.deliver, delivery);
            }
        }
        if !over() {
            platform::pump(js, PLATFORM_TASKS_MAX);
            let polled = js.poll_event_loop(cx, PollEventLoopOptions::default());
            if !over() {
                return match polled {
                    _ if desk.awaits_supervisor() => {
                        line::nap(realm::next_timer(js, &entry.next_timer), cx.waker());
                        Poll::Pending
                    }
                    Poll::Pending => Poll::Pending,
                    // An error here is one of the loop itself: a module's top-level await that nothing can settle.
                    Poll::Ready(_) => Poll::Ready(Stop::NeverSettles),
                };
            }
        }
        Poll::Ready(match (kill.reason(), desk.take_ending()) {
            (Some(reason), _) => Stop::Killed(reason, trace::of_frames(&kill.take_stack(), loader)),
            (None, Some(ending)) => Stop::Ended(ending),
            (None, None) => Stop::NeverSettles,
        })
    };
    timers.block_on(std::future::poll_fn(poll))
}
