//! The HTTP exchange that a run serves: its request's body goes to the cell, its answer comes from there.

use crate::egress::{Desk, Scrubber};
use crate::model::RunId;
use crate::model::exchange::{PIECE_BYTES_MAX, Piece, SERVED_ANSWER, SERVED_HEADER_BYTES_MAX, SERVED_REQUEST, ServedHead};
use crate::model::frame::ToCell;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

/// A piece of a body. A channel of them that closes before its end says that the body was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServedPiece {
    /// Some of it.
    Bytes(Bytes),
    /// There is no more.
    End,
}

/// An answer on its way to the client.
#[derive(Debug)]
pub struct ServedAnswer {
    /// The run that answers.
    pub run: RunId,
    /// Its head. The cell's words: statuses and headers are to be checked by who writes them.
    pub head: ServedHead,
    /// Its body, if it has one.
    pub body: Option<mpsc::Receiver<ServedPiece>>,
}

/// One HTTP exchange from the run's side.
#[derive(Debug)]
pub struct Serving {
    /// The request's body, if it has one.
    pub body: Option<mpsc::Receiver<ServedPiece>>,
    /// Who waits for the answer.
    pub answer: oneshot::Sender<ServedAnswer>,
}

/// Longest bodies of one exchange, in bytes.
#[derive(Debug, Clone, Copy)]
pub(in crate::run) struct ServedCaps {
    pub(in crate::run) request: u64,
    pub(in crate::run) answer: u64,
}

/// What was passed on, for the run's record.
#[derive(Debug, Clone, Default)]
pub(in crate::run) struct Passed {
    status: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
}

impl Passed {
    /// The status that was passed on; none when there was no answer.
    pub(in crate::run) fn status(&self) -> Option<u64> {
        Some(self.status.load(Ordering::Acquire)).filter(|status| *status > 0)
    }

    /// Bytes of the answer's body, in whole or in part.
    pub(in crate::run) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }
}

/// The exchange under way. Dropping it cuts both bodies off.
pub(super) struct Served {
    run: RunId,
    wants: Option<mpsc::Sender<()>>,
    pieces: Option<mpsc::Sender<(Bytes, bool)>>,
    answer: Option<oneshot::Sender<ServedAnswer>>,
    passed: Passed,
    caps: ServedCaps,
    /// Takes secrets out of the answer.
    desk: Desk,
    to_cell: mpsc::Sender<ToCell>,
    bringing: Option<AbortHandle>,
    /// None once all of the answer has come: what is under way to the client then outlives the run.
    passing: Option<AbortHandle>,
}

impl Served {
    /// Begins to serve.
    pub(super) fn begin(run: RunId, serving: Serving, caps: ServedCaps, desk: Desk, to_cell: mpsc::Sender<ToCell>) -> Self {
        let bring = |body| {
            let (wants, wanted) = mpsc::channel(1);
            (wants, tokio::spawn(bring(body, wanted, caps.request, to_cell.clone())).abort_handle())
        };
        let (wants, bringing) = serving.body.map(bring).unzip();
        let (answer, passed) = (Some(serving.answer), Passed::default());
        Self { run, wants, pieces: None, answer, passed, caps, desk, to_cell, bringing, passing: None }
    }

    /// What is passed on.
    pub(super) fn passed(&self) -> Passed {
        self.passed.clone()
    }

    /// The guest wants the next piece of the request. False when there is none to want.
    pub(super) fn want(&self) -> bool {
        self.wants.as_ref().is_some_and(|wants| wants.try_send(()).is_ok())
    }

    /// The guest needs no more of the request.
    pub(super) fn abandon_request(&mut self) -> bool {
        self.wants.take().is_some()
    }

    /// The guest cannot give the rest of its answer, which is then cut off.
    pub(super) fn abandon_answer(&mut self) -> bool {
        self.pieces.take().is_some()
    }

