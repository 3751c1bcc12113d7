//! The body of `POST /v1/runs`.

use super::fields::{Fields, string, strings};
use super::{brief, refuse};
use crate::model::{
    Artifact, ArtifactError, Digest, Door, JsonCaps, JsonFault, LimitsRequest, ModuleName, Origin, Problem, RunRequest, RunSource,
    check_json,
};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

const KNOWN: [&str; 9] = ["code", "modules", "mainModule", "artifact", "input", "entrypoint", "profile", "limits", "origin"];
const KNOWN_LIMITS: [&str; 7] = ["cpuMs", "wallMs", "memoryMb", "subRequests", "outputBytes", "logBytes", "logLines"];
const KNOWN_ORIGIN: [&str; 6] = ["agent", "model", "promptId", "promptDigest", "conversation", "workflow"];

/// Longest string of `origin`, in bytes: room for any id, none for a document.
const ORIGIN_BYTES_MAX: usize = 512;
/// Longest entrypoint, in characters.
const ENTRYPOINT_CHARS_MAX: usize = 100;
/// Longest profile name, in bytes.
const PROFILE_BYTES_MAX: usize = 100;

const EXAMPLE: &str = r#"send JSON, such as {"code": "export default (input) => input.a + 1", "input": {"a": 1}}"#;

/// The run that `body` asks for; `input` may nest `input_depth_max` levels deep. `null` stands for "not given" everywhere but in `input`.
pub(in crate::http) fn run_request(body: &[u8], input_depth_max: usize) -> Result<RunRequest, Problem> {
    let body = std::str::from_utf8(body).map_err(|error| {
        refuse(format!("the body is not UTF-8: byte {} begins no character", error.valid_up_to()), "send JSON in UTF-8")
    })?;
    if body.trim_ascii().is_empty() {
        return Err(refuse("the body is empty".to_owned(), EXAMPLE));
    }
    let fields = Fields::of(body, "the body", "", &KNOWN)?;
    Ok(RunRequest {
        door: Door::Public,
        source: source(&fields)?,
        input: input(&fields, input_depth_max)?,
        entrypoint: entrypoint(&fields)?,
        profile: fields.short("profile", PROFILE_BYTES_MAX)?,
        limits: limits(&fields)?,
        origin: origin(&fields)?,
        traceparent: None,
        served: false,
    })
}

pub(super) fn source(fields: &Fields<'_>) -> Result<RunSource, Problem> {
    if fields.given("mainModule").is_some() && fields.given("modules").is_none() {
        return Err(refuse("`mainModule` is there without `modules`".to_owned(), "leave `mainModule` out, or send `modules`"));
    }
    match (fields.given("code"), fields.given("modules"), fields.given("artifact")) {
        (Some(code), None, None) => Ok(RunSource::Inline(Artifact::snippet(string("code", code)?))),
        (None, Some(modules), None) => inline(fields, modules),
        (None, None, Some(artifact)) => Ok(RunSource::Stored(digest("artifact", artifact)?)),
        (None, None, None) => {
            Err(refuse("the body has no code".to_owned(), format!("send one of `code`, `modules` and `artifact`; {EXAMPLE}")))
        }
        (_, _, _) => Err(refuse("the body has more than one of `code`, `modules` and `artifact`".to_owned(), "send exactly one of them")),
    }
}

fn inline(fields: &Fields<'_>, modules: &RawValue) -> Result<RunSource, Problem> {
    const MEND: &str = "name modules as relative paths that end with .js, .mjs, .ts or .mts, and the first of them in `mainModule`";
    let wrong = |error: ArtifactError| refuse(format!("`modules`: {error}"), MEND);
    let modules = strings("modules", modules)?
        .into_iter()
        .map(|(name, text)| Ok((ModuleName::try_from(name).map_err(wrong)?, text)))
        .collect::<Result<BTreeMap<_, _>, Problem>>()?;
    let main = match fields.string("mainModule")? {
        Some(name) => ModuleName::try_from(name).map_err(wrong)?,
        None if modules.is_empty() => return Err(wrong(ArtifactError::Empty)),
        None => main_of(&modules)?,
    };
    Artifact::new(modules, main).map(RunSource::Inline).map_err(wrong)
}

