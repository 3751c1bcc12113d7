//! The ledger of one run: a row for each request, written as the request goes on and closed once.

use super::carrier::Carrier;
use super::desk::Observer;
use super::refusal::shown;
use crate::model::EgressEntry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Longest method in a row, in characters.
const METHOD_CHARS_MAX: usize = 64;

/// The rows of a run.
pub(super) struct Ledger {
    rows_max: usize,
    carrier: Arc<dyn Carrier>,
    observer: Observer,
    rows: Mutex<Vec<Arc<Mutex<State>>>>,
    dropped: AtomicU64,
}

/// One row by now.
pub(super) struct State {
    entry: EgressEntry,
    start: Instant,
    over: bool,
}

/// Writes one row. A row whose writer goes away unfinished ends `aborted`.
pub(super) struct Row {
    state: Arc<Mutex<State>>,
    ledger: Arc<Ledger>,
}

impl Ledger {
    pub(super) fn new(rows_max: usize, carrier: Arc<dyn Carrier>, observer: Observer) -> Self {
        Self { rows_max, carrier, observer, rows: Mutex::default(), dropped: AtomicU64::new(0) }
    }

    /// Begins a row.
    pub(super) fn open(self: &Arc<Self>, method: &str, url: &str) -> Row {
        let method = self.clean(method).chars().take(METHOD_CHARS_MAX).collect();
        let entry = EgressEntry { method, url: self.url(url), ..EgressEntry::default() };
        let state = Arc::new(Mutex::new(State { entry, start: Instant::now(), over: false }));
        let mut rows = lock(&self.rows);
        if rows.len() < self.rows_max {
            rows.push(state.clone());
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Row { state, ledger: self.clone() }
    }

    pub(super) fn rows(&self) -> Vec<EgressEntry> {
        let rows = lock(&self.rows);
        rows.iter().map(|row| lock(row).now()).collect()
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn clean(&self, text: &str) -> String {
        self.carrier.scrub_text(text).unwrap_or_else(|| text.to_owned())
    }

    /// A URL as rows have it. Scrubbed before it is cut: a cut could leave a piece of a secret that is not known by its whole any more.
    fn url(&self, url: &str) -> String {
        shown(&self.clean(url))
    }
}

impl State {
    fn now(&self) -> EgressEntry {
        let mut entry = self.entry.clone();
        if !self.over {
            entry.ms = self.start.elapsed().as_secs_f64() * 1000.0;
        }
        entry
    }
}

impl Row {
    /// Changes the row, if it is not over.
    pub(super) fn write(&self, change: impl FnOnce(&mut EgressEntry)) {
        let mut state = lock(&self.state);
        if !state.over {
            change(&mut state.entry);
        }
    }

    /// The request as it was parsed.
    pub(super) fn target(&self, method: &str, url: &str) {
        let url = self.ledger.url(url);
        self.write(|entry| (entry.method, entry.url) = (method.chars().take(METHOD_CHARS_MAX).collect(), url));
    }

    /// A redirect leads to `url`.
    pub(super) fn hop(&self, url: &str) {
        let url = self.ledger.url(url);
        self.write(|entry| entry.redirects.push(url));
    }

    /// The hop carries these secrets.
    pub(super) fn secrets(&self, names: Vec<String>) {
        self.write(|entry| {
            for name in names {
                if !entry.secrets.contains(&name) {
                    entry.secrets.push(name);
                }
            }
        });
    }

    /// Ends the row, once; later ends change nothing.
    pub(super) fn end(&self, error: Option<&str>) {
        let entry = {
            let mut state = lock(&self.state);
            if state.over {
                return;
            }
            state.entry.error = error.map(str::to_owned);
            state.entry.ms = state.start.elapsed().as_secs_f64() * 1000.0;
            state.over = true;
            state.entry.clone()
        };
        (self.ledger.observer)(&entry, entry.error.as_deref());
    }
}

impl Drop for Row {
    fn drop(&mut self) {
        self.end(Some("aborted"));
    }
}

/// Counts a request's body into its row. It does not keep the row open.
pub(super) struct Meter(Arc<Mutex<State>>);

impl Row {
    pub(super) fn meter(&self) -> Meter {
        Meter(self.state.clone())
    }
}

impl Meter {
    /// So many bytes more were given to the connection.
    pub(super) fn sent(&self, bytes: usize) {
        let mut state = lock(&self.0);
        if !state.over {
            state.entry.request_bytes += bytes as u64;
        }
    }
}

/// A lock that a panic elsewhere does not close: rows are whole at every moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
