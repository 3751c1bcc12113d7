//! From what a run tried to the rules that would let it: a draft for the operator, who fills in why.

use super::refusal::{shown, word};
use super::target::Target;
use super::wish;
use crate::model::{EgressEntry, Scheme, host, path};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Codes of refusals that a rule could have prevented, or that say why none can.
const CODES: [&str; 7] = ["badTarget", "egressDenied", "methodDenied", "noFixture", "pathDenied", "portDenied", "schemeDenied"];

/// Most rules that are drafted: each is a host that somebody has to give a reason for.
const RULES_MAX: usize = 256;

/// Most attempts that are listed because no rule can allow them.
const IMPOSSIBLE_MAX: usize = 64;

/// What the rule of one host would have to allow.
struct Need {
    schemes: BTreeSet<Scheme>,
    ports: BTreeSet<u16>,
    methods: BTreeSet<String>,
    /// Segments that all paths begin with.
    prefix: Vec<String>,
    attempts: usize,
}

/// `[[egress.rule]]` for what `rows` asked for and was refused or answered by fixtures, one per host, the reason empty: the reader refuses it until
/// somebody has said why. What no rule can allow stands in comments, with the reason.
pub fn learn(rows: &[EgressEntry]) -> String {
    let (mut needs, mut impossible) = (BTreeMap::<String, Need>::new(), BTreeSet::new());
    for row in rows.iter().filter(|row| row.synthetic || row.error.as_deref().is_some_and(|code| CODES.contains(&code))) {
        // A chain broke at its last hop; those before it had been allowed.
        let url = row.redirects.last().unwrap_or(&row.url);
        match wanted(&row.method, url) {
            Ok((target, segments)) => need(&mut needs, target, segments),
            Err(why) => {
                impossible.insert(format!("# {} {}: {}", word(&row.method), shown(url), shown(&why)));
            }
        }
    }
    written(&needs, &impossible)
}

/// The target and the segments of its path, or why no rule can allow it.
fn wanted(method: &str, url: &str) -> Result<(Target, Vec<String>), String> {
    // Of a URL that was cut, the last segment may be half a one.
    let whole = url.strip_suffix('…');
    let target = Target::parse(method, whole.unwrap_or(url)).map_err(|refusal| refusal.reason)?;
    if target.address().is_some() {
        return Err("rules allow hosts by name, never by address".to_owned());
    }
    if !host::is_name(&target.host) {
        return Err("the host is no name that DNS carries".to_owned());
    }
    if !wish::is_method(&target.method) {
        return Err("rules allow methods in upper case only".to_owned());
    }
    let mut segments: Vec<String> = Vec::new();
    if path::is_plain(target.path()) {
        segments.extend(target.path().split('/').skip(1).map(str::to_owned));
        if whole.is_some_and(|cut| !cut.contains('?')) {
            segments.pop();
        }
    }
    Ok((target, segments))
}

fn need(needs: &mut BTreeMap<String, Need>, target: Target, segments: Vec<String>) {
    let Target { host, scheme, port, method, .. } = target;
    let need = needs.entry(host).or_insert_with(|| Need {
        schemes: BTreeSet::new(),
        ports: BTreeSet::new(),
        methods: BTreeSet::new(),
        prefix: segments.clone(),
        attempts: 0,
    });
    let common = need.prefix.iter().zip(&segments).take_while(|(own, other)| own == other).count();
    need.prefix.truncate(common);
    need.schemes.insert(scheme);
    need.ports.insert(port);
    need.methods.insert(method);
    need.attempts += 1;
}

fn written(needs: &BTreeMap<String, Need>, impossible: &BTreeSet<String>) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    if needs.is_empty() {
        line("# The run asked for nothing that a rule could allow.".to_owned());
    } else {
        line("# What the run asked for. Rules are looked at with mode = \"allowlist\" in [egress]; remove what is not needed.".to_owned());
    }
    for (host, need) in needs.iter().take(RULES_MAX) {
        line(String::new());
        line(rule(host, need));
    }
    if needs.len() > RULES_MAX {
        line(format!("\n# {} more hosts were asked for; a draft has at most {RULES_MAX} rules.", needs.len() - RULES_MAX));
    }
    if !impossible.is_empty() {
        line("\n# No rule can allow these:".to_owned());
    }
    impossible.iter().take(IMPOSSIBLE_MAX).cloned().for_each(&mut line);
    if impossible.len() > IMPOSSIBLE_MAX {
        line(format!("# and {} more", impossible.len() - IMPOSSIBLE_MAX));
    }
    text
}

fn rule(host: &str, need: &Need) -> String {
    let prefix = format!("/{}", need.prefix.join("/"));
    let mut text = format!("[[egress.rule]]\nhost = {}\n", wish::text(host));
    let keys = [
        ("schemes", wish::schemes(need.schemes.iter().copied())),
        ("ports", wish::ports(need.ports.iter().copied())),
        ("methods", wish::texts(need.methods.iter().map(String::as_str))),
        ("path_prefix", wish::text(&prefix)),
    ];
    for (key, value) in keys {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key} = {value}");
    }
    let _ = write!(text, "reason = \"\" # say why runs need this; asked for {} times", need.attempts);
    text
}
