//! `[promotion]` and `[checks]`.

use super::egress::{extra, told};
use super::*;
use crate::model::{Check, Promotion, Severity, Stale};

/// Reads a profile of tier 2 that goes on with `rest`.
fn tier_2(rest: &str) -> Result<Arc<Profile>, ConfigErrors> {
    let text = LEAST.replace("untrusted", "extra").replace("tier = 0", "tier = 2");
    let profiles = folder(&[("untrusted.toml", LEAST), ("extra.toml", &format!("{text}{rest}"))])?;
    Ok(profiles.by_name("extra").expect("it is there").clone())
}

#[test]
fn what_a_promotion_asks_follows_the_tier_unless_the_profile_says_it() {
    assert_eq!(extra("").expect("right").promotion, Promotion::default_for(Tier::Validated));
    assert_eq!(tier_2("[promotion]\n").expect("right").promotion, Promotion::default_for(Tier::Production));
    let all = "[promotion]\nreviews = 2\nclean_runs = 3\nevidence_days = 4\nstale = \"warn\"\ngrace_hours = 5\n";
    let asked = Promotion { reviews: 2, clean_runs: 3, evidence_days: 4, stale: Stale::Warn, grace_hours: 5 };
    assert_eq!(tier_2(all).expect("right").promotion, asked);
    assert_eq!(tier_2("[promotion]\nstale = \"refuse\"\n").expect("right").promotion.stale, Stale::Refuse);
    let graced = extra("[promotion]\nevidence_days = 7\nstale = \"warn\"\ngrace_hours = 1\n").expect("right").promotion;
    assert_eq!((graced.evidence_days, graced.stale, graced.grace_hours), (7, Stale::Warn, 1));
}

#[test]
fn each_number_of_a_promotion_is_accepted_at_its_ends_and_refused_past_them() {
    for (key, least, most) in [("reviews", 1, 5), ("clean_runs", 0, 10_000), ("evidence_days", 1, 366), ("grace_hours", 0, 720)] {
        for (number, right) in [(least - 1, false), (least, true), (most, true), (most + 1, false)] {
            assert_eq!(tier_2(&format!("[promotion]\n{key} = {number}\n")).is_ok(), right, "{key} = {number}");
        }
    }
}

#[test]
fn what_nobody_would_look_at_in_a_promotion_is_a_mistake() {
    let grace = "there is no grace where stale evidence refuses".to_owned();
    assert_eq!(told(tier_2("[promotion]\nstale = \"refuse\"\ngrace_hours = 1\n")), [(10, grace.clone())]);
    let only = |key: &str| format!("`promotion.{key}` is looked at for tier 2 only, and the profile is at tier 1");
    let tier_1 = told(extra("[promotion]\nreviews = 1\nclean_runs = 1\ngrace_hours = 1\n"));
    assert_eq!(tier_1, [(10, only("reviews")), (11, only("clean_runs")), (12, grace)]);
    let tier_0 = told(one(&format!("{LEAST}[promotion]\nreviews = 1\n")));
    assert_eq!(tier_0, [(8, "the profile is at tier 0, and nothing is promoted to that".to_owned())]);
    let wrong = told(tier_2("[promotion]\nstale = \"never\"\ngrace_hours = 1\n"));
    assert_eq!(wrong, [(9, "`promotion.stale`: `never` is not one of the words it may be".to_owned())]);
    let no_tier = told(one(&format!("{}[promotion]\nreviews = 1\ngrace_hours = 1\n", LEAST.replace("tier = 0\n", "tier = 3\n"))));
    assert_eq!(no_tier.len(), 1, "{no_tier:?}");
}

#[test]
fn severities_of_checks_are_the_tiers_unless_the_profile_says_them() {
    assert!(extra("").expect("right").checks.is_empty());
    for severity in Severity::ALL {
        for check in Check::ALL {
            let profile = extra(&format!("[checks]\n\"{check}\" = \"{severity}\"\n")).expect("right");
            assert_eq!(profile.checks, BTreeMap::from([(check, severity)]));
        }
    }
    assert!(one(&format!("{LEAST}[checks]\n\"code.eval\" = \"reject\"\n")).is_ok(), "at tier 0 too");
}

#[test]
fn an_unknown_check_or_severity_lists_the_known_ones() {
    let read = extra("[checks]\n\"code.evil\" = \"warn\"\ncode.eval = \"warn\"\n\"text.bidi\" = \"error\"\n\"egress.url\" = 1\n");
    let errors = read.expect_err("mistakes");
    let expected = [
        "`checks.code.evil`: there is no such check",
        "`checks.code`: there is no such check",
        "`checks.text.bidi`: `error` is not one of the words it may be",
        "`checks.egress.url` is a whole number, a text is needed",
    ];
    let messages: Vec<&str> = errors.mistakes().iter().map(|mistake| mistake.message.as_str()).collect();
    assert_eq!(messages, expected);
    let mends: Vec<&str> = errors.mistakes().iter().map(|mistake| mistake.mend.as_str()).collect();
    assert!(Check::ALL.iter().all(|check| mends[..2].iter().all(|mend| mend.contains(&format!("\"{check}\"")))), "{mends:?}");
    assert_eq!(mends[2], "write \"off\" or \"note\" or \"warn\" or \"reject\"");
}
