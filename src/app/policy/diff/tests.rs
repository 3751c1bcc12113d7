//! Outbound requests judged twice, and what is told of differences.

use super::egress::EgressDiff;
use super::*;
use crate::app::decisions::RunEgress;
use crate::model::{EgressEntry, Role, RunId};
use crate::policy::Profiles;

const RULE: &str = "[[egress.rule]]\nhost = \"api.example\"\nmethods = [\"GET\"]\nreason = \"orders API, ticket 4711\"\n";

/// Profiles of which `orders` has these rules.
fn with(rules: &str) -> PolicySet {
    let folder = tempfile::tempdir().expect("a folder");
    let untrusted = std::fs::read_to_string("policies/untrusted.toml").expect("shipped");
    let orders =
        std::fs::read_to_string("policies/production.toml").expect("shipped").replace("name = \"production\"", "name = \"orders\"");
    let orders =
        orders.replace("sub_requests = 0", "sub_requests = 5").replace("mode = \"deny\"", &format!("mode = \"allowlist\"\n{rules}"));
    std::fs::write(folder.path().join("untrusted.toml"), untrusted).expect("written");
    std::fs::write(folder.path().join("orders.toml"), orders).expect("written");
    PolicySet::load(Some(folder.path())).expect("no mistakes")
}

/// Profiles of which `orders` reaches another host.
fn other() -> PolicySet {
    with(&RULE.replace("api.example", "other.example"))
}

fn run(profile: &str, urls: &[&str]) -> RunEgress {
    let row = |url: &&str| EgressEntry { method: "GET".to_owned(), url: (*url).to_owned(), ..EgressEntry::default() };
    let egress: Vec<EgressEntry> = urls.iter().map(row).collect();
    RunEgress { run: RunId::now(), role: Role::Agent, profile: profile.to_owned(), egress_total: egress.len() as u64, egress }
}

fn judged(runs: &[RunEgress], before: &Profiles, after: &Profiles) -> EgressDiff {
    let mut diff = EgressDiff::default();
    diff.add(runs, before, after);
    diff
}

#[test]
fn a_request_flips_when_a_rule_goes_or_comes_and_not_when_both_sets_say_the_same() {
    let (none, some) = (other(), with(RULE));
    let runs = [run("orders", &["https://api.example/a", "https://evil.example/"]), run("orders", &["https://api.example/b"])];
    let lost = judged(&runs, &some.profiles, &none.profiles);
    let flip = &lost.flips[0];
    assert_eq!((lost.flips.len(), lost.judged, flip.count, flip.allowed), (1, 3, 2, false));
    assert_eq!((flip.before.as_str(), flip.after.as_str()), ("egress.api.example", "egress.default-deny (egressDenied)"));
    assert_eq!((flip.example, flip.request.as_str()), (runs[0].run, "GET https://api.example/a"));
    let won = judged(&runs, &none.profiles, &some.profiles);
    assert_eq!((won.flips.len(), won.flips[0].allowed), (1, true));
    assert_eq!(judged(&runs, &some.profiles, &some.profiles), EgressDiff { judged: 3, ..EgressDiff::default() });
}

#[test]
fn what_only_a_rule_on_trial_lets_through_says_so() {
    let trial = with(&RULE.replace("reason", "enforcement = \"audit\"\nreason"));
    let runs = [run("orders", &["https://api.example/a"])];
    let found = judged(&runs, &other().profiles, &trial.profiles);
    assert_eq!((found.flips[0].after.as_str(), found.on_trial), ("egress.api.example (on trial)", 1));
    let stays = judged(&runs, &with(RULE).profiles, &trial.profiles);
    assert_eq!((stays.flips.len(), stays.on_trial), (0, 1));
}

#[test]
fn runs_without_a_profile_and_requests_without_a_row_are_counted() {
    let (set, shipped) = (with(RULE), PolicySet::load(None).expect("built in"));
    let cut = RunEgress { egress_total: 5, ..run("orders", &["https://api.example/a"]) };
    let found = judged(&[cut.clone(), run("nobody", &["https://api.example/"])], &set.profiles, &set.profiles);
    assert_eq!((found.judged, found.unlisted, found.without_profile), (1, 4, 1));
    let gone = judged(&[cut], &set.profiles, &shipped.profiles);
    assert_eq!((gone.flips[0].after.as_str(), gone.flips[0].allowed), ("unknownProfile", false));
}

#[test]
fn what_is_told_has_a_line_for_each_kind_and_the_sum_last_and_no_line_of_a_guests() {
    let runs = [run("orders", &["https://api.example/\u{1b}[2J\nall is well"])];
    let (none, some) = (other(), with(RULE));
    let mut found = Differences {
        decisions: Diff::default(),
        egress: judged(&runs, &some.profiles, &none.profiles),
        hardening: Vec::new(),
        older: false,
    };
    found.hardening.push(("orders".to_owned(), vec!["landlock".to_owned()]));
    let text = tell::text(&found);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("egress by agent under `orders`: egress.api.example -> "), "{text}");
    assert!(lines[1].starts_with("`orders` would require hardening layers") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(lines[2], "0 decisions and 1 outbound requests asked again: 1 would be otherwise");
    assert_eq!((&tell::json(&found)["flipped"], found.none()), (&serde_json::json!(1), false));
}

#[test]
fn twenty_artifacts_are_named_and_the_twenty_first_is_counted() {
    let stale = |count: u8| (0..count).map(|n| crate::model::Digest::of(&[n])).collect();
    let line = |count| {
        let decisions = Diff { stale: stale(count), ..Diff::default() };
        tell::text(&Differences { decisions, egress: EgressDiff::default(), hardening: Vec::new(), older: false })
    };
    assert!(line(20).starts_with("20 artifacts' evidence would go stale: sha256:") && !line(20).contains("more"));
    assert!(line(21).contains(" and 1 more\n") && line(21).matches("sha256:").count() == 20);
}

#[test]
fn only_layers_that_are_not_required_now_are_told() {
    let requiring = |layers: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let text = std::fs::read_to_string("policies/untrusted.toml").expect("shipped");
        let text = text.replace("tier = 0", &format!("tier = 0\nrequire_hardening = [{layers}]"));
        std::fs::write(folder.path().join("untrusted.toml"), text).expect("written");
        PolicySet::load(Some(folder.path())).expect("no mistakes")
    };
    let (none, one, two) = (requiring(""), requiring("\"landlock\""), requiring("\"landlock\", \"seccomp_cell\""));
    assert_eq!(stricter(&one, &two), [("untrusted".to_owned(), vec!["seccomp_cell".to_owned()])]);
    assert_eq!(stricter(&none, &one), [("untrusted".to_owned(), vec!["landlock".to_owned()])]);
    assert!(stricter(&two, &one).is_empty() && stricter(&one, &one).is_empty());
}
