//! `cordon policy …`: a folder of policies is tried before it is in force.

use crate::house::command::{Done, cordon};
use crate::house::{folder, heavy};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const UNTRUSTED: &str = include_str!("../../policies/untrusted.toml");

/// A profile at tier 2 that lets orders out, with a secret.
const ORDERS: &str = r#"name = "orders"
tier = 2
description = "Reviewed code that reads and writes orders."
[limits]
cpu_ms = 2000
wall_ms = 10000
memory_mb = 64
sub_requests = 5
[egress]
mode = "allowlist"
[[egress.rule]]
host = "api.example"
methods = ["GET", "POST"]
path_prefix = "/v1/"
reason = "orders API, ticket 4711"
[[secret]]
name = "API_KEY"
hosts = ["api.example"]
format = "Bearer {}"
reason = "orders API key, ticket 4711"
"#;

/// Tests that pass under [`ORDERS`]; the secret has no value anywhere.
const GREEN: &str = r#"[[test]]
name = "an order is read with the key's placeholder"
reason = "orders API, ticket 4711"
profile = "orders"
code = """
export default async (id, env) => {
  const answer = await fetch(`https://api.example/v1/orders/${id}`, { headers: { authorization: `Bearer ${env.API_KEY}` } });
  return [(await answer.json()).id, env.API_KEY.length > 8];
}
"""
input = 7
[[test.fixture]]
url = "https://api.example/v1/orders/*"
file = "order.json"
[test.expect]
result = [7, true]
denials = []

[[test]]
name = "orders may be posted"
reason = "orders API, ticket 4711"
profile = "orders"
request = { method = "POST", url = "https://api.example/v1/orders" }
[test.expect]
decision = "allow"
rule = "egress.api.example"

[[test]]
name = "orders may not be deleted"
reason = "deleting is for people, ticket 4712"
profile = "orders"
request = { method = "DELETE", url = "https://api.example/v1/orders/7" }
[test.expect]
decision = "deny"
rule = "egress.api.example"
code = "methodDenied"

[[test]]
name = "untrusted code computes"
reason = "it is what the profile is for"
profile = "untrusted"
code = "export default () => 42"
[test.expect]
result = 42
"#;

fn policies(orders: &str, tests: &str) -> Arc<TempDir> {
    let folder = folder();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    std::fs::create_dir(folder.path().join("tests")).expect("made");
    write("untrusted.toml", UNTRUSTED);
    write("orders.toml", orders);
    write("tests/orders.toml", tests);
    write("tests/order.json", "{\"id\": 7}");
    folder
}

fn policy(word: &str, folder: &Path, more: &[&str]) -> Done {
    let _alone = heavy();
    let folder = folder.to_str().expect("text");
    cordon(&[&["policy", word, "--policies", folder], more].concat())
}

#[test]
fn a_folder_of_tests_that_hold_is_green_without_a_network_a_configuration_or_a_secret() {
    let folder = policies(ORDERS, GREEN);
    let done = policy("test", folder.path(), &[]);
    assert_eq!(done.code, Some(0), "{}{}", done.stdout, done.stderr);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(lines[0].starts_with("ok     orders: an order is read with the key's placeholder ("), "{}", done.stdout);
    assert!(lines[4].is_empty() && lines[5].starts_with("4 tests: 4 ok, 0 failed"), "{}", done.stdout);
    let filtered = policy("test", folder.path(), &["--json", "--filter", "orders may"]).json();
    assert_eq!((&filtered["total"], &filtered["tests"][0]["kind"]), (&json!(2), &json!("request")), "{filtered}");
}

#[test]
fn a_policy_that_got_wider_fails_its_tests_and_each_failure_says_what_came_and_how_to_mend_it() {
    let wider = ORDERS.replace("[\"GET\", \"POST\"]", "[\"GET\", \"POST\", \"DELETE\"]");
    let runs = GREEN.replace("result = 42", "result = 41").replace("result = [7, true]\ndenials = []", "result = [8, true]");
    let hostile = format!(
        "{runs}\n[[test]]\nname = \"denied <&\\\"\"\nreason = \"nothing else answers\"\nprofile = \"orders\"\ncode = \"export default () => fetch('https://evil.example/\\\\u001b[31m')\"\n[test.expect]\n"
    );
    let folder = policies(&wider, &hostile);
    let junit = folder.path().join("junit.xml");
    let done = policy("test", folder.path(), &["--jobs", "1", "--json", "--junit", junit.to_str().expect("text")]);
    let report = done.json();
    assert_eq!((done.code, &report["failed"], &report["passed"]), (Some(1), &json!(4), &json!(1)), "{report}");
    let failure = |name: &str| {
        let tests = report["tests"].as_array().expect("tests");
        tests.iter().find(|test| test["name"] == name).unwrap_or_else(|| panic!("{name} in {report}"))["failure"].clone()
    };
    let deleted = failure("orders may not be deleted");
    assert_eq!(deleted["came"], json!({"decision": "allow", "rule": "egress.api.example"}));
    assert_eq!(failure("untrusted code computes")["came"], json!({"outcome": "ok", "result": 42}));
    let denied = failure("denied <&\"");
    assert_eq!((&denied["came"]["outcome"], &denied["denials"][0]["rule"]), (&json!("exception"), &json!("egress.fixtures")));
    for failure in [&deleted, &denied] {
        assert!(failure["mend"].as_str().is_some_and(|mend| mend.contains("the test expects")), "{failure}");
    }
    let xml = std::fs::read_to_string(&junit).expect("written");
    assert_eq!(elements(&xml), [("failure", 4), ("testcase", 5), ("testsuite", 1), ("testsuites", 1)], "{xml}");
    assert!(
        xml.contains("tests=\"5\" failures=\"4\"") && xml.contains("name=\"denied &lt;&amp;&quot;\"") && !xml.contains('\u{1b}'),
        "{xml}"
    );
    let text = policy("test", folder.path(), &["--filter", "deleted"]);
    assert!(text.stdout.starts_with("FAILED orders: orders may not be deleted ("), "{}", text.stdout);
    for part in ["  failed:   it is allowed, not denied", "  why:      deleting is for people", "  mend:     "] {
        assert!(text.stdout.contains(part), "{part}: {}", text.stdout);
    }
}

