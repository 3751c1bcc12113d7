//! The containment corpus, through the real server and real cells. `tests/corpus/README.md` has the rules of judgement.

use super::egress::unrecorded;
use crate::house::world::{API_KEY, End, State, World, files_with_secrets, secrets_in};
use crate::house::{House, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Names in a header.
const NAMES: [&str; 9] = ["case", "category", "tier", "expect", "value", "why", "accept", "input", "assert"];

struct Case {
    /// Such as `cpu/cpu-sort-comparator.js`.
    path: String,
    text: String,
    header: BTreeMap<String, String>,
}

fn folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from).join("tests/corpus")
}

fn cases() -> Vec<Case> {
    let files = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).map_or_else(|_| Vec::new(), |entries| entries.flatten().map(|entry| entry.path()).collect())
    };
    let sources = files(&folder()).iter().flat_map(|category| files(category)).collect::<Vec<_>>();
    let is_source = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "js" || ending == "ts");
    let mut cases: Vec<Case> = sources.into_iter().filter(is_source).map(|path| case(&path)).collect();
    cases.sort_by(|a, b| a.path.cmp(&b.path));
    cases
}

fn case(path: &Path) -> Case {
    let text = std::fs::read_to_string(path).expect("a case");
    let path = path.strip_prefix(folder()).expect("below the corpus").to_str().expect("text").to_owned();
    let lines = text.lines().map_while(|line| line.strip_prefix("// "));
    let header = lines.filter_map(|line| line.split_once(": ")).filter(|(name, _)| NAMES.contains(name));
    Case { header: header.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect(), path, text }
}

impl Case {
    fn get(&self, name: &str) -> Option<&str> {
        self.header.get(name).map(String::as_str)
    }