/// The main module when the caller names none: the only one, or the one that is called so.
fn main_of(modules: &BTreeMap<ModuleName, String>) -> Result<ModuleName, Problem> {
    let mut called_so = modules.keys().filter(|name| matches!(name.as_str(), "main.ts" | "main.js"));
    let named = match (called_so.next(), called_so.next()) {
        (Some(name), None) => Some(name),
        (None, _) | (Some(_), Some(_)) => None,
    };
    let only = if modules.len() == 1 { modules.keys().next() } else { None };
    named.or(only).cloned().ok_or_else(|| {
        let detail = format!("`modules` has {} modules and it is not clear which one is first", modules.len());
        refuse(detail, "name it in `mainModule`, or call exactly one of them `main.ts` or `main.js`")
    })
}

pub(super) fn digest(place: &str, value: &RawValue) -> Result<Digest, Problem> {
    string(place, value)?.parse().map_err(|error| refuse(format!("`{place}`: {error}"), "write `sha256:` and 64 lower-case hex digits"))
}

fn input(fields: &Fields<'_>, depth_max: usize) -> Result<Box<RawValue>, Problem> {
    let Some(value) = fields.raw("input") else { return Ok(RawValue::NULL.to_owned()) };
    match check_json(value.get(), JsonCaps { bytes: usize::MAX, depth: depth_max }) {
        Ok(()) => Ok(value.to_owned()),
        Err(fault @ (JsonFault::TooDeep(_) | JsonFault::TooLong { .. } | JsonFault::NotJson(_))) => {
            Err(refuse(format!("`input`: {fault}"), format!("nest `input` at most {depth_max} levels deep")))
        }
    }
}

fn entrypoint(fields: &Fields<'_>) -> Result<String, Problem> {
    let Some(name) = fields.string("entrypoint")? else { return Ok("default".to_owned()) };
    let mark = |c: char| matches!(c, '_' | '$');
    let begins = name.chars().next().is_some_and(|c| c.is_alphabetic() || mark(c));
    if begins && name.chars().all(|c| c.is_alphanumeric() || mark(c)) && name.chars().count() <= ENTRYPOINT_CHARS_MAX {
        return Ok(name);
    }
    Err(refuse(
        format!("`entrypoint`: `{}` is not the name of an export", brief(&name, ENTRYPOINT_CHARS_MAX)),
        format!("give an identifier of at most {ENTRYPOINT_CHARS_MAX} characters, or leave it out for `default`"),
    ))
}

fn limits(fields: &Fields<'_>) -> Result<LimitsRequest, Problem> {
    let Some(value) = fields.given("limits") else { return Ok(LimitsRequest::default()) };
    let fields = Fields::of(value.get(), "`limits`", "limits.", &KNOWN_LIMITS)?;
    Ok(LimitsRequest {
        cpu_ms: fields.whole("cpuMs")?,
        wall_ms: fields.whole("wallMs")?,
        memory_mb: fields.whole("memoryMb")?,
        sub_requests: fields.whole("subRequests")?,
        output_bytes: fields.whole("outputBytes")?,
        log_bytes: fields.whole("logBytes")?,
        log_lines: fields.whole("logLines")?,
    })
}

