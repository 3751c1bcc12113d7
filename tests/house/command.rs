//! The command line, as a person or a program calls it.

use super::{CORDON, PATIENCE, eventually, read_all};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Done {
    /// The exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Done {
    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// No setting of whoever runs the tests reaches the program.
pub(crate) fn without_settings(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CORDON_")) {
        command.env_remove(name);
    }
    command
}

/// Runs `cordon` with `arguments`.
pub(crate) fn cordon(arguments: &[&str]) -> Done {
    cordon_with(arguments, "", &[])
}

/// Runs `cordon` with `arguments`, `input` on standard input and `variables`.
pub(crate) fn cordon_with(arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Done {
    let mut command = Command::new(CORDON);
    without_settings(&mut command).args(arguments).env("CORDON_LOG", "error").envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("cordon starts");
    // A command that does not read its input may close it first.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let stdout = std::thread::spawn(move || read_all(stdout));
    let stderr = std::thread::spawn(move || read_all(stderr));
    let started = Instant::now();
    let status = eventually("the command ends", || {
        if started.elapsed() + std::time::Duration::from_secs(1) > PATIENCE {
            let _ = child.kill();
        }
        child.try_wait().expect("a child")
    });
    Done { code: status.code(), stdout: stdout.join().expect("read"), stderr: stderr.join().expect("read") }
}

/// `cordon audit verify` on a data folder: whether it holds, and the verdict.
#[track_caller]
pub(crate) fn verify(data: &Path) -> (Option<i32>, Value) {
    let done = cordon(&["audit", "verify", "--json", "--data", data.to_str().expect("text")]);
    assert!(!done.stdout.is_empty(), "{done:?}");
    (done.code, done.json())
}
