//! What each check finds, what it lets pass, and what hostile spellings of it look like.

mod code;
mod globals;
mod pattern;
mod secrets;
mod text;
mod urls;
mod whole;

use super::*;
use crate::model::{Location, Severity};

fn order(modules: &[(&str, &str)], normalise: bool) -> PrepareOrder {
    let modules: Vec<(String, String)> = modules.iter().map(|(name, source)| ((*name).to_owned(), (*source).to_owned())).collect();
    PrepareOrder { main: modules[0].0.clone(), modules, normalise }
}

/// The checks that have hits in a module of its own.
fn checks(source: &str) -> Vec<Check> {
    let evidence = examine(&order(&[("main.ts", source)], false));
    let mut checks: Vec<Check> = evidence.hits.iter().map(|hit| hit.check).collect();
    checks.dedup();
    checks
}

/// Holds that `check` has a hit in each of `sources`.
fn finds(check: Check, sources: &[&str]) {
    for source in sources {
        assert!(checks(source).contains(&check), "{check} is in {source:?}, found {:?}", checks(source));
    }
}

/// Holds that nothing at all is found in any of `sources`.
fn passes(sources: &[&str]) {
    for source in sources {
        let evidence = examine(&order(&[("main.ts", source)], false));
        assert_eq!(evidence.hits, [], "{source:?}");
    }
}

/// Where `check` has its hits.
fn places(check: Check, source: &str) -> Vec<(u32, u32)> {
    let evidence = examine(&order(&[("main.ts", source)], false));
    evidence.hits.iter().filter(|hit| hit.check == check).map(|hit| (hit.location.line, hit.location.column)).collect()
}
