//! The words of the project as plain data: no I/O, no async, no V8.

mod alias;
mod artifact;
mod decision;
mod digest;
mod egress;
mod evidence;
pub mod exchange;
pub mod frame;
mod grant;
mod hardening;
mod identity;
mod json;
mod limits;
mod outcome;
mod principal;
mod problem;
mod profile;
mod report;
mod request;

pub use alias::{AliasError, AliasMove, AliasName, AliasRow};
pub use artifact::{Artifact, ArtifactError, ModuleName};
pub use decision::{Decision, Rule};
pub use digest::{Digest, DigestError};
pub use egress::{EgressFixture, EgressGrant, EgressMode, EgressRule, HostPattern, Scheme, SecretGrant, SecretMode};
pub use evidence::{Check, CheckReport, Evidence, Finding, Hit, More, Severity, UrlLiteral};
pub use grant::Grant;
pub use hardening::LAYERS;
pub use identity::{BuildIdentity, Identity};
pub use json::{JsonCaps, JsonFault, RESULT_DEPTH_MAX, check_json, json_depth};
pub use limits::{LimitExceeded, Limits, LimitsRequest};
pub use outcome::{Outcome, OutcomeError};
pub use principal::{Principal, Role};
pub use problem::{Location, Problem, ProblemCode};
pub use profile::{Durability, Jit, Profile, Tier};
pub use report::{Denial, EgressEntry, GuestError, LogLevel, LogLine, ProvenanceRef, RunReport, Usage};
pub use request::{Origin, RunId, RunRequest, RunSource};