    /// The guest answers. The error says why that is a lie.
    pub(super) fn answer(&mut self, mut head: ServedHead) -> Result<(), String> {
        if !(200..=599).contains(&head.status) {
            return Err(format!("it answered with the status {}", head.status));
        }
        let bytes: usize = head.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > SERVED_HEADER_BYTES_MAX {
            return Err(format!("its answer's headers have {bytes} bytes"));
        }
        let client = self.answer.take().ok_or("it answered twice")?;
        self.passed.status.store(u64::from(head.status), Ordering::Release);
        let body = head.body.then(|| {
            let (into, body) = mpsc::channel(1);
            let (pieces, arrived) = mpsc::channel(1);
            self.passing = Some(tokio::spawn(pass(arrived, into, self.desk.scrubber(), self.to_cell.clone())).abort_handle());
            self.pieces = Some(pieces);
            body
        });
        head.headers = self.desk.clean_headers(head.headers);
        // A client that went away needs no answer; the run hears of it another way.
        let _ = client.send(ServedAnswer { run: self.run, head, body });
        Ok(())
    }

    /// The piece of the answer that was wanted. The error says why it is a lie; false when nobody needs it any more.
    pub(super) fn piece(&mut self, bytes: Bytes, last: bool) -> Result<bool, String> {
        let Some(pieces) = &self.pieces else { return Ok(false) };
        let sum = self.passed.bytes.fetch_add(bytes.len() as u64, Ordering::AcqRel).saturating_add(bytes.len() as u64);
        if sum > self.caps.answer {
            return Err(format!("its answer has more than {} bytes", self.caps.answer));
        }
        let taken = pieces.try_send((bytes, last)).is_ok();
        if last {
            self.pieces = None;
            self.passing = None;
        }
        Ok(taken)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        [&self.bringing, &self.passing].into_iter().flatten().for_each(AbortHandle::abort);
    }
}

/// Brings the request's body to the cell, piece by piece as it is wanted, at most `most` bytes.
async fn bring(mut body: mpsc::Receiver<ServedPiece>, mut wanted: mpsc::Receiver<()>, most: u64, to_cell: mpsc::Sender<ToCell>) {
    let (mut rest, mut sum) = (Bytes::new(), 0u64);
    while wanted.recv().await.is_some() {
        let mut last = false;
        if rest.is_empty() {
            match body.recv().await {
                Some(ServedPiece::Bytes(bytes)) => rest = bytes,
                Some(ServedPiece::End) => last = true,
                None => return broken("the client did not send the whole body of its request".to_owned(), &to_cell).await,
            }
            sum = sum.saturating_add(rest.len() as u64);
            if sum > most {
                return broken(format!("the request's body has more than the {most} bytes of the run's inputBytes"), &to_cell).await;
            }
        }
        let bytes = rest.split_to(rest.len().min(PIECE_BYTES_MAX));
        if to_cell.send(ToCell::Piece(Piece { stream: SERVED_REQUEST, bytes, last })).await.is_err() || last {
            return;
        }
    }
}

async fn broken(message: String, to_cell: &mpsc::Sender<ToCell>) {
    // A cell that is gone waits for nothing.
    let _ = to_cell.send(ToCell::Broken { stream: SERVED_REQUEST, message }).await;
}

/// Asks the cell for the answer's pieces, one after the other, as the client takes them.
async fn pass(
    mut arrived: mpsc::Receiver<(Bytes, bool)>,
    into: mpsc::Sender<ServedPiece>,
    mut scrubber: Option<Box<dyn Scrubber>>,
    to_cell: mpsc::Sender<ToCell>,
) {
    loop {
        let Ok(room) = into.reserve().await else { return };
        if to_cell.send(ToCell::Want { stream: SERVED_ANSWER }).await.is_err() {
            return;
        }
        let Some((bytes, last)) = arrived.recv().await else { return };
        let bytes = match &mut scrubber {
            Some(scrubber) if last => [scrubber.feed(bytes), scrubber.finish()].concat().into(),
            Some(scrubber) => scrubber.feed(bytes),
            None => bytes,
        };
        if !bytes.is_empty() {
            room.send(ServedPiece::Bytes(bytes));
        } else {
            drop(room);
        }
        if last {
            // A client that went away needs no end.
            let _ = into.send(ServedPiece::End).await;
            return;
        }
    }
}
