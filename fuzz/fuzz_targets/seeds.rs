//! Writes the seed corpus of `from_cell`: one frame of each kind, and one of each kind of fault.

#[path = "../../src/model/mod.rs"]
#[allow(dead_code, unused_imports)]
mod model;

use model::frame::{FromCell, ReadyModule, Rejection, RunEnd, VERSION, encode};
use model::{Denial, GuestError, Location, LogLevel, Outcome};

fn denial() -> Denial {
    let text = |text: &str| text.to_owned();
    Denial {
        capability: text("module"),
        target: text("node:fs"),
        rule: text("modules"),
        reason: text("not a module of the artifact"),
        remediation: text("send the module along"),
    }
}

fn end(outcome: Outcome, result: Option<&str>) -> FromCell {
    let error = result.is_none().then(|| GuestError {
        code: outcome.as_str().to_owned(),
        name: "TypeError".to_owned(),
        message: "x is not a function".to_owned(),
        stack: Some("at main.ts:1:1".to_owned()),
        remediation: "call a function".to_owned(),
    });
    let result = result.map(str::to_owned);
    FromCell::Finished(Box::new(RunEnd {
        outcome,
        result,
        error,
        logs_truncated: 1,
        denials_truncated: 2,
        start_us: 300,
        heap_peak_bytes: 1 << 20,
        external_peak_bytes: 0,
    }))
}

fn frames() -> Vec<(&'static str, FromCell)> {
    let module =
        ReadyModule { name: "main.ts".to_owned(), code: "export default 1".to_owned(), source_map: Some("{\"version\":3}".to_owned()) };
    let rejection = Rejection {
        message: "unexpected token".to_owned(),
        remediation: "close the brace".to_owned(),
        location: Some(Location { file: "main.ts".to_owned(), line: 1, column: 2 }),
        denial: Some(denial()),
    };
    vec![
        ("log", FromCell::Log { level: LogLevel::Warn, message: "hello".to_owned(), at_ms: 3 }),
        ("denied", FromCell::Denied(denial())),
        ("ok", end(Outcome::Ok, Some("{\"ok\":2}"))),
        ("exception", end(Outcome::Exception, None)),
        ("lie", end(Outcome::KillSwitch, None)),
        ("prepared", FromCell::Prepared(vec![module])),
        ("rejected", FromCell::Rejected(rejection)),
        ("out-of-memory", FromCell::OutOfMemory),
        ("dropped", FromCell::Dropped { logs: 64, denials: 1 }),
    ]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/from_cell");
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(format!("seed-{name}")), bytes);
    for (name, frame) in frames() {
        write(name, &encode(&frame, usize::MAX)?)?;
    }
    write("empty", &[0; 4])?;
    write("half", &[9, 0, 0, 0, VERSION, 0])?;
    write("version", &[1, 0, 0, 0, VERSION + 1])?;
    write("too-long", &u32::MAX.to_le_bytes())?;
    write("left-over", &[3, 0, 0, 0, VERSION, 5, 0])?;
    Ok(())
}
