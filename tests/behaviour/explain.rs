//! `cordon policy explain`, `cordon policy diff` and `cordon revalidate`: what was decided, why, and what other policies would say.

use crate::house::command::{Done, cordon};
use crate::house::{Ask, House, Plan, folder};
use serde_json::{Value, json};
use std::path::Path;

const UNTRUSTED: &str = include_str!("../../policies/untrusted.toml");

/// `cordon` with `words`, on a data folder and a folder of policies.
fn on(data: &Path, policies: &Path, words: &[&str]) -> Done {
    let (data, policies) = (data.to_str().expect("text"), policies.to_str().expect("text"));
    cordon(&[words, &["--data", data, "--policies", policies]].concat())
}

fn served() -> House {
    House::start(Plan { policies: Some(vec![("untrusted.toml".to_owned(), UNTRUSTED.to_owned())]), ..Plan::default() })
}

/// The decision of a request that policy must refuse.
#[track_caller]
fn refused(house: &House, body: &Value) -> String {
    let reply = house.post(body).json();
    reply["decisionId"].as_str().unwrap_or_else(|| panic!("a refusal of policy: {reply}")).to_owned()
}

#[test]
fn a_refused_run_and_one_that_ran_are_explained_through_the_server_and_in_its_folder() {
    let house = served();
    let decision = refused(&house, &json!({"code": "export default 1", "profile": "prodution"}));
    let code = "export default async () => { try { await fetch('https://x.example/\\u001b[2J') } catch {} return 1 }";
    let run = house.code(code)["run"].as_str().expect("an id").to_owned();
    let (data, policies) = (house.data(), house.folder().path().join("policies"));
    let kept = house.folder();

    let both = |place: &str| {
        let no = on(&data, &policies, &["policy", "explain", &decision]);
        assert_eq!(no.code, Some(0), "{place}: {}", no.stderr);
        for part in ["refused by the rule `unknownProfile`", "there is no profile `prodution`", "or name one of: untrusted"] {
            assert!(no.stdout.contains(part), "{place}: {part}: {}", no.stdout);
        }
        let yes = on(&data, &policies, &["policy", "explain", &run]);
        for part in [
            "ended `ok`",
            "untrusted: it has the lowest tier",
            "allowed by the rule `granted`",
            "`run-code` (policies/cordon.cedar:",
            "denied    egress ",
        ] {
            assert!(yes.stdout.contains(part), "{place}: {part}: {}{}", yes.stdout, yes.stderr);
        }
        assert!(!yes.stdout.contains('\u{1b}') && !yes.stdout.contains("revision  "), "{place}: {}", yes.stdout);
        let members = on(&data, &policies, &["policy", "explain", &run, "--json"]).json();
        assert_eq!(
            (&members["kind"], &members["right"]["kind"], &members["grant"]["profile"]),
            (&json!("run"), &json!("untrusted"), &json!("untrusted"))
        );
        assert_eq!(on(&data, &policies, &["policy", "explain", "019a0000-0000-7000-8000-000000000000"]).code, Some(1), "{place}");
    };
    both("server");
    assert_eq!(house.stop(), Some(0));
    both("folder");
    assert_eq!(on(&data, &policies, &["policy", "explain", "7"]).code, Some(2));
    drop(kept);
}

