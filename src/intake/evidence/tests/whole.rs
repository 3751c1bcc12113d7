use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// Pieces that programs and attacks are made of.
const PIECES: [&str; 48] = [
    "eval",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "`",
    "${",
    "'",
    "\"",
    "\\u0065",
    "\\x65",
    "/",
    "(a+)+",
    "*",
    "+",
    "=",
    "=>",
    ";",
    "\n",
    "\u{2028}",
    ".constructor",
    ".prototype",
    "__proto__",
    "Function",
    "new ",
    "import(",
    "import ",
    "from ",
    "'./main.ts'",
    "https://a.example",
    "http:",
    "\u{202e}",
    "\u{200d}",
    "а",
    "b",
    "_0x1a2b",
    "ghp_",
    "eyJ",
    "-----BEGIN ",
    "1",
    ",",
    "const ",
    "async ",
    "class A ",
    "```js\n",
    "😀",
];

fn is_sound(modules: &[(&str, &str)], normalise: bool) -> Evidence {
    let order = order(modules, normalise);
    let evidence = examine(&order);
    assert!(evidence.is_plausible(|file| file == order.main || modules.iter().any(|(name, _)| *name == file)));
    for hit in &evidence.hits {
        let source = modules.iter().find(|(name, _)| *name == hit.location.file).expect("a module").1;
        let lines = source.split(['\n', '\r', '\u{2028}', '\u{2029}']).count();
        assert!((1..=lines).contains(&(hit.location.line as usize)) && hit.location.column >= 1, "{hit:?}");
    }
    assert_eq!(examine(&order), evidence, "the same again");
    evidence
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_is_looked_at_and_nothing_panics(text in ".{0,200}", normalise: bool) {
        is_sound(&[("main.ts", &text)], normalise);
    }

    #[test]
    fn any_soup_of_code_is_looked_at_and_nothing_panics(pieces in proptest::collection::vec(0..PIECES.len(), 0..60), normalise: bool) {
        let text: String = pieces.into_iter().map(|at| PIECES[at]).collect();
        is_sound(&[("main.ts", &text), ("b.js", &text)], normalise);
    }

    #[test]
    fn any_literal_and_any_pattern_is_looked_at_and_nothing_panics(text in ".{0,80}") {
        let quoted = serde_json::to_string(&text).expect("a string has a JSON form");
        is_sound(&[("main.ts", &format!("export const a = {quoted} + {quoted}; new RegExp({quoted}); fetch({quoted}); let token = {quoted}; token"))], false);
    }
}

#[test]
fn a_flood_of_one_check_hides_no_other_and_is_counted() {
    let source = format!("{}\nArray.prototype.x = 1", "eval('1')\n".repeat(11));
    let evidence = is_sound(&[("a.ts", &source), ("b.ts", "eval('1')")], false);
    let count = |check: Check| evidence.hits.iter().filter(|hit| hit.check == check).count();
    assert_eq!((count(Check::CodeEval), count(Check::PrototypeTampering)), (Check::HITS_MAX, 1));
    assert_eq!(evidence.more, [(Check::CodeEval, 2)]);
    let exactly = is_sound(&[("a.ts", &"eval('1')\n".repeat(10))], false);
    assert_eq!(exactly.more, []);
    let report = judge(&evidence, Tier::Validated, &BTreeMap::new(), None);
    assert_eq!(
        report.more.iter().map(|more| (more.id, more.severity, more.count)).collect::<Vec<_>>(),
        [(Check::CodeEval, Severity::Reject, 2)]
    );
}

#[test]
fn a_profile_makes_a_check_milder_or_stricter_than_its_tier() {
    let evidence = examine(&order(&[("main.ts", &"eval('1'), fetch('https://1.2.3.4/')\n".repeat(12))], false));
    let judged = |tier, severity| {
        let checks = [(Check::CodeEval, severity), (Check::EgressUrl, severity)];
        let report = judge(&evidence, tier, &checks.into_iter().collect(), None);
        let found: Vec<Severity> = report.findings.iter().map(|finding| finding.severity).collect();
        let more: Vec<Severity> = report.more.iter().map(|more| more.severity).collect();
        (report.passes(), found, more)
    };
    let (tier_0, tier_1) = (Tier::Untrusted, Tier::Validated);
    assert!(Check::CodeEval.severity(tier_0) < Severity::Reject && Check::CodeEval.severity(tier_1) == Severity::Reject);
    assert_eq!(judged(tier_0, Severity::Reject), (false, vec![Severity::Reject; 11], vec![Severity::Reject]));
    assert_eq!(judged(tier_1, Severity::Note), (true, vec![Severity::Note; 11], vec![Severity::Note]));
    assert_eq!(judged(tier_1, Severity::Off), (true, vec![], vec![]));
    let others = judge(&evidence, tier_1, &[(Check::Bidi, Severity::Off)].into_iter().collect(), None);
    assert_eq!(others, judge(&evidence, tier_1, &BTreeMap::new(), None), "what is not named keeps the tier's");
}

#[test]
fn evidence_survives_the_frame_that_carries_it() {
    let evidence = examine(&order(&[("main.ts", "eval('https://evil.example', `\u{202e}`); ".repeat(20).as_str())], false));
    assert!(!evidence.hits.is_empty() && !evidence.urls.is_empty() && !evidence.more.is_empty());
    let bytes = postcard::to_stdvec(&evidence).expect("it is plain data");
    assert_eq!(postcard::from_bytes::<Evidence>(&bytes), Ok(evidence));
}

