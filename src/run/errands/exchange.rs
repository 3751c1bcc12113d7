//! One request of a run, as a task of its own: it ends with its handle.

use super::Denials;
use crate::egress::{Desk, Fault, InBody, Inbound, OutBody, Outbound};
use crate::model::exchange::{Answer, AnswerHead, Ask, AskBody, Piece};
use crate::model::frame::ToCell;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// A request under way. Dropping it ends the exchange.
pub(super) struct Exchange {
    wants: mpsc::Sender<()>,
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
        let (wants, wanted) = mpsc::channel(1);
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
        tasks.push(tokio::spawn(way.serve(desk, outbound, denials, wanted)).abort_handle());
        Self { wants, pieces, tasks }
    }

    /// The cell waits for a piece of the answer's body. False when it waits for one already, or nothing will come.
    pub(super) fn want(&self) -> bool {
        self.wants.try_send(()).is_ok()
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

    /// Has the request sent and passes on what comes back.
    async fn serve(self, desk: Desk, outbound: Outbound, denials: Denials, wanted: mpsc::Receiver<()>) {
        let (answer, body) = match desk.fetch(outbound).await {
            Ok(inbound) => head(inbound),
            Err(fault) => (refusal(fault, &denials), None),
        };
        let told = self.to_cell.send(ToCell::Answered { stream: self.stream, answer: Box::new(answer) }).await;
        if let (Ok(()), Some(body)) = (told, body) {
            self.pass(body, wanted, &denials).await;
        }
    }

    /// Passes on a body, a piece for each want.
    async fn pass(self, mut body: InBody, mut wanted: mpsc::Receiver<()>, denials: &Denials) {
        let stream = self.stream;
        while wanted.recv().await.is_some() {
            let frame = match body.next().await {
                Some(Ok(bytes)) => ToCell::Piece(Piece { stream, bytes, last: false }),
                None => ToCell::Piece(Piece { stream, bytes: Bytes::new(), last: true }),
                Some(Err(fault)) => ToCell::Broken { stream, message: words(fault, denials) },
            };
            let over = !matches!(&frame, ToCell::Piece(Piece { last: false, .. }));
            if self.to_cell.send(frame).await.is_err() || over {
                return;
            }
        }
    }
}

fn head(inbound: Inbound) -> (Answer, Option<InBody>) {
    let Inbound { status, headers, url, redirected, body } = inbound;
    let status_text = hyper_phrase(status);
    (Answer::Head(AnswerHead { status, status_text, headers, url, redirected, body: body.is_some() }), body)
}

fn hyper_phrase(_status: u16) -> String {
    String::new()
}

fn refusal(fault: Fault, denials: &Denials) -> Answer {
    match fault {
        Fault::Denied(denial) => {
            denials.add(denial.clone());
            Answer::Denied(denial)
        }
        Fault::Failed { code, message } => Answer::Failed { code: code.to_owned(), message },
    }
}

fn words(fault: Fault, denials: &Denials) -> String {
    match refusal(fault, denials) {
        Answer::Denied(denial) => format!("the body ends early: {}", denial.reason),
        Answer::Failed { message, .. } => format!("the body ends early: {message}"),
        Answer::Head(_) => String::new(),
    }
}
