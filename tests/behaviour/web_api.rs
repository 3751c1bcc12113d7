//! docs/WEB_API.md, made from what the isolate has: every interface of the minimum common Web API, with its members.

use crate::house::shared;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

const STANDARD: &str = include_str!("web_api/standard.txt");
const WORDS: &str = include_str!("web_api/words.toml");
const PROBE: &str = include_str!("web_api/probe.js");

/// The profiles, each of its tier.
const TIERS: [&str; 3] = ["untrusted", "validated", "production"];

const HEAD: &str = "# Web APIs

What guest code finds of WinterTC's minimum common Web API (snapshot of 2025), interface by interface. This page is made from what the isolate has, by
`tests/behaviour/web_api.rs`; `CORDON_WRITE_WEB_API=1 cargo test --test behaviour web_api` renews it. `x()` is an operation. What of web-platform-tests passes,
`tests/wpt/run.py` tells ([how](../tests/wpt/README.md)).

| interface | supported | deviates | not there |
| --- | --- | --- | --- |
";

/// An interface, or a namespace, of the standard.
struct Face<'s> {
    name: &'s str,
    parent: Option<&'s str>,
    namespace: bool,
    members: Vec<&'s str>,
}

/// What is told about members that deviate or are not there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    of: Vec<String>,
    kind: Kind,
    says: String,
    probe: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Deviates,
    Missing,
    Withheld,
}

#[derive(Deserialize)]
struct Words {
    word: Vec<Word>,
}

/// What the isolate of one tier has: `there`, `misplaced` or `absent` by name, and whether each probe holds.
#[derive(Deserialize, PartialEq, Debug)]
struct Found {
    found: BTreeMap<String, String>,
    deviates: Vec<bool>,
}

fn faces(standard: &str) -> Vec<Face<'_>> {
    let lines = standard.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (head, members) = line.split_once(": ").expect("a colon");
            let namespace = head.ends_with(" (namespace)");
            let head = head.trim_end_matches(" (namespace)");
            let (name, parent) = head.split_once(" < ").map_or((head, None), |(name, parent)| (name, Some(parent)));
            Face { name, parent, namespace, members: members.split(' ').collect() }
        })
        .collect()
}

/// A member without the marks that say what it is.
fn bare(member: &str) -> &str {
    member.trim_start_matches("static:").trim_start_matches('=').trim_end_matches("()")
}

fn described(face: &Face<'_>) -> Value {
    let member = |text: &&str| {
        let kind = match (text.ends_with("()"), text.starts_with('=')) {
            (true, _) => "operation",
            (_, true) => "constant",
            _ => "attribute",
        };
        json!({"name": bare(text), "static": text.starts_with("static:"), "kind": kind})
    };
    let members: Vec<Value> = face.members.iter().map(member).collect();
    json!({"name": face.name, "parent": face.parent, "namespace": face.namespace, "members": members})
}

fn probe(faces: &[Face<'_>], words: &[Word], profile: &str) -> Found {
    let probes = words.iter().filter_map(|word| word.probe.as_deref()).map(|probe| format!("async () => ({probe})"));
    let code = PROBE.replacen("= PROBES;", &format!("= [{}];", probes.collect::<Vec<_>>().join(", ")), 1);
    let input: Vec<Value> = faces.iter().map(described).collect();
    let report = shared().run(&json!({"modules": {"main.js": code}, "mainModule": "main.js", "input": input, "profile": profile}));
    assert_eq!(report["outcome"], "ok", "{report}");
    serde_json::from_value(report["result"].clone()).expect("what was found")
}

/// The word about `name`, or about the interface that it is a member of.
fn word_of<'w>(words: &'w [Word], name: &str) -> Option<&'w Word> {
    let whole = name.split('.').next();
    words.iter().find(|word| word.of.iter().any(|of| of == name || Some(of.as_str()) == whole))
}

/// Members that deviate or are absent without a word, words without either, and words about nothing.
fn complaints(words: &[Word], found: &Found) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut probed = found.deviates.iter();
    for word in words {
        let holds = word.probe.as_ref().map(|_| probed.next() == Some(&true));
        for of in &word.of {
            let complaint = match (found.found.get(of).map(String::as_str), word.kind, holds) {
                (None, ..) => "is not in the standard's list",
                (Some("absent"), Kind::Deviates, _) => "is not there, and its word says that it deviates",
                (Some("there" | "misplaced"), Kind::Missing | Kind::Withheld, _) => "is there, and has a word that it is not",
                (Some(_), Kind::Deviates, Some(false)) => "has a word, and its probe does not see it deviate",
                (Some("there"), Kind::Deviates, None) => "stands where it should, and its word has no probe",
                _ => continue,
            };
            complaints.push(format!("{of} {complaint}"));
        }
    }
    let silent = found.found.iter().filter(|(name, how)| *how != "there" && word_of(words, name).is_none());
    complaints.extend(silent.map(|(name, how)| format!("{name} is {how}, and no word says why")));
    complaints
}

