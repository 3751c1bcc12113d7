//! `[[case]]`: what code must do, by an input and what must come of it. Profiles have cases, and so may other files of the folder.

use super::super::bounds::{CASE_NAME_CHARS_MAX, CASES_MAX, DENIALS_MAX, ENTRYPOINT_CHARS_MAX, FIXTURES_MAX};
use super::egress::right;
use super::fixture::{self, Bodies};
use super::words::sentence;
use crate::config::Reader;
use crate::model::{ContractCase, Expectation, ExpectedDenial, Outcome};
use serde::Serialize;
use serde_json::Value;

/// Most bytes of all cases of a file, as JSON without the bodies of their fixtures: they stay in memory while the file is in force.
const CASES_BYTES_MAX: usize = 1 << 20;

const DENIAL_MEND: &str = "write what the denial has there, or leave the key out";

/// Every `[[case]]` of a file, without those that are wrong. Runs take an input of at most `input_bytes`.
pub(in crate::policy) fn read_cases(reader: &mut Reader<'_>, input_bytes: u64, bodies: &mut Bodies<'_>) -> Vec<ContractCase> {
    let mut names: Vec<String> = Vec::new();
    let cases = reader.tables("case", CASES_MAX, |reader| {
        let case = read_case(reader, bodies)?;
        if names.contains(&case.name) {
            reader.note_at("name", format!("a case `{}` is there already", case.name), "give it another name");
        }
        names.push(case.name.clone());
        fits(reader, &case.input, input_bytes);
        Some(case)
    });
    let cases = right(cases);
    let bytes: usize = cases.iter().map(json_bytes).fold(0, usize::saturating_add);
    if bytes > CASES_BYTES_MAX {
        let message = format!("the cases have {bytes} bytes of JSON together");
        reader.note_at("case", message, format!("keep them to {CASES_BYTES_MAX}"));
    }
    cases
}

/// Reads one. What is wrong in it is noted, and nothing stands in its place; a case without a name is none.
pub(in crate::policy) fn read_case(reader: &mut Reader<'_>, bodies: &mut Bodies<'_>) -> Option<ContractCase> {
    reader.require(&["name"]);
    let name = reader.checked("name", &format!("write 1 to {CASE_NAME_CHARS_MAX} characters on one line"), case_name);
    let input = value(reader, "input", "input_json").unwrap_or_default();
    let mend = format!("write an identifier of at most {ENTRYPOINT_CHARS_MAX} characters");
    let entrypoint = reader.checked("entrypoint", &mend, export).unwrap_or_else(|| "default".to_owned());
    let fixtures = right(reader.tables("fixture", FIXTURES_MAX, |reader| fixture::read(reader, bodies)));
    let expect = reader.section("expect", read_expect);
    Some(ContractCase { name: name?, input, entrypoint, fixtures, expect })
}

/// What must come of a run: that it ends `ok`, unless the table says otherwise or more.
pub(in crate::policy) fn read_expect(reader: &mut Reader<'_>) -> Expectation {
    let words = Outcome::ALL.map(|outcome| format!("\"{outcome}\"")).join(", ");
    let outcome = |text: &str| text.parse::<Outcome>().map_err(|error| error.to_string());
    let outcomes = reader.one_or_list("outcome", &format!("write one of these, or a list of some: {words}"), outcome);
    if reader.is_empty_list("outcome") {
        reader.note_at("outcome", "`outcome` is empty, and no run could be right", "name at least one, or remove the key");
    }
    Expectation {
        outcomes: outcomes.unwrap_or_else(|| vec![Outcome::Ok]),
        result: value(reader, "result", "result_json"),
        denials: reader.tables("denials", DENIALS_MAX, read_denial),
    }
}

fn read_denial(reader: &mut Reader<'_>) -> ExpectedDenial {
    ExpectedDenial {
        capability: reader.checked("capability", DENIAL_MEND, words),
        target: reader.checked("target", DENIAL_MEND, words),
        rule: reader.checked("rule", DENIAL_MEND, words),
    }
}

/// A value in TOML or as a text of JSON; none when neither is there.
fn value(reader: &mut Reader<'_>, toml: &'static str, json: &'static str) -> Option<Value> {
    let (in_toml, in_json) = (reader.json(toml), reader.json_text(json, CASES_BYTES_MAX));
    if reader.has(toml) && reader.has(json) {
        reader.note_at(json, format!("`{toml}` and `{json}` are there together"), "remove one of them");
    }
    in_toml.or(in_json)
}

/// An input that no run would take makes a case that nothing could pass.
fn fits(reader: &Reader<'_>, input: &Value, input_bytes: u64) {
    let bytes = json_bytes(input);
    if bytes as u64 > input_bytes {
        let key = if reader.has("input_json") { "input_json" } else { "input" };
        let message = format!("the input has {bytes} bytes of JSON, and runs under this profile take {input_bytes}");
        reader.note_at(key, message, "shorten it, or raise input_bytes in [limits]");
    }
}

fn json_bytes(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}

/// A name that fits into one line of a report.
fn case_name(text: &str) -> Result<String, String> {
    let name = sentence(text)?;
    match name.chars().count() {
        _ if name.chars().any(char::is_control) => Err("it has a control character".to_owned()),
        count if count > CASE_NAME_CHARS_MAX => Err(format!("it has {count} characters")),
        _ => Ok(name),
    }
}

/// The name of an export, as requests may give it.
fn export(text: &str) -> Result<String, String> {
    let mark = |c: char| matches!(c, '_' | '$');
    let begins = text.starts_with(|c: char| c.is_alphabetic() || mark(c));
    let plain = begins && text.chars().all(|c| c.is_alphanumeric() || mark(c)) && text.chars().count() <= ENTRYPOINT_CHARS_MAX;
    if plain { Ok(text.to_owned()) } else { Err(format!("`{text}` is not the name of an export")) }
}

/// A text that says something.
fn words(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
}
