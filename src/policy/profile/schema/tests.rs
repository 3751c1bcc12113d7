//! The schema's file is what the types say, and the reader agrees with it: keys, which of them must be there, ranges and words.

use super::super::tests::{LEAST, folder};
use super::*;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn policies() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from).join("policies")
}

fn schema() -> Value {
    serde_json::from_str(&text()).expect("JSON")
}

/// The problems that the schema has with a file.
fn problems(toml: &str) -> Vec<String> {
    let value: Value = toml::from_str(toml).expect("TOML");
    fits::problems(&schema(), &value, "")
}

/// A table of the file: how it is written, its path as messages have it, and its schema.
struct Table {
    headers: String,
    path: String,
    schema: Value,
}

/// Every table that has keys of its own, from the top.
fn tables() -> Vec<Table> {
    let mut found = vec![Table { headers: String::new(), path: String::new(), schema: schema() }];
    let mut next = 0;
    while let Some(Table { headers, path, schema }) = found.get(next) {
        next += 1;
        let keys = schema["properties"].as_object().expect("keys").clone();
        let (headers, path) = (headers.clone(), path.clone());
        for (key, inner) in keys.into_iter().filter(|(key, _)| key != "checks") {
            let path = format!("{path}.{key}").trim_start_matches('.').to_owned();
            let (header, table) =
                if inner["items"].is_object() { (format!("[[{path}]]"), inner["items"].clone()) } else { (format!("[{path}]"), inner) };
            if table["properties"].is_object() {
                found.push(Table { headers: format!("{headers}{header}\n"), path, schema: table });
            }
        }
    }
    found
}

/// The messages and mends about a file that ends with this.
fn told(text: &str) -> Vec<(String, String)> {
    let errors = folder(&[("untrusted.toml", LEAST), ("extra.toml", text)]).expect_err("mistakes");
    errors.mistakes().iter().map(|mistake| (mistake.message.clone(), mistake.mend.clone())).collect()
}

impl Table {
    fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.path).trim_start_matches('.').to_owned()
    }

    /// What the reader says of `key = value` in this table.
    fn said(&self, key: &str, value: &str) -> (String, String) {
        let name = format!("`{}`", self.name(key));
        let all = told(&format!("{}{key} = {value}\n", self.headers));
        all.iter().find(|(message, _)| message.starts_with(&name)).unwrap_or_else(|| panic!("{name}: {all:?}")).clone()
    }
}

