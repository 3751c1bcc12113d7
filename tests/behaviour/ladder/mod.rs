//! The trust ladder, end to end: people with keys, a folder of policies, a real server.

mod doors;
mod evidence;
mod kills;
mod reload;
mod way;

use crate::house::command::cordon;
use crate::house::{Ask, House, Plan, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

const UNTRUSTED: &str = include_str!("../../../policies/untrusted.toml");
const VALIDATED: &str = include_str!("../../../policies/validated.toml");
const PRODUCTION: &str = include_str!("../../../policies/production.toml");

/// Who has a key, and which role.
const PEOPLE: [(&str, &str); 5] =
    [("agent", "agent"), ("ann", "developer"), ("ben", "developer"), ("olga", "operator"), ("otto", "operator")];

/// A server, and the keys of everybody who asks it.
struct Team {
    house: House,
    tokens: BTreeMap<&'static str, String>,
}

/// The built-in profiles, with two clean runs in place of ten; and a profile of tier 1 whose owner wrote no case.
fn policies() -> Vec<(String, String)> {
    let file = |name: &str, text: &str| (format!("{name}.toml"), text.to_owned());
    let cases = VALIDATED.find("[[case]]").expect("cases");
    vec![
        file("untrusted", UNTRUSTED),
        file("validated", VALIDATED),
        file("production", &production(2)),
        file("bare", &VALIDATED[..cases].replace("name = \"validated\"", "name = \"bare\"")),
    ]
}

/// The built-in profile of tier 2 that asks for `clean_runs`.
fn production(clean_runs: u64) -> String {
    let changed = PRODUCTION.replace("clean_runs = 10 ", &format!("clean_runs = {clean_runs} "));
    assert_ne!(changed, PRODUCTION);
    changed
}

fn key(data: &Path, name: &str, role: &str) -> String {
    let done = cordon(&["key", "new", "--name", name, "--role", role, "--json", "--data", data.to_str().expect("text")]);
    done.json()["token"].as_str().expect("a token").to_owned()
}

impl Team {
    fn start() -> Self {
        Self::with(policies())
    }

    /// With these files as the folder of policies.
    fn with(policies: Vec<(String, String)>) -> Self {
        let house = House::start(Plan { policies: Some(policies), ..Plan::default() });
        let data = house.data();
        let tokens = PEOPLE.into_iter().map(|(name, role)| (name, key(&data, name, role))).collect();
        Self { house, tokens }
    }

    /// Another server on the data folder of one that is gone, for the same people.
    fn again(data: Arc<TempDir>, tokens: BTreeMap<&'static str, String>) -> Self {
        Self { house: House::start(Plan { data: Some(data), policies: Some(policies()), ..Plan::default() }), tokens }
    }

    /// `ask` of `who` on the public listener.
    fn ask(&self, who: &str, ask: Ask) -> Reply {
        self.house.ask(&ask.bearing(&self.tokens[who]))
    }

    /// `ask` of `who` on the operator listener.
    fn at_operator(&self, who: &str, ask: Ask) -> Reply {
        ask.bearing(&self.tokens[who]).send(self.house.operator()).expect("an answer")
    }

    /// The artifact of `code`, as `who` sends it with `manifest`.
    #[track_caller]
    fn shelve(&self, who: &str, code: &str, manifest: &Value) -> String {
        let body = json!({"modules": {"main.ts": code}, "manifest": manifest, "origin": {"agent": who}});
        let reply = self.ask(who, Ask::post("/v1/artifacts", &body).by("PUT"));
        assert!([200, 201].contains(&reply.status), "{}", reply.text());
        reply.json()["artifact"].as_str().expect("an id").to_owned()
    }

    /// `who` asks for a step of the artifact `id`.
    fn step(&self, who: &str, id: &str, step: &str, body: &Value) -> Reply {
        self.ask(who, Ask::post(&format!("/v1/artifacts/{id}/{step}"), body))
    }

    /// A step that must be taken.
    #[track_caller]
    fn takes(&self, who: &str, id: &str, step: &str, body: &Value) -> Value {
        let reply = self.step(who, id, step, body);
        assert_eq!(reply.status, 200, "{who} {step}: {}", reply.text());
        reply.json()
    }

    /// The requirements that a step misses, in the order of the answer, each with what it says.
    #[track_caller]
    fn misses(&self, who: &str, id: &str, step: &str, body: &Value) -> Vec<(String, String)> {
        let reply = self.step(who, id, step, body);
        let problem = reply.json();
        assert!([409, 422].contains(&reply.status), "{who} {step}: {problem}");
        let text = |missing: &Value, member: &str| missing[member].as_str().expect("text").to_owned();
        let missing = problem["missing"].as_array().unwrap_or_else(|| panic!("{problem}"));
        missing.iter().map(|missing| (text(missing, "requirement"), text(missing, "detail"))).collect()
    }

    /// What an operator is told of the artifact.
    #[track_caller]
    fn shown(&self, id: &str) -> Value {
        let reply = self.ask("olga", Ask::get(&format!("/v1/artifacts/{id}")));
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }

    /// A run of `body` that `who` asks for on the public listener.
    fn run(&self, who: &str, body: &Value) -> Reply {
        self.ask(who, Ask::post("/v1/runs", body))
    }

    /// A run of the artifact that must end well; its report.
    #[track_caller]
    fn well(&self, id: &str, input: &Value) -> Value {
        let report = self.run("agent", &json!({"artifact": id, "input": input})).json();
        assert_eq!(report["outcome"], "ok", "{report}");
        report
    }

    /// Takes the artifact up to tier 1, reviewed and run often enough for tier 2.
    #[track_caller]
    fn raise(&self, id: &str) {
        self.takes("ann", id, "validate", &json!({}));
        (0..2).for_each(|_| assert_eq!(self.well(id, &json!(1))["tier"], 1));
        self.takes("ben", id, "reviews", &json!({"verdict": "approve", "comment": "read"}));
    }
}
