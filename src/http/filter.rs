//! The queries of lists: of `GET /v1/runs`, and of what the operator listener lists.

use super::service::Stretch;
use super::time::instant_ms;
use crate::model::{Problem, ProblemCode, Tier};
use crate::run::RunFilter;
use axum::extract::Query;
use hyper::Uri;
use std::fmt::Display;
use std::str::FromStr;

/// Runs on a page unless the caller says otherwise.
const LIMIT_DEFAULT: u32 = 50;
/// Most runs on a page.
const LIMIT_MAX: u32 = 200;
/// Longest text to search for and longest cursor, in bytes: as long as an origin's strings.
const TEXT_BYTES_MAX: usize = 512;

const KNOWN: &str = "artifact, agent, promptId, outcome, tier, since, until, cursor, limit";
const KNOWN_OF_STRETCHES: &str = "since, until, cursor, limit";

fn refuse(detail: String, remediation: String) -> Problem {
    Problem::new(ProblemCode::InvalidRequest, detail, remediation)
}

/// The filter that `uri` asks for. Caused by the caller: unknown or repeated parameters, values that do not parse.
pub(super) fn filter_of(uri: &Uri) -> Result<RunFilter, Problem> {
    let mut filter = RunFilter { limit: LIMIT_DEFAULT, ..RunFilter::default() };
    for (name, value) in pairs(uri, KNOWN)? {
        set(&mut filter, &name, &value)?;
    }
    Ok(filter)
}

/// The stretch of a log that `uri` asks for. Caused by the caller: unknown or repeated parameters, values that do not parse.
pub(super) fn stretch_of(uri: &Uri) -> Result<Stretch, Problem> {
    let mut stretch = Stretch { limit: LIMIT_DEFAULT, ..Stretch::default() };
    for (name, value) in pairs(uri, KNOWN_OF_STRETCHES)? {
        match name.as_str() {
            "since" => stretch.since_ms = Some(instant(&name, &value)?),
            "until" => stretch.until_ms = Some(instant(&name, &value)?),
            "cursor" => stretch.cursor = Some(text(&name, &value)?),
            "limit" => stretch.limit = limit(&value)?,
            unknown => return Err(no_parameter(unknown, KNOWN_OF_STRETCHES)),
        }
    }
    Ok(stretch)
}

/// The query's parameters, each once. `known` are those that there are.
fn pairs(uri: &Uri, known: &str) -> Result<Vec<(String, String)>, Problem> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| refuse("the query is not made of name=value pairs".to_owned(), format!("use these parameters: {known}")))?;
    let again = pairs.iter().enumerate().find(|(index, (name, _))| pairs[..*index].iter().any(|(earlier, _)| earlier == name));
    if let Some((_, (name, _))) = again {
        return Err(refuse(format!("`{}` is there more than once", brief(name)), format!("give each parameter once: {known}")));
    }
    Ok(pairs)
}

fn no_parameter(name: &str, known: &str) -> Problem {
    refuse(format!("there is no parameter `{}`", brief(name)), format!("use these parameters: {known}"))
}

fn set(filter: &mut RunFilter, name: &str, value: &str) -> Result<(), Problem> {
    match name {
        "artifact" => filter.artifact = Some(parsed(name, value, "write `sha256:` and 64 lower-case hex digits")?),
        "agent" => filter.agent = Some(text(name, value)?),
        "promptId" => filter.prompt_id = Some(text(name, value)?),
        "outcome" => filter.outcome = Some(parsed(name, value, "use a run's `outcome`, such as `ok` or `exceededCpu`")?),
        "tier" => filter.tier = Some(tier(value)?),
        "since" => filter.since_ms = Some(instant(name, value)?),
        "until" => filter.until_ms = Some(instant(name, value)?),
        "cursor" => filter.cursor = Some(text(name, value)?),
        "limit" => filter.limit = limit(value)?,
        unknown => return Err(no_parameter(unknown, KNOWN)),
    }
    Ok(())
}

fn parsed<T: FromStr<Err: Display>>(name: &str, value: &str, mend: &str) -> Result<T, Problem> {
    value.parse().map_err(|error| refuse(format!("`{name}`: {error}"), mend.to_owned()))
}

