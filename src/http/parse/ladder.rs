//! The bodies of the ladder's paths below `/v1/artifacts/{id}`.

use super::artifact::text;
use super::fields::Fields;
use super::refuse;
use super::run::digest;
use crate::model::{Digest, Problem, ReviewVerdict};
use crate::run::{Demotion, LadderOrder, NewReview};

/// Longest reason or comment, in bytes.
const REASON_BYTES_MAX: usize = 4000;

/// Longest name of a profile, in bytes.
const PROFILE_BYTES_MAX: usize = 64;

/// A step up: the body may be empty, or name the profile.
fn profile(body: &[u8]) -> Result<Option<String>, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    Fields::of(text(body)?, "the body", "", &["profile"])?.short("profile", PROFILE_BYTES_MAX)
}

/// `validate`.
pub(in crate::http) fn validate(body: &[u8]) -> Result<LadderOrder, Problem> {
    Ok(LadderOrder::Validate { profile: profile(body)? })
}

/// `promote`.
pub(in crate::http) fn promote(body: &[u8]) -> Result<LadderOrder, Problem> {
    Ok(LadderOrder::Promote { profile: profile(body)? })
}

/// `demote`: a reason, and whether running runs stop.
pub(in crate::http) fn demote(body: &[u8]) -> Result<LadderOrder, Problem> {
    let fields = Fields::of(text(body)?, "the body", "", &["reason", "stopRunning"])?;
    let reason = required(&fields, "reason")?;
    let stop_running = match fields.given("stopRunning").map(|value| value.get()) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(refuse("`stopRunning` must be true or false".to_owned(), "send a JSON boolean, or leave it out")),
    };
    Ok(LadderOrder::Demote(Demotion { reason, stop_running }))
}

/// `reviews`: what the reviewer says, and why.
pub(in crate::http) fn review(body: &[u8]) -> Result<LadderOrder, Problem> {
    let fields = Fields::of(text(body)?, "the body", "", &["profile", "verdict", "comment"])?;
    let verdict = match fields.string("verdict")?.as_deref() {
        Some("approve") => ReviewVerdict::Approve,
        Some("object") => ReviewVerdict::Object,
        Some(_) | None => return Err(refuse("`verdict` is missing or unknown".to_owned(), "send \"approve\" or \"object\"")),
    };
    let profile = fields.short("profile", PROFILE_BYTES_MAX)?;
    Ok(LadderOrder::Review(NewReview { profile, verdict, comment: required(&fields, "comment")? }))
}

/// `revalidate`: the body may be empty, or name one artifact.
pub(in crate::http) fn only_artifact(body: &[u8]) -> Result<Option<Digest>, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let fields = Fields::of(text(body)?, "the body", "", &["artifact"])?;
    fields.given("artifact").map(|value| digest("artifact", value)).transpose()
}

fn required(fields: &Fields<'_>, name: &'static str) -> Result<String, Problem> {
    let missing = || refuse(format!("`{name}` is missing"), format!("say why, in 1 to {REASON_BYTES_MAX} bytes: it is recorded"));
    fields.short(name, REASON_BYTES_MAX)?.ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_up_needs_no_body_and_may_name_its_profile() {
        assert_eq!(validate(b" "), Ok(LadderOrder::Validate { profile: None }));
        assert_eq!(promote(br#"{"profile":"live"}"#), Ok(LadderOrder::Promote { profile: Some("live".to_owned()) }));
        for wrong in [r#"{"tier":2}"#, r#"{"profile":1}"#, "[]", r#"{"profile":""}"#] {
            assert!(validate(wrong.as_bytes()).is_err() && promote(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_step_down_and_a_review_say_why() {
        let demotion = Demotion { reason: "leaks".to_owned(), stop_running: true };
        assert_eq!(demote(br#"{"reason":"leaks","stopRunning":true}"#), Ok(LadderOrder::Demote(demotion)));
        for wrong in ["", "{}", r#"{"reason":""}"#, r#"{"reason":"x","stopRunning":1}"#, r#"{"reason":"x","to":0}"#] {
            assert!(demote(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let approval = NewReview { profile: None, verdict: ReviewVerdict::Approve, comment: "read".to_owned() };
        assert_eq!(review(br#"{"verdict":"approve","comment":"read"}"#), Ok(LadderOrder::Review(approval)));
        for wrong in ["{}", r#"{"verdict":"approve"}"#, r#"{"verdict":"yes","comment":"x"}"#, r#"{"comment":"x"}"#] {
            assert!(review(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reason_is_taken_at_its_limit_and_refused_one_past_it() {
        let reason = |bytes: usize| demote(format!(r#"{{"reason":"{}"}}"#, "x".repeat(bytes)).as_bytes());
        assert!(reason(REASON_BYTES_MAX).is_ok() && reason(REASON_BYTES_MAX + 1).is_err());
    }
}
