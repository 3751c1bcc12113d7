//! The line to the supervisor as one run sees it: what the guest asks goes out, and what comes back is told to the guest.

use super::port::Sink;
use crate::model::exchange::{
    Answer, Ask, AskBody, FIRST_ASK, PIECE_BYTES_MAX, Piece, Redirect, SERVED_ANSWER, SERVED_HEADER_BYTES_MAX, ServedHead, Talk,
};
use crate::model::frame::{FromCell, ToCell};
use bytes::Bytes;
use cordon_ops::port::{self, Delivery};
use serde_json::json;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::task::Waker;
use std::time::Duration;

/// The next frame, if one is there.
pub(super) type Receive = Box<dyn FnMut() -> Option<ToCell>>;

// Both sides cut bodies at the same length.
const _: () = assert!(port::PIECE_BYTES_MAX == PIECE_BYTES_MAX);
// The cell refuses what the supervisor would take for a lie.
const _: () = assert!(port::SERVED_HEADER_BYTES_MAX == SERVED_HEADER_BYTES_MAX);

/// The two ends that a cell gives to its run.
pub struct Line {
    /// Sends a frame.
    pub send: Sink,
    /// The next frame, if one is there.
    pub receive: Receive,
    /// Waits until a frame may be there, a signal came, or the time is over; without a time, until one of the other two.
    pub wait: Box<dyn FnMut(Option<Duration>)>,
}

impl Line {
    /// A line to nobody.
    pub(super) fn dead() -> Self {
        Self { send: Box::new(|_| {}), receive: Box::new(|| None), wait: Box::new(|_| {}) }
    }
}

/// What the guest waits for.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    asked: u32,
    answers: BTreeSet<u32>,
    pieces: BTreeSet<u32>,
    /// The body of the answer that the run serves is not all sent.
    serving: bool,
}

impl Waiting {
    /// Takes note of a request. Its number, if the run may ask `most` times and has not yet.
    pub(super) fn ask(&mut self, most: u64) -> Option<u32> {
        if u64::from(self.asked) >= most {
            return None;
        }
        let stream = FIRST_ASK.checked_add(self.asked)?;
        self.asked += 1;
        self.answers.insert(stream);
        Some(stream)
    }

    /// The answer that the run serves is on its way; `body` when one follows.
    pub(super) fn serve(&mut self, body: bool) {
        self.serving = body;
    }

    /// The last piece of an own body was sent.
    pub(super) fn sent(&mut self, stream: u32) {
        self.serving &= stream != SERVED_ANSWER;
    }

    /// The guest waits for a piece of `stream`.
    pub(super) fn want(&mut self, stream: u32) {
        self.pieces.insert(stream);
    }

    /// Nothing more comes of `stream`.
    pub(super) fn forget(&mut self, stream: u32) {
        self.answers.remove(&stream);
        self.pieces.remove(&stream);
        self.sent(stream);
    }

    /// True while something is to come.
    pub(super) fn is_open(&self) -> bool {
        self.serving || !self.answers.is_empty() || !self.pieces.is_empty()
    }

    /// What `frame` tells the guest; nothing when it is no answer, or one that nobody waits for.
    pub(super) fn take(&mut self, frame: ToCell) -> Option<Delivery> {
        match frame {
            ToCell::Answered { stream, answer } => {
                let awaited = self.answers.remove(&stream);
                // Its first piece comes by itself.
                if awaited && matches!(&*answer, Answer::Head(head) if head.body) {
                    self.pieces.insert(stream);
                }
                awaited.then(|| Delivery::Answer { stream, head: head_text(*answer) })
            }
            ToCell::Piece(Piece { stream, bytes, last }) => {
                self.pieces.remove(&stream).then(|| Delivery::Piece { stream, bytes: bytes.into(), last })
            }
            ToCell::Want { stream } => Some(Delivery::Want { stream }),
            ToCell::Broken { stream, message } => {
                self.forget(stream);
                Some(Delivery::Broken { stream, message })
            }
        }
    }
}

