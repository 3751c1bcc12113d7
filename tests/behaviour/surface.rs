//! What guest code finds: everything that it can reach from where it starts, against a committed list.

use crate::house::shared;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Walks from the guest's side: one line per object, with its keys; a key that leads to an accessor says which kind.
const WALK: &str = include_str!("surface/walk.js");

/// Starts of the host's own names.
const OF_THE_HOST: [&str; 5] = ["Deno", "__bootstrap", "ext:", "op_", "primordials"];

fn list() -> PathBuf {
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    root.join("tests/behaviour/surface/list.txt")
}

fn walk(profile: &str) -> Vec<String> {
    let report = shared().run(&json!({"code": WALK, "profile": profile, "limits": {}}));
    assert_eq!(report["outcome"], "ok", "{report}");
    let lines = report["result"].as_array().expect("lines");
    lines.iter().map(|line| line.as_str().expect("text").to_owned()).collect()
}

#[test]
fn guest_code_reaches_what_the_committed_list_names_and_nothing_else() {
    let found = walk("untrusted");
    if std::env::var_os("CORDON_WRITE_SURFACE").is_some() {
        std::fs::write(list(), found.join("\n") + "\n").expect("written");
    }
    let listed = std::fs::read_to_string(list()).expect("the list");
    let (found, listed): (BTreeSet<&str>, BTreeSet<&str>) = (found.iter().map(String::as_str).collect(), listed.lines().collect());
    let more: Vec<_> = found.difference(&listed).collect();
    let less: Vec<_> = listed.difference(&found).collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "not in the list: {more:#?}\nonly in the list: {less:#?}\nif this is meant, run the test with CORDON_WRITE_SURFACE=1 and commit the list"
    );
    assert!(found.len() > 200, "the walk sees {} objects", found.len());
}

#[test]
fn every_profile_shows_the_same_as_none_grants_more_so_far() {
    let untrusted = walk("untrusted");
    for profile in ["validated", "production"] {
        assert_eq!(walk(profile), untrusted, "{profile}");
    }
}

#[test]
fn no_word_of_the_host_is_among_what_guest_code_reaches() {
    for line in walk("untrusted") {
        for word in OF_THE_HOST {
            assert!(!line.split([' ', ':', '.']).any(|name| name.starts_with(word)), "`{word}` in {line}");
        }
    }
    // Names that the host's scripts have as theirs, tried one by one.
    let code = "export default () => ['Deno', '__bootstrap', 'bootstrap', 'core', 'ops', 'process', 'require', 'module', 'exports',
        'WebAssembly', 'SharedArrayBuffer', 'Atomics', 'ShadowRealm', 'global', 'window', 'importScripts', 'Worker']
        .filter((name) => name in globalThis || Reflect.ownKeys(globalThis).includes(name))";
    assert_eq!(shared().code(code)["result"], Value::Array(Vec::new()));
}