#[test]
fn the_schema_in_the_tree_is_the_one_that_the_types_make() {
    let path = policies().join("profile.schema.json");
    if std::env::var_os("CORDON_WRITE").is_some() {
        std::fs::write(&path, text()).expect("written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text(), "CORDON_WRITE=1 cargo test --lib policy::profile::schema renews policies/profile.schema.json");
    assert!(!there.contains("null\""), "TOML has none");
}

#[test]
fn every_key_that_the_reader_knows_is_in_the_schema_and_no_other() {
    let tables = tables();
    let paths: Vec<&str> = tables.iter().map(|table| table.path.as_str()).collect();
    assert!(
        ["limits", "egress.rule", "secret", "promotion", "case.fixture", "case.expect.denials"].iter().all(|path| paths.contains(path)),
        "{paths:?}"
    );
    for table in tables {
        let (_, mend) = table.said("no-such-key", "1");
        let known: BTreeSet<&str> = mend.split("one of: ").nth(1).expect("the known ones").split(", ").collect();
        let keys: BTreeSet<&str> = table.schema["properties"].as_object().expect("keys").keys().map(String::as_str).collect();
        assert_eq!(known, keys, "[{}]", table.path);
        assert_eq!(table.schema["additionalProperties"], json!(false), "[{}]", table.path);
    }
}

#[test]
fn what_must_be_there_is_the_same_for_both() {
    for table in tables() {
        let all = told(&table.headers);
        let named = |key: &&String| all.iter().any(|(message, _)| *message == format!("`{}` is missing", table.name(key)));
        let missed: BTreeSet<&String> = table.schema["properties"].as_object().expect("keys").keys().filter(named).collect();
        let required: Vec<String> =
            table.schema.get("required").map_or_else(Vec::new, |list| serde_json::from_value(list.clone()).expect("names"));
        assert_eq!(missed, required.iter().collect(), "[{}]", table.path);
    }
}

#[test]
fn ranges_and_words_are_the_same_for_both() {
    let (mut ranges, mut words) = (0, 0);
    for table in tables() {
        for (key, inner) in table.schema["properties"].as_object().expect("keys") {
            if inner["type"] == "integer" {
                let expected = format!("is -1, which is outside {} to {}", inner["minimum"], inner["maximum"]);
                let (message, _) = table.said(key, "-1");
                assert!(message.ends_with(&expected), "{message}: {expected}");
                ranges += 1;
            }
            let lists = [&inner["enum"], &inner["items"]["enum"], &inner["anyOf"][0]["enum"]];
            if let Some(list) = lists.into_iter().find_map(Value::as_array) {
                let value = if inner["type"] == "array" { "[\"none\"]" } else { "\"none\"" };
                let (_, mend) = table.said(key, value);
                assert!(list.iter().all(|word| mend.contains(word.as_str().expect("a word"))), "{list:?}: {mend}");
                words += 1;
            }
        }
    }
    assert!(ranges >= 20 && words >= 7, "{ranges} {words}");
}

#[test]
fn the_schema_knows_every_check_and_severity() {
    let checks = schema()["properties"]["checks"]["properties"].as_object().expect("ids").clone();
    assert_eq!(checks.keys().map(String::as_str).collect::<BTreeSet<_>>(), Check::ALL.map(Check::as_str).into_iter().collect());
    assert!(checks.values().all(|check| check["enum"] == json!(["off", "note", "warn", "reject"])));
}

#[test]
fn every_shipped_profile_fits_the_schema_and_names_it() {
    let files = std::fs::read_dir(policies()).expect("a folder").map(|entry| entry.expect("an entry").path());
    let profiles: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    assert_eq!(profiles.len(), 4, "{profiles:?}");
    for path in profiles {
        let text = std::fs::read_to_string(&path).expect("read");
        assert!(text.starts_with("#:schema ./profile.schema.json\n"), "{}", path.display());
        assert_eq!(problems(&text), [] as [&str; 0], "{}", path.display());
    }
    assert_eq!(problems(&super::super::tests::example()), [] as [&str; 0], "the README's");
}

#[test]
fn what_the_reader_refuses_by_its_form_the_schema_refuses_too() {
    assert_eq!(problems(LEAST), [] as [&str; 0]);
    for (at, line) in [
        ("", "extra = 1\n"),
        ("", "durability = \"never\"\n"),
        ("", "require_hardening = [\"none\"]\n"),
        ("[promotion]\n", "stale = \"never\"\n"),
        ("[promotion]\n", "reviews = 6\n"),
        ("[checks]\n", "\"code.evil\" = \"warn\"\n"),
        ("[checks]\n", "\"code.eval\" = \"error\"\n"),
        ("[[case]]\n", "input = 1\n"),
        ("[[case]]\nname = \"c\"\n[case.expect]\n", "outcome = []\n"),
        ("[[case]]\nname = \"c\"\n[case.expect]\n", "outcome = \"fine\"\n"),
        ("[[case]]\nname = \"c\"\n[case.expect]\n", "denials = [{ url = \"x\" }]\n"),
        ("[egress]\nmode = \"synthetic\"\n[[egress.fixture]]\nurl = \"https://a.example/\"\n", "status = 100\n"),
        ("[egress]\n", "mode = \"open\"\n"),
    ] {
        let text = if at.is_empty() { format!("{line}{LEAST}") } else { format!("{LEAST}{at}{line}") };
        assert_eq!(problems(&text).len(), 1, "{text}: {:?}", problems(&text));
        assert!(folder(&[("untrusted.toml", &text)]).is_err(), "{text}");
    }
}
