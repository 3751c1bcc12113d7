//! The roof: the command line, the wiring of the rooms, start, drain and stop.

mod audit;
mod build;
mod capabilities;
mod check;
mod cli;
mod decisions;
mod doctor;
mod failure;
mod guests;
mod house;
mod keys;
mod local;
mod once;
mod outbound;
mod policy;
mod reload;
mod revalidate;
mod serve;
mod service;

use crate::config::Config;
use crate::telemetry::init_logging;
use clap::Parser;
use cli::{AuditCommand, Cli, Command};
use failure::Failure;
use std::process::ExitCode;

/// Exit code for a checked no.
const NO: u8 = 1;

/// Exit code for bad use.
const BAD_USE: u8 = 2;

/// The program: reads the command line, obeys it, and answers with 0 for yes, 1 for a checked no, 2 for bad use.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is bad use; clap knows which stream each belongs to.
            if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
                let text = error.to_string();
                let (what, mend) = text.split_once("\n\n").unwrap_or((&text, "see `cordon --help`"));
                return Failure::bad_use(what.trim_start_matches("error: "), mend.trim()).tell(true);
            }
            let code = if error.use_stderr() { BAD_USE } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match obey(&cli) {
        Ok(code) => code,
        Err(failure) => failure.tell(cli.json),
    }
}

fn obey(cli: &Cli) -> Result<ExitCode, Failure> {
    match &cli.command {
        Command::Zygote => crate::cell::zygote_main(guests::WARM),
        Command::Serve(options) => serve::serve(options),
        Command::Run(options) => once::run(options, cli.json),
        Command::Check(options) => check::check(options, cli.json),
        Command::Doctor(options) => doctor::doctor(options, cli.json),
        Command::Revalidate(options) => revalidate::revalidate(options, cli.json),
        Command::Policy(policy) => policy::command(&policy.command, cli.json),
        Command::Key(key) => keys::command(&key.command, cli.json),
        Command::Audit(audit) => match &audit.command {
            AuditCommand::Verify { reach } => audit::verify(reach, cli.json),
        },
    }
}

/// Logging for commands that are no server: warnings only, unless CORDON_LOG asks for more.
fn log_to_stderr(config: &mut Config) -> Result<(), Failure> {
    if std::env::var_os("CORDON_LOG").is_none() {
        config.log.filter = "warn".to_owned();
    }
    init_logging(&config.log).map_err(|error| Failure::bad_use(error.to_string(), "set log.filter in cordon.toml or CORDON_LOG"))
}

/// A runtime for commands that need one. Never made before a zygote forks: a zygote is a process of its own.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime
        .map_err(|error| Failure::machine(format!("no runtime could be started: {error}"), "check the limits on threads and descriptors"))
}
