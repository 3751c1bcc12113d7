//! One request of a run, as a task of its own: it ends with its handle.

use super::Denials;
use crate::egress::{Desk, Fault, OutBody, Outbound};
use crate::model::exchange::{Answer, Ask, AskBody};
use crate::model::frame::ToCell;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// A request under way. Dropping it ends the exchange.
pub(super) struct Exchange {
    pieces: Option<mpsc::Sender<(Bytes, bool)>>,
    tasks: Vec<AbortHandle>,
}

/// What the tasks of one exchange share.
#[derive(Clone)]
struct Way {
    stream: u32,
    to_cell: mpsc::Sender<ToCell>,
}

impl Exchange {
    /// Begins `ask` at `desk`. What comes of it goes to `to_cell`.
    pub(super) fn begin(ask: Ask, desk: Desk, denials: Denials, to_cell: mpsc::Sender<ToCell>) -> Self {
        let way = Way { stream: ask.stream, to_cell };
        let Ask { method, url, headers, body, redirect, .. } = ask;
        let mut tasks = Vec::new();
        let (body, pieces) = match body {
            AskBody::None => (OutBody::Empty, None),
            AskBody::Whole(bytes) => (OutBody::Whole(bytes), None),
            AskBody::Streamed => {
                let (pieces, arrived) = mpsc::channel(1);
                let (into, body) = mpsc::channel(1);
                tasks.push(tokio::spawn(way.clone().feed(arrived, into)).abort_handle());
                (OutBody::Stream(body), Some(pieces))
            }
        };
        let outbound = Outbound { method, url, headers, body, redirect };
        tasks.push(tokio::spawn(way.serve(desk, outbound, denials)).abort_handle());
        Self { pieces, tasks }
    }

    /// The piece that was asked for. False when none was, or nobody needs it any more.
    pub(super) fn piece(&self, bytes: Bytes, last: bool) -> bool {
        self.pieces.as_ref().is_some_and(|pieces| pieces.try_send((bytes, last)).is_ok())
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Way {
    /// Asks the cell for pieces, one after the other, as the request takes them.
    async fn feed(self, mut arrived: mpsc::Receiver<(Bytes, bool)>, into: mpsc::Sender<Result<Bytes, ()>>) {
        loop {
            let Ok(room) = into.reserve().await else { return };
            if self.to_cell.send(ToCell::Want { stream: self.stream }).await.is_err() {
                return;
            }
            match arrived.recv().await {
                Some((bytes, last)) => {
                    room.send(Ok(bytes));
                    if last {
                        return;
                    }
                }
                None => return room.send(Err(())),
            }
        }
    }

    /// Tells the cell what became of its request. A cell that is gone needs no answer.
    async fn serve(self, desk: Desk, outbound: Outbound, denials: Denials) {
        let Fault::Denied(denial) = desk.refuse(outbound);
        denials.add(denial.clone());
        let _ = self.to_cell.send(ToCell::Answered { stream: self.stream, answer: Box::new(Answer::Denied(denial)) }).await;
    }
}
