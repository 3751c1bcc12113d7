//! The host as the realm's ops see it: what the guest says is capped, counted and passed on.

use super::line::{self, Waiting};
use super::loader::refusal_text;
use super::trace;
use crate::model::exchange::Talk;
use crate::model::frame::{FromCell, ToCell};
use crate::model::{Denial, LogLevel};
use cordon_ops::capability::Capability;
use cordon_ops::port::{Ask, Delivery, Ending, Level, Port, Refusal, Served};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Longest log message, in bytes; the rest is cut with a mark.
pub(super) const MESSAGE_BYTES_MAX: usize = 16 << 10;

/// Denials that are passed on per run. The next ones refuse just the same.
pub(super) const DENIALS_MAX: u32 = 100;

/// Where the frames of a run go.
pub(super) type Sink = Box<dyn FnMut(FromCell)>;

/// Budgets of what the guest says.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpeechBudget {
    /// Text of all log lines together, in bytes.
    pub(super) log_bytes: u64,
    /// Log lines.
    pub(super) log_lines: u64,
    /// JSON text of the result, in bytes.
    pub(super) output_bytes: u64,
    /// Requests that are passed on.
    pub(super) asks: u64,
}

/// One run's desk: shared by the ops, the module loader and the driver, all on one thread.
pub(super) struct Desk {
    started: Instant,
    budget: SpeechBudget,
    sink: RefCell<Sink>,
    log_bytes: Cell<u64>,
    log_lines: Cell<u64>,
    logs_truncated: Cell<u64>,
    denials: Cell<u32>,
    denials_truncated: Cell<u64>,
    guest_started: Cell<Option<Duration>>,
    cache_rejected: Cell<bool>,
    ending: RefCell<Option<Ending>>,
    waiting: RefCell<Waiting>,
}

impl Desk {
    /// A desk for a run that began at `started`.
    pub(super) fn new(started: Instant, budget: SpeechBudget, sink: Sink) -> Rc<Self> {
        Rc::new(Self {
            started,
            budget,
            sink: RefCell::new(sink),
            log_bytes: Cell::new(0),
            log_lines: Cell::new(0),
            logs_truncated: Cell::new(0),
            denials: Cell::new(0),
            denials_truncated: Cell::new(0),
            guest_started: Cell::new(None),
            cache_rejected: Cell::new(false),
            ending: RefCell::new(None),
            waiting: RefCell::default(),
        })
    }

    /// Passes a refusal on, as long as the cap allows.
    pub(super) fn refuse(&self, refusal: Refusal) {
        if self.denials.get() >= DENIALS_MAX {
            self.denials_truncated.set(self.denials_truncated.get().saturating_add(1));
            return self.tell_dropped(self.denials_truncated.get());
        }
        self.denials.set(self.denials.get() + 1);
        let Refusal { capability, target, rule, reason, remediation } = refusal;
        self.send(FromCell::Denied(Denial {
            capability: capability.to_owned(),
            target,
            rule: rule.to_owned(),
            reason: reason.to_owned(),
            remediation: remediation.to_owned(),
        }));
    }

    /// Tells, once, that V8 does not take a code cache.
    pub(super) fn reject_cache(&self) {
        if !self.cache_rejected.replace(true) {
            self.send(FromCell::CacheRejected);
        }
    }

    /// True while the guest waits for the supervisor.
    pub(super) fn awaits_supervisor(&self) -> bool {
        self.waiting.borrow().is_open()
    }

    /// What `frame` tells the guest, if anything.
    pub(super) fn take(&self, frame: ToCell) -> Option<Delivery> {
        self.waiting.borrow_mut().take(frame)
    }

    /// True once the guest is done.
    pub(super) fn has_ended(&self) -> bool {
        self.ending.borrow().is_some()
    }

    /// How the guest ended, if it did.
    pub(super) fn take_ending(&self) -> Option<Ending> {
        self.ending.borrow_mut().take()
    }

    /// Lines that the caps dropped.
    pub(super) fn logs_truncated(&self) -> u64 {
        self.logs_truncated.get()
    }

    /// Denials that the cap dropped.
    pub(super) fn denials_truncated(&self) -> u64 {
        self.denials_truncated.get()
    }

    /// From the run's start to the first instruction of guest code.
    pub(super) fn start_us(&self) -> u64 {
        let start = self.guest_started.get().unwrap_or_else(|| self.started.elapsed());
        u64::try_from(start.as_micros()).unwrap_or(u64::MAX)
    }

    fn send(&self, frame: FromCell) {
        (self.sink.borrow_mut())(frame);
    }

    fn log(&self, level: Level, message: String) -> bool {
        let message = cut(trace::of_log(message));
        let bytes = self.log_bytes.get().saturating_add(message.len() as u64);
        if self.log_lines.get() >= self.budget.log_lines || bytes > self.budget.log_bytes {
            self.drop_line();
            // Whatever came now would be dropped too, or come after a gap that nothing shows.
            self.log_lines.set(self.budget.log_lines);
            return false;
        }
        self.log_bytes.set(bytes);
        self.log_lines.set(self.log_lines.get() + 1);
        let at_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.send(FromCell::Log { level: severity(level), message, at_ms });
        self.log_lines.get() < self.budget.log_lines
    }