/// The elements of an XML document and how often each is there, when every one that is opened is closed inside what opened before it.
fn elements(xml: &str) -> Vec<(&str, usize)> {
    let (mut open, mut all) = (Vec::new(), std::collections::BTreeMap::new());
    for tag in xml.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag ends");
        assert!(!text.contains(['>', '"']) && tag.matches('"').count() % 2 == 0, "{tag}>{text}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().expect("a name");
        match (tag.starts_with('?'), tag.starts_with('/'), tag.ends_with('/')) {
            (true, ..) => continue,
            (_, true, _) => assert_eq!(open.pop(), Some(name), "{xml}"),
            (_, _, closed) => {
                *all.entry(name).or_insert(0) += 1;
                open.extend((!closed).then_some(name));
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
    all.into_iter().collect()
}

#[test]
fn what_is_wrong_in_files_is_told_of_all_files_at_once_and_no_tests_are_not_green() {
    let folder = policies(&ORDERS.replace("wall_ms = 10000", "wall_ms = 0"), &GREEN.replace("method = \"POST\"", "methode = \"POST\""));
    for word in ["test", "check"] {
        let done = policy(word, folder.path(), &[]);
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{}", done.stderr);
        for part in ["orders.toml:6:", "`limits.wall_ms` is 0", "tests/orders.toml:23:", "`test.request.methode` is not a key here"] {
            assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
        }
    }
    let empty = policies(ORDERS, "");
    let done = policy("test", empty.path(), &[]);
    assert_eq!(done.code, Some(2), "{}", done.stdout);
    assert!(done.stderr.contains("there are no tests") && done.stderr.contains("[[test]]"), "{}", done.stderr);
    let green = policies(ORDERS, GREEN);
    assert_eq!(policy("test", green.path(), &["--filter", "nothing has this"]).code, Some(2));
    assert_eq!(policy("test", green.path(), &["--jobs", "0"]).code, Some(2));
    assert_eq!(policy("test", green.path(), &["--filter", "may", "--junit", "/no/such/folder/x.xml"]).code, Some(2));
}

#[test]
fn check_passes_what_is_clean_and_tells_slips_with_place_and_mend() {
    let folder = policies(ORDERS, GREEN);
    let clean = policy("check", folder.path(), &["--strict"]);
    assert_eq!((clean.code, clean.stdout.as_str()), (Some(0), "2 profiles, 4 tests: 0 errors, 0 warnings\n"), "{}", clean.stderr);

    std::fs::write(folder.path().join("orders.toml"), ORDERS.replace("path_prefix = \"/v1/\"\n", "")).expect("written");
    let warned = policy("check", folder.path(), &[]);
    let place = "orders.toml:11:1: warn: the secret `API_KEY` may be sent to every path of api.example";
    assert!(warned.code == Some(0) && warned.stdout.contains(place) && warned.stdout.contains("  mend: "), "{}", warned.stdout);
    assert_eq!(policy("check", folder.path(), &["--strict"]).code, Some(1));

    let open = "[[egress.rule]]\nhost = \"*.github.io\"\nreason = \"pages of anybody\"\n";
    std::fs::write(folder.path().join("orders.toml"), ORDERS.replace("[[secret]]", &format!("{open}[[secret]]"))).expect("written");
    let done = policy("check", folder.path(), &["--json"]);
    let report = done.json();
    let found = &report["advice"][0];
    assert_eq!((done.code, &report["errors"], &found["id"]), (Some(1), &json!(1), &json!("rule.shared-suffix")), "{report}");
    assert_eq!((&found["line"], &found["column"], &found["level"]), (&json!(17), &json!(8), &json!("error")), "{report}");
    let sarif: Value = policy("check", folder.path(), &["--format", "sarif"]).json();
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().expect("a number") as usize];
    assert_eq!((&result["ruleId"], &rule["id"], &result["level"]), (&found["id"], &found["id"], &json!("error")), "{sarif}");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
}

#[test]
fn a_configuration_without_a_source_for_a_secret_is_an_error_and_one_with_a_source_is_none() {
    let folder = policies(ORDERS, GREEN);
    for (text, code) in [("[secrets.API_KEY]\nenv = \"API_KEY\"\n", 0), ("", 1)] {
        let config = folder.path().join("server.conf");
        std::fs::write(&config, text).expect("written");
        let done = policy("check", folder.path(), &["--config", config.to_str().expect("text")]);
        assert_eq!((done.code, done.stdout.contains("[secret.undefined]")), (Some(code), code == 1), "{}{}", done.stdout, done.stderr);
    }
}

#[test]
fn the_built_in_policies_pass_their_own_tests_and_have_no_slip() {
    let _alone = heavy();
    let done = cordon(&["policy", "test", "--json"]);
    let report = done.json();
    assert_eq!((done.code, &report["failed"]), (Some(0), &json!(0)), "{report}");
    assert!(report["total"].as_u64().is_some_and(|total| total >= 12), "{report}");
    assert_eq!(cordon(&["policy", "check", "--strict"]).code, Some(0));
}
