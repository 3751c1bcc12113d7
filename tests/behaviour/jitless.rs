//! A profile without a JIT: its own zygote, and no memory that becomes executable.

use crate::house::command::cordon;
use crate::house::{House, Plan};
#[cfg(debug_assertions)]
use serde_json::Value;
use serde_json::json;

/// What a trapped call answers.
#[cfg(debug_assertions)]
const EPERM: i32 = 1;

const UNTRUSTED: &str = "name = \"untrusted\"\ntier = 0\ndescription = \"d\"\n[limits]\ncpu_ms = 500\nwall_ms = 5000\nmemory_mb = 64\n";

fn profiles() -> Vec<(String, String)> {
    let careful = UNTRUSTED.replace("untrusted", "careful");
    let jitless = format!("jitless = true\nrequire_hardening = [\"no_new_code\"]\n{careful}");
    vec![("untrusted.toml".to_owned(), UNTRUSTED.to_owned()), ("careful.toml".to_owned(), jitless)]
}

fn house() -> House {
    House::start(Plan { policies: Some(profiles()), ..Plan::default() })
}

#[test]
fn a_jitless_profile_runs_the_same_code_under_another_identity() {
    let house = house();
    let code = "export default (n: number) => {
        let sum = 0;
        for (let i = 0; i < 2e5; i++) sum += i % n;
        return [sum, 'a1b22'.replace(/\\d+/g, '#'), structuredClone(new Map([[1, [2]]])).get(1), [3, 1, 2].sort()];
    }";
    let run = |profile: &str| house.run(&json!({"code": code, "input": 7, "profile": profile}));
    let (with, without) = (run("untrusted"), run("careful"));
    assert_eq!(with["result"], json!([599_994, "a#b#", [2], [1, 2, 3]]), "{with}");
    assert_eq!((&without["outcome"], &without["result"]), (&json!("ok"), &with["result"]), "{without}");
    assert_eq!(with["artifact"], without["artifact"]);
    assert_ne!(with["identity"], without["identity"]);
    let endless = house.run(&json!({"code": "for (;;);", "profile": "careful", "limits": {"cpuMs": 20}}));
    assert_eq!(endless["outcome"], "exceededCpu", "{endless}");
}

#[test]
fn the_doctor_tells_which_zygote_makes_code() {
    let house = house();
    let folder = house.folder();
    let policies = folder.path().join("policies");
    let done = cordon(&["doctor", "--json", "--policies", policies.to_str().expect("text")]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let tiers = &done.json()["tiers"];
    let state =
        |kind: &str| tiers[kind]["hardening"]["no_new_code"].as_str().map(|state| state.split(':').next().unwrap_or_default().to_owned());
    assert_eq!((state("0"), state("0 jitless")), (Some("off".to_owned()), Some("enforced".to_owned())));
    assert!(tiers["0 jitless"]["v8Flags"].as_str().is_some_and(|flags| flags.contains("--jitless")), "{tiers}");
    assert!(!tiers["0"]["v8Flags"].as_str().is_some_and(|flags| flags.contains("--jitless")), "{tiers}");
}

#[test]
#[cfg(debug_assertions)]
fn a_jitless_cell_makes_no_memory_executable() {
    let house = house();
    let attempts = |profile: &str| house.run(&json!({"code": "1", "entrypoint": "__probe_code", "profile": profile}))["result"].clone();
    let refused = |end: &Value| end == &json!(format!("refused {EPERM}"));
    let careful = attempts("careful");
    assert_eq!(careful.as_object().map(|attempts| attempts.values().filter(|end| refused(end)).count()), Some(3), "{careful}");
    // Where V8 compiles, the same is allowed: the probe itself works.
    assert!(!refused(&attempts("untrusted")["map executable memory"]));
}