/// The cell of a table that lists `members`.
fn cell(members: &[&str]) -> String {
    let spelled = members.iter().map(|member| format!("`{}`", member.trim_start_matches('=').replacen("static:", "static ", 1)));
    spelled.collect::<Vec<_>>().join(", ")
}

/// The tiers at which `name` is not there.
fn tiers_without(tiers: &[Found], name: &str) -> String {
    let without = tiers.iter().enumerate().filter(|(_, found)| found.found.get(name).is_some_and(|how| how == "absent"));
    let numbers: Vec<String> = without.map(|(tier, _)| tier.to_string()).collect();
    if numbers.len() == tiers.len() { "every tier".to_owned() } else { format!("tier {}", numbers.join(", ")) }
}

fn page(faces: &[Face<'_>], words: &[Word], tiers: &[Found]) -> String {
    let mut page = HEAD.to_owned();
    for face in faces {
        let state = |member: &str| word_of(words, &format!("{}.{}", face.name, bare(member))).map(|word| word.kind == Kind::Deviates);
        let of = |wanted: Option<bool>| face.members.iter().copied().filter(|member| state(member) == wanted).collect::<Vec<_>>();
        let (name, here) = (face.name, face.parent.map(|parent| format!(" < {parent}")).unwrap_or_default());
        let _ = writeln!(page, "| `{name}`{here} | {} | {} | {} |", cell(&of(None)), cell(&of(Some(true))), cell(&of(Some(false))));
    }
    page.push_str("\n| what | | why, and what happens |\n| --- | --- | --- |\n");
    for word in words {
        let kind = match word.kind {
            Kind::Deviates => "deviates".to_owned(),
            Kind::Missing => "not there".to_owned(),
            Kind::Withheld => format!("withheld at {}", tiers_without(tiers, &word.of[0])),
        };
        let of: Vec<&str> = word.of.iter().map(String::as_str).collect();
        let _ = writeln!(page, "| {} | {kind} | {} |", cell(&of), word.says);
    }
    page
}

fn words() -> Vec<Word> {
    toml::from_str::<Words>(WORDS).expect("words").word
}

#[test]
fn the_page_about_web_apis_says_what_the_isolate_has_and_every_deviation_has_its_word() {
    let (faces, words) = (faces(STANDARD), words());
    let tiers: Vec<Found> = TIERS.iter().map(|profile| probe(&faces, &words, profile)).collect();
    let complaints: BTreeSet<String> = tiers.iter().flat_map(|found| complaints(&words, found)).collect();
    assert!(complaints.is_empty(), "{complaints:#?}\nthe words are in tests/behaviour/web_api/words.toml");
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let (file, made) = (root.join("docs/WEB_API.md"), page(&faces, &words, &tiers));
    if std::env::var_os("CORDON_WRITE_WEB_API").is_some() {
        std::fs::write(&file, &made).expect("written");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == made, "docs/WEB_API.md is not what the isolate has: renew it with CORDON_WRITE_WEB_API=1 and commit it");
}

#[test]
fn a_member_without_a_word_and_a_word_without_a_deviation_are_found() {
    let word = |of: &str, kind: Kind, probe: Option<&str>| Word {
        of: vec![of.to_owned()],
        kind,
        says: String::new(),
        probe: probe.map(str::to_owned),
    };
    let found = |how: &str, deviates: Vec<bool>| Found { found: [("A.b".to_owned(), how.to_owned())].into(), deviates };
    assert!(complaints(&[], &found("there", vec![])).is_empty());
    for silent in ["absent", "misplaced"] {
        assert_eq!(complaints(&[], &found(silent, vec![])).len(), 1, "{silent}");
    }
    let right = [
        (word("A.b", Kind::Missing, None), "absent", vec![]),
        (word("A.b", Kind::Withheld, None), "absent", vec![]),
        (word("A.b", Kind::Deviates, None), "misplaced", vec![]),
        (word("A.b", Kind::Deviates, Some("x")), "there", vec![true]),
    ];
    let wrong = [
        (word("A.c", Kind::Missing, None), "there", vec![]),
        (word("A.b", Kind::Missing, None), "there", vec![]),
        (word("A.b", Kind::Deviates, None), "there", vec![]),
        (word("A.b", Kind::Deviates, Some("x")), "there", vec![false]),
        (word("A.b", Kind::Deviates, None), "absent", vec![]),
    ];
    for (word, how, deviates) in right {
        assert_eq!(complaints(&[word], &found(how, deviates)), Vec::<String>::new());
    }
    for (word, how, deviates) in wrong {
        assert_eq!(complaints(&[word], &found(how, deviates)).len(), 1, "{how}");
    }
}
