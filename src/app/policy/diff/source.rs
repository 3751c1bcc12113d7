//! Where recorded decisions and outbound requests come from: a running server, or the data folder of one that does not run.

use crate::app::audit;
use crate::app::cli::Reach;
use crate::app::decisions::{self, RunEgress};
use crate::app::failure::Failure;
use crate::app::local::{self, Server, Target};
use crate::http::Stretch;
use crate::model::{DecisionEntry, Problem};
use crate::store::Store;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

/// Most entries of a page: what the operator listener gives.
const PAGE: u64 = 200;

/// Most runs that are looked at for each that is wanted: most runs may send nothing out.
const RUNS_LOOKED_AT: u64 = 20;

/// A log that is read backwards, a page at a time.
pub(super) enum Source {
    /// Through the operator listener.
    Server(Server),
    /// In the folder.
    Folder(Store),
}

/// A list of the log.
#[derive(Clone, Copy)]
enum List {
    Decisions,
    Egress,
}

impl List {
    /// The path on the operator listener, and the member that the entries are in.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Decisions => ("/v1/decisions", "decisions"),
            Self::Egress => ("/v1/egress", "runs"),
        }
    }

    fn in_folder(self, store: &Store, stretch: &Stretch) -> Result<Value, Problem> {
        match self {
            Self::Decisions => decisions::page(store, stretch),
            Self::Egress => decisions::egress(store, stretch),
        }
    }
}

impl Source {
    /// What `reach` means.
    pub(super) fn find(reach: &Reach) -> Result<Self, Failure> {
        Ok(match local::target(reach)? {
            Target::Server(server) => Self::Server(server),
            Target::Folder(folder) => Self::Folder(audit::open(&folder)?),
        })
    }

    /// The last `most` decisions, newest first, a page at a time. To read them through a server is a decision of its own, which is left out.
    pub(super) fn decisions(&self, most: u64, mut take: impl FnMut(&[DecisionEntry])) -> Result<(), Failure> {
        let mut left = most;
        self.pages(List::Decisions, |page: Vec<DecisionEntry>, _| {
            let page = &page[..page.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
            left -= page.len() as u64;
            take(page);
            left > 0
        })
        .map(drop)
    }

    /// The last `most` runs that sent something out, newest first, a page at a time. True when the log goes on behind the runs that were looked at.
    pub(super) fn runs(&self, most: u64, mut take: impl FnMut(&[RunEgress])) -> Result<bool, Failure> {
        let (mut left, mut looked_at) = (most, 0);
        self.pages(List::Egress, |page: Vec<RunEgress>, limit| {
            let page = &page[..page.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
            (left, looked_at) = (left - page.len() as u64, looked_at + limit);
            take(page);
            left > 0 && may_look(looked_at, most)
        })
        .map(|more| more && left > 0)
    }

    /// Pages of `list`, until there are none or `take` has enough. True when there are more.
    fn pages<T: DeserializeOwned>(&self, list: List, mut take: impl FnMut(Vec<T>, u64) -> bool) -> Result<bool, Failure> {
        let limit = u32::try_from(PAGE).unwrap_or(u32::MAX);
        let mut stretch = Stretch { since_ms: None, until_ms: Some(now_ms()), cursor: None, limit };
        loop {
            let mut page = self.page(list, &stretch)?;
            let entries = serde_json::from_value(page[list.names().1].take());
            let entries = entries
                .map_err(|error| Failure::machine(format!("the log's answer is not understood: {error}"), "check the server's version"))?;
            stretch.cursor = page["cursor"].as_str().map(str::to_owned);
            let enough = !take(entries, PAGE);
            if enough || stretch.cursor.is_none() {
                return Ok(stretch.cursor.is_some());
            }
        }
    }

    fn page(&self, list: List, stretch: &Stretch) -> Result<Value, Failure> {
        match self {
            Self::Folder(store) => list.in_folder(store, stretch).map_err(Failure::from),
            Self::Server(server) => {
                let until = stretch.until_ms.map(|until| format!("&until={until}")).unwrap_or_default();
                let cursor = stretch.cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
                server.ask("GET", &format!("{}?limit={}{until}{cursor}", list.names().0, stretch.limit), None)
            }
        }
    }
}

/// Whether more runs are looked at for `most` that sent something out.
fn may_look(looked_at: u64, most: u64) -> bool {
    looked_at < most.saturating_mul(RUNS_LOOKED_AT)
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(u64::MAX, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_runs_are_looked_at_for_each_that_is_wanted_and_not_one_more() {
        assert!(may_look(0, 1) && may_look(19, 1) && !may_look(20, 1) && may_look(19_999, 1000));
    }
}