    fn profile(&self) -> &'static str {
        match self.get("tier") {
            Some("0") => "untrusted",
            Some("1") => "validated",
            Some("2") => "production",
            other => panic!("{}: tier {other:?}", self.path),
        }
    }

    /// Sends a run at the case's tier: above tier 0, which no case has earned, by the leave that the operator listener alone gives.
    fn send(&self, house: &House, body: &Value) -> Reply {
        if self.get("tier") == Some("0") { house.post(body) } else { house.rehearse(body) }
    }

    fn body(&self) -> Value {
        let main = format!("main.{}", self.path.rsplit('.').next().unwrap_or_default());
        let mut body = json!({"modules": {&main: self.text}, "mainModule": main, "profile": self.profile()});
        // One of them hoards memory as well; its CPU must be used up first, also where a collector is starved.
        if self.get("category") == Some("cpu") {
            body["limits"]["cpuMs"] = json!(300);
        }
        // Where the wall is what ends a case, it need not be far.
        if self.expects().contains(&"wall-limit") {
            body["limits"]["wallMs"] = json!(6000);
        }
        if let Some(input) = self.get("input") {
            body["input"] = serde_json::from_str(input).expect("an input of JSON");
        }
        body
    }

    fn expects(&self) -> Vec<&str> {
        let expect = self.get("expect").unwrap_or_default();
        let accept = self.get("accept").unwrap_or_default().split(',');
        std::iter::once(expect.trim_start_matches("contained:")).chain(accept.map(str::trim)).filter(|word| !word.is_empty()).collect()
    }

    /// What is wrong with the answer.
    fn judge(&self, status: u16, answer: &Value) -> Option<String> {
        let text = answer.to_string();
        if let Some(at) = text.find("ESCAPED:") {
            return Some(text[at..].chars().take(100).collect());
        }
        // A case that is to be contained and may as well complete may do so by throwing what the platform refused it with.
        let accepted = |word: &str| word == "completes" && self.get("expect") != Some("completes");
        let threw = status == 200 && answer["outcome"] == "exception" && self.expects().iter().any(|word| accepted(word));
        let met = threw || self.expects().iter().any(|expected| meets(expected, status, answer));
        let cut = answer["outcome"] == "exceededOutput" && matches!(self.get("category"), Some("flood" | "tamper" | "memory"));
        if !met && !cut {
            return Some(format!("HTTP {status}, expected {:?}: {}", self.expects(), text.chars().take(400).collect::<String>()));
        }
        let value: Option<Value> = self.get("value").map(|value| serde_json::from_str(value).expect("a value of JSON"));
        let benign = self.get("expect") == Some("completes");
        let result = self.result(answer);
        value.filter(|value| benign && *value != result).map(|value| format!("the result is {result}, not {value}"))
    }

    /// The result, or what a handler's answer has as its body.
    fn result(&self, answer: &Value) -> Value {
        let body = &answer["result"]["body"];
        body.as_str()
            .filter(|_| self.text.contains("fetch(request"))
            .map_or_else(|| answer["result"].clone(), |text| serde_json::from_str(text).unwrap_or_else(|_| json!(text)))
    }

    /// What the header's `assert` line asks of the harness, where it can see it.
    fn look_closer(&self, answer: &Value) -> Option<String> {
        let levels = || answer["logs"].as_array().map(|logs| logs.iter().map(|log| log["level"].clone()).collect::<Vec<_>>());
        let fine = match self.get("case") {
            Some("benign-console") => levels() == Some(vec![json!("info"), json!("warn"), json!("info")]),
            Some("tamper-log-injection") => levels() == Some(["info", "info", "info", "info", "error"].map(|level| json!(level)).to_vec()),
            Some("tamper-provenance-in-result" | "tamper-context-rewrite") => {
                answer["tier"] == 0 && answer["run"] != "00000000-0000-0000-0000-000000000000" && answer["provenance"]["digest"].is_string()
            }
            Some("flood-console-lines") => answer["logsTruncated"].as_u64() > Some(0) && log_bytes(answer) <= 65_536,
            Some("flood-giant-log-line") => log_bytes(answer) <= 65_536,
            // One for each URL of the case, and for each of three forms of each address.
            Some("egress-userinfo-and-suffix") => denied(answer) == 14,
            Some("ssrf-number-forms") => denied(answer) == 45,
            Some("egress-redirects") => {
                ["https://evil.example/collect", "http://good.example/text", "https://good.example:8443/text"].iter().all(|goal| {
                    let denials = answer["denials"].as_array().into_iter().flatten();
                    denials.into_iter().any(|denial| denial["target"] == *goal)
                })
            }
            _ => true,
        };
        (!fine).then(|| format!("its assertion does not hold: {}", answer.to_string().chars().take(600).collect::<String>()))
    }

    /// What the header's `assert` line asks of the world's other side.
    fn look_around(&self, state: &State) -> Option<String> {
        let values = |name: &str| state.seen.iter().flat_map(|seen| seen.all(name)).collect::<Vec<_>>();
        let fine = match self.get("case") {
            Some("benign-secret-in-header") => values("authorization") == [format!("Bearer {API_KEY}")],
            Some("egress-tier0-none" | "egress-scheme-and-port" | "tamper-context-rewrite") => state.good() == 0,
            // The limits of its profile and of the configuration.
            Some("flood-fetch") => state.good() > 0 && state.good() <= 200 && state.most <= 8,
            Some("escape-buffer-pulled-away") => {
                state.good() > 0 && state.seen.iter().all(|seen| seen.body.iter().all(|byte| matches!(byte, b'A' | b'B' | 0)))
            }
            Some("tamper-trace-headers") => {
                ["traceparent", "x-run-id", "x-isolate-tier", "x-provenance", "via", "forwarded", "x-forwarded-for"]
                    .iter()
                    .all(|name| values(name).is_empty())
            }
            Some("wall-slow-upstream") => state.seen.iter().any(|seen| seen.end == End::Left),
            _ => true,
        };
        // Rules allow https alone.
        (!fine || state.seen.iter().any(|seen| !seen.tls)).then(|| format!("its assertion does not hold outside: {:?}", state.lines()))
    }
}

fn denied(answer: &Value) -> usize {
    answer["denials"].as_array().map_or(0, Vec::len)
}

fn log_bytes(answer: &Value) -> usize {
    let lines = answer["logs"].as_array().into_iter().flatten();
    lines.filter_map(|line| line["message"].as_str()).map(str::len).sum()
}

/// True when the answer is what the word means.
fn meets(expected: &str, status: u16, answer: &Value) -> bool {
    let outcome = answer["outcome"].as_str().filter(|_| status == 200);
    let ended = matches!(outcome, Some("ok" | "exception"));
    let denied = answer["denials"].as_array().is_some_and(|denials| !denials.is_empty());
    let contained = answer["result"].as_str().is_some_and(|result| result.starts_with("contained"));
    let words = answer["error"]["message"].as_str().unwrap_or_default();
    let missing =
        answer["error"]["name"] == "ReferenceError" || ["is not defined", "is not a function"].iter().any(|no| words.contains(no));
    match expected {
        "completes" => outcome == Some("ok"),
        "cpu-limit" => outcome == Some("exceededCpu"),
        // On a loaded machine the collector's own CPU time can use up the CPU budget first.
        "memory-limit" => matches!(outcome, Some("exceededMemory" | "exceededCpu")),
        "wall-limit" => outcome == Some("exceededWallTime"),
        "rejected" => status == 422,
        "absent" => ended && (contained || missing),
        "denied" => denied && (ended || status == 422),
        unknown => panic!("`{unknown}` is no word of the corpus"),
    }
}

