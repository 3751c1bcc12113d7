//! One profile file becomes one [`Profile`], or every mistake in it.

mod agree;
pub(in crate::policy) mod case;
mod checks;
mod egress;
pub(in crate::policy) mod fixture;
mod host;
mod limits;
mod promotion;
mod rule;
mod secret;
mod words;

pub use host::{host_name, host_pattern};

use crate::config::{Document, Mistakes, Reader, VARIABLE_NAME_MEND, variable_name};
use crate::model::{ContractCase, Digest, Durability, EgressGrant, EgressMode, Jit, LAYERS, Limits, Profile, Tier};
use egress::Egress;
use fixture::Bodies;
use secret::Secret;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use words::sentence;

/// Longest name of a profile, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Most text of all variables of a profile together, in bytes: they are copied into every run.
const VARS_BYTES_MAX: usize = 64 << 10;

/// Reads the profile in `document`. `stem`, its file's name without `.toml`, must be its name; files that it names
/// are in `folder`, and a built-in profile has none.
pub(super) fn read(document: &Document, stem: &str, folder: Option<&Path>, mistakes: &Mistakes) -> Option<Profile> {
    let mut bodies = Bodies::beside(folder);
    let profile = document.read(mistakes, |reader| {
        reader.require(&["name", "tier", "description", "limits"]);
        let tier = read_tier(reader);
        let limits = reader.section("limits", limits::read);
        let vars = read_vars(reader);
        let before = mistakes.count();
        let (egress, secrets) = read_egress(reader, tier, &limits, &vars, &mut bodies);
        // What is left of wrong tables would only lead to mistakes about mistakes.
        if egress.mode == EgressMode::Allowlist && mistakes.count() == before {
            agree::agree(reader, &egress.rules, &secrets);
        }
        Profile {
            name: read_name(reader, stem, tier),
            tier: tier.unwrap_or(Tier::Untrusted),
            description: reader.checked("description", "say in one sentence what this profile is for", sentence).unwrap_or_default(),
            limits,
            vars,
            egress: Arc::new(granted(egress, secrets)),
            durability: reader.choice("durability", &DURABILITIES).unwrap_or(default_durability(tier)),
            require_hardening: reader
                .texts("require_hardening", &format!("name layers of this list: {}", LAYERS.join(", ")), layer)
                .unwrap_or_default(),
            jit: if reader.bool("jitless").unwrap_or(false) { Jit::Off } else { Jit::On },
            checks: checks::read(reader),
            promotion: promotion::read(reader, tier),
            cases: read_cases(reader, tier, limits.input_bytes, &mut bodies),
            digest: Digest::of(&[]),
        }
    })?;
    Some(Profile { digest: bodies.digest_with(document.text()), ..profile })
}

const DURABILITIES: [(&str, Durability); 2] = [("strict", Durability::Strict), ("batched", Durability::Batched)];

/// Answers wait for the disk unless the tier is the lowest or the profile says otherwise.
fn default_durability(tier: Option<Tier>) -> Durability {
    match tier {
        Some(Tier::Untrusted) => Durability::Batched,
        Some(Tier::Validated | Tier::Production) | None => Durability::Strict,
    }
}

fn read_tier(reader: &mut Reader<'_>) -> Option<Tier> {
    reader.u64("tier", 0..=2).and_then(|number| u8::try_from(number).ok()).and_then(|number| Tier::try_from(number).ok())
}

/// The name; it must be its file's, and the three names that stand for tiers must have them.
fn read_name(reader: &mut Reader<'_>, stem: &str, tier: Option<Tier>) -> String {
    let name = reader.checked("name", "use lower-case letters, digits, `-` and `_`, starting with a letter, at most 64", |text| {
        plain_name(text).map(|()| text.to_owned())
    });
    let Some(name) = name else { return String::new() };
    if name != stem {
        reader.note_at("name", format!("the profile `{name}` is in a file called `{stem}.toml`"), format!("call the file `{name}.toml`"));
    }
    let own = Tier::ALL.into_iter().find(|tier| super::name_of(*tier) == name);
    if let (Some(own), Some(tier)) = (own, tier)
        && own != tier
    {
        reader.note_at("tier", format!("the profile `{name}` is at tier {tier}"), format!("write tier = {own}, or give it another name"));
    }
    name
}

fn read_vars(reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    let vars = reader.text_map("vars", VARIABLE_NAME_MEND, variable_name);
    let bytes: usize = vars.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > VARS_BYTES_MAX {
        reader.note_at("vars", format!("the variables have {bytes} bytes together"), format!("keep them to {VARS_BYTES_MAX}"));
    }
    vars
}

/// `[egress]` and `[[secret]]`.
fn read_egress(
    reader: &mut Reader<'_>,
    tier: Option<Tier>,
    limits: &Limits,
    vars: &BTreeMap<String, String>,
    bodies: &mut Bodies<'_>,
) -> (Egress, Vec<Secret>) {
    let egress = reader.section("egress", |section| egress::read(section, tier, limits.sub_requests, bodies));
    (egress, secret::read_all(reader, vars))
}

/// `[[case]]`. Nothing enters tier 0, so a case there would never be looked at.
fn read_cases(reader: &mut Reader<'_>, tier: Option<Tier>, input_bytes: u64, bodies: &mut Bodies<'_>) -> Vec<ContractCase> {
    let cases = case::read_cases(reader, input_bytes, bodies);
    if tier == Some(Tier::Untrusted) && reader.has("case") && !reader.is_empty_list("case") {
        reader.note_at(
            "case",
            "the profile is at tier 0, and nothing has to enter that",
            "remove the cases, or give the profile a higher tier",
        );
    }
    cases
}

fn granted(egress: Egress, secrets: Vec<Secret>) -> EgressGrant {
    EgressGrant {
        mode: egress.mode,
        rules: egress.rules.into_iter().map(|rule| rule.rule).collect(),
        fixtures: egress.fixtures,
        secrets: secrets.into_iter().map(|secret| secret.grant).collect(),
    }
}

/// A hardening layer that exists.
fn layer(text: &str) -> Result<(), String> {
    if LAYERS.contains(&text) { Ok(()) } else { Err(format!("`{text}` is not a hardening layer")) }
}

/// The form of names of profiles.
fn plain_name(text: &str) -> Result<(), String> {
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
    if starts && plain && text.len() <= NAME_BYTES_MAX { Ok(()) } else { Err(format!("`{text}` is not a plain name")) }
}