#[test]
fn what_no_honest_cell_says_is_told_apart() {
    let evidence = examine(&order(&[("main.ts", "eval('https://evil.example')")], false));
    let has = |file: &str| file == "main.ts";
    assert!(evidence.is_plausible(has));
    assert!(!evidence.is_plausible(|_| false), "a module that the artifact lacks");
    let mut many = evidence.clone();
    many.hits = vec![evidence.hits[0].clone(); Check::HITS_MAX + 1];
    assert!(!many.is_plausible(has), "more hits than are kept");
    let mut long = evidence.clone();
    long.hits[0].message = "x".repeat(2001);
    assert!(!long.is_plausible(has), "a long message");
    let mut twice = evidence;
    twice.more = vec![(Check::CodeEval, 1), (Check::CodeEval, 1)];
    assert!(!twice.is_plausible(has), "a count twice");
}

#[test]
fn the_report_is_in_order_and_severities_are_those_of_the_tier() {
    let modules = [("b.ts", "x;\neval('1'); eval('2')"), ("a.ts", "eval('3')")];
    let report = |tier| check(&order(&modules, false), tier, None);
    let findings = report(Tier::Untrusted).findings;
    let told: Vec<_> = findings.iter().map(|f| (f.location.file.as_str(), f.location.line, f.location.column, f.severity)).collect();
    assert_eq!(
        told,
        [("a.ts", 1, 1, Severity::Warn), ("b.ts", 1, 1, Severity::Note), ("b.ts", 2, 1, Severity::Warn), ("b.ts", 2, 12, Severity::Warn)]
    );
    assert!(report(Tier::Untrusted).passes() && !report(Tier::Validated).passes());
}

#[test]
fn a_report_has_a_json_form() {
    let report = check(&order(&[("main.ts", "eval('1')")], false), Tier::Validated, None);
    let expected = serde_json::json!({
        "tier": 1,
        "findings": [{
            "id": "code.eval",
            "severity": "reject",
            "message": "`eval` turns text into code",
            "remediation": "Write the code out, or look functions up in a table.",
            "location": { "file": "main.ts", "line": 1, "column": 1 }
        }],
        "more": []
    });
    assert_eq!(serde_json::to_value(&report).expect("plain data"), expected);
    assert_eq!(serde_json::from_value::<CheckReport>(expected).expect("reads back"), report);
}

#[test]
fn a_report_has_a_sarif_form() {
    let source = format!("{}x", "eval('1');\n".repeat(11));
    let report = check(&order(&[("a b/größe.ts", &source)], false), Tier::Validated, None);
    let sarif = serde_json::to_value(Sarif::of(&report)).expect("plain data");
    let run = &sarif["runs"][0];
    assert_eq!((&sarif["version"], &run["columnKind"]), (&"2.1.0".into(), &"utf16CodeUnits".into()));
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), Check::ALL.len());
    for result in run["results"].as_array().expect("results") {
        let index = result["ruleIndex"].as_u64().expect("an index");
        assert_eq!(rules[index as usize]["id"], result["ruleId"]);
    }
    let first = &run["results"][0];
    assert_eq!((&first["ruleId"], &first["level"]), (&"code.eval".into(), &"error".into()));
    let place = &first["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b/gr%C3%B6%C3%9Fe.ts");
    assert_eq!(place["region"], serde_json::json!({ "startLine": 1, "startColumn": 1 }));
    assert_eq!(run["results"].as_array().expect("results").last().expect("one")["level"], "warning", "the unknown global");
    let notes = &run["invocations"][0]["toolExecutionNotifications"];
    assert_eq!(notes[0]["message"]["text"], "1 more findings of code.eval are not listed");
}

#[test]
fn sources_at_the_limits_are_looked_at_in_time_on_a_main_threads_stack() {
    let shapes = [
        format!("{}1{}", "(".repeat(400), ")".repeat(400)),
        format!("export const a = {}'x'{}", "[".repeat(400), "]".repeat(400)),
        format!("a{}", ".constructor".repeat(2900)),
        format!("a{} = 1", "['__proto__']".repeat(1200)),
        format!("export const a = {}'x'", "'https://a.example/' + ".repeat(2900)),
        format!("export const a = {}'x'{}", "'ghp_' + (".repeat(160), ")".repeat(160)),
        format!("/{}a{}/", "(?:".repeat(400), ")+".repeat(400)),
        format!("/(?:{})*/", "aaaaaaaaaaaaaab|".repeat(10_000)),
        format!("new RegExp('{}')", "(".repeat(10_000)),
        format!("'{}'", "sk-".repeat(100_000)),
        format!("'{}'", "://".repeat(100_000)),
        format!("'{}'", "http://a".repeat(50_000)),
        format!("'{}'", "\\u{".repeat(100_000)),
        format!("// {}", "\u{202e}\n// \u{200b}а b".repeat(30_000)),
        format!("[{}]", "'zGx1C2vUDa',".repeat(30_000)),
        "x\u{430}, ".repeat(50_000),
        "eval(1);".repeat(40_000),
        "(function(){}).constructor('a');".repeat(10_000),
    ];
    let look = move || {
        shapes
            .iter()
            .map(|source| {
                let start = Instant::now();
                let evidence = examine(&order(&[("main.ts", source)], true));
                assert!(evidence.is_plausible(|file| file == "main.ts"));
                (start.elapsed(), source.chars().take(40).collect::<String>())
            })
            .max()
            .expect("shapes")
    };
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(look).expect("a thread");
    let slowest = thread.join().expect("no overflow, no panic");
    // Of a build without optimisation on a busy machine; the cell's CPU budget is what holds in operation.
    assert!(slowest.0 < Duration::from_secs(20), "{slowest:?}");
}