pub(super) fn origin(fields: &Fields<'_>) -> Result<Origin, Problem> {
    let Some(value) = fields.given("origin") else { return Ok(Origin::default()) };
    let fields = Fields::of(value.get(), "`origin`", "origin.", &KNOWN_ORIGIN)?;
    Ok(Origin {
        agent: fields.short("agent", ORIGIN_BYTES_MAX)?,
        model: fields.short("model", ORIGIN_BYTES_MAX)?,
        prompt_id: fields.short("promptId", ORIGIN_BYTES_MAX)?,
        prompt_digest: fields.given("promptDigest").map(|value| digest("origin.promptDigest", value)).transpose()?,
        conversation: fields.short("conversation", ORIGIN_BYTES_MAX)?,
        workflow: fields.short("workflow", ORIGIN_BYTES_MAX)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<RunRequest, Problem> {
        run_request(body.as_bytes(), 512)
    }

    fn detail(body: &str) -> String {
        let problem = parse(body).expect_err(body);
        assert_eq!(problem.status, 400);
        assert!(!problem.remediation.is_empty());
        problem.detail
    }

    #[test]
    fn every_field_of_the_contract_is_taken_over() {
        let digest = Digest::of(b"p");
        let body = format!(
            r#"{{"modules":{{"a.ts":"1","lib/b.js":"2"}},"mainModule":"a.ts","input": {{ "n" : [1e999, null] }} ,"entrypoint":"handle_$1","profile":"validated",
            "limits":{{"cpuMs":1,"wallMs":2,"memoryMb":3,"subRequests":0,"outputBytes":5,"logBytes":6,"logLines":7}},
            "origin":{{"agent":"a","model":"m","promptId":"p","promptDigest":"{digest}","conversation":"c","workflow":"w"}}}}"#
        );
        let run = parse(&body).expect("a run");
        let RunSource::Inline(artifact) = &run.source else { unreachable!("sources were sent") };
        assert_eq!((artifact.main_module().as_str(), artifact.modules().len()), ("a.ts", 2));
        assert_eq!(run.input.get(), r#"{ "n" : [1e999, null] }"#);
        assert_eq!((run.entrypoint.as_str(), run.profile.as_deref()), ("handle_$1", Some("validated")));
        let all = [run.limits.cpu_ms, run.limits.wall_ms, run.limits.memory_mb, run.limits.sub_requests];
        assert_eq!(all, [Some(1), Some(2), Some(3), Some(0)]);
        assert_eq!((run.limits.output_bytes, run.limits.log_bytes, run.limits.log_lines), (Some(5), Some(6), Some(7)));
        assert_eq!((run.origin.agent.as_deref(), run.origin.prompt_digest), (Some("a"), Some(digest)));
        assert_eq!((run.origin.workflow.as_deref(), run.origin.conversation.as_deref()), (Some("w"), Some("c")));
    }

    #[test]
    fn what_is_absent_or_null_takes_its_default() {
        for body in [
            r#"{"code":"1"}"#,
            r#" {"code":"1","modules":null,"entrypoint":null,"profile":null,"limits":null,"origin":{"agent":null},"input":null} "#,
        ] {
            let run = parse(body).expect(body);
            assert_eq!(run.source, RunSource::Inline(Artifact::snippet("1".to_owned())));
            assert_eq!((run.input.get(), run.entrypoint.as_str(), run.profile), ("null", "default", None));
            assert_eq!((run.limits, run.origin), (LimitsRequest::default(), Origin::default()));
        }
        let digest = Digest::of(b"x");
        assert_eq!(parse(&format!(r#"{{"artifact":"{digest}"}}"#)).map(|run| run.source).ok(), Some(RunSource::Stored(digest)));
    }

    #[test]
    fn the_main_module_is_the_only_one_or_the_one_called_so() {
        let main = |body: &str| match parse(body).expect(body).source {
            RunSource::Inline(artifact) => artifact.main_module().as_str().to_owned(),
            RunSource::Stored(_) | RunSource::Alias(_) => unreachable!("sources were sent"),
        };
        assert_eq!(main(r#"{"modules":{"x.mjs":""}}"#), "x.mjs");
        assert_eq!(main(r#"{"modules":{"x.ts":"","main.js":""}}"#), "main.js");
        assert_eq!(main(r#"{"modules":{"main.ts":"","main.js":""},"mainModule":"main.js"}"#), "main.js");
        for unclear in [r#"{"modules":{"a.ts":"","b.ts":""}}"#, r#"{"modules":{"main.ts":"","main.js":""}}"#] {
            assert!(detail(unclear).contains("2 modules"), "{unclear}");
        }
        assert!(detail(r#"{"modules":{"a.ts":""},"mainModule":"b.ts"}"#).contains("`b.ts` is not among"));
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        for (body, named) in [
            ("", "empty"),
            (" \n", "empty"),
            ("nonsense", "not JSON"),
            (r#"{"code":"1""#, "not JSON"),
            (r#"{"code":"1"} x"#, "not JSON"),
            (r#"{"code":"1",}"#, "not JSON"),
            ("[]", "an array"),
            ("\"x\"", "a string"),
            (r#"{"input":1}"#, "no code"),
            (r#"{"code":null}"#, "no code"),
            (r#"{"coed":"1","code":"1"}"#, "`coed`"),
            (r#"{"code":"1","code":"2"}"#, "`code` is there more than once"),
            (r#"{"code":"1","c\u006fde":"2"}"#, "`code` is there more than once"),
            (r#"{"code":1.5}"#, "the number 1.5"),
            (r#"{"code":["1"]}"#, "an array"),
            (r#"{"code":"\ud800"}"#, "surrogate"),
            (r#"{"code":"1","artifact":"x"}"#, "more than one of"),
            (r#"{"code":"1","mainModule":"main.ts"}"#, "without `modules`"),
            (r#"{"modules":[]}"#, "`modules` must be a JSON object, it is an array"),
            (r#"{"modules":{}}"#, "empty"),
            (r#"{"modules":{"a.ts":{}}}"#, "`modules.a.ts` must be a string, it is an object"),
            (r#"{"modules":{"a.ts":"","a.ts":""}}"#, "`modules.a.ts` is there more than once"),
            (r#"{"modules":{"../a.ts":""}}"#, "../a.ts"),
            (r#"{"artifact":"sha256:00"}"#, "`artifact`"),
            (r#"{"code":"1","limits":{"cpuMs":-1}}"#, "`limits.cpuMs` must be a whole number, it is the number -1"),
            (r#"{"code":"1","limits":{"cpuMs":1e3}}"#, "limits.cpuMs"),
            (r#"{"code":"1","limits":{"cpuMs":18446744073709551616}}"#, "limits.cpuMs"),
            (r#"{"code":"1","limits":{"cpuMs":"1"}}"#, "a string"),
            (r#"{"code":"1","limits":{"cpu":1}}"#, "`limits.cpu`"),
            (r#"{"code":"1","limits":3}"#, "`limits` must be a JSON object"),
            (r#"{"code":"1","origin":{"user":"x"}}"#, "`origin.user`"),
            (r#"{"code":"1","origin":{"promptDigest":"x"}}"#, "origin.promptDigest"),
            (r#"{"code":"1","origin":{"agent":""}}"#, "`origin.agent` has 0 bytes"),
            (r#"{"code":"1","entrypoint":""}"#, "entrypoint"),
            (r#"{"code":"1","entrypoint":"1a"}"#, "entrypoint"),
            (r#"{"code":"1","entrypoint":"a.b"}"#, "entrypoint"),
            (r#"{"code":"1","profile":false}"#, "`profile` must be a string, it is false"),
        ] {
            let said = detail(body);
            assert!(said.contains(named), "{body}: {said}");
        }
        assert!(run_request(b"{\"code\":\"\xff\"}", 512).expect_err("bytes").detail.contains("byte 9"));
    }

    #[test]
    fn each_cap_holds_at_its_limit_and_one_past_it() {
        let nested = |depth: usize| format!(r#"{{"code":"1","input":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(512)).is_ok());
        assert!(detail(&nested(513)).contains("512"));
        let origin = |length: usize| format!(r#"{{"code":"1","origin":{{"agent":"{}"}}}}"#, "a".repeat(length));
        assert!(parse(&origin(512)).is_ok());
        assert!(detail(&origin(513)).contains("513 bytes"));
        let entry = |length: usize| format!(r#"{{"code":"1","entrypoint":"{}"}}"#, "é".repeat(length));
        assert!(parse(&entry(100)).is_ok());
        assert!(parse(&entry(101)).is_err());
    }

    #[test]
    fn no_nesting_anywhere_exhausts_the_stack() {
        let deep = "[".repeat(2_000_000);
        let objects = r#"{"a":"#.repeat(500_000);
        for place in ["input", "code", "modules", "limits", "origin", "other"] {
            for value in [&deep, &objects] {
                assert!(parse(&format!(r#"{{"{place}":{value}"#)).is_err(), "{place}");
            }
            let closed = format!(r#"{{"{place}":{deep}{}}}"#, "]".repeat(2_000_000));
            assert!(parse(&closed).is_err(), "{place}");
        }
        assert!(parse(&deep).is_err());
    }

    #[test]
    fn a_refusal_repeats_little_of_what_was_sent() {
        let many: String = (0..1000).map(|n| format!(r#""{}{n}":0,"#, "x".repeat(500))).collect();
        let problem = parse(&format!(r#"{{{many}"code":"1"}}"#)).expect_err("unknown fields");
        assert!(problem.detail.len() < 1000, "{} bytes", problem.detail.len());
        assert!(problem.remediation.contains("code, modules, mainModule"));
    }
}
