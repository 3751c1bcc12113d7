//! Static checks: what a reviewer would want to look at in a source, told with its place and a mend.
//!
//! They are evidence, never the boundary: whoever knows them writes around them, and what holds harm inside is the cell. The table of checks
//! is [`crate::model::Check`]. Every pass is linear in the source, recursion is bounded by the depth that intake accepts, and what is kept is capped
//! by check, with the rest counted.
//!
//! [`examine`] reads sources and belongs into an intake cell. Its answer is plain data of no tier; [`judge`] gives it severities and compares
//! its URLs with a grant, and reads no source, so that the supervisor may call it.

mod arrays;
mod calls;
mod entropy;
mod globals;
mod judge;
mod look;
mod names;
mod pattern;
mod sarif;
mod secrets;
mod shape;
mod sink;
mod strings;
mod tamper;
#[cfg(test)]
mod tests;
mod text;
mod urls;
mod value;

pub use globals::OFFERED;
pub use judge::judge;
pub use sarif::{Sarif, SarifColumns, SarifResult, SarifRule};

use super::read::Form;
use super::refusal::{self, Refusal};
use super::{form_of, growth, language_of, prepare_module, read_snippet};
use crate::model::frame::{PrepareOrder, Rejection};
use crate::model::{Check, CheckReport, EgressTerms, Evidence, Tier};
use sink::{Gathering, Sink};
use std::collections::{BTreeMap, BTreeSet};

/// What the checks say about an artifact at `tier`, with that tier's own severities, where `grant` is what its runs may send. Reads sources: for intake cells and tests.
pub fn check(order: &PrepareOrder, tier: Tier, grant: Option<&EgressTerms>) -> CheckReport {
    judge(&examine(order), tier, &BTreeMap::new(), grant)
}

/// Looks at every module of an artifact, in the order given, also at those that intake refuses.
pub fn examine(order: &PrepareOrder) -> Evidence {
    let names: BTreeSet<&str> = order.modules.iter().map(|(name, _)| name.as_str()).collect();
    let mut gathering = Gathering::default();
    let mut ready = Vec::new();
    for (name, source) in &order.modules {
        let form = form_of(order, name);
        let mut sink = Sink::default();
        text::scan(source, &mut sink);
        secrets::scan_text(source, &mut sink);
        sink.absorb(look_at(name, source, form, &names));
        let refused = match prepare_module(name, source, form, &names) {
            Ok(module) => {
                ready.push(module);
                None
            }
            Err(rejection) => Some(rejection),
        };
        gathering.take(name, source, sink, refused.map(|rejection| (kind_of(&rejection), rejection)));
    }
    if !names.contains(order.main.as_str()) {
        gathering.refuse(&order.main, (Check::SourceRejected, Refusal::NoMain(refusal::quoted(&order.main)).nowhere()));
    } else if ready.len() == order.modules.len()
        && let Err(rejection) = growth::check(order, &ready)
    {
        gathering.refuse(&order.main, (Check::SourceRejected, rejection));
    }
    gathering.into_evidence()
}

fn kind_of(rejection: &Rejection) -> Check {
    if rejection.denial.is_some() { Check::ImportUnanswered } else { Check::SourceRejected }
}

/// What the tree shows; nothing when there is none.
fn look_at(name: &str, source: &str, form: Form, names: &BTreeSet<&str>) -> Sink {
    let Some(language) = language_of(name) else { return Sink::default() };
    let look = |text: &str, form: Form| look::look(name, text, language, form, names);
    let seen = match form {
        Form::Module | Form::Value => look(source, form),
        Form::Snippet => read_snippet(source, look),
    };
    // Why there is no tree is what preparing it says.
    seen.unwrap_or_default()
}
