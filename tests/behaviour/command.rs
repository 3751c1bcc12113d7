//! The command line, and what is left behind.

use crate::house::command::{cordon, cordon_with, without_settings};
use crate::house::{Ask, CORDON, House, Plan, eventually, folder, heavy, process};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

#[test]
fn run_prints_the_result_and_its_exit_code_follows_the_outcome() {
    let _alone = heavy();
    let run = |code: &str| cordon_with(&["run", "-", "--input", "{\"n\": 20}"], code, &[]);
    let good = run("export default (input: { n: number }) => input.n + 1");
    assert_eq!((good.code, good.stdout.trim()), (Some(0), "21"), "{}", good.stderr);
    let bad = run("export default () => { throw new TypeError('no'); }");
    assert_eq!((bad.code, bad.stdout.as_str()), (Some(1), ""));
    assert!(bad.stderr.contains("TypeError: no") && bad.stderr.contains("help: "), "{}", bad.stderr);
    let refused = run("export default {");
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert_eq!(cordon(&["run", "/no/such/file.ts"]).code, Some(2));
    assert_eq!(cordon(&["run", "-", "--input", "{"]).code, Some(2));
    let unknown = cordon(&["serve", "--lisen", "x", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&unknown.stderr).expect("JSON on stderr");
    assert_eq!((unknown.code, &told["exit"]), (Some(2), &json!(2)), "{told}");
    assert!(told["error"].as_str().is_some_and(|error| error.contains("--lisen")), "{told}");
}

#[test]
fn what_a_run_asked_for_becomes_rules_that_load_once_somebody_has_said_why() {
    let _alone = heavy();
    let code = "export default async () => { for (const path of ['orders/1', 'orders/2']) await fetch(`https://api.example/v1/${path}`).catch(() => {}); }";
    let done = cordon_with(&["run", "--learn", "-"], code, &[]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(done.stdout.contains("host = \"api.example\"") && done.stdout.contains("path_prefix = \"/v1/orders\""), "{}", done.stdout);
    let serve = |rules: &str| {
        let head = "name = \"orders\"\ntier = 1\ndescription = \"learned\"\n[limits]\ncpu_ms = 100\nwall_ms = 1000\nmemory_mb = 32\nsub_requests = 5\n";
        let orders = format!("{head}[egress]\nmode = \"allowlist\"\n{rules}");
        let file = |name: &str, text: String| (name.to_owned(), text);
        let policies =
            Some(vec![file("untrusted.toml", include_str!("../../policies/untrusted.toml").to_owned()), file("orders.toml", orders)]);
        std::panic::catch_unwind(|| House::start(Plan { policies, ..Plan::default() }))
    };
    assert!(serve(&done.stdout).is_err(), "a rule without a reason");
    let house = serve(&done.stdout.replace("reason = \"\"", "reason = \"orders are read\"")).expect("the rules load");
    let profiles = house.get("/v1/capabilities")["profiles"].clone();
    let orders = profiles.as_array().and_then(|all| all.iter().find(|profile| profile["name"] == "orders")).expect("the profile");
    assert_eq!(orders["egress"]["rules"][0]["pathPrefix"], "/v1/orders");
}

#[test]
fn guests_cannot_steer_the_terminal() {
    let _alone = heavy();
    let steer = "export default () => { console.log('\\u001b[2J\\u009b1m\\u202e'); return '\\u009b\\u202e\\u2066'; }";
    let done = cordon_with(&["run", "-"], steer, &[]);
    assert_eq!((done.code, done.stdout.trim()), (Some(0), r#""\u009b\u202e\u2066""#));
    assert!(!done.stderr.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{:?}", done.stderr);
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let _alone = heavy();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
    let mut command = Command::new(CORDON);
    let done = without_settings(&mut command).args(["doctor", "--json"]).stdout(full).stderr(Stdio::piped()).output().expect("runs");
    assert_eq!(done.status.code(), Some(1), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn a_server_whose_stderr_is_full_answers_and_stops_in_order() {
    let _alone = heavy();
    let data = folder();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
    let mut command = Command::new(CORDON);
    command.args(["serve", "--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0", "--data"]).arg(data.path().join("data"));
    without_settings(&mut command).env("CORDON_LOG", "info").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(full);
    let house = House::from_command(command, data);
    assert_eq!(house.code("export default 1")["result"], 1);
    assert_eq!(house.operator_get("/readyz").status, 200);
    assert_eq!(house.stop(), Some(0));
}

#[test]
fn commands_find_the_server_on_every_address_and_pass_over_one_that_is_gone() {
    let _alone = heavy();
    let house = House::start(Plan::default());
    let (data, _kept) = (house.data().to_str().expect("a path").to_owned(), house.folder());
    assert_eq!(cordon(&["key", "new", "--name", "ops", "--role", "operator", "--data", &data]).code, Some(0));
    assert_eq!(house.stop(), Some(0));
    let exposed = House::start(Plan { data: None, operator_listen: Some("0.0.0.0:0".to_owned()), copy_of: Some(data), ..Plan::default() });
    let data = exposed.data().to_str().expect("a path").to_owned();
    let list = cordon(&["key", "list", "--json", "--data", &data]);
    assert_eq!((list.code, &list.json()["keys"][0]["name"]), (Some(0), &json!("ops")), "{}", list.stderr);
    // Killed, its file left, its number given to a process that lives.
    let left = exposed.kill();
    let file = left.path().join("data/server.json");
    let mut server: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("server.json")).expect("JSON");
    server["pid"] = json!(std::process::id());
    std::fs::write(&file, server.to_string()).expect("written");
    let list = cordon(&["key", "list", "--json", "--data", &data]);
    assert_eq!((list.code, &list.json()["keys"][0]["name"]), (Some(0), &json!("ops")), "{}", list.stderr);
}

#[test]
fn a_data_folder_is_its_owners_alone_and_verifying_makes_none() {
    let _alone = heavy();
    let parent = folder();
    let data = parent.path().join("data");
    std::fs::create_dir(&data).expect("made");
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).expect("set");
    let path = data.to_str().expect("a path");
    let empty = cordon(&["audit", "verify", "--data", path]);
    assert_eq!((empty.code, std::fs::read_dir(&data).map(Iterator::count).ok()), (Some(2), Some(0)), "{}", empty.stdout);
    assert_eq!(cordon(&["key", "new", "--name", "a", "--role", "agent", "--data", path]).code, Some(0));
    for folder in [data.clone(), data.join("sled"), data.join("journal")] {
        let mode = std::fs::metadata(&folder).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o700, "{}", folder.display());
    }
    let twice = cordon(&["key", "new", "--name", "a", "--role", "agent", "--data", path]);
    assert_eq!(twice.code, Some(2), "bad use: {}", twice.stderr);
}

#[test]
fn runs_under_way_when_their_zygote_dies_are_answered_and_sealed_as_our_fault() {
    let _alone = heavy();
    let house = House::start(Plan::default());
    let waits = json!({"code": "export default () => new Promise((done) => setTimeout(done, 4000))"});
    house.run(&json!({"code": waits["code"], "limits": {"wallMs": 1}}));
    let reports: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| house.post(&waits))).collect();
        eventually("the runs are under way", || (house.metric("cordon_admission_running") >= 4.0).then_some(()));
        eventually("in cells of their own", || (house.metric("cordon_cells{tier=\"0\",state=\"running\"}") >= 4.0).then_some(()));
        for zygote in process::zygotes(house.pid()) {
            process::signal(zygote, "KILL");
        }
        runs.into_iter().map(|run| run.join().expect("no panic")).collect()
    });
    for reply in reports {
        assert_eq!((reply.status, &reply.json()["outcome"]), (200, &json!("internalError")), "{}", reply.text());
    }
    assert!(!house.stderr().contains("panicked"), "{}", house.stderr());
    eventually("another zygote serves", || {
        let reply = house.post(&json!({"code": "export default 42"}));
        (reply.status == 200 && reply.json()["result"] == 42).then_some(())
    });
    assert_eq!(house.metric("cordon_trace_complete_ratio"), 1.0);
}

