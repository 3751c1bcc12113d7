//! `cordon run FILE`: one run on the same engine, without a server.

use super::cli::Run;
use super::failure::Failure;
use super::house;
use super::local::print_line;
use crate::config::{Config, Overrides};
use crate::egress::learn;
use crate::model::{Artifact, Door, LimitsRequest, ModuleName, Origin, Outcome, Principal, RunReport, RunRequest, RunSource};
use crate::run::cancellation;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Longest source read from standard input or a file, in bytes; profiles allow less.
const SOURCE_BYTES_MAX: u64 = 64 << 20;

/// Runs the file and prints its result; exit code 0 when the outcome is `ok`, 1 otherwise.
pub(super) fn run(options: &Run, json: bool) -> Result<ExitCode, Failure> {
    let overrides = Overrides { config: options.config.clone(), policies: options.policies.clone(), ..Overrides::default() };
    let mut config = Config::load(&overrides, |name| std::env::var(name).ok())?;
    super::log_to_stderr(&mut config)?;
    let request = request(options)?;
    let data = DataFolder::choose(options.data.clone())?;
    // One run needs one cell of each kind.
    for idle in [&mut config.pool.untrusted, &mut config.pool.validated, &mut config.pool.production, &mut config.pool.intake] {
        *idle = 1;
    }
    let log = house::open_log(data.path())?;
    let closing = log.clone();
    let runtime = super::runtime()?;
    let answer = runtime.block_on(async {
        let keys = Arc::new(house::open_keys(&log)?);
        let house = house::furnish(&config, log, keys, &[]).await?;
        let (_guard, cancel) = cancellation();
        let answer = house.conduct.submit(Principal::local(), request, None, cancel).await?;
        house.conduct.parts().cells.stop();
        Ok::<_, Failure>(answer.body)
    });
    drop(runtime);
    closing.store().close().map_err(|error| Failure::machine(error.to_string(), "check the data folder's disk"))?;
    let body = answer?;
    let report: RunReport = serde_json::from_slice(&body).map_err(|error| Failure::machine(error.to_string(), "report this"))?;
    if json {
        print_line(&String::from_utf8_lossy(&body))?;
    } else {
        tell(&report);
        if options.learn {
            print_line(learn(&report.egress).trim_end())?;
        } else if report.outcome == Outcome::Ok {
            print_result(&report)?;
        }
    }
    Ok(if report.outcome == Outcome::Ok { ExitCode::SUCCESS } else { ExitCode::from(super::NO) })
}

fn request(options: &Run) -> Result<RunRequest, Failure> {
    let input = RawValue::from_string(options.input.clone())
        .map_err(|error| Failure::bad_use(format!("--input is not JSON: {error}"), "quote it for the shell, as in --input '{\"a\":1}'"))?;
    Ok(RunRequest {
        // Whoever runs this command operates the machine that it runs on.
        door: Door::Operator,
        source: RunSource::Inline(artifact(&options.file)?),
        input,
        entrypoint: options.entrypoint.clone(),
        profile: options.profile.clone(),
        limits: LimitsRequest::default(),
        origin: Origin::default(),
        traceparent: None,
        served: false,
    })
}

/// The artifact of a file, or of standard input.
pub(super) fn artifact(file: &Path) -> Result<Artifact, Failure> {
    let fault = |error: std::io::Error| {
        Failure::bad_use(format!("{} cannot be read: {error}", file.display()), "name a file of UTF-8 text, or - for standard input")
    };
    if file == Path::new("-") {
        let mut code = String::new();
        std::io::stdin().take(SOURCE_BYTES_MAX).read_to_string(&mut code).map_err(fault)?;
        return Ok(Artifact::snippet(code));
    }
    let code = std::fs::read_to_string(file).map_err(fault)?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let wrong = |error: crate::model::ArtifactError| Failure::bad_use(error.to_string(), "rename the file");
    let name = ModuleName::try_from(name).map_err(wrong)?;
    Artifact::new(BTreeMap::from([(name.clone(), code)]), name).map_err(wrong)
}

/// The folder for the record: the one asked for, or one that goes away.
pub(super) struct DataFolder {
    path: PathBuf,
    temporary: bool,
}

impl DataFolder {
    /// The folder `asked` for, or a new one.
    pub(super) fn choose(asked: Option<PathBuf>) -> Result<Self, Failure> {
        if let Some(path) = asked {
            return Ok(Self { path, temporary: false });
        }
        let path = std::env::temp_dir().join(format!("cordon-run-{}", crate::model::RunId::now()));
        std::fs::create_dir(&path)
            .map_err(|error| Failure::machine(format!("{} cannot be made: {error}", path.display()), "set TMPDIR to a writable folder"))?;
        Ok(Self { path, temporary: true })
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        if self.temporary {
            // What cannot be removed stays in the folder for temporary files, which the system cleans.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Logs, denials and the error, on stderr.
fn tell(report: &RunReport) {
    let mut text = String::new();
    for line in &report.logs {
        text.push_str(&format!("[{:?}] {}\n", line.level, line.message));
    }
    for denial in &report.denials {
        text.push_str(&format!("denied {} {}: {}\n  help: {}\n", denial.capability, denial.target, denial.reason, denial.remediation));
    }
    if let Some(error) = &report.error {
        text.push_str(&format!("{}: {}: {}\n", report.outcome, error.name, error.message));
        text.extend(error.stack.iter().map(|stack| format!("{stack}\n")));
        text.push_str(&format!("  help: {}\n", error.remediation));
    }
    let _ = std::io::Write::write_all(&mut std::io::stderr(), harmless(&text).as_bytes());
}

/// `text` without the characters by which a guest could steer a terminal, or its reader's eye.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(|c| if steers(c) && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// `text` as one line that is [`harmless`]: a line of somebody else's text never looks like one of ours.
pub(super) fn one_line(text: &str) -> String {
    harmless(&text.replace('\n', " "))
}

/// The result, on stdout.
fn print_result(report: &RunReport) -> Result<(), Failure> {
    // In JSON such characters can only stand in strings, where their escaped form means the same.
    let escaped = |c: char| if steers(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    print_line(&report.result.get().chars().map(escaped).collect::<String>())
}

/// True for control characters and for those that change the direction of text.
fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
