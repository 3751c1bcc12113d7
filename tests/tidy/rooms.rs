//! The floors of the house, and which foreign library lives in which room.

use super::code::{names_crate, words};

/// The rooms of `src/`, lowest floor first. A room may use rooms on lower floors, never its own floor or above.
const FLOORS: &[&[&str]] = &[
    &["model"],
    &["config", "store"],
    &["policy", "provenance", "artifact", "telemetry", "quarantine"],
    &["cell", "isolate", "intake", "egress"],
    &["run"],
    &["http"],
    &["app"],
];

/// Foreign libraries that are named only in these rooms.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("sled", &["store"]),
    ("v8", &["isolate"]),
    ("deno_core", &["isolate"]),
    ("deno_web", &["isolate"]),
    ("cordon_ops", &["isolate"]),
    ("axum", &["http"]),
    ("tower", &["http"]),
    ("governor", &["policy"]),
    ("cedar_policy", &["policy"]),
    ("schemars", &["policy"]),
    ("hyper", &["http", "egress"]),
    ("hyper_util", &["http", "egress"]),
    ("http_body_util", &["http", "egress"]),
    ("aho_corasick", &["egress"]),
    ("secrecy", &["egress"]),
    ("zeroize", &["egress"]),
    ("vaultrs", &["egress"]),
    ("rustify", &["egress"]),
    ("reqwest", &["egress"]),
    ("hickory_resolver", &["egress"]),
    ("tokio_rustls", &["egress"]),
    ("rustls", &["egress"]),
    ("rustls_native_certs", &["egress"]),
    ("rustls_pki_types", &["egress"]),
    ("flate2", &["egress"]),
    ("metrics_exporter_prometheus", &["telemetry"]),
    ("tlog_tiles", &["provenance"]),
    ("oxc", &["intake"]),
    ("seccompiler", &["cell"]),
    ("landlock", &["cell"]),
    // Also the process's CPU clock inside a cell, one call that syncs the store's file system, and half-closed sockets in the tests of the door.
    ("nix", &["cell", "isolate", "store", "http"]),
    ("libc", &["cell"]),
    ("clap", &["app"]),
    ("comfy_table", &["app"]),
];

/// Where plain decisions are made: nothing here may know a type of V8.
const WITHOUT_V8: &[&str] = &["src/model/", "src/policy/", "src/policy.rs", "ops/src/capability", "ops/src/port"];

/// Where `unsafe` may stand.
const UNSAFE_FENCE: &[&str] = &["src/cell/os/", "src/cell/os.rs", "ops/"];

/// The room that a file belongs to: `src/cell/os/fork.rs` to `cell`, `src/main.rs` to `main`.
fn room_of(path: &str) -> &str {
    path.trim_start_matches("src/").split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

/// The names that follow `crate::` (or climb to it by `super::super::`) in `code`.
fn rooms_named<'c>(code: &'c str, from: &str) -> Vec<&'c str> {
    let mut named = Vec::new();
    for (before, word, after) in words(code) {
        let Some(rest) = after.strip_prefix("::") else { continue };
        let twice_up = word == "super" && before.ends_with("super::");
        if word == from {
            named.extend(first_names(rest));
        } else if twice_up {
            named.extend(first_names(rest).into_iter().filter(|name| floor_of(name).is_some()));
        }
    }
    named
}

/// The first names of a use tree: `a::b` gives `a`, `{a::{b, c}, d}` gives `a` and `d`.
fn first_names(rest: &str) -> Vec<&str> {
    let name = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').len();
    let rest = rest.trim_start();
    let Some(group) = rest.strip_prefix('{') else { return vec![&rest[..name(rest)]] };
    let (mut names, mut depth, mut expected) = (Vec::new(), 0usize, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            c if expected && depth == 0 && !c.is_whitespace() => {
                names.push(&group[at..at + name(&group[at..])]);
                expected = false;
            }
            _ => {}
        }
    }
    names
}

