//! Outbound requests for runs, in the supervisor.
#![allow(missing_docs)]

use crate::model::exchange::Redirect;
use crate::model::{Denial, EgressEntry, EgressGrant};
use bytes::Bytes;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// A request.
pub struct Outbound {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: OutBody,
    pub redirect: Redirect,
}
/// Its body.
pub enum OutBody {
    Empty,
    Whole(Bytes),
    Stream(mpsc::Receiver<Result<Bytes, ()>>),
}
/// An answer.
pub struct Inbound {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub url: String,
    pub redirected: bool,
    pub body: Option<InBody>,
}
/// Its body.
pub struct InBody;
impl InBody {
    pub async fn next(&mut self) -> Option<Result<Bytes, Fault>> {
        None
    }
}
/// Why there is none.
pub enum Fault {
    Denied(Denial),
    Failed { code: &'static str, message: String },
}
/// One run's.
#[derive(Clone)]
pub struct Desk {
    ledger: Arc<Mutex<Vec<EgressEntry>>>,
}
impl Desk {
    pub fn new(_: Arc<EgressGrant>) -> Self {
        Self { ledger: Arc::default() }
    }
    pub async fn fetch(&self, request: Outbound) -> Result<Inbound, Fault> {
        let denial = Denial {
            capability: "egress".into(),
            target: request.url.clone(),
            rule: "egress.default-deny".into(),
            reason: "the profile allows no outbound requests".into(),
            remediation: "ask the operator for a rule".into(),
        };
        let row = EgressEntry { method: request.method, url: request.url, error: Some("egressDenied".into()), ..Default::default() };
        self.ledger.lock().map(|mut ledger| ledger.push(row)).ok();
        Err(Fault::Denied(denial))
    }
    pub fn ledger(&self) -> (Vec<EgressEntry>, u64) {
        (self.ledger.lock().map(|ledger| ledger.clone()).unwrap_or_default(), 0)
    }
}
