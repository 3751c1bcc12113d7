//! The `manifest` of `PUT /v1/artifacts`: what its sender says of an artifact.

use super::{brief, refuse};
use crate::model::{JsonCaps, Manifest, Problem, SentCase, SentFixture, check_json};
use http::{HeaderName, HeaderValue, Method};
use serde_json::value::RawValue;

/// Longest manifest, in bytes of JSON: all that are kept of an artifact are read at once.
const MANIFEST_BYTES_MAX: usize = 64 << 10;

/// Deepest nesting of a manifest; serde_json stops at 128 by itself.
const DEPTH_MAX: usize = 100;

/// Most cases.
const CASES_MAX: usize = 100;

/// Most answers of one case.
const FIXTURES_MAX: usize = 50;

/// Longest name of a case, in bytes.
const NAME_BYTES_MAX: usize = 120;

/// Longest other text for people, in bytes.
const TEXT_BYTES_MAX: usize = 1000;

/// The manifest in `value`; an empty one when there is none. Caused by the caller: another form, more than is kept.
pub(super) fn manifest(value: Option<&RawValue>) -> Result<Manifest, Problem> {
    let Some(value) = value else { return Ok(Manifest::default()) };
    if !value.get().starts_with('{') {
        return Err(refuse("`manifest` must be a JSON object".to_owned(), "send a JSON object, or leave it out"));
    }
    check_json(value.get(), JsonCaps { bytes: MANIFEST_BYTES_MAX, depth: DEPTH_MAX })
        .map_err(|fault| refuse(format!("`manifest`: {fault}"), "send less, nested less"))?;
    let manifest: Manifest = serde_json::from_str(value.get())
        .map_err(|error| refuse(format!("`manifest`: {}", brief(&error.to_string(), 300)), "send the fields that the README lists"))?;
    texts(&manifest)?;
    if manifest.cases.len() > CASES_MAX {
        return Err(refuse(format!("`manifest.cases` has {} cases", manifest.cases.len()), format!("send at most {CASES_MAX}")));
    }
    manifest.cases.iter().enumerate().try_for_each(|(index, case)| fits(index, case, &manifest.cases[..index]))?;
    Ok(manifest)
}

fn texts(manifest: &Manifest) -> Result<(), Problem> {
    let texts = [("name", &manifest.name), ("version", &manifest.version), ("description", &manifest.description)];
    let long = texts.into_iter().find(|(_, text)| text.as_ref().is_some_and(|text| text.is_empty() || text.len() > TEXT_BYTES_MAX));
    let wrong = |(name, _)| refuse(format!("`manifest.{name}` is empty or too long"), format!("give it 1 to {TEXT_BYTES_MAX} bytes"));
    long.map_or(Ok(()), |long| Err(wrong(long)))
}

fn fits(index: usize, case: &SentCase, before: &[SentCase]) -> Result<(), Problem> {
    let place = format!("`manifest.cases[{index}]`");
    if case.name.is_empty() || case.name.len() > NAME_BYTES_MAX {
        return Err(refuse(format!("{place} has a name of {} bytes", case.name.len()), format!("give it 1 to {NAME_BYTES_MAX} bytes")));
    }
    if before.iter().any(|other| other.name == case.name) {
        return Err(refuse(format!("{place} has the name of another case"), "give each case a name of its own"));
    }
    if case.fixtures.len() > FIXTURES_MAX {
        return Err(refuse(format!("{place} has {} fixtures", case.fixtures.len()), format!("give it at most {FIXTURES_MAX}")));
    }
    match case.fixtures.iter().find_map(wrong) {
        Some(wrong) => Err(refuse(format!("a fixture of {place} {wrong}"), "correct it")),
        None => Ok(()),
    }
}

/// What is wrong with a fixture; `None` when nothing is.
fn wrong(fixture: &SentFixture) -> Option<String> {
    let method = fixture.method.as_deref().unwrap_or("*");
    let upper = Method::from_bytes(method.as_bytes()).is_ok() && !method.bytes().any(|b| b.is_ascii_lowercase());
    let header = |(name, value): (&String, &String)| HeaderName::try_from(name).is_err() || HeaderValue::try_from(value).is_err();
    if method != "*" && !upper {
        return Some("has a method that is not one in upper case".to_owned());
    }
    if !["http://", "https://"].iter().any(|scheme| fixture.url.starts_with(scheme)) {
        return Some("has a url that does not begin with http:// or https://".to_owned());
    }
    if !(200..=599).contains(&fixture.status.unwrap_or(200)) {
        return Some("has a status outside of 200 to 599".to_owned());
    }
    fixture.headers.iter().any(header).then(|| "has a header whose name or value is none".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest, Problem> {
        manifest(Some(&RawValue::from_string(text.to_owned()).expect("JSON")))
    }

    #[test]
    fn a_manifest_is_read_and_an_absent_one_is_empty() {
        assert_eq!(manifest(None), Ok(Manifest::default()));
        let text = r#"{"name":"orders","cases":[{"name":"a","input":[1],"fixtures":[{"url":"https://a.example/*","headers":{"x-a":"1"}}],
            "expect":{"outcomes":["ok"],"result":null,"denials":[]}}]}"#;
        let read = parse(text).expect("a manifest");
        assert_eq!((read.name.as_deref(), read.cases.len()), (Some("orders"), 1));
    }

    #[test]
    fn each_mistake_is_refused() {
        for wrong in [
            r#"[]"#,
            r#"{"nam":"x"}"#,
            r#"{"name":""}"#,
            r#"{"parent":"x"}"#,
            r#"{"cases":[{}]}"#,
            r#"{"cases":[{"name":""}]}"#,
            r#"{"cases":[{"name":"a"},{"name":"a"}]}"#,
            r#"{"cases":[{"name":"a","expect":{"outcomes":["fine"]}}]}"#,
            r#"{"cases":[{"name":"a","fixtures":[{"url":"ftp://a"}]}]}"#,
            r#"{"cases":[{"name":"a","fixtures":[{"url":"https://a","method":"get"}]}]}"#,
            r#"{"cases":[{"name":"a","fixtures":[{"url":"https://a","status":100}]}]}"#,
            r#"{"cases":[{"name":"a","fixtures":[{"url":"https://a","headers":{"a b":"1"}}]}]}"#,
            r#"{"cases":[{"name":"a","fixtures":[{"url":"https://a","headers":{"a":"1\n2"}}]}]}"#,
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn cases_are_taken_at_their_limit_and_refused_one_past_it() {
        let cases = |count: usize| {
            let cases: Vec<String> = (0..count).map(|n| format!(r#"{{"name":"{n}"}}"#)).collect();
            parse(&format!(r#"{{"cases":[{}]}}"#, cases.join(",")))
        };
        assert!(cases(CASES_MAX).is_ok() && cases(CASES_MAX + 1).is_err());
        let long = |bytes: usize| parse(&format!(r#"{{"description":"{}"}}"#, "x".repeat(bytes)));
        assert!(long(TEXT_BYTES_MAX).is_ok() && long(TEXT_BYTES_MAX + 1).is_err());
    }
}
