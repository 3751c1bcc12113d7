//! `[egress]`: the mode, and the tables that go with it.

use super::super::bounds::{FIXTURES_MAX, RULES_MAX};
use super::fixture::{self, Bodies};
use super::rule::{self, Rule};
use crate::config::Reader;
use crate::model::{EgressFixture, EgressMode, Tier};

const MODES: [(&str, EgressMode); 3] =
    [("deny", EgressMode::Deny), ("synthetic", EgressMode::Synthetic), ("allowlist", EgressMode::Allowlist)];

/// What `[egress]` says, without the tables that are wrong.
pub(super) struct Egress {
    pub(super) mode: EgressMode,
    pub(super) rules: Vec<Rule>,
    pub(super) fixtures: Vec<EgressFixture>,
}

/// Reads the section of a profile at `tier` (none when that is wrong) whose runs make at most `sub_requests`.
pub(super) fn read(reader: &mut Reader<'_>, tier: Option<Tier>, sub_requests: u64, bodies: &mut Bodies<'_>) -> Egress {
    let mode = reader.choice("mode", &MODES);
    let mode_is_wrong = mode.is_none() && reader.has("mode");
    let mode = mode.unwrap_or_default();
    let rules = reader.tables("rule", RULES_MAX, |reader| rule::read(reader, sub_requests));
    let fixtures = reader.tables("fixture", FIXTURES_MAX, |reader| fixture::read(reader, bodies));
    if !mode_is_wrong {
        agree(reader, mode, tier, sub_requests);
    }
    Egress { mode, rules: right(rules), fixtures: right(fixtures) }
}

/// The tables that are right.
pub(super) fn right<T>(tables: Option<Vec<Option<T>>>) -> Vec<T> {
    tables.into_iter().flatten().flatten().collect()
}

/// A table that its mode never looks at would look like a permission and be none, so it is a mistake.
fn agree(reader: &Reader<'_>, mode: EgressMode, tier: Option<Tier>, sub_requests: u64) {
    let (rules, fixtures) =
        (reader.has("rule") && !reader.is_empty_list("rule"), reader.has("fixture") && !reader.is_empty_list("fixture"));
    if rules && mode != EgressMode::Allowlist {
        reader.note_at(
            "rule",
            "rules are looked at in mode `allowlist` only",
            "write mode = \"allowlist\" in [egress], or remove the rules",
        );
    }
    if fixtures && mode != EgressMode::Synthetic {
        let mend = "write mode = \"synthetic\" in [egress], or remove the fixtures";
        reader.note_at("fixture", "fixtures are looked at in mode `synthetic` only", mend);
    }
    if mode != EgressMode::Allowlist {
        return;
    }
    if !rules {
        reader.note_at("mode", "mode `allowlist` without a rule allows nothing", "add [[egress.rule]], or write mode = \"deny\"");
    }
    if tier == Some(Tier::Untrusted) {
        let mend = "write mode = \"synthetic\" and answer from [[egress.fixture]], or give the profile a higher tier";
        reader.note_at("mode", "the profile is at tier 0: code that nobody has looked at reaches nothing real", mend);
    }
    if sub_requests == 0 {
        let mend = "write sub_requests = 50, or as many as a run needs, in [limits]";
        reader.note_at("mode", "`limits.sub_requests` is 0: no rule could ever be used", mend);
    }
}
