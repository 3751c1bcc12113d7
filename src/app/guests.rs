//! Wires the rooms that know V8 and oxc to the cells.

use crate::cell::{GuestFacts, Link, OutOfMemory, Warm, WarmGuest, ZygoteKind, ZygoteOrder};
use crate::intake;
use crate::isolate::{IsolateSettings, Line, WarmIsolate, init_v8, v8_flags};
use crate::model::frame::{FromCell, Order, Rejection, RunEnd};
use crate::model::{GuestError, Jit, Outcome};

/// What every zygote of this program loads.
pub(super) const WARM: Warm = warm;

fn warm(order: &ZygoteOrder, out_of_memory: OutOfMemory) -> Result<Box<dyn WarmGuest>, String> {
    match order.kind {
        ZygoteKind::Intake => {
            intake::warm();
            Ok(Box::new(IntakeGuest))
        }
        ZygoteKind::Runs(_, jit) => {
            init_v8(jit);
            let heap_max_bytes = usize::try_from(order.heap_bytes_max).map_err(|error| error.to_string())?;
            let settings = IsolateSettings { heap_max_bytes, out_of_memory };
            let isolate = WarmIsolate::build(&settings).map_err(|error| error.to_string())?;
            Ok(Box::new(RunGuest { isolate: Some(isolate), jit }))
        }
    }
}

/// A warm isolate that has run nothing.
struct RunGuest {
    isolate: Option<WarmIsolate>,
    jit: Jit,
}

impl WarmGuest for RunGuest {
    fn facts(&self) -> GuestFacts {
        let ops = self.isolate.as_ref().map(WarmIsolate::op_names).unwrap_or_default();
        GuestFacts { ops, v8_version: crate::isolate::v8_version().to_owned(), v8_flags: v8_flags(self.jit) }
    }

    fn arm(&mut self) -> std::io::Result<()> {
        self.isolate.as_mut().map_or(Ok(()), WarmIsolate::arm)
    }

    fn obey(&mut self, order: Order, link: Link) -> FromCell {
        match (order, self.isolate.take()) {
            (Order::Run(order), Some(isolate)) => FromCell::Finished(Box::new(isolate.run(*order, line(link)))),
            (Order::Compile(order), Some(isolate)) => FromCell::Compiled(isolate.compile(&order)),
            (Order::Run(_) | Order::Prepare(_) | Order::Check(_) | Order::Compile(_), _) => misdirected(),
        }
    }
}

/// A cell's link as a run sees it.
fn line(link: Link) -> Line {
    let Link { send, receive, wait } = link;
    Line { send, receive, wait }
}

/// Prepares sources and looks them through. Has nothing to keep warm but pages.
struct IntakeGuest;

impl WarmGuest for IntakeGuest {
    fn facts(&self) -> GuestFacts {
        GuestFacts::default()
    }

    fn obey(&mut self, order: Order, _link: Link) -> FromCell {
        match order {
            Order::Prepare(order) => match intake::prepare(&order) {
                Ok(modules) => FromCell::Prepared(modules),
                Err(rejection) => FromCell::Rejected(rejection),
            },
            Order::Check(order) => FromCell::Checked(Box::new(intake::examine(&order))),
            Order::Run(_) | Order::Compile(_) => FromCell::Rejected(Rejection {
                message: "an intake cell runs nothing".to_owned(),
                remediation: "report this".to_owned(),
                location: None,
                denial: None,
            }),
        }
    }
}

/// An order for another kind of cell: the supervisor's mistake.
fn misdirected() -> FromCell {
    let error = GuestError {
        code: Outcome::InternalError.as_str().to_owned(),
        name: "Error".to_owned(),
        message: "the order was for another kind of cell".to_owned(),
        stack: None,
        remediation: "report this".to_owned(),
    };
    FromCell::Finished(Box::new(RunEnd::uncounted(Outcome::Exception, None, Some(error))))
}