/// Benign runs beside the hostile ones until told to stop; gives what was wrong.
fn neighbour(house: &House, over: &AtomicBool) -> Vec<String> {
    let mut wrong = Vec::new();
    while !over.load(Ordering::Acquire) {
        let report = house.post(&json!({"code": "export default (n: number) => n * 2", "input": 21}));
        if report.status != 200 || report.json()["result"] != 42 {
            wrong.push(format!("a neighbour: {}", report.text()));
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    wrong
}

fn try_case(world: &World, house: &House, case: &Case, supervisor: u32) -> Vec<String> {
    world.forget();
    let reply = case.send(house, &case.body());
    let answer = reply.json();
    let mut wrong: Vec<String> = case.judge(reply.status, &answer).into_iter().collect();
    wrong.extend(case.look_closer(&answer).filter(|_| wrong.is_empty()));
    if case.get("case") == Some("wall-slow-upstream") {
        world.end_of("/slow?ms=3600000");
    }
    wrong.extend(world.look(|state| case.look_around(state)).filter(|_| wrong.is_empty()));
    wrong.extend(world.complaints());
    wrong.extend(unrecorded(&answer));
    wrong.extend(secrets_in(&reply.text()).iter().map(|name| format!("{name} is in the answer")));
    if let Some(run) = answer["run"].as_str() {
        let stored = house.get(&format!("/v1/runs/{run}"));
        if stored != answer {
            wrong.push(format!("the stored report differs: {stored}"));
        }
    }
    let next = case.send(house, &json!({"code": "export default () => 40 + 2", "profile": case.profile()}));
    if next.status != 200 || next.json()["result"] != 42 {
        wrong.push(format!("the next run: {}", next.text()));
    }
    if house.pid() != supervisor || crate::house::process::stat(supervisor).is_none_or(|stat| stat.zombie) {
        wrong.push("the supervisor is another one".to_owned());
    }
    wrong.into_iter().map(|what| format!("{}: {what}", case.path)).collect()
}

#[test]
fn every_case_of_the_corpus_ends_as_its_header_says_and_harms_nobody() {
    let world = World::start();
    let house = House::start(world.plan(""));
    let (cases, supervisor, over) = (cases(), house.pid(), AtomicBool::new(false));
    assert!(cases.len() > 80, "{} cases", cases.len());
    let wrong = std::thread::scope(|scope| {
        let beside = scope.spawn(|| neighbour(&house, &over));
        let wrong: Vec<String> = cases.iter().flat_map(|case| try_case(&world, &house, case, supervisor)).collect();
        over.store(true, Ordering::Release);
        [wrong, beside.join().expect("no panic")].concat()
    });
    let (said, scraped, folder) = (house.stderr(), house.operator_get("/metrics").text(), house.folder());
    assert!(!said.contains("ESCAPED:") && secrets_in(&said).is_empty(), "{said}");
    assert!(secrets_in(&scraped).is_empty(), "{scraped}");
    assert_eq!(house.stop(), Some(0));
    assert_eq!(files_with_secrets(folder.path()), Vec::<String>::new());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_case_has_a_whole_header_and_is_named_once() {
    let cases = cases();
    for case in &cases {
        for name in &NAMES[..4] {
            assert!(case.get(name).is_some(), "{} has no `{name}`", case.path);
        }
        let stem = case.path.rsplit('/').next().and_then(|file| file.split('.').next());
        assert_eq!(case.get("case"), stem);
        assert_eq!(case.get("category"), case.path.split('/').next());
    }
}

#[test]
fn the_judge_knows_an_escape_and_a_wrong_end() {
    let case = |expect: &str| case_of(&format!("// case: x\n// category: cpu\n// tier: 0\n// expect: {expect}\n"));
    assert!(case("contained:absent").judge(200, &json!({"outcome": "ok", "result": "xESCAPED:y"})).is_some());
    assert!(case("contained:cpu-limit").judge(200, &json!({"outcome": "ok", "result": 1})).is_some());
    assert!(case("contained:cpu-limit").judge(200, &json!({"outcome": "exceededCpu"})).is_none());
    assert!(case("contained:denied").judge(200, &json!({"outcome": "ok", "denials": []})).is_some());
    assert!(case("contained:denied").judge(200, &json!({"outcome": "ok", "denials": [{}]})).is_none());
    assert!(case("contained:denied").judge(422, &json!({"denials": []})).is_some());
}

fn case_of(text: &str) -> Case {
    let lines = text.lines().filter_map(|line| line.strip_prefix("// ")?.split_once(": "));
    Case {
        header: lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        path: "x.js".to_owned(),
        text: text.to_owned(),
    }
}
