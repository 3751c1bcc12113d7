//! Outbound requests, end to end: real cells, a real server, origins on loopback.

mod bodies;
mod ends;
mod limits;
mod records;
mod redirects;
mod secrets;
mod served;
mod trial;
mod world;

use crate::house::world::World;
use crate::house::{Ask, House, eventually};
use serde_json::{Value, json};

/// A server in its world. The server goes first.
struct Scene {
    house: House,
    world: World,
}

impl Scene {
    /// Starts both, the server with these lines in `[egress]` besides.
    fn start(egress: &str) -> Self {
        let world = World::start();
        let house = House::start(world.plan(egress));
        Self { house, world }
    }

    /// The report of a run of the function body `code` under `profile`.
    #[track_caller]
    fn run(&self, profile: &str, code: &str) -> Value {
        self.house.run(&ask(profile, code))
    }

    /// The result of a run that must end well.
    #[track_caller]
    fn result(&self, profile: &str, code: &str) -> Value {
        let report = self.run(profile, code);
        assert_eq!(report["outcome"], "ok", "{report}");
        report["result"].clone()
    }

    /// The stored report of a run, once it is sealed.
    #[track_caller]
    fn sealed(&self, run: &str) -> Value {
        eventually("the run is sealed", || {
            let reply = self.house.ask(&Ask::get(&format!("/v1/runs/{run}")));
            (reply.status == 200).then(|| reply.json()).filter(|report| report["outcome"].is_string())
        })
    }
}

/// A run of the function body `code` under `profile`.
fn ask(profile: &str, code: &str) -> Value {
    json!({"code": format!("export default async (input, env, ctx) => {{ {code} }}"), "profile": profile})
}

/// Rows of the ledger of `report`: path, status, and the code of what went wrong.
fn rows(report: &Value) -> Vec<(String, u64, Option<String>)> {
    let rows = report["egress"].as_array().unwrap_or_else(|| panic!("{report}"));
    let path = |row: &Value| row["url"].as_str().and_then(|url| url.split_once(".example")).map(|(_, path)| path.to_owned());
    let row =
        |row: &Value| (path(row).unwrap_or_default(), row["status"].as_u64().unwrap_or_default(), row["error"].as_str().map(str::to_owned));
    rows.iter().map(row).collect()
}

/// Codes of rows whose request was refused by policy.
const REFUSED: [&str; 13] = [
    "egressDenied",
    "badTarget",
    "schemeDenied",
    "portDenied",
    "methodDenied",
    "pathDenied",
    "addressDenied",
    "redirectDenied",
    "headerDenied",
    "noFixture",
    "secretDenied",
    "ruleExhausted",
    "tooManyRequests",
];

/// Each request that was refused has a row of the ledger and a denial in the answer, or is counted where the answer has no more room.
pub(super) fn unrecorded(answer: &Value) -> Option<String> {
    let rows = answer["egress"].as_array().into_iter().flatten();
    let rows = rows.filter(|row| row["error"].as_str().is_some_and(|error| REFUSED.contains(&error))).count();
    let told = answer["denials"].as_array().into_iter().flatten();
    let told = told.filter(|denial| matches!(denial["capability"].as_str(), Some("egress" | "secret"))).count();
    let fits = if answer["denialsTruncated"].as_u64() > Some(0) { rows > 0 || told == 0 } else { rows == told };
    (!fits).then(|| format!("{rows} rows and {told} denials tell of refused requests: {answer}"))
}
