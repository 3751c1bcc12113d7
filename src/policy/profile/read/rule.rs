//! `[[egress.rule]]`: one permission to reach a host.

use super::super::bounds::{MAX_REQUESTS, MAX_RESPONSE_BYTES};
use super::host::{PATTERN_MEND, host_pattern};
use super::words::{self, METHODS_MEND, PATH_MEND, method, sentence};
use crate::config::{Place, Reader, variable_name};
use crate::model::{EgressRule, Scheme};

/// Longest answer that a rule allows by itself, in bytes.
const RESPONSE_BYTES_DEFAULT: u64 = 10 << 20;

/// Methods that a rule allows by itself: those that only read (RFC 9110 §9.2.1).
const METHODS_DEFAULT: [&str; 2] = ["GET", "HEAD"];

/// A rule, and where its `inject` is, or where it is itself.
pub(super) struct Rule {
    pub(super) rule: EgressRule,
    pub(super) inject: Place,
}

/// Reads one. Without `max_requests` it is the run's own number, `sub_requests`, that ends it.
pub(super) fn read(reader: &mut Reader<'_>, sub_requests: u64) -> Option<Rule> {
    reader.require(&["host", "reason"]);
    let host = reader.checked("host", PATTERN_MEND, host_pattern);
    let schemes = filled(reader, "schemes", |reader| reader.list("schemes", "write \"https\" or \"http\"", scheme));
    let schemes = schemes.unwrap_or_else(|| vec![Scheme::Https]);
    let ports = filled(reader, "ports", |reader| reader.numbers("ports", 1..=u16::MAX));
    let methods = methods(reader);
    let path_prefix = path_prefix(reader);
    let max_response_bytes = reader.u64("max_response_bytes", MAX_RESPONSE_BYTES);
    let max_requests = reader.u64("max_requests", MAX_REQUESTS);
    let inject = reader.texts("inject", "name secrets of mode `inject` that this profile declares", variable_name);
    let reason = reason(reader);
    let rule = EgressRule {
        host: host?,
        ports: ports.unwrap_or_else(|| schemes.iter().map(own_port).collect()),
        schemes,
        methods: methods.unwrap_or_else(|| METHODS_DEFAULT.map(str::to_owned).to_vec()),
        path_prefix,
        max_response_bytes: max_response_bytes.unwrap_or(RESPONSE_BYTES_DEFAULT),
        max_requests: max_requests.unwrap_or(sub_requests),
        inject,
        reason,
    };
    Some(Rule { rule, inject: reader.place("inject") })
}

/// Methods of a rule or a secret.
pub(super) fn methods(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    filled(reader, "methods", |reader| reader.list("methods", METHODS_MEND, method))
}

/// How the paths of a rule or a secret begin; all begin with `/`.
pub(super) fn path_prefix(reader: &mut Reader<'_>) -> String {
    reader.checked("path_prefix", PATH_MEND, words::path_prefix).unwrap_or_else(|| "/".to_owned())
}

/// Why a rule or a secret is there.
pub(super) fn reason(reader: &mut Reader<'_>) -> String {
    reader.checked("reason", "say in one sentence why runs need it, so that it can be reviewed", sentence).unwrap_or_default()
}

/// A list that is not empty: one that is would match nothing.
pub(super) fn filled<T>(
    reader: &mut Reader<'_>,
    key: &'static str,
    read: impl FnOnce(&mut Reader<'_>) -> Option<Vec<T>>,
) -> Option<Vec<T>> {
    let values = read(reader);
    if reader.is_empty_list(key) {
        reader.note_at(key, format!("`{key}` is empty and would match nothing"), "name at least one, or remove the key");
    }
    values
}

fn scheme(text: &str) -> Result<Scheme, String> {
    match text {
        "https" => Ok(Scheme::Https),
        "http" => Ok(Scheme::Http),
        other => Err(format!("`{other}` is not a scheme that is sent")),
    }
}

fn own_port(scheme: &Scheme) -> u16 {
    match scheme {
        Scheme::Https => 443,
        Scheme::Http => 80,
    }
}
