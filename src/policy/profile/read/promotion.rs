//! `[promotion]`: what an artifact must have to enter the profile's tier, and to stay in it.

use super::super::bounds::{CLEAN_RUNS, EVIDENCE_DAYS, GRACE_HOURS, REVIEWS};
use crate::config::Reader;
use crate::model::{Promotion, Stale, Tier};

const STALES: [(&str, Stale); 2] = [("refuse", Stale::Refuse), ("warn", Stale::Warn)];

/// Reads the table of a profile at `tier` (none when that is wrong).
pub(super) fn read(reader: &mut Reader<'_>, tier: Option<Tier>) -> Promotion {
    let usual = Promotion::default_for(tier.unwrap_or(Tier::Untrusted));
    let asked = reader.optional_section("promotion", |section| read_table(section, tier, usual));
    if asked.is_some() && tier == Some(Tier::Untrusted) {
        let mend = "remove [promotion], or give the profile a higher tier";
        reader.note_at("promotion", "the profile is at tier 0, and nothing is promoted to that", mend);
    }
    asked.unwrap_or(usual)
}

fn read_table(reader: &mut Reader<'_>, tier: Option<Tier>, usual: Promotion) -> Promotion {
    let stale = reader.choice("stale", &STALES);
    let stale_is_wrong = stale.is_none() && reader.has("stale");
    let asked = Promotion {
        reviews: reader.u64("reviews", REVIEWS).unwrap_or(usual.reviews),
        clean_runs: reader.u64("clean_runs", CLEAN_RUNS).unwrap_or(usual.clean_runs),
        evidence_days: reader.u64("evidence_days", EVIDENCE_DAYS).unwrap_or(usual.evidence_days),
        stale: stale.unwrap_or(usual.stale),
        grace_hours: reader.u64("grace_hours", GRACE_HOURS).unwrap_or(usual.grace_hours),
    };
    // At tier 0 the whole table is the mistake; a wrong tier is told by itself.
    if tier.is_some_and(|tier| tier != Tier::Untrusted) {
        if tier == Some(Tier::Validated) {
            looked_at_for_tier_2_only(reader);
        }
        if asked.stale == Stale::Refuse && !stale_is_wrong {
            no_grace(reader);
        }
    }
    asked
}

/// A number that nobody would look at is a mistake: its author believes that it holds.
fn looked_at_for_tier_2_only(reader: &Reader<'_>) {
    for key in ["reviews", "clean_runs"].into_iter().filter(|key| reader.has(key)) {
        let message = format!("`promotion.{key}` is looked at for tier 2 only, and the profile is at tier 1");
        reader.note_at(key, message, "remove it, or write it in the profile of tier 2");
    }
}

fn no_grace(reader: &Reader<'_>) {
    if reader.has("grace_hours") {
        let mend = "write stale = \"warn\", or remove grace_hours";
        reader.note_at("grace_hours", "there is no grace where stale evidence refuses", mend);
    }
}
