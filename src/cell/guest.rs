//! What a zygote loads and a cell runs, behind a trait: the rooms that know V8 and oxc are wired in from the roof.

use super::control::{GuestFacts, ZygoteOrder};
use crate::model::frame::{FromCell, Order, ToCell};
use std::time::Duration;

/// What ties an order under way to the supervisor. Each part ends the cell when the supervisor is gone.
pub struct Link {
    /// Sends one frame. Blocks while the supervisor is behind.
    pub send: Box<dyn FnMut(FromCell)>,
    /// The next frame, if it is there.
    pub receive: Box<dyn FnMut() -> Option<ToCell>>,
    /// Waits until a frame may be there, a signal came, or the time is over; without a time, until one of the other two.
    pub wait: Box<dyn FnMut(Option<Duration>)>,
}

/// Called when V8 is about to abort for lack of memory.
pub type OutOfMemory = fn();

/// Loads and warms a guest host in a zygote, before it seals itself. The error is for the operator.
pub type Warm = fn(&ZygoteOrder, OutOfMemory) -> Result<Box<dyn WarmGuest>, String>;

/// A guest host that is loaded, warm and has never seen guest code.
pub trait WarmGuest {
    /// What it is made of.
    fn facts(&self) -> GuestFacts;

    /// In a cell, before its own filter: starts what needs a thread. The kernel is the cause of an error.
    fn arm(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    /// In a cell, once: obeys one order to its end and returns the last frame.
    fn obey(&mut self, order: Order, link: Link) -> FromCell;
}
