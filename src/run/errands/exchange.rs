//! One request of a run, as tasks of its own: they end with its handle.

use super::Denials;
use crate::egress::{Desk, Fault, InBody, Inbound, OutBody, OutPiece, Outbound};
use crate::model::exchange::{Answer, AnswerHead, Ask, AskBody, Piece};
use crate::model::frame::ToCell;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// A request under way. Dropping it ends the exchange.
pub(super) struct Exchange {
    pieces: Option<mpsc::Sender<(Bytes, bool)>>,
    wants: mpsc::Sender<()>,
    tasks: Vec<AbortHandle>,
}

/// What the tasks of one exchange share.
#[derive(Clone)]
struct Way {
    stream: u32,
    to_cell: mpsc::Sender<ToCell>,
    denials: Denials,
}

impl Exchange {
    /// Begins `ask` at `desk`. What comes of it goes to `to_cell`.
    pub(super) fn begin(ask: Ask, desk: Desk, denials: Denials, to_cell: mpsc::Sender<ToCell>) -> Self {
        let way = Way { stream: ask.stream, to_cell, denials };
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
        let (wants, wanted) = mpsc::channel(1);
        let outbound = Outbound { method, url, headers, body, redirect };
        tasks.push(tokio::spawn(way.serve(desk, outbound, wanted)).abort_handle());
        Self { pieces, wants, tasks }
    }

    /// The piece that was asked for. False when none was, or nobody needs it any more.
    pub(super) fn piece(&self, bytes: Bytes, last: bool) -> bool {
        self.pieces.as_ref().is_some_and(|pieces| pieces.try_send((bytes, last)).is_ok())
    }

    /// Nothing more comes or goes.
    pub(super) fn is_over(&self) -> bool {
        self.tasks.iter().all(AbortHandle::is_finished)
    }

    /// The guest wants the next piece of the answer. False when there is none to want.
    pub(super) fn want(&self) -> bool {
        self.wants.try_send(()).is_ok()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Way {
    /// Asks the cell for pieces, one after the other, as the request takes them. A body that ends without its last piece was cut off.
    async fn feed(self, mut arrived: mpsc::Receiver<(Bytes, bool)>, into: mpsc::Sender<OutPiece>) {
        loop {
            let Ok(room) = into.reserve().await else { return };
            if self.to_cell.send(ToCell::Want { stream: self.stream }).await.is_err() {
                return;
            }
            let Some((bytes, last)) = arrived.recv().await else { return };
            if bytes.is_empty() {
                drop(room)
            } else {
                room.send(OutPiece::Bytes(bytes))
            }
            if last {
                // A request that is over needs no end.
                let _ = into.send(OutPiece::End).await;
                return;
            }
        }
    }

    /// Tells the cell what became of its request. A cell that is gone needs no answer.
    async fn serve(self, desk: Desk, outbound: Outbound, wanted: mpsc::Receiver<()>) {
        let (answer, body) = match desk.fetch(outbound).await {
            Ok(Inbound { status, status_text, headers, url, redirected, body }) => {
                (Answer::Head(AnswerHead { status, status_text, headers, url, redirected, body: body.is_some() }), body)
            }
            Err(Fault::Failed { code, message }) => (Answer::Failed { code, message }, None),
            Err(Fault::Denied(refusal)) => {
                let denial = refusal.denial();
                self.denials.add(denial.clone());
                (Answer::Denied(denial), None)
            }
        };
        let told = self.to_cell.send(ToCell::Answered { stream: self.stream, answer: Box::new(answer) }).await;
        if let (Ok(()), Some(body)) = (told, body) {
            self.bring(body, wanted).await;
        }
    }

    /// Brings the answer's body: the first piece by itself, since most guests read what they asked for and most answers are short, and the others as they
    /// are wanted.
    async fn bring(self, mut body: InBody, mut wanted: mpsc::Receiver<()>) {
        let stream = self.stream;
        loop {
            let frame = match body.next().await {
                Ok(Some(bytes)) => ToCell::Piece(Piece { stream, bytes, last: body.is_at_end() }),
                Ok(None) => ToCell::Piece(Piece { stream, bytes: Bytes::new(), last: true }),
                Err(fault) => ToCell::Broken { stream, message: self.broken(fault) },
            };
            let over = !matches!(frame, ToCell::Piece(Piece { last: false, .. }));
            if self.to_cell.send(frame).await.is_err() || over || wanted.recv().await.is_none() {
                return;
            }
        }
    }

    fn broken(&self, fault: Fault) -> String {
        match fault {
            Fault::Failed { message, .. } => message,
            Fault::Denied(refusal) => {
                self.denials.add(refusal.denial());
                refusal.reason
            }
        }
    }
}
