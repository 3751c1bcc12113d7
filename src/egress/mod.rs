//! Outbound requests for runs, in the supervisor. The cell's side and the exchange of frames are whole; nothing is sent yet: whatever a profile says,
//! each request is denied, recorded and counted, and the denial says why.

use crate::model::exchange::Redirect;
use crate::model::{Denial, EgressEntry, EgressGrant, EgressMode};
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Rows of a run's ledger; requests beyond them are denied without one.
const ROWS_MAX: usize = 1000;

/// Longest URL in a row or a denial, in characters.
const URL_CHARS_MAX: usize = 2048;

/// A request that a run asks for.
pub struct Outbound {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: OutBody,
    /// What becomes of redirects.
    pub redirect: Redirect,
}

/// The body of a request.
pub enum OutBody {
    /// There is none.
    Empty,
    /// This.
    Whole(Bytes),
    /// Pieces; an error says that the rest will not come.
    Stream(mpsc::Receiver<Result<Bytes, ()>>),
}

/// Why a request has no answer.
pub enum Fault {
    /// It was refused.
    Denied(Denial),
}

/// One run's way out. Clones share its ledger.
#[derive(Clone)]
pub struct Desk {
    grant: Arc<EgressGrant>,
    ledger: Arc<Mutex<Vec<EgressEntry>>>,
}

impl Desk {
    /// A desk for a run with `grant`.
    pub fn new(grant: Arc<EgressGrant>) -> Self {
        Self { grant, ledger: Arc::default() }
    }

    /// Why `request` is not sent.
    pub fn refuse(&self, request: Outbound) -> Fault {
        let url: String = request.url.chars().take(URL_CHARS_MAX).collect();
        let row =
            EgressEntry { method: request.method, url: url.clone(), error: Some("egressDenied".to_owned()), ..EgressEntry::default() };
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if ledger.len() < ROWS_MAX {
            ledger.push(row);
        }
        let (reason, remediation) = match self.grant.mode {
            EgressMode::Deny | EgressMode::Synthetic => (
                "the profile lets nothing out",
                "send what the code needs as `input`, or ask the operator for a profile with an egress rule for this host",
            ),
            EgressMode::Allowlist => {
                ("this version of Cordon sends no requests yet, whatever the profile's rules say", "send what the code needs as `input`")
            }
        };
        Fault::Denied(Denial {
            capability: "egress".to_owned(),
            target: url,
            rule: "egress.default-deny".to_owned(),
            reason: reason.to_owned(),
            remediation: remediation.to_owned(),
        })
    }

    /// The rows so far.
    pub fn ledger(&self) -> Vec<EgressEntry> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str) -> Outbound {
        Outbound { method: "GET".into(), url: url.into(), headers: Vec::new(), body: OutBody::Empty, redirect: Redirect::Follow }
    }

    #[test]
    fn every_mode_denies_and_each_attempt_is_a_row() {
        for mode in [EgressMode::Deny, EgressMode::Synthetic, EgressMode::Allowlist] {
            let desk = Desk::new(Arc::new(EgressGrant { mode, ..EgressGrant::default() }));
            let Fault::Denied(denial) = desk.refuse(request("https://good.example/"));
            assert_eq!((denial.rule.as_str(), denial.target.as_str()), ("egress.default-deny", "https://good.example/"));
            assert_eq!(desk.ledger().iter().map(|row| row.error.as_deref()).collect::<Vec<_>>(), [Some("egressDenied")]);
        }
    }

    #[test]
    fn rows_and_their_urls_have_an_end() {
        let desk = Desk::new(Arc::default());
        for _ in 0..=ROWS_MAX {
            let Fault::Denied(denial) = desk.refuse(request(&"x".repeat(URL_CHARS_MAX + 1)));
            assert_eq!(denial.target.len(), URL_CHARS_MAX);
        }
        assert_eq!(desk.ledger().len(), ROWS_MAX);
    }
}
