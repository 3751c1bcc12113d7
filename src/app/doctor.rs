//! `cordon doctor`: the build, the machine, and the hardening layers in force.

use super::build;
use super::cli::Common;
use super::failure::Failure;
use super::house::{self, Identities, cells_settings};
use super::local::print_line;
use crate::cell::{Cells, ENFORCED, ZygoteKind};
use crate::config::Config;
use crate::model::{LAYERS, Profile};
use crate::policy::Profiles;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Starts the zygotes as a server would, and tells what they are and how they are sealed.
pub(super) fn doctor(options: &Common, json: bool) -> Result<ExitCode, Failure> {
    let mut config = Config::load(&options.overrides(), |name| std::env::var(name).ok())?;
    super::log_to_stderr(&mut config)?;
    let profiles = house::load_profiles(&config)?;
    let binary = build::binary()?;
    let identities = super::runtime()?.block_on(async {
        let mut settings = cells_settings(&config.pool, &profiles, house::telemetry(&[])?);
        settings.pools.retain(|pool| pool.kind != ZygoteKind::Intake);
        let cells =
            Cells::start(settings).await.map_err(|error| Failure::machine(error.to_string(), "run with CORDON_LOG=debug to see more"))?;
        house::identities(&cells, &profiles, binary)
    })?;
    let missing = missing(&identities, &profiles);
    print_line(&if json { shown(&identities).to_string() } else { told(&identities, &missing) })?;
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(super::NO) })
}

/// Layers that a profile requires and this machine lacks.
fn missing(identities: &Identities, profiles: &Profiles) -> Vec<String> {
    let lacks = |profile: &Profile, layer: &str| {
        identities
            .get(&ZygoteKind::Runs(profile.tier, profile.jit))
            .and_then(|identity| identity.hardening.get(layer))
            .is_none_or(|state| state != ENFORCED)
    };
    let of = |profile: &std::sync::Arc<Profile>| {
        let layers = profile.require_hardening.iter().filter(|layer| lacks(profile, layer));
        layers.map(|layer| format!("profile `{}` requires {layer}", profile.name)).collect::<Vec<_>>()
    };
    profiles.iter().flat_map(of).collect()
}

/// Everything as JSON: per tier the identity's parts and its digest.
pub(super) fn shown(identities: &Identities) -> Value {
    let tiers: serde_json::Map<String, Value> = identities
        .iter()
        .map(|(kind, identity)| {
            let mut value = json!(identity);
            value["digest"] = json!(identity.digest());
            (kind.label().to_owned(), value)
        })
        .collect();
    json!({ "version": env!("CARGO_PKG_VERSION"), "kernel": kernel(), "tiers": tiers })
}

fn kernel() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn told(identities: &Identities, missing: &[String]) -> String {
    let Some(first) = identities.values().next() else { return "no tier".to_owned() };
    let mut table = comfy_table::Table::new();
    table.set_header(["layer".to_owned()].into_iter().chain(identities.keys().map(|kind| format!("tier {}", kind.label()))));
    for layer in LAYERS {
        let states = identities.values().map(|identity| identity.hardening.get(layer).cloned().unwrap_or_default());
        table.add_row([layer.to_owned()].into_iter().chain(states));
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
