//! A process that is killed in the middle of its work, again and again.

use super::house::{intent, open_store, report};
use crate::model::Durability::{Batched, Strict};
use crate::model::{Outcome, RunId};
use crate::provenance::{Log, record_at, row, verify};
use crate::store::Batch;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const FOLDER: &str = "CORDON_TEST_KILLED_WRITER";
const ROUNDS: u32 = 25;

/// Not a test of its own: the process that is killed. It says what it was told is stored.
#[test]
#[ignore = "started by the test below"]
fn the_killed_writer() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let store = crate::store::Store::open(
        Path::new(&folder),
        crate::store::Options { cache_bytes: 1 << 20, segment_bytes_max: 64 << 10, ..crate::store::Options::default() },
    );
    let (log, _) = Log::open(store.expect("opens").0).expect("opens");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        let tasks: Vec<_> = (0..4).map(|task| tokio::spawn(write_for_ever(log.clone(), task))).collect();
        for task in tasks {
            task.await.expect("never ends");
        }
    });
}

async fn write_for_ever(log: Log, task: u32) {
    for number in 0u64.. {
        let durability = if task == 0 && number % 5 == 0 { Strict } else { Batched };
        let intent = intent(RunId::now());
        let intended = log.intend(intent.clone(), crate::store::Batch::new(), durability).await.expect("stored");
        say("intent", intended.appended().expect("open").sequence, intent.run);
        let sealed = intended.seal(report(&intent, Outcome::Ok), None, Batch::new(), durability).await.expect("sealed");
        say("seal", sealed.provenance.sequence, intent.run);
    }
}

fn say(kind: &str, sequence: u64, run: RunId) {
    let line = format!("\n{kind} {sequence} {run}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).expect("told");
}

#[test]
fn killed_at_any_moment_nothing_acknowledged_is_lost_the_tree_verifies_and_every_intent_is_sealed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut told = Vec::new();
    let mut recovered_in_all = 0;
    for round in 0..ROUNDS {
        told.extend(kill_after(folder.path(), round));
        let (log, recovered) = Log::open(open_store(folder.path())).expect("opens");
        recovered_in_all += recovered.len();
        for (kind, sequence, run) in &told {
            let (stored, _) = record_at(log.store(), *sequence).expect("reads").unwrap_or_else(|| panic!("record {sequence} is lost"));
            let row = row(log.store(), *run).expect("reads").expect("a row");
            match kind.as_str() {
                "intent" => assert_eq!((row.intent_sequence, stored.sequence), (*sequence, *sequence)),
                _ => assert_eq!((row.provenance.map(|seal| seal.sequence), row.outcome), (Some(*sequence), Some(Outcome::Ok))),
            }
        }
        let verdict = verify(log.store()).expect("reads");
        assert!(verdict.holds(), "{verdict:?}");
        assert_eq!((verdict.open, verdict.intents), (0, verdict.seals));
    }
    println!("{} acknowledgements, {recovered_in_all} runs recovered, {ROUNDS} kills", told.len());
    assert!(told.len() as u32 > ROUNDS && recovered_in_all > 0, "the kills came before anything happened");
}

/// Lets a writer work until it has said a few things, and then a moment more that differs each round; kills it; returns what it said.
fn kill_after(folder: &Path, round: u32) -> Vec<(String, u64, RunId)> {
    // Not by name: the file may have been built anew since this process started.
    let mut child = Command::new("/proc/self/exe")
        .args(["--exact", "provenance::tests::kill::the_killed_writer", "--ignored", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let (send, lines) = mpsc::channel();
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let reader = std::thread::spawn(move || {
        let mut line = Vec::new();
        // A last line without its end was cut by the kill: it says nothing.
        while output.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) && line.ends_with(b"\n") {
            if let Some(said) = parse(&String::from_utf8_lossy(&line)) {
                send.send(said).expect("taken");
            }
            line.clear();
        }
    });
    let mut said = vec![lines.recv_timeout(Duration::from_secs(60)).expect("the writer says something")];
    let moment = std::time::Instant::now() + Duration::from_micros(u64::from(round) * 7_919 % 120_000);
    while let Ok(more) = lines.recv_timeout(moment.saturating_duration_since(std::time::Instant::now())) {
        said.push(more);
    }
    child.kill().expect("killed");
    child.wait().expect("ends");
    reader.join().expect("ends");
    said.extend(lines.try_iter());
    said
}

fn parse(line: &str) -> Option<(String, u64, RunId)> {
    let mut words = line.split_whitespace();
    let (kind, sequence, run) = (words.next()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    ["intent", "seal"].contains(&kind).then(|| (kind.to_owned(), sequence, run))
}