    fn drop_line(&self) {
        self.logs_truncated.set(self.logs_truncated.get().saturating_add(1));
        self.tell_dropped(self.logs_truncated.get());
    }

    /// Passes on how much was dropped, at each power of two of one of the counts.
    fn tell_dropped(&self, count: u64) {
        if count.is_power_of_two() {
            self.send(FromCell::Dropped { logs: self.logs_truncated.get(), denials: self.denials_truncated.get() });
        }
    }
}

/// The desk as a port of one run's ops.
pub(super) struct DeskPort(pub(super) Rc<Desk>);

impl Port for DeskPort {
    fn log(&mut self, level: Level, message: String) -> bool {
        self.0.log(level, message)
    }

    fn log_dropped(&mut self) {
        self.0.drop_line();
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.0.refuse(refusal);
    }

    fn end(&mut self, mut ending: Ending) {
        if let Ending::Failed(failure) = &mut ending {
            // The engine makes the error of a refused import, so nothing in the realm can mark it. Known by its words, if there was a denial.
            failure.refused |= self.0.denials.get() > 0 && failure.message == refusal_text();
        }
        self.0.ending.borrow_mut().get_or_insert(ending);
    }

    fn guest_starts(&mut self) {
        self.0.guest_started.set(Some(self.0.started.elapsed()));
    }

    fn output_bytes_max(&self) -> u64 {
        self.0.budget.output_bytes
    }

    fn ask(&mut self, ask: Ask) -> Result<u32, Refusal> {
        let Some(stream) = self.0.waiting.borrow_mut().ask(self.0.budget.asks) else {
            let refusal = Capability::Egress.refuse(&ask.url);
            self.0.refuse(refusal.clone());
            return Err(refusal);
        };
        self.0.send(line::ask_frame(stream, ask));
        Ok(stream)
    }

    fn want(&mut self, stream: u32) {
        self.0.waiting.borrow_mut().want(stream);
        self.0.send(FromCell::Talk(Talk::Want { stream }));
    }

    fn piece(&mut self, stream: u32, bytes: &[u8], last: bool) {
        if last {
            self.0.waiting.borrow_mut().sent(stream);
        }
        self.0.send(line::piece_frame(stream, bytes, last));
    }

    fn serve(&mut self, served: Served) {
        self.0.waiting.borrow_mut().serve(served.body);
        self.0.send(line::serve_frame(served));
    }

    fn abandon(&mut self, stream: u32) {
        self.0.waiting.borrow_mut().forget(stream);
        self.0.send(FromCell::Talk(Talk::Abandon { stream }));
    }
}

fn severity(level: Level) -> LogLevel {
    match level {
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
    }
}

/// `message`, cut after [`MESSAGE_BYTES_MAX`] bytes with a mark that says how long it was.
fn cut(mut message: String) -> String {
    let whole = message.len();
    if whole > MESSAGE_BYTES_MAX {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        message.push_str(&format!("\u{2026} [cut: {whole} bytes]"));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk(log_bytes: u64, log_lines: u64) -> (Rc<Desk>, Rc<RefCell<Vec<FromCell>>>) {
        let frames = Rc::new(RefCell::new(Vec::new()));
        let seen = frames.clone();
        let budget = SpeechBudget { log_bytes, log_lines, output_bytes: 10, asks: 0 };
        (Desk::new(Instant::now(), budget, Box::new(move |frame| seen.borrow_mut().push(frame))), frames)
    }

    #[test]
    fn lines_pass_up_to_the_cap_and_are_counted_after_it() {
        let (desk, frames) = desk(100, 2);
        assert!(desk.log(Level::Info, "a".into()));
        assert!(!desk.log(Level::Info, "b".into()), "that was the last one");
        assert!(!desk.log(Level::Info, "c".into()));
        assert_eq!((frames.borrow().len(), desk.logs_truncated()), (3, 1));
        assert_eq!(frames.borrow().last(), Some(&FromCell::Dropped { logs: 1, denials: 0 }));
    }

    #[test]
    fn bytes_pass_at_the_cap_and_not_one_past_it() {
        let (desk, frames) = desk(10, 100);
        assert!(desk.log(Level::Info, "x".repeat(10)));
        assert!(!desk.log(Level::Info, "y".into()));
        assert_eq!((frames.borrow().len(), desk.logs_truncated()), (2, 1));
    }

    #[test]
    fn a_long_message_is_cut_visibly_between_characters() {
        assert_eq!(cut("x".repeat(MESSAGE_BYTES_MAX)).len(), MESSAGE_BYTES_MAX);
        let long = cut(format!("{}\u{20ac}", "x".repeat(MESSAGE_BYTES_MAX - 1)));
        assert!(long.ends_with("x\u{2026} [cut: 16386 bytes]"), "{}", &long[MESSAGE_BYTES_MAX - 5..]);
    }

    #[test]
    fn refusals_are_passed_on_up_to_their_cap() {
        let (desk, frames) = desk(0, 0);
        for _ in 0..DENIALS_MAX + 5 {
            desk.refuse(Capability::Codegen.refuse("eval"));
        }
        let told: Vec<_> = frames.borrow()[DENIALS_MAX as usize..].to_vec();
        let dropped = |denials| FromCell::Dropped { logs: 0, denials };
        assert_eq!((told, desk.denials_truncated()), (vec![dropped(1), dropped(2), dropped(4)], 5));
    }
}
