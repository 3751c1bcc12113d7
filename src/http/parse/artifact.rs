//! The bodies of `PUT /v1/artifacts` and `PUT /v1/aliases/{alias}`.

use super::fields::Fields;
use super::manifest::manifest;
use super::refuse;
use super::run::{digest, origin, source};
use crate::model::{Problem, RunSource};
use crate::run::{Destination, NewArtifact};

const KNOWN: [&str; 5] = ["code", "modules", "mainModule", "origin", "manifest"];
const KNOWN_DESTINATION: [&str; 2] = ["artifact", "expected"];

pub(super) fn text(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body)
        .map_err(|error| refuse(format!("the body is not UTF-8: byte {} begins no character", error.valid_up_to()), "send JSON in UTF-8"))
}

/// The artifact that `body` brings.
pub(in crate::http) fn new_artifact(body: &[u8]) -> Result<NewArtifact, Problem> {
    let fields = Fields::of(text(body)?, "the body", "", &KNOWN)?;
    match source(&fields)? {
        RunSource::Inline(artifact) => {
            Ok(NewArtifact { artifact, origin: origin(&fields)?, manifest: manifest(fields.given("manifest"))? })
        }
        // Not among the known fields.
        RunSource::Stored(_) | RunSource::Alias(_) => Err(refuse("the body has no sources".to_owned(), "send `code` or `modules`")),
    }
}

/// Where `body` wants an alias to lead.
pub(in crate::http) fn destination(body: &[u8]) -> Result<Destination, Problem> {
    let fields = Fields::of(text(body)?, "the body", "", &KNOWN_DESTINATION)?;
    let at = |name: &'static str| fields.given(name).map(|value| digest(name, value)).transpose();
    let (artifact, expected) = (at("artifact")?, at("expected")?);
    if artifact.is_none() {
        return Err(refuse(
            "`artifact` is missing".to_owned(),
            r#"send JSON, such as {"artifact": "sha256:…"}; DELETE takes the alias away"#,
        ));
    }
    Ok(Destination { artifact, expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;

    #[test]
    fn an_artifact_is_its_sources_and_what_is_said_of_them() {
        let new = new_artifact(br#"{"modules":{"main.ts":"1"},"origin":{"agent":"a"}}"#).expect("an artifact");
        assert_eq!((new.artifact.modules().len(), new.origin.agent.as_deref()), (1, Some("a")));
        for wrong in ["", "{}", "[]", r#"{"artifact":"sha256:00"}"#, r#"{"code":"1","modules":{}}"#, r#"{"code":"1","input":1}"#] {
            assert!(new_artifact(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(new_artifact(b"{\"code\":\"\xff\"}").is_err());
    }

    #[test]
    fn an_alias_is_told_where_to_lead_and_maybe_from_where() {
        let (to, from) = (Digest::of(b"to"), Digest::of(b"from"));
        let told = |body: String| destination(body.as_bytes());
        assert_eq!(told(format!(r#"{{"artifact":"{to}"}}"#)), Ok(Destination { artifact: Some(to), expected: None }));
        let both = Destination { artifact: Some(to), expected: Some(from) };
        assert_eq!(told(format!(r#"{{"artifact":"{to}","expected":"{from}"}}"#)), Ok(both));
        for wrong in ["{}".to_owned(), r#"{"artifact":"x"}"#.to_owned(), format!(r#"{{"artifact":"{to}","expected":"x"}}"#), String::new()]
        {
            assert!(told(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
