//! What a run asks for while it is under way: each request is an exchange of its own with the egress broker, and bodies move only as fast as their
//! reader asks.

mod exchange;
mod served;
#[cfg(test)]
mod tests;

pub(super) use served::{Passed, ServedCaps};
pub use served::{ServedAnswer, ServedPiece, Serving};

use crate::cell::Errands;
use crate::egress::Desk;
use crate::model::exchange::{Ask, FIRST_ASK, PIECE_BYTES_MAX, Piece, SERVED_ANSWER, SERVED_REQUEST, Talk};
use crate::model::frame::ToCell;
use crate::model::{Denial, RunId};
use exchange::Exchange;
use served::Served;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Frames for the cell that wait for it to read. Exchanges wait for room.
const OUTBOX: usize = 8;

/// Requests that a run's cell passes on beyond those that it may make, so that each denial of an ordinary run is heard and a flood is not.
pub(super) const ASKS_BEYOND: u64 = 100;

/// What was refused, shared by the exchanges of one run.
#[derive(Clone)]
pub(super) struct Denials {
    inner: Arc<Mutex<(Vec<Denial>, u64)>>,
    most: usize,
}

impl Denials {
    fn new(most: usize) -> Self {
        Self { inner: Arc::default(), most }
    }

    /// Keeps one, or counts it.
    fn add(&self, denial: Denial) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.0.len() < self.most { inner.0.push(denial) } else { inner.1 += 1 }
    }

    /// Adds those kept to `told`, what the cell told; how many had no room. The cell's give way: no flood of them may hide what was refused here.
    pub(super) fn join(&self, told: &mut Vec<Denial>) -> u64 {
        let (mut kept, beyond) = std::mem::take(&mut *self.inner.lock().unwrap_or_else(PoisonError::into_inner));
        let room = self.most.saturating_sub(kept.len());
        let over = told.len().saturating_sub(room);
        told.truncate(room);
        told.append(&mut kept);
        beyond.saturating_add(over as u64)
    }
}

/// The errands of one run.
pub(super) struct RunErrands {
    desk: Desk,
    denials: Denials,
    asks_left: u64,
    strays_left: u64,
    /// Numbers below this one are used up.
    next_ask: u32,
    exchanges: HashMap<u32, Exchange>,
    served: Option<Served>,
    to_cell: mpsc::Sender<ToCell>,
    outbox: mpsc::Receiver<ToCell>,
}

impl RunErrands {
    /// Errands at `desk` for a cell that was told to ask at most `asks` times; at most `denials` are kept.
    pub(super) fn new(desk: Desk, asks: u64, denials: usize) -> Self {
        let (to_cell, outbox) = mpsc::channel(OUTBOX);
        // Each exchange may cross with its own end once or twice in each direction.
        let strays_left = asks.saturating_mul(4);
        let denials = Denials::new(denials);
        Self { desk, denials, asks_left: asks, strays_left, next_ask: FIRST_ASK, exchanges: HashMap::new(), served: None, to_cell, outbox }
    }

    /// Serves an HTTP exchange besides.
    pub(super) fn serving(mut self, run: RunId, serving: Serving, caps: ServedCaps) -> Self {
        self.served = Some(Served::begin(run, serving, caps, self.desk.clone(), self.to_cell.clone()));
        self
    }

    /// What is passed on of the answer that the run serves.
    pub(super) fn passed(&self) -> Option<Passed> {
        self.served.as_ref().map(Served::passed)
    }

    /// What was refused. More may come until the run's exchanges are dropped.
    pub(super) fn denials(&self) -> Denials {
        self.denials.clone()
    }

    fn ask(&mut self, ask: Ask) -> Result<(), String> {
        self.asks_left = self.asks_left.checked_sub(1).ok_or("it asked more often than it was told to")?;
        let stream = ask.stream;
        if stream < self.next_ask {
            return Err(format!("it used the exchange {stream} twice"));
        }
        self.next_ask = stream.checked_add(1).ok_or("it used up all numbers")?;
        // One that is over keeps what its tasks were in, and a run may ask ten thousand times.
        self.exchanges.retain(|_, exchange| !exchange.is_over());
        let exchange = Exchange::begin(ask, self.desk.clone(), self.denials.clone(), self.to_cell.clone());
        self.exchanges.insert(stream, exchange);
        Ok(())
    }

    fn piece(&mut self, piece: Piece) -> Result<(), String> {
        if piece.bytes.len() > PIECE_BYTES_MAX {
            return Err(format!("a piece of {} bytes", piece.bytes.len()));
        }
        let stream = piece.stream;
        if let (SERVED_ANSWER, Some(served)) = (stream, &mut self.served) {
            return if served.piece(piece.bytes, piece.last)? { Ok(()) } else { self.stray() };
        }
        let taken = self.exchanges.get(&stream).is_some_and(|exchange| exchange.piece(piece.bytes, piece.last));
        if taken { Ok(()) } else { self.stray() }
    }

    /// The guest wants the next piece of what `stream` brings.
    fn want(&self, stream: u32) -> bool {
        match stream {
            SERVED_REQUEST => self.served.as_ref().is_some_and(Served::want),
            _ => self.exchanges.get(&stream).is_some_and(Exchange::want),
        }
    }

    /// The guest is done with `stream` early.
    fn abandon(&mut self, stream: u32) -> bool {
        match (stream, &mut self.served) {
            (SERVED_REQUEST, Some(served)) => served.abandon_request(),
            (SERVED_ANSWER, Some(served)) => served.abandon_answer(),
            _ => self.exchanges.remove(&stream).is_some(),
        }
    }

    /// Something about an exchange that is over. Honest cells say such things now and then.
    fn stray(&mut self) -> Result<(), String> {
        self.strays_left = self.strays_left.checked_sub(1).ok_or("it spoke of exchanges that are over again and again")?;
        Ok(())
    }
}

impl Errands for RunErrands {
    fn take(&mut self, talk: Talk) -> Result<(), String> {
        match talk {
            Talk::Ask(ask) => self.ask(*ask),
            Talk::Piece(piece) => self.piece(piece),
            Talk::Serve(head) => self.served.as_mut().ok_or("it answered a request that it does not serve")?.answer(*head),
            Talk::Want { stream } if self.want(stream) => Ok(()),
            Talk::Abandon { stream } if self.abandon(stream) => Ok(()),
            Talk::Want { .. } | Talk::Abandon { .. } => self.stray(),
        }
    }

    async fn next(&mut self) -> ToCell {
        match self.outbox.recv().await {
            Some(frame) => frame,
            // Not possible while `to_cell` is here; nothing is due.
            None => std::future::pending().await,
        }
    }
}
