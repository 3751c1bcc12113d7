//! A profile's capabilities as TypeScript declarations, for an editor.
//!
//! A script of types, which are global where the file lies: nothing is imported from it. It declares none of the web's globals, whose types TypeScript has.

use super::Access;
use super::sentences::{DENIAL, PLACEHOLDERS, limits, requests, secret};
use super::view::Capabilities;
use super::words::{literal, property, quoted};
use crate::model::{Profile, SecretMode};

/// Longest line of the list of globals, in characters.
const LINE_CHARS_MAX: usize = 120;

/// What does not depend on the profile: `ctx`, and what a module may export.
const FIXED: &str = include_str!("declare/fixed.d.ts");

/// The declarations of `profile`, whose code finds `globals`.
pub fn declarations(profile: &Profile, globals: &[&str]) -> String {
    let of = Capabilities::of(profile, Access::Run);
    let fetch: Vec<String> = std::iter::once("`fetch` as this profile has it.".to_owned())
        .chain(requests(&of, usize::MAX))
        .chain(injected(&of))
        .chain([DENIAL.to_owned()])
        .collect();
    format!("{}\n{}\n{}type Fetch = typeof fetch;\n\n{FIXED}", comment("", &head(&of, globals)), env(&of), comment("", &fetch))
}

/// A comment of `lines`, each behind `indent`. Nothing in them ends it.
fn comment(indent: &str, lines: &[String]) -> String {
    let lines: String =
        lines.iter().map(|line| format!("{indent} * {}", line.replace("*/", "*\\/")).trim_end().to_owned() + "\n").collect();
    format!("{indent}/**\n{lines}{indent} */\n")
}

fn head(of: &Capabilities<'_>, globals: &[&str]) -> Vec<String> {
    let mut lines = vec![
        format!("What code finds under the profile {} (tier {}). Texts in double quotes are the profile's own.", literal(of.name), of.tier),
        quoted(of.description),
        String::new(),
        "Limits of a run:".to_owned(),
    ];
    lines.extend(limits(of).into_iter().map(|line| format!("- {line}")));
    lines.push(String::new());
    lines.push("Types of the globals are TypeScript's own (\"lib\": [\"esnext\", \"webworker\"], or \"dom\"), which have more than there is. There are:".to_owned());
    lines.extend(wrapped(globals));
    lines
}

/// `names` in lines.
fn wrapped(names: &[&str]) -> Vec<String> {
    names.iter().fold(Vec::new(), |mut lines: Vec<String>, name| {
        match lines.last_mut() {
            Some(line) if line.len() + name.len() < LINE_CHARS_MAX => {
                line.push(' ');
                line.push_str(name);
            }
            Some(_) | None => lines.push((*name).to_owned()),
        }
        lines
    })
}

/// `env` with what it shows.
fn env(of: &Capabilities<'_>) -> String {
    let vars = of.vars.iter().map(|name| shown(name, "A variable of the profile.".to_owned()));
    let tokens = of.secrets.iter().filter(|secret| secret.mode == SecretMode::Placeholder);
    let tokens = tokens.map(|granted| shown(granted.name, format!("Stands for a secret: {}. {PLACEHOLDERS}", secret(granted))));
    let members: String = vars.chain(tokens).collect();
    let doc = comment("", &["`env`, the second parameter. Frozen.".to_owned()]);
    if members.is_empty() { format!("{doc}interface Env {{}}\n") } else { format!("{doc}interface Env {{\n{members}}}\n") }
}

fn shown(name: &str, doc: String) -> String {
    format!("{}  readonly {}: string;\n", comment("  ", &[doc]), property(name))
}

/// Secrets that the code has no token of.
fn injected(of: &Capabilities<'_>) -> Vec<String> {
    let injected = of.secrets.iter().filter(|secret| secret.mode == SecretMode::Inject);
    injected.map(|granted| format!("Secret {}", secret(granted))).collect()
}