#[test]
fn refusals_that_nobody_answers_for_cannot_fill_the_log() {
    let _alone = heavy();
    let house = House::start(Plan::default());
    let before = house.metric("cordon_provenance_records_total");
    for _ in 0..300 {
        let reply = house.ask(&Ask::get("/v1/runs").with("origin", "https://evil.example"));
        assert_eq!(reply.status, 403);
    }
    eventually("all are counted", || (house.metric("cordon_refusals_total{code=\"foreignOrigin\"}") >= 300.0).then_some(()));
    let recorded = house.metric("cordon_provenance_records_total") - before;
    assert!((100.0..200.0).contains(&recorded), "{recorded} records of 300 refusals");
}

#[test]
fn a_refusal_before_the_body_says_that_the_connection_ends() {
    let _alone = heavy();
    let house = House::start(Plan::default());
    let wrong = Ask::post_text("/v1/runs", "x".repeat(100_000)).with("content-type", "text/plain");
    let reply = house.ask(&wrong);
    assert_eq!((reply.status, reply.header("connection")), (400, Some("close")), "{}", reply.text());
    // One that was read to its end does not.
    let kept = house.ask(&Ask::post("/v1/runs", &json!({"code": 1})).staying());
    assert_eq!((kept.status, kept.header("connection")), (400, None), "{}", kept.text());
}