fn text(name: &str, value: &str) -> Result<String, Problem> {
    if value.is_empty() || value.len() > TEXT_BYTES_MAX {
        let detail = format!("`{name}` has {} bytes", value.len());
        return Err(refuse(detail, format!("give 1 to {TEXT_BYTES_MAX} bytes, or leave `{name}` out")));
    }
    Ok(value.to_owned())
}

fn tier(value: &str) -> Result<Tier, Problem> {
    Tier::ALL
        .into_iter()
        .find(|tier| tier.label() == value)
        .ok_or_else(|| refuse(format!("`tier`: `{}` is not a tier", brief(value)), "use 0, 1 or 2".to_owned()))
}

fn limit(value: &str) -> Result<u32, Problem> {
    let plain = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = if plain { value.parse().ok() } else { None };
    number.filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or_else(|| {
        refuse(format!("`limit`: `{}` is not a page size", brief(value)), format!("use a whole number from 1 to {LIMIT_MAX}"))
    })
}

fn instant(name: &str, value: &str) -> Result<u64, Problem> {
    instant_ms(value).ok_or_else(|| {
        let detail = format!("`{name}`: `{}` is not a time", brief(value));
        refuse(detail, "write RFC 3339, such as 2026-01-31T12:00:00Z, or milliseconds since 1970".to_owned())
    })
}

fn brief(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, Outcome};

    fn of(query: &str) -> Result<RunFilter, Problem> {
        filter_of(&format!("/v1/runs{query}").parse().expect("a uri"))
    }

    #[test]
    fn every_parameter_narrows_the_list() {
        let digest = Digest::of(b"x");
        let filter = of(&format!(
            "?artifact={digest}&agent=a%20b&promptId=p&outcome=exceededCpu&tier=1&since=2026-01-31T12:00:00%2B01:00&until=5&cursor=c&limit=200"
        ));
        let expected = RunFilter {
            artifact: Some(digest),
            agent: Some("a b".to_owned()),
            prompt_id: Some("p".to_owned()),
            outcome: Some(Outcome::ExceededCpu),
            tier: Some(Tier::Validated),
            since_ms: Some(1_769_857_200_000),
            until_ms: Some(5),
            cursor: Some("c".to_owned()),
            limit: 200,
        };
        assert_eq!(filter, Ok(expected));
        assert_eq!(of(""), Ok(RunFilter { limit: 50, ..RunFilter::default() }));
    }

    #[test]
    fn a_stretch_has_times_a_cursor_and_a_limit_and_no_other_field() {
        let of = |query: &str| stretch_of(&format!("/v1/decisions{query}").parse().expect("a uri"));
        let expected = Stretch { since_ms: Some(1), until_ms: Some(1_769_857_200_000), cursor: Some("c".to_owned()), limit: 200 };
        assert_eq!(of("?since=1&until=2026-01-31T12:00:00%2B01:00&cursor=c&limit=200"), Ok(expected));
        assert_eq!(of(""), Ok(Stretch { limit: LIMIT_DEFAULT, ..Stretch::default() }));
        for wrong in ["?tier=1", "?since=1&since=2", "?since=yesterday", "?limit=201", "?limit=0", "?cursor="] {
            assert_eq!(of(wrong).map_err(|problem| problem.code), Err(ProblemCode::InvalidRequest), "{wrong}");
        }
    }

    #[test]
    fn a_parameter_that_is_unknown_repeated_or_wrong_is_refused_by_name() {
        let long = format!("?agent={}", "a".repeat(TEXT_BYTES_MAX + 1));
        assert!(of(&long[..long.len() - 1]).is_ok());
        let wrong = [
            ("?agnet=x", "agnet"),
            ("?agent=a&agent=a", "agent"),
            ("?agent=", "agent"),
            (&long, "agent"),
            ("?artifact=abc", "artifact"),
            ("?outcome=fine", "fine"),
            ("?tier=3", "tier"),
            ("?tier=00", "tier"),
            ("?since=yesterday", "since"),
            ("?limit=0", "limit"),
            ("?limit=201", "limit"),
            ("?limit=-1", "limit"),
            ("?limit=%2B5", "limit"),
            ("?limit=", "limit"),
        ];
        for (query, named) in wrong {
            let problem = of(query).expect_err(query);
            assert_eq!(problem.code, ProblemCode::InvalidRequest);
            assert!(problem.detail.contains(named), "{query}: {}", problem.detail);
        }
        assert_eq!(of("?limit=1").map(|filter| filter.limit), Ok(1));
    }
}