/// Names of rooms that `path` may not use.
pub(crate) fn climbs(path: &str, code: &str) -> Vec<String> {
    let room = room_of(path);
    match room {
        "main" => {
            let wrong = rooms_named(code, "cordon").into_iter().filter(|named| *named != "app");
            return wrong.map(|named| format!("{path} names `cordon::{named}`: main only wires `app`")).collect();
        }
        "lib" => return Vec::new(),
        _ => {}
    }
    let Some(floor) = floor_of(room) else { return vec![format!("{path}: `{room}` is no room of the house (tests/tidy/rooms.rs)")] };
    let wrong = rooms_named(code, "crate").into_iter().filter(|named| *named != room);
    wrong
        .filter(|named| floor_of(named).is_none_or(|other| other >= floor))
        .map(|named| format!("{path} (floor {floor}) names `crate::{named}`, which is not below it"))
        .collect()
}

/// Foreign libraries that `path` names outside their rooms.
pub(crate) fn strangers(path: &str, code: &str) -> Vec<String> {
    let room = room_of(path);
    let named = LIBRARIES.iter().filter(|(library, rooms)| !rooms.contains(&room) && names_crate(code, library));
    named.map(|(library, rooms)| format!("{path} names `{library}`, which lives in {}", rooms.join(", "))).collect()
}

/// V8's types where plain decisions are made.
pub(crate) fn v8_where_it_must_not_be(path: &str, code: &str) -> Vec<String> {
    let plain = WITHOUT_V8.iter().any(|start| path.starts_with(start));
    let named = ["v8", "deno_core", "serde_v8", "deno_web"].into_iter().filter(|library| plain && names_crate(code, library));
    named.map(|library| format!("{path} names `{library}`: this room decides on plain data")).collect()
}

/// `unsafe` outside its fence.
pub(crate) fn unsafe_outside_its_fence(path: &str, code: &str) -> Vec<String> {
    let fenced = UNSAFE_FENCE.iter().any(|start| path.starts_with(start));
    let used = !fenced && words(code).any(|(_, word, _)| word == "unsafe");
    used.then(|| format!("{path} has `unsafe`: it belongs into src/cell/os")).into_iter().collect()
}

#[test]
fn a_use_of_the_own_floor_or_above_is_a_climb_and_a_use_below_is_not() {
    let below = "use crate::model::{Digest, frame}; fn f() { crate::config::x() } use crate::store;";
    assert!(climbs("src/policy/mod.rs", below).is_empty());
    for above in
        ["use crate::telemetry::x;", "use crate::{model::X, run::Y};", "fn f() { crate :: http :: x() }", "use crate::{\n  app,\n};"]
    {
        assert_eq!(climbs("src/policy/mod.rs", above).len(), 1, "{above}");
    }
    assert_eq!(climbs("src/policy/deep/x.rs", "use super::super::run::X;").len(), 1);
    assert!(climbs("src/policy/x.rs", "use super::grant; use crate::policy::y;").is_empty());
}

#[test]
fn an_unknown_room_is_refused_and_main_names_only_app() {
    assert_eq!(climbs("src/utils/mod.rs", "").len(), 1);
    assert_eq!(climbs("src/run/mod.rs", "use crate::utils::x;").len(), 1);
    assert!(climbs("src/main.rs", "cordon::app::main()").is_empty());
    assert_eq!(climbs("src/main.rs", "cordon::run::start()").len(), 1);
}

#[test]
fn a_library_outside_its_rooms_is_a_stranger() {
    assert!(strangers("src/store/mod.rs", "use sled::Db;").is_empty());
    assert_eq!(strangers("src/run/mod.rs", "use sled::Db;").len(), 1);
    assert_eq!(strangers("src/cell/mod.rs", "deno_core::v8::x()").len(), 1);
}

#[test]
fn v8_in_a_plain_room_and_unsafe_outside_the_fence_are_found() {
    assert_eq!(v8_where_it_must_not_be("ops/src/port.rs", "use deno_core::OpState;").len(), 1);
    assert!(v8_where_it_must_not_be("ops/src/timers.rs", "use deno_core::OpState;").is_empty());
    assert_eq!(unsafe_outside_its_fence("src/cell/pool.rs", "unsafe { x() }").len(), 1);
    assert!(unsafe_outside_its_fence("src/cell/os/fork.rs", "unsafe { x() }").is_empty());
    assert!(unsafe_outside_its_fence("src/lib.rs", "#![deny(unsafe_code)]").is_empty());
}
