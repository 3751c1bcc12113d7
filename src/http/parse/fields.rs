//! One JSON object whose fields are known by name, each still as the caller wrote it.
//!
//! Values are skipped, not built: serde_json skips without recursion, so that no nesting can exhaust the stack here.

use super::{brief, refuse};
use crate::model::Problem;
use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// Names of unknown or repeated fields that one refusal repeats.
const MISTAKES_SHOWN: usize = 5;

/// The fields of an object.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    /// What stands before a field's name in messages: empty, or `limits.` and kin.
    place: &'static str,
    found: Vec<(&'static str, &'a RawValue)>,
}

/// What a reader of an object's members wants to know.
struct Members<F>(F);

impl<'de, F: FnMut(String, &'de RawValue)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value::<&RawValue>()?;
            (self.0)(name, value);
        }
        Ok(())
    }
}

/// Calls `each` with every member of the object `text`, in its order.
fn members<'a>(text: &'a str, what: &str, each: impl FnMut(String, &'a RawValue)) -> Result<(), Problem> {
    let mut parser = serde_json::Deserializer::from_str(text);
    parser.deserialize_map(Members(each)).and_then(|()| parser.end()).map_err(|error| match error.classify() {
        Category::Data => refuse(format!("{what} must be a JSON object, it is {}", kind_of(text)), format!("send {what} as a JSON object")),
        Category::Syntax | Category::Eof | Category::Io => {
            refuse(format!("{what} is not JSON: {}", brief(&error.to_string(), 200)), "send well-formed JSON, as RFC 8259 has it")
        }
    })
}

impl<'a> Fields<'a> {
    /// The fields of the object `text`, which is `what`. Caused by the caller: not JSON, not an object, fields that are not
    /// `known` or there twice.
    pub(super) fn of(text: &'a str, what: &str, place: &'static str, known: &'static [&'static str]) -> Result<Self, Problem> {
        let mut found: Vec<(&'static str, &'a RawValue)> = Vec::with_capacity(known.len());
        let (mut unknown, mut twice): (Vec<String>, Vec<&str>) = (Vec::new(), Vec::new());
        members(text, what, |name, value| match known.iter().find(|known| **known == name) {
            Some(name) if found.iter().any(|(earlier, _)| earlier == name) => twice.push(name),
            Some(name) => found.push((name, value)),
            None if unknown.len() < MISTAKES_SHOWN => unknown.push(format!("`{place}{}`", brief(&name, 80))),
            None => {}
        })?;
        if !unknown.is_empty() {
            return Err(refuse(
                format!("there is no field {}", unknown.join(", ")),
                format!("the fields of {what} are: {}", known.join(", ")),
            ));
        }
        if let Some(name) = twice.first() {
            return Err(refuse(format!("`{place}{name}` is there more than once"), "give each field once"));
        }
        Ok(Self { place, found })
    }

    /// The field as written; `None` when it is absent.
    pub(super) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.found.iter().find(|(found, _)| *found == name).map(|(_, value)| *value)
    }

    /// The field as written; `None` when it is absent or null.
    pub(super) fn given(&self, name: &str) -> Option<&'a RawValue> {
        self.raw(name).filter(|value| value.get() != "null")
    }

    /// The field as a string of any length; `None` when it is absent or null.
    pub(super) fn string(&self, name: &str) -> Result<Option<String>, Problem> {
        self.given(name).map(|value| string(&format!("{}{name}", self.place), value)).transpose()
    }

    /// The field as a string of 1 to `most` bytes; `None` when it is absent or null.
    pub(super) fn short(&self, name: &str, most: usize) -> Result<Option<String>, Problem> {
        let text = self.string(name)?;
        match &text {
            Some(text) if text.is_empty() || text.len() > most => Err(refuse(
                format!("`{}{name}` has {} bytes", self.place, text.len()),
                format!("give it 1 to {most} bytes, or leave it out"),
            )),
            Some(_) | None => Ok(text),
        }
    }

    /// The field as a whole number from 0; `None` when it is absent or null.
    pub(super) fn whole(&self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(value) = self.given(name) else { return Ok(None) };
        value.get().parse().map(Some).map_err(|_| {
            refuse(
                format!("`{}{name}` must be a whole number, it is {}", self.place, shown(value)),
                "give a whole number from 0, without a fraction or exponent",
            )
        })
    }
}

/// A value that must be a string, found at `place`.
pub(super) fn string(place: &str, value: &RawValue) -> Result<String, Problem> {
    if !value.get().starts_with('"') {
        return Err(refuse(format!("`{place}` must be a string, it is {}", shown(value)), format!("send `{place}` as a JSON string")));
    }
    serde_json::from_str(value.get()).map_err(|_| {
        refuse(
            format!("`{place}` has an escape that is not Unicode text, such as half of a surrogate pair"),
            format!("send `{place}` as Unicode text"),
        )
    })
}

/// The object's members as strings by name. Caused by the caller: a name that is there twice, a value that is not a string.
pub(super) fn strings(place: &str, value: &RawValue) -> Result<BTreeMap<String, String>, Problem> {
    let mut found = BTreeMap::new();
    let mut mistake = None;
    members(value.get(), &format!("`{place}`"), |name, value| {
        let place = format!("{place}.{}", brief(&name, 80));
        match string(&place, value) {
            Ok(text) => {
                if found.insert(name, text).is_some() {
                    mistake.get_or_insert(refuse(format!("`{place}` is there more than once"), "give each name once"));
                }
            }
            Err(problem) => {
                mistake.get_or_insert(problem);
            }
        }
    })?;
    mistake.map_or(Ok(found), Err)
}

/// What kind of JSON value `text` begins.
pub(super) fn kind_of(text: &str) -> &'static str {
    match text.trim_start().bytes().next() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        Some(b'-' | b'0'..=b'9') => "a number",
        Some(_) | None => "something else",
    }
}

/// The kind of `value`, with the value itself when it is short and plain.
fn shown(value: &RawValue) -> String {
    let text = value.get();
    match text.bytes().next() {
        Some(b'-' | b'0'..=b'9') => format!("the number {}", brief(text, 40)),
        Some(b't' | b'f') => text.to_owned(),
        Some(_) | None => kind_of(text).to_owned(),
    }
}
