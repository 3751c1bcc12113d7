//! Hostile native code inside a cell, in test builds only: probes that try what a sealed cell must not be able to do, and lies to the
//! supervisor. An order names one by its entrypoint, `__probe_network` or `__lie_flood`; one to compile, in its source, `__lie_code_garbage`.

use super::os::attempts;
use crate::model::frame::{self, FromCell, Order, RunEnd, RunOrder};
use crate::model::{CompileOrder, LogLevel, ModuleCache, Outcome};
use std::io::Write;
use std::os::unix::net::UnixStream;

/// Obeys an order whose entrypoint names a probe or a lie; `None` for any other order.
pub(super) fn answer(order: &Order, stream: &UnixStream) -> Option<FromCell> {
    let run = match order {
        Order::Run(run) => run,
        Order::Compile(order) => return lie_of_code(order),
        Order::Prepare(_) | Order::Check(_) => return None,
    };
    if let Some(family) = run.entrypoint.strip_prefix("__probe_") {
        return Some(finished(Outcome::Ok, &report(family)));
    }
    run.entrypoint.strip_prefix("__lie_").map(|lie| tell(lie, run, stream))
}

/// What a compiling cell answers whose source names a lie.
fn lie_of_code(order: &CompileOrder) -> Option<FromCell> {
    let module = order.modules.first()?;
    let (_, lie) = module.code.split_once("__lie_code_")?;
    let cache = |module: &str, bytes: usize| ModuleCache { module: module.to_owned(), bytes: vec![0x5a; bytes].into() };
    let most = usize::try_from(order.cache_bytes).unwrap_or(usize::MAX);
    let name = |lie: &str| lie.chars().take_while(char::is_ascii_lowercase).collect::<String>();
    match name(lie).as_str() {
        "garbage" => Some(FromCell::Compiled(vec![cache(&module.name, 1000)])),
        "foreign" => Some(FromCell::Compiled(vec![cache("another.js", 1000)])),
        "long" => Some(FromCell::Compiled(vec![cache(&module.name, most + 1)])),
        "finished" => Some(finished(Outcome::Ok, "1")),
        _ => None,
    }
}

/// Each attempt and `refused`, or `ESCAPED` and the call's result.
fn report(family: &str) -> String {
    let rows: serde_json::Map<String, serde_json::Value> = attempts::family(family)
        .into_iter()
        .map(|(what, came_out)| (what, came_out.map_or_else(|errno| format!("refused {errno}"), |result| format!("ESCAPED: {result}"))))
        .map(|(what, came_out)| (what, came_out.into()))
        .collect();
    serde_json::Value::Object(rows).to_string()
}

fn finished(outcome: Outcome, result: &str) -> FromCell {
    FromCell::Finished(Box::new(RunEnd::uncounted(outcome, Some(result.to_owned()), None)))
}

fn send(mut stream: &UnixStream, frame: &FromCell) {
    if let Ok(bytes) = frame::encode(frame, frame::TO_CELL_MAX) {
        // A refused write is one of the answers that a lying cell can get.
        let _ = stream.write_all(&bytes);
    }
}

fn tell(lie: &str, run: &RunOrder, mut stream: &UnixStream) -> FromCell {
    let log = |message: String| FromCell::Log { level: LogLevel::Info, message, at_ms: 0 };
    match lie {
        "outcome" => finished(Outcome::KillSwitch, "null"),
        "no_json" => finished(Outcome::Ok, "1,\"outcome\":\"ok\",\"tier\":2"),
        "deep_json" => finished(Outcome::Ok, &format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))),
        "long_result" => finished(Outcome::Ok, &format!("\"{}\"", "x".repeat(run.output_bytes as usize + 1))),
        "long_error" => {
            let text = "x".repeat(200 << 10);
            let FromCell::Finished(mut end) = finished(Outcome::Exception, "null") else { return log(text) };
            end.error = Some(crate::model::GuestError {
                code: text.clone(),
                name: text.clone(),
                message: text.clone(),
                stack: Some(text),
                remediation: String::new(),
            });
            FromCell::Finished(end)
        }
        "prepared" => FromCell::Prepared(Vec::new()),
        "compiled" => {
            let caches = run.modules.iter().map(|module| ModuleCache { module: module.name.clone(), bytes: vec![0x5a; 1000].into() });
            FromCell::Compiled(caches.collect())
        }
        "rejected_twice" => {
            send(stream, &FromCell::CacheRejected);
            send(stream, &FromCell::CacheRejected);
            finished(Outcome::Ok, "1")
        }
        "garbage" => {
            let _ = stream.write_all(&[0x10, 0, 0, 0, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
            finished(Outcome::Ok, "null")
        }
        "huge_frame" => {
            let _ = stream.write_all(&u32::MAX.to_le_bytes());
            finished(Outcome::Ok, "null")
        }
        "half_frame" => {
            let _ = stream.write_all(&[9, 0]);
            std::process::exit(0)
        }
        "flood" => loop {
            send(stream, &log("x".repeat(1000)));
        },
        "denials" => loop {
            send(
                stream,
                &FromCell::Denied(crate::model::Denial {
                    capability: "x".into(),
                    target: "x".into(),
                    rule: "x".into(),
                    reason: "x".into(),
                    remediation: "x".into(),
                }),
            );
        },
        "twice" => {
            send(stream, &finished(Outcome::Ok, "1"));
            finished(Outcome::Ok, "2")
        }
        "spin" => loop {
            std::hint::spin_loop();
        },
        "sleep" => loop {
            std::thread::park();
        },
        // The C library blocks every signal around the clone, so the refusal kills.
        "thread" => match std::thread::Builder::new().spawn(|| ()) {
            Ok(_) => finished(Outcome::Ok, "\"ESCAPED: a thread\""),
            Err(_) => finished(Outcome::Ok, "\"refused\""),
        },
        "fault" => attempts::fault(),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(0),
        "memory" => {
            let mut kept = Vec::new();
            loop {
                kept.push(vec![1u8; 1 << 20]);
                std::hint::black_box(&kept);
            }
        }
        _ => finished(Outcome::Ok, "\"no such lie\""),
    }
}
