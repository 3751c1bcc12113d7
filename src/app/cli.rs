//! The command line.

use crate::config::Overrides;
use crate::model::{DecisionId, Digest};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Runs JavaScript and TypeScript that an AI agent wrote: one sealed process per run, under policy, with a record.
#[derive(Debug, Parser)]
#[command(name = "cordon", version, propagate_version = true, arg_required_else_help = true)]
pub(super) struct Cli {
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start the server.
    Serve(Serve),
    /// Run a file, or standard input, once, without a server.
    Run(Run),
    /// Say what static checks find in a file, or in standard input, without running it.
    Check(Check),
    /// Try a folder of policies before it is in force.
    Policy(Policy),
    /// Gather evidence again for what stands on stale evidence: for one artifact, or for all.
    Revalidate(Revalidate),
    /// Show the build, the machine and the hardening layers in force.
    Doctor(Common),
    /// Manage API keys.
    Key(Key),
    /// Read and verify the log.
    Audit(Audit),
    /// What a supervisor starts; not for people.
    #[command(hide = true)]
    Zygote,
}

/// Options that every command with a configuration takes. A flag wins over a `CORDON_…` variable, that over the file.
#[derive(Debug, Clone, Args, Default)]
pub(super) struct Common {
    /// The configuration file. Default: none; every setting has a default.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The data folder. Default: ./cordon-data
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// A folder of profiles. Default: the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub(super) policies: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    pub(super) common: Common,
    /// The public listener. Default: 127.0.0.1:8787; port 0 picks a free one.
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<String>,
    /// The operator listener. Default: 127.0.0.1:8788; port 0 picks a free one.
    #[arg(long, value_name = "ADDR")]
    pub(super) operator_listen: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// The file, .js, .mjs, .ts or .mts; `-` reads standard input as TypeScript.
    pub(super) file: PathBuf,
    /// The input, as JSON.
    #[arg(long, value_name = "JSON", default_value = "null")]
    pub(super) input: String,
    /// The export to run.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(super) entrypoint: String,
    /// The profile.
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,
    /// Print, in place of the result, the egress rules that the requests which were refused or answered by fixtures would need.
    #[arg(long, conflicts_with = "json")]
    pub(super) learn: bool,
    /// The configuration file. Default: none.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// A folder of profiles. Default: the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub(super) policies: Option<PathBuf>,
    /// Keep the record in this data folder. Default: a temporary one that is removed.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// The file, .js, .mjs, .ts or .mts; `-` reads standard input as TypeScript.
    pub(super) file: PathBuf,
    /// The tier that it is to pass at: 0, 1 or 2.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "profile")]
    pub(super) tier: u8,
    /// The profile by whose tier and egress rules it is judged. Default: the tier's own.
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub(super) format: CheckFormat,
    /// The configuration file. Default: none.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// A folder of profiles. Default: the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub(super) policies: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum CheckFormat {
    /// A line for each finding, as compilers write them.
    Text,
    /// One JSON object.
    Json,
    /// SARIF 2.1.0, as code scanners read it.
    Sarif,
}

#[derive(Debug, Args)]
pub(super) struct Policy {
    #[command(subcommand)]
    pub(super) command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Read all profiles and tests, and say what looks like a slip.
    Check(PolicyCheck),
    /// Run the tests in the folder `tests` of the policies, in cells, without a network.
    Test(PolicyTest),
    /// Say which rule decided on a run, or in a recorded decision, and what would change it.
    Explain(PolicyExplain),
    /// Say which recorded decisions would be others under another folder of policies.
    Diff(PolicyDiff),
}

#[derive(Debug, Args)]
pub(super) struct PolicyExplain {
    /// A run, or a decision: the `run` of an answer, or the `decisionId` of a refusal.
    #[arg(value_name = "RUN|DECISION")]
    pub(super) id: DecisionId,
    #[command(flatten)]
    pub(super) reach: Reach,
}

#[derive(Debug, Args)]
pub(super) struct PolicyDiff {
    /// The folder of policies that is to be tried.
    #[arg(long, value_name = "DIR")]
    pub(super) against: PathBuf,
    /// How many recorded decisions are asked again, and how many runs with outbound requests: the latest. 1 to 100,000.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) last: u32,
    #[command(flatten)]
    pub(super) reach: Reach,
}

#[derive(Debug, Args)]
pub(super) struct Revalidate {
    /// The artifact; all that stand above tier 0 unless given.
    pub(super) artifact: Option<Digest>,
    #[command(flatten)]
    pub(super) reach: Reach,
}

/// Which policies are meant.
#[derive(Debug, Clone, Args)]
pub(super) struct PolicyFiles {
    /// The configuration file. Default: none.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// A folder of profiles. Default: the built-in ones.
    #[arg(long, value_name = "DIR")]
    pub(super) policies: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct PolicyCheck {
    #[command(flatten)]
    pub(super) files: PolicyFiles,
    /// Fail on warnings too.
    #[arg(long)]
    pub(super) strict: bool,
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub(super) format: CheckFormat,
}

#[derive(Debug, Args)]
pub(super) struct PolicyTest {
    #[command(flatten)]
    pub(super) files: PolicyFiles,
    /// Only tests whose name, profile or file has this text in it.
    #[arg(long, value_name = "TEXT")]
    pub(super) filter: Option<String>,
    /// Write the results to this file as well, as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Runs at once, 1 to 64.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) jobs: u16,
}

#[derive(Debug, Args)]
pub(super) struct Key {
    #[command(subcommand)]
    pub(super) command: KeyCommand,
}

/// Where a command finds the store: a running server, or the data folder itself.
#[derive(Debug, Clone, Args, Default)]
pub(super) struct Reach {
    #[command(flatten)]
    pub(super) common: Common,
    /// The operator listener of a running server, such as http://127.0.0.1:8788. Default: the one that uses the data folder, if any.
    #[arg(long, value_name = "URL")]
    pub(super) operator: Option<String>,
    /// An operator's or auditor's key for that server. Default: the server's own token, read from the data folder.
    #[arg(long, value_name = "TOKEN", env = "CORDON_TOKEN", hide_env_values = true)]
    pub(super) token: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Create a key and print its token, once.
    New {
        /// A name for people.
        #[arg(long)]
        name: String,
        /// agent, developer, operator or auditor.
        #[arg(long)]
        role: crate::model::Role,
        #[command(flatten)]
        reach: Reach,
    },
    /// List keys; tokens are not kept.
    List {
        #[command(flatten)]
        reach: Reach,
    },
    /// Give a key a new token; the old one is void at once.
    Rotate {
        /// The key's id.
        id: String,
        #[command(flatten)]
        reach: Reach,
    },
    /// Void a key.
    Revoke {
        /// The key's id.
        id: String,
        #[command(flatten)]
        reach: Reach,
    },
}

#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    pub(super) command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Recompute the tree over every record and check that each intent has its seal.
    Verify {
        #[command(flatten)]
        reach: Reach,
    },
}

impl Common {
    /// As the configuration reads it.
    pub(super) fn overrides(&self) -> Overrides {
        Overrides { config: self.config.clone(), data: self.data.clone(), policies: self.policies.clone(), ..Overrides::default() }
    }
}

impl Serve {
    /// As the configuration reads it.
    pub(super) fn overrides(&self) -> Overrides {
        Overrides { listen: self.listen.clone(), operator_listen: self.operator_listen.clone(), ..self.common.overrides() }
    }
}
