//! Where hits are collected: capped by check, given their places in one pass by module.

use crate::intake::{place, refusal};
use crate::model::frame::Rejection;
use crate::model::{Check, Evidence, Hit, Location, UrlLiteral};
use std::collections::{BTreeMap, BTreeSet};

/// Longest piece of a source that a message repeats, in characters.
const SHOWN_CHARS_MAX: usize = 60;

/// A hit at a byte offset.
#[derive(Debug, Clone)]
struct Found {
    check: Check,
    at: u32,
    message: String,
    remediation: String,
}

/// A URL without its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Site {
    pub(super) scheme: String,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) address: bool,
}

/// Hits of one module.
#[derive(Debug, Default)]
pub(super) struct Sink {
    found: Vec<Found>,
    seen: BTreeSet<(Check, u32)>,
    kept: BTreeMap<Check, usize>,
    more: BTreeMap<Check, u64>,
    sites: BTreeMap<Site, u32>,
}

impl Sink {
    /// A hit with the table's advice.
    pub(super) fn hit(&mut self, check: Check, at: u32, message: impl Into<String>) {
        self.hit_with(check, at, message, check.remediation());
    }

    /// A hit with advice of its own.
    pub(super) fn hit_with(&mut self, check: Check, at: u32, message: impl Into<String>, remediation: impl Into<String>) {
        if self.seen.contains(&(check, at)) {
            return;
        }
        let kept = self.kept.entry(check).or_default();
        if *kept >= Check::HITS_MAX {
            *self.more.entry(check).or_default() += 1;
            return;
        }
        *kept += 1;
        self.seen.insert((check, at));
        self.found.push(Found { check, at, message: message.into(), remediation: remediation.into() });
    }

    /// A URL at `at`; the first of each site is kept.
    pub(super) fn site(&mut self, site: Site, at: u32) {
        if self.sites.len() >= Evidence::URLS_MAX && !self.sites.contains_key(&site) {
            *self.more.entry(Check::EgressUrl).or_default() += 1;
            return;
        }
        let first = self.sites.entry(site).or_insert(at);
        *first = at.min(*first);
    }

    /// Takes in what another pass over the same module saw.
    pub(super) fn absorb(&mut self, other: Self) {
        for found in other.found {
            self.hit_with(found.check, found.at, found.message, found.remediation);
        }
        for (site, at) in other.sites {
            self.site(site, at);
        }
        for (check, count) in other.more {
            *self.more.entry(check).or_default() += count;
        }
    }
}

/// Hits of all modules.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    evidence: Evidence,
    kept: BTreeMap<Check, usize>,
    more: BTreeMap<Check, u64>,
}

impl Gathering {
    /// Takes in what was seen in module `file` and, where intake refuses it, why.
    pub(super) fn take(&mut self, file: &str, source: &str, sink: Sink, refused: Option<(Check, Rejection)>) {
        let Sink { mut found, sites, more, .. } = sink;
        found.sort_by_key(|found| (found.at, found.check));
        // A name that looks like another one is told as that.
        let names: BTreeSet<u32> = found.iter().filter(|found| found.check == Check::Homoglyph).map(|found| found.at).collect();
        found.retain(|found| found.check != Check::MixedScript || !names.contains(&found.at));
        let mut sites: Vec<(Site, u32)> = sites.into_iter().collect();
        sites.sort_by_key(|(_, at)| *at);
        if let Some(refused) = refused {
            self.refuse(file, refused);
        }
        for (found, location) in located(file, source, found, |found| found.at) {
            self.keep(Hit { check: found.check, message: found.message, remediation: found.remediation, location });
        }
        for (site, location) in located(file, source, sites, |(_, at)| *at) {
            self.keep_site(site.0, location);
        }
        for (check, count) in more {
            *self.more.entry(check).or_default() += count;
        }
    }

    /// Takes in a refusal; one without a place is about the beginning of `file`.
    pub(super) fn refuse(&mut self, file: &str, (check, rejection): (Check, Rejection)) {
        let location = rejection.location.unwrap_or_else(|| Location { file: file.to_owned(), line: 1, column: 1 });
        self.keep(Hit { check, message: rejection.message, remediation: rejection.remediation, location });
    }

    /// What was gathered.
    pub(super) fn into_evidence(self) -> Evidence {
        Evidence { more: self.more.into_iter().collect(), ..self.evidence }
    }

    fn keep(&mut self, hit: Hit) {
        let kept = self.kept.entry(hit.check).or_default();
        if *kept >= Check::HITS_MAX {
            *self.more.entry(hit.check).or_default() += 1;
            return;
        }
        *kept += 1;
        self.evidence.hits.push(hit);
    }

    fn keep_site(&mut self, Site { scheme, host, port, address }: Site, location: Location) {
        let known = |url: &UrlLiteral| url.scheme == scheme && url.host == host && url.port == port;
        if self.evidence.urls.iter().any(known) {
            return;
        }
        if self.evidence.urls.len() >= Evidence::URLS_MAX {
            *self.more.entry(Check::EgressUrl).or_default() += 1;
            return;
        }
        self.evidence.urls.push(UrlLiteral { scheme, host, port, address, location });
    }
}

/// `items`, which are in order of their offsets, with their places in `source`.
fn located<T>(file: &str, source: &str, items: Vec<T>, at: impl Fn(&T) -> u32) -> Vec<(T, Location)> {
    let offsets: Vec<usize> = items.iter().map(|item| at(item) as usize).collect();
    let places = place::of_offsets(source, &offsets);
    let locate = |(line, column)| Location { file: file.to_owned(), line, column };
    items.into_iter().zip(places.into_iter().map(locate)).collect()
}

/// A piece of a source as a message repeats it: what is not plain ASCII as an escape, so that nobody is fooled twice, and cut.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(SHOWN_CHARS_MAX) {
        if c.is_ascii_graphic() || c == ' ' { shown.push(c) } else { shown.extend(c.escape_unicode()) }
    }
    refusal::quoted(&shown)
}