#[test]
fn a_tightened_profile_flips_exactly_what_is_past_it_and_the_same_policies_flip_nothing() {
    let house = served();
    let short = "export default () => 1";
    let long = format!("{short} //{}", "x".repeat(100));
    house.code(short);
    house.code(&long);
    house.code(&long);
    let latest = house.operator_get("/v1/decisions?limit=1").json();
    let example = latest["cursor"]
        .as_str()
        .map(|cursor| house.operator_get(&format!("/v1/decisions?limit=1&cursor={cursor}")).json()["decisions"][0].clone());
    let example = example.filter(|entry| entry["path"] == "cordon/submit").expect("the page after the question itself");
    let (data, policies, candidate) = (house.data(), house.folder().path().join("policies"), folder());
    let tightened = UNTRUSTED.replace("source_bytes = 524288", &format!("source_bytes = {}", short.len()));
    std::fs::write(candidate.path().join("untrusted.toml"), tightened).expect("written");
    let (same, tight) = (policies.to_str().expect("text"), candidate.path().to_str().expect("text"));
    let kept = house.folder();

    let both = |place: &str| {
        let nothing = on(&data, &policies, &["policy", "diff", "--against", same]);
        assert_eq!(nothing.code, Some(0), "{place}: {}{}", nothing.stdout, nothing.stderr);
        assert!(
            nothing.stdout.lines().count() == 1 && nothing.stdout.ends_with("asked again: 0 would be otherwise\n"),
            "{place}: {}",
            nothing.stdout
        );
        let some = on(&data, &policies, &["policy", "diff", "--against", tight, "--json"]);
        let found = some.json();
        let flip = &found["flips"][0];
        assert_eq!(
            (some.code, found["flips"].as_array().map(Vec::len), &found["flipped"]),
            (Some(1), Some(1), &json!(2)),
            "{place}: {found}"
        );
        assert_eq!(
            (&flip["before"], &flip["after"], &flip["role"]),
            (&json!("granted"), &json!("sourceBytes"), &json!("operator")),
            "{place}"
        );
        assert_eq!((&flip["example"], &flip["profile"]), (&example["decision_id"], &json!("untrusted")), "{place}: {found}");
    };
    both("server");
    assert_eq!(house.stop(), Some(0));
    both("folder");
    std::fs::write(
        candidate.path().join("untrusted.toml"),
        UNTRUSTED.replace("cpu_ms = 470", "cpu_ms = 0").replace("modules = 32", "moduls = 32"),
    )
    .expect("written");
    let wrong = on(&data, &policies, &["policy", "diff", "--against", tight]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("`limits.cpu_ms` is 0") && wrong.stderr.contains("moduls"), "{}", wrong.stderr);
    for (last, code) in [("0", 2), ("1", 0), ("100000", 0), ("100001", 2)] {
        assert_eq!(on(&data, &policies, &["policy", "diff", "--against", same, "--last", last]).code, Some(code), "{last}");
    }
    drop(kept);
}

#[test]
fn outbound_requests_flip_with_the_rules_that_let_them_out() {
    let fixture = "[[egress.fixture]]\nmethod = \"GET\"\nurl = \"https://api.example/*\"\nbody = \"{}\"\n";
    let answering = format!("{UNTRUSTED}{fixture}");
    let house = House::start(Plan { policies: Some(vec![("untrusted.toml".to_owned(), answering)]), ..Plan::default() });
    house.code("export default async () => (await fetch('https://api.example/a')).status");
    let candidate = folder();
    std::fs::write(candidate.path().join("untrusted.toml"), UNTRUSTED).expect("written");
    let done = on(
        &house.data(),
        &house.folder().path().join("policies"),
        &["policy", "diff", "--against", candidate.path().to_str().expect("text")],
    );
    let expected = "egress by operator under `untrusted`: egress.fixtures -> egress.fixtures (noFixture), 1, such as GET https://api.example/a of the run ";
    assert!(done.code == Some(1) && done.stdout.starts_with(expected), "{}{}", done.stdout, done.stderr);
}

#[test]
fn evidence_is_gathered_again_by_a_running_server_only() {
    let house = served();
    let policies = house.folder().path().join("policies");
    let done = on(&house.data(), &policies, &["revalidate"]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (Some(0), "0 fresh, 0 revalidated, 0 failed of what stands above tier 0\n"),
        "{}",
        done.stderr
    );
    let stored = house.ask(&Ask::post("/v1/artifacts", &json!({"code": "export default 1"})).by("PUT")).json();
    let id = stored["artifact"].as_str().expect("an id");
    assert_eq!(on(&house.data(), &policies, &["revalidate", id, "--json"]).json(), json!({"fresh": [], "revalidated": [], "failed": []}));
    assert_eq!(on(&house.data(), &policies, &["revalidate", "sha256:7"]).code, Some(2));
    let alone = folder();
    let none = on(&alone.path().join("data"), &policies, &["revalidate"]);
    assert!(none.code == Some(2) && none.stderr.contains("no server uses"), "{}", none.stderr);
}
