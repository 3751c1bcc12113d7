//! `cordon doctor`: the build, the machine, and the hardening layers in force.

use super::build;
use super::cli::Common;
use super::failure::Failure;
use super::house::{self, cells_settings};
use super::local::print_line;
use crate::cell::{Cells, ENFORCED, LAYERS, ZygoteKind};
use crate::config::Config;
use crate::model::{BuildIdentity, Tier};
use crate::policy::Profiles;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Starts the zygotes as a server would, and tells what they are and how they are sealed.
pub(super) fn doctor(options: &Common, json: bool) -> Result<ExitCode, Failure> {
    let mut config = Config::load(&options.overrides(), |name| std::env::var(name).ok())?;
    super::log_to_stderr(&mut config)?;
    let profiles = Profiles::load(config.server.policies.as_deref())?;
    let binary = build::binary()?;
    let identities = super::runtime()?.block_on(async {
        let mut settings = cells_settings(&config.pool, &profiles, house::telemetry(&[])?);
        settings.pools.retain(|pool| pool.kind != ZygoteKind::Intake);
        let cells =
            Cells::start(settings).await.map_err(|error| Failure::machine(error.to_string(), "run with CORDON_LOG=debug to see more"))?;
        Tier::ALL
            .into_iter()
            .map(|tier| {
                let sealed = cells.sealed(ZygoteKind::Runs(tier)).map_err(|error| Failure::machine(error.to_string(), "try again"))?;
                Ok((tier, build::identity(binary, sealed)))
            })
            .collect::<Result<BTreeMap<_, _>, Failure>>()
    })?;
    let missing = missing(&identities, &profiles);
    print_line(&if json { shown(&identities).to_string() } else { told(&identities, &missing) });
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(super::NO) })
}

/// Layers that a profile requires and this machine lacks.
fn missing(identities: &BTreeMap<Tier, BuildIdentity>, profiles: &Profiles) -> Vec<String> {
    let lacks = |tier: Tier, layer: &str| {
        identities.get(&tier).and_then(|identity| identity.hardening.get(layer)).is_none_or(|state| state != ENFORCED)
    };
    let of = |profile: &std::sync::Arc<crate::model::Profile>| {
        let layers = profile.require_hardening.iter().filter(|layer| lacks(profile.tier, layer));
        layers.map(|layer| format!("profile `{}` requires {layer}", profile.name)).collect::<Vec<_>>()
    };
    profiles.iter().flat_map(of).collect()
}

/// Everything as JSON: per tier the identity's parts and its digest.
pub(super) fn shown(identities: &BTreeMap<Tier, BuildIdentity>) -> Value {
    let tiers: serde_json::Map<String, Value> = identities
        .iter()
        .map(|(tier, identity)| {
            let mut value = json!(identity);
            value["digest"] = json!(identity.digest());
            (tier.label().to_owned(), value)
        })
        .collect();
    json!({ "version": env!("CARGO_PKG_VERSION"), "kernel": kernel(), "tiers": tiers })
}

fn kernel() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn told(identities: &BTreeMap<Tier, BuildIdentity>, missing: &[String]) -> String {
    let Some(first) = identities.values().next() else { return "no tier".to_owned() };
    let mut table = comfy_table::Table::new();
    table.set_header(["layer", "tier 0", "tier 1", "tier 2"]);
    for layer in LAYERS {
        let state = |tier: &Tier| identities.get(tier).and_then(|identity| identity.hardening.get(layer)).cloned().unwrap_or_default();
        table.add_row([layer.to_owned(), state(&Tier::Untrusted), state(&Tier::Validated), state(&Tier::Production)]);
    }
    let required = if missing.is_empty() { "every layer that a profile requires is in force".to_owned() } else { missing.join("\n") };
    format!(
        "cordon {} on Linux {}\nbinary          {}\nhost JavaScript {}\nops             {}\nV8              {} ({})\n{table}\n{required}",
        env!("CARGO_PKG_VERSION"),
        kernel(),
        first.binary,
        first.host_javascript,
        first.ops.len(),
        first.v8_version,
        first.v8_flags,
    )
}