/// The head of an answer as `js/wire.js` reads it.
fn head_text(answer: Answer) -> String {
    let head = match answer {
        Answer::Head(head) => json!({
            "status": head.status, "statusText": head.status_text, "headers": head.headers, "url": head.url,
            "redirected": head.redirected, "body": head.body,
        }),
        Answer::Denied(denial) => json!({"denied": denial}),
        Answer::Failed { code, message } => json!({"failed": {"code": code, "message": message}}),
    };
    head.to_string()
}

/// The frame of a request.
pub(super) fn ask_frame(stream: u32, ask: port::Ask) -> FromCell {
    let port::Ask { method, url, headers, body, redirect } = ask;
    let body = match body {
        port::AskBody::None => AskBody::None,
        port::AskBody::Whole(bytes) => AskBody::Whole(bytes.into()),
        port::AskBody::Streamed => AskBody::Streamed,
    };
    let redirect = match redirect {
        port::Redirect::Follow => Redirect::Follow,
        port::Redirect::Manual => Redirect::Manual,
        port::Redirect::Error => Redirect::Error,
    };
    FromCell::Talk(Talk::Ask(Box::new(Ask { stream, method, url, headers, body, redirect })))
}

/// The frame of the answer that a run serves.
pub(super) fn serve_frame(served: port::Served) -> FromCell {
    let port::Served { status, headers, body } = served;
    FromCell::Talk(Talk::Serve(Box::new(ServedHead { status, headers, body })))
}

/// The frame of a piece of the guest's own body.
pub(super) fn piece_frame(stream: u32, bytes: &[u8], last: bool) -> FromCell {
    FromCell::Talk(Talk::Piece(Piece { stream, bytes: Bytes::copy_from_slice(bytes), last }))
}

/// Until when the run's thread waits, and whom it wakes then.
struct Nap {
    wait: Box<dyn FnMut(Option<Duration>)>,
    until: Option<(Option<Duration>, Waker)>,
}

thread_local! {
    static NAP: RefCell<Option<Nap>> = const { RefCell::new(None) };
}

/// From now on this thread can wait for the line where its runtime would only wait for timers.
pub(super) fn open(wait: Box<dyn FnMut(Option<Duration>)>) {
    NAP.set(Some(Nap { wait, until: None }));
}

/// The next time the runtime has nothing to do, this thread waits for the line instead, at most `most`, and then wakes `waker`.
pub(super) fn nap(most: Option<Duration>, waker: &Waker) {
    NAP.with_borrow_mut(|nap| {
        if let Some(nap) = nap {
            nap.until = Some((most, waker.clone()));
        }
    });
}

/// Called by the runtime before it waits.
pub(super) fn before_park() {
    NAP.with_borrow_mut(|nap| {
        if let Some(nap) = nap
            && let Some((most, waker)) = nap.until.take()
        {
            (nap.wait)(most);
            waker.wake();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exchange::AnswerHead;

    fn answered(stream: u32, body: bool) -> ToCell {
        let head = AnswerHead { status: 200, status_text: String::new(), headers: Vec::new(), url: String::new(), redirected: false, body };
        ToCell::Answered { stream, answer: Box::new(Answer::Head(head)) }
    }

    fn piece(stream: u32) -> ToCell {
        ToCell::Piece(Piece { stream, bytes: Bytes::from_static(b"a"), last: false })
    }

    #[test]
    fn one_piece_is_awaited_after_a_head_with_a_body_and_none_after_one_without() {
        for body in [true, false] {
            let mut waiting = Waiting::default();
            let stream = waiting.ask(1).expect("the first");
            assert_eq!(waiting.take(piece(stream)), None, "before its head");
            assert!(waiting.take(answered(stream, body)).is_some());
            assert_eq!(waiting.is_open(), body);
            assert_eq!(waiting.take(piece(stream)).is_some(), body);
            assert_eq!(waiting.take(piece(stream)), None, "a second one that nobody asked for");
            waiting.want(stream);
            assert!(waiting.take(piece(stream)).is_some());
            assert!(!waiting.is_open());
        }
    }

    #[test]
    fn nothing_of_an_answer_that_nobody_awaits_is_awaited() {
        let mut waiting = Waiting::default();
        let stream = waiting.ask(1).expect("the first");
        waiting.forget(stream);
        assert_eq!((waiting.take(answered(stream, true)), waiting.take(piece(stream)), waiting.is_open()), (None, None, false));
    }
}
