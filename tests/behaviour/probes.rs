//! Hostile native code inside a cell: it tries what a sealed process must not be able to do. Debug builds only; a release build has no probes.
#![cfg(debug_assertions)]

use crate::house::{House, process, shared};
use serde_json::{Value, json};

/// What each attempt of a family came to.
fn probe(house: &House, family: &str, profile: &str) -> serde_json::Map<String, Value> {
    let supervisor = house.pid();
    let entrypoint = format!("__probe_{family}");
    let report = std::thread::scope(|scope| {
        let sibling = scope.spawn(|| {
            let code = "export default () => new Promise((done) => setTimeout(() => done('sibling'), 300))";
            house.run(&json!({"code": code, "profile": profile}))
        });
        let report = house.run(&json!({"code": "export default 1", "entrypoint": entrypoint, "profile": profile}));
        assert_eq!(sibling.join().expect("no panic")["result"], "sibling");
        report
    });
    assert_eq!(report["outcome"], "ok", "{report}");
    assert!(process::stat(supervisor).is_some_and(|stat| !stat.zombie), "the supervisor stands");
    house.assert_well(profile);
    report["result"].as_object().expect("attempts by name").clone()
}

/// Every attempt of the family, at every tier, was refused, save those that `known` names.
#[track_caller]
fn refused(family: &str, least: usize) {
    let house = shared();
    for profile in ["untrusted", "validated", "production"] {
        let attempts = probe(&house, family, profile);
        assert!(attempts.len() >= least, "{attempts:?}");
        let came_through: Vec<_> = attempts.iter().filter(|(_, end)| !end.as_str().is_some_and(|end| end.starts_with("refused"))).collect();
        assert!(came_through.is_empty(), "{profile}: {came_through:?}");
    }
}

#[test]
fn a_cell_reaches_no_network() {
    refused("network", 10);
}

#[test]
fn a_cell_reaches_no_file_and_no_name_of_one() {
    refused("files", 16);
}

#[test]
fn a_cell_starts_no_program_process_or_thread_and_reads_no_memory_but_its_own() {
    refused("programs", 11);
}

#[test]
fn a_cell_signals_neither_siblings_nor_zygote_nor_supervisor() {
    refused("signals", 20);
}

#[test]
fn a_cell_has_one_descriptor_besides_the_standard_ones_and_makes_no_other() {
    refused("descriptors", 11);
}

#[test]
fn a_cell_reaches_no_rare_door_of_the_kernel() {
    refused("kernel", 15);
}

#[test]
fn a_cell_raises_no_limit_of_its_own_or_of_others() {
    refused("limits", 6);
}

#[test]
fn a_cell_inherits_no_descriptor_of_whoever_started_the_server() {
    // A shell hands on what it has open; the file stands for a database, a socket, a key.
    let folder = crate::house::folder();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "secret").expect("written");
    let script = r#"exec 9<"$1"; exec "$2" run --json --entrypoint __probe_descriptors --data "$3" -"#;
    let mut command = std::process::Command::new("sh");
    let arguments = [secret.to_str(), Some(crate::house::CORDON), folder.path().join("data").to_str()]
        .map(|argument| argument.expect("text").to_owned());
    crate::house::command::without_settings(&mut command).args(["-c", script, "sh"]).args(arguments);
    let done = command.stdin(std::process::Stdio::null()).output().expect("sh starts");
    let report: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|error| panic!("{error} in {done:?}"));
    let open: Vec<_> =
        report["result"].as_object().expect("attempts").iter().filter(|(what, _)| what.starts_with("open descriptors")).collect();
    assert!(matches!(open[..], [(_, end)] if end == "refused 0"), "{open:?}");
}
