//! A run's way out: counts, bounds and records what the run asks for.

use super::broker::Broker;
use super::carrier::{Carrier, Scrubber};
use super::exchange::{Failure, Fault, Inbound, Outbound};
use super::ledger::{Ledger, Row};
use super::trip::Trip;
use crate::model::{EgressEntry, EgressTerms};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

/// Makes the run's intent durable.
pub type Before = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Hears of each row at its end, with the code of the denial or failure that ended it.
pub type Observer = Arc<dyn Fn(&EgressEntry, Option<&str>) + Send + Sync>;

/// What a run's desk works by.
#[derive(Clone)]
pub struct DeskSettings {
    /// What the run may send.
    pub grant: Arc<EgressTerms>,
    /// Whose run it is. Connections are shared within it only.
    pub principal: String,
    /// Most requests of the run, each hop of a redirect counted.
    pub sub_requests: u64,
    /// The run's secrets.
    pub carrier: Arc<dyn Carrier>,
    /// Awaited once per run, before its first byte leaves.
    pub before_first_byte: Before,
    /// Called once per row, at its end.
    pub observer: Observer,
}

/// One run's way out. Clones share its counts and its ledger.
#[derive(Clone)]
pub struct Desk(pub(super) Arc<Counter>);

/// What the clones of a desk share.
pub(super) struct Counter {
    pub(super) broker: Arc<Broker>,
    pub(super) settings: DeskSettings,
    sent: AtomicU64,
    /// Requests by the rule's place, of the rules that were used: a run may have many rules and uses few.
    by_rule: Mutex<HashMap<usize, u64>>,
    slots: Arc<Semaphore>,
    durable: OnceCell<()>,
    ledger: Arc<Ledger>,
}

impl Desk {
    pub(super) fn new(broker: Arc<Broker>, settings: DeskSettings) -> Self {
        let slots = usize::try_from(broker.settings.concurrent_per_run).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        let ledger = Ledger::new(broker.settings.ledger_rows_max, settings.carrier.clone(), settings.observer.clone());
        Self(Arc::new(Counter {
            sent: AtomicU64::new(0),
            by_rule: Mutex::default(),
            slots: Arc::new(Semaphore::new(slots)),
            durable: OnceCell::new(),
            ledger: Arc::new(ledger),
            broker,
            settings,
        }))
    }

    /// Sends a request, or answers it from a fixture, if the grant allows it. Dropping the future ends the request and closes its connection.
    ///
    /// # Errors
    /// [`Fault::Denied`] by policy; [`Fault::Failed`] by the network, the origin, a limit, or a body that the guest did not finish.
    pub async fn fetch(&self, request: Outbound) -> Result<Inbound, Fault> {
        let row = self.0.ledger.open(&request.method, &request.url);
        let mut trip = Trip::new(self.0.clone(), row, request);
        let result = trip.run().await;
        result.map_err(|fault| trip.fail(fault))
    }

    /// The rows of a run that is over: what is still under way ends as aborted, and nothing is sent any more.
    pub fn close(&self) -> Vec<EgressEntry> {
        // Before the rows: what still gets a slot has its row by then.
        self.0.slots.close();
        self.0.ledger.close()
    }

    /// What takes real values of the run's secrets out of a body; none when it has none.
    pub fn scrubber(&self) -> Option<Box<dyn Scrubber>> {
        self.0.settings.carrier.scrubber()
    }

    /// `headers` without real values of the run's secrets. A name cannot be marked as a value can, so such a header is left out.
    pub fn clean_headers(&self, headers: Vec<(String, String)>) -> Vec<(String, String)> {
        self.0.clean_headers(headers)
    }

    /// The rows so far; requests under way are among them as they are by now.
    pub fn ledger(&self) -> Vec<EgressEntry> {
        self.0.ledger.rows()
    }

    /// Requests so far, each hop of a redirect counted, those that policy denied included.
    pub fn sub_requests(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// Rows that the ledger had no room for.
    pub fn rows_dropped(&self) -> u64 {
        self.0.ledger.dropped()
    }
}

impl Counter {
    /// Counts one request of the run; none when all are used up.
    pub(super) fn take_sub_request(&self) -> Option<()> {
        let one_more = |now| (now < self.settings.sub_requests).then_some(now + 1);
        self.sent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok().map(|_| ())
    }

    /// Counts one request under the rule at `index`; none when all are used up.
    pub(super) fn take_of_rule(&self, index: usize, most: u64) -> Option<()> {
        let mut counts = self.by_rule.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(index).or_default();
        (*count < most).then(|| *count += 1)
    }

    /// Waits until the run may have one more request under way.
    pub(super) async fn slot(&self) -> Result<OwnedSemaphorePermit, Fault> {
        let slot = self.slots.clone().acquire_owned().await;
        slot.map_err(|_| Fault::failed(Failure::Aborted, "the run is over"))
    }

    /// Makes the run's intent durable, once. INVARIANT (intent first): no byte of a run leaves before that.
    pub(super) async fn durable(&self) -> Result<(), Fault> {
        let made = self.durable.get_or_try_init(|| (self.settings.before_first_byte)()).await;
        made.map(|_| ())
            .map_err(|why| Fault::failed(Failure::Aborted, format!("the request could not be recorded before it was sent: {why}")))
    }

    /// `text` without real values of secrets.
    pub(super) fn clean(&self, text: String) -> String {
        self.settings.carrier.scrub_text(&text).unwrap_or(text)
    }

    /// As [`Desk::clean_headers`].
    pub(super) fn clean_headers(&self, headers: Vec<(String, String)>) -> Vec<(String, String)> {
        let clean = headers.into_iter().filter(|(name, _)| self.settings.carrier.scrub_text(name).is_none());
        clean.map(|(name, value)| (name, self.clean(value))).collect()
    }

    /// `fault` without real values of secrets.
    pub(super) fn clean_fault(&self, fault: Fault) -> Fault {
        match fault {
            Fault::Denied(mut refusal) => {
                for text in [&mut refusal.target, &mut refusal.reason, &mut refusal.remediation] {
                    *text = self.clean(std::mem::take(text));
                }
                Fault::Denied(refusal)
            }
            Fault::Failed { code, message } => Fault::Failed { code, message: self.clean(message) },
        }
    }
}

/// What the parts of one exchange share: the run's counts and the exchange's row.
pub(super) struct Case {
    pub(super) counter: Arc<Counter>,
    pub(super) row: Row,
}

impl Case {
    /// Ends the row with a fault, and frees the fault of secrets.
    pub(super) fn fail(&self, fault: Fault) -> Fault {
        let fault = self.counter.clean_fault(fault);
        if let Fault::Denied(refusal) = &fault {
            self.row.write(|entry| entry.violation = refusal.violation.map(str::to_owned));
        }
        self.row.end(Some(fault.code()));
        fault
    }
}
