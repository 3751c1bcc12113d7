//! What went wrong, for people on a terminal and for programs.

use crate::config::ConfigErrors;
use crate::model::{Problem, ProblemCode};
use miette::{Diagnostic, GraphicalReportHandler};
use std::fmt;
use std::process::ExitCode;

/// A command that could not do what it was told, with the mend.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    mend: String,
    exit: u8,
}

impl Failure {
    /// Caused by the machine, the disk, or Cordon itself.
    pub(super) fn machine(message: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { message: message.into(), mend: mend.into(), exit: super::NO }
    }

    /// Caused by how the command was called, or by a file that it was given.
    pub(super) fn bad_use(message: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { message: message.into(), mend: mend.into(), exit: super::BAD_USE }
    }

    /// The same as a checked no: what was asked for is not there, and the command was called rightly.
    pub(super) fn checked(self) -> Self {
        Self { exit: super::NO, ..self }
    }

    /// Prints it on stderr and gives the exit code.
    pub(super) fn tell(&self, json: bool) -> ExitCode {
        let text = if json { self.json() } else { self.pretty() };
        // Nobody is left to tell when stderr is closed.
        let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
        ExitCode::from(self.exit)
    }

    /// Each thing that went wrong, with its place and mend, in one line.
    pub(super) fn lines(&self) -> Vec<String> {
        let one = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        self.message.split("\n\n").map(one).filter(|line| !line.is_empty()).collect()
    }

    fn json(&self) -> String {
        format!("{}\n", serde_json::json!({"error": self.message, "remediation": self.mend, "exit": self.exit}))
    }

    fn pretty(&self) -> String {
        let mut text = String::new();
        // Writing to a string fails only if the handler itself does; then the plain words must do.
        if GraphicalReportHandler::new().render_report(&mut text, self).is_err() {
            text = format!("{}\n  help: {}\n", self.message, self.mend);
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl Diagnostic for Failure {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.mend))
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::bad_use(format!("the configuration has mistakes\n{errors}"), "mend each of them; none of it was applied")
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let place = problem.location.map(|at| format!(" ({}:{}:{})", at.file, at.line, at.column)).unwrap_or_default();
        let exit = match problem.code {
            ProblemCode::InvalidRequest | ProblemCode::NotFound => super::BAD_USE,
            _ => super::NO,
        };
        Self { message: format!("{}: {}{place}", problem.title, problem.detail), mend: problem.remediation, exit }
    }
}
