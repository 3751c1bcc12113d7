//! Puts the rooms together: store, log, cells, policy, metrics.

use super::build;
use super::failure::Failure;
use super::keys::StoredKeys;
use super::outbound;
use super::reload::Reloader;
use crate::artifact::Artifacts;
use crate::cell::{Cells, CellsSettings, Count, DATA_SLACK_BYTES, ENFORCED, PoolSettings, ZygoteKind};
use crate::config::{Admission as AdmissionConfig, Config, Pool};
use crate::model::{BuildIdentity, Digest, Profile, Tier};
use crate::policy::keys::KeyRing;
use crate::policy::{self, Policies, PolicySet, Profiles};
use crate::provenance::Log;
use crate::run::{Admission, Capacity, Conduct, Parts};
use crate::store::{Health, Options, Store};
use crate::telemetry::{Build, CellKind, CellState, Telemetry};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// What each zygote of runs is, by whom it serves.
pub(super) type Identities = BTreeMap<ZygoteKind, BuildIdentity>;

/// The house in order, without a door.
pub(super) struct House {
    pub(super) conduct: Conduct,
    pub(super) keys: Arc<KeyRing>,
    pub(super) identities: Identities,
    /// Who replaces its policies.
    pub(super) reloader: Reloader,
}

/// Opens the log in `data`. What an earlier server left open is sealed.
pub(super) fn open_log(data: &Path) -> Result<Log, Failure> {
    let mend = "make the folder writable and free disk space; if its files are damaged, restore it from a backup";
    let (store, opening) = Store::open(data, Options::default()).map_err(|error| Failure::machine(error.to_string(), mend))?;
    for aside in &opening.set_aside {
        tracing::warn!(file = %aside.file.display(), bytes = aside.bytes, sequence = aside.sequence, "a torn end of the journal was set aside; nothing in it was acknowledged as being on disk");
    }
    let (log, recovered) = Log::open(store).map_err(|error| Failure::machine(error.to_string(), mend))?;
    if !recovered.is_empty() {
        tracing::warn!(runs = recovered.len(), "runs that an earlier server left open were sealed as internalError, cause recovered");
    }
    Ok(log)
}

/// Whom the zygote of this profile's runs serves.
fn kind_of(profile: &Profile) -> ZygoteKind {
    ZygoteKind::Runs(profile.tier, profile.jit)
}

/// The zygotes that these profiles need, and that of intake.
pub(super) fn kinds(profiles: &Profiles) -> BTreeSet<ZygoteKind> {
    profiles.iter().map(|profile| kind_of(profile)).chain([ZygoteKind::Intake]).collect()
}

/// The pools that `pool` asks for, for runs under `profiles`.
pub(super) fn cells_settings(pool: &Pool, profiles: &Profiles, telemetry: Arc<Telemetry>) -> CellsSettings {
    let idle = |kind| match kind {
        ZygoteKind::Runs(Tier::Untrusted, _) => pool.untrusted,
        ZygoteKind::Runs(Tier::Validated, _) => pool.validated,
        ZygoteKind::Runs(Tier::Production, _) => pool.production,
        ZygoteKind::Intake => pool.intake,
    };
    let of = |kind| profiles.iter().filter(move |profile| kind_of(profile) == kind);
    let heap = |kind| of(kind).map(|profile| profile.limits.memory_bytes()).max();
    let settings = |kind| PoolSettings {
        kind,
        idle: usize::try_from(idle(kind)).unwrap_or(usize::MAX),
        heap_bytes_max: heap(kind).unwrap_or(0),
        huge_pages: pool.huge_pages,
    };
    CellsSettings {
        pools: kinds(profiles).into_iter().map(settings).collect(),
        replace_after_forks: pool.replace_after_forks,
        replace_after: pool.replace_after,
        executable: build::EXECUTABLE.into(),
        telemetry,
    }
}

/// The API keys in `log`'s store.
pub(super) fn open_keys(log: &Log) -> Result<KeyRing, Failure> {
    let keys = KeyRing::open(Box::new(StoredKeys::new(log.store().clone())));
    keys.map_err(|error| Failure::machine(error.to_string(), "restore the data folder from a backup"))
}

/// The profiles, each secret of which the configuration knows a source for.
pub(super) fn load_profiles(config: &Config) -> Result<Profiles, Failure> {
    let profiles = Profiles::load(config.server.policies.as_deref())?;
    policy::missing_secrets(&profiles, |name| config.secrets.contains_key(name))?;
    Ok(profiles)
}

/// The policy, each secret of which the configuration knows a source for.
pub(super) fn load_policy(config: &Config) -> Result<PolicySet, Failure> {
    let set = PolicySet::load(config.server.policies.as_deref())?;
    policy::missing_secrets(&set.profiles, |name| config.secrets.contains_key(name))?;
    Ok(set)
}

/// Puts everything together. `log` was opened before the runtime started.
pub(super) async fn furnish(config: &Config, log: Log, keys: Arc<KeyRing>, routes: &[&'static str]) -> Result<House, Failure> {
    furnish_for(config, load_policy(config)?, log, keys, routes).await
}

/// [`furnish`] under `set` instead of the policy that the configuration names.
pub(super) async fn furnish_for(
    config: &Config,
    set: PolicySet,
    log: Log,
    keys: Arc<KeyRing>,
    routes: &[&'static str],
) -> Result<House, Failure> {
    let profiles = set.profiles.clone();
    // What the operator wrote is judged before anything is started that takes time.
    check_memory(&profiles, &config.admission)?;
    let binary = tokio::task::spawn_blocking(build::binary);
    let telemetry = telemetry(routes)?;
    let cells = Cells::start(cells_settings(&config.pool, &profiles, Arc::clone(&telemetry))).await;
    let cells = cells.map_err(|error| Failure::machine(error.to_string(), "run `cordon doctor` to see what this machine lacks"))?;
    let binary = binary.await.map_err(|error| Failure::machine(error.to_string(), "report this"))??;
    let identities = identities(&cells, &profiles, binary)?;
    telemetry.hardening(&weakest(&identities));
    keep_grants(&log, &profiles).await?;
    let parts = Parts {
        artifacts: Artifacts::new(log.store().clone()),
        broker: outbound::broker(&config.egress)?,
        secrets: outbound::secrets(config).await?,
        admission: Admission::new(capacity(&config.admission)),
        builds: identities.iter().map(|(kind, identity)| (*kind, identity.digest())).collect(),
        hardening: identities.iter().map(|(kind, identity)| (*kind, identity.hardening.clone())).collect(),
        cells,
        policy: Policies::new(set),
        log,
        telemetry,
    };
    let conduct = Conduct::new(parts);
    let reloader = Reloader::new(conduct.clone(), config.clone(), profiles);
    Ok(House { conduct, keys, identities, reloader })
}

/// What records of runs under these profiles tell by digest is there before the first run.
pub(super) async fn keep_grants(log: &Log, profiles: &Profiles) -> Result<(), Failure> {
    for profile in profiles.iter() {
        let kept = log.keep_egress(&profile.egress).await;
        kept.map_err(|error| Failure::machine(error.to_string(), "check the data folder's disk"))?;
    }
    Ok(())
}

/// The metrics of this process. `routes` are the paths that its listeners have.
pub(super) fn telemetry(routes: &[&'static str]) -> Result<Arc<Telemetry>, Failure> {
    let build = Build { version: env!("CARGO_PKG_VERSION").to_owned(), v8_version: crate::isolate::v8_version().to_owned() };
    Telemetry::new(&build, routes).map(Arc::new).map_err(|error| Failure::machine(error.to_string(), "report this"))
}

/// The identities of the zygotes that `cells` has for `profiles`.
pub(super) fn identities(cells: &Cells, profiles: &Profiles, binary: Digest) -> Result<Identities, Failure> {
    let of = |kind: ZygoteKind| {
        let sealed = cells.sealed(kind).map_err(|error| Failure::machine(error.to_string(), "try again"))?;
        Ok((kind, build::identity(binary, sealed)))
    };
    kinds(profiles).into_iter().filter(|kind| *kind != ZygoteKind::Intake).map(of).collect()
}

/// The state of each layer over all zygotes of runs: what is not in force in one of them is not in force.
fn weakest(identities: &Identities) -> BTreeMap<String, String> {
    let mut layers = BTreeMap::new();
    for (layer, state) in identities.values().flat_map(|identity| &identity.hardening) {
        if state != ENFORCED || !layers.contains_key(layer) {
            layers.insert(layer.clone(), state.clone());
        }
    }
    layers
}

fn capacity(admission: &AdmissionConfig) -> Capacity {
    Capacity {
        running_max: usize::try_from(admission.running_max).unwrap_or(usize::MAX),
        memory_mb: admission.memory_mb,
        queue_max: usize::try_from(admission.queue_max).unwrap_or(usize::MAX),
        queue_wait: admission.queue_wait,
    }
}

/// Every profile's run must fit into what is admitted, or it could never run.
pub(super) fn check_memory(profiles: &Profiles, admission: &AdmissionConfig) -> Result<(), Failure> {
    let needs = |mb: u64| mb + (DATA_SLACK_BYTES >> 20);
    let Some(profile) = profiles.iter().find(|profile| needs(profile.limits.memory_mb) > admission.memory_mb) else { return Ok(()) };
    Err(Failure::bad_use(
        format!(
            "a run under profile `{}` may map {} MiB, admission.memory_mb is {}",
            profile.name,
            needs(profile.limits.memory_mb),
            admission.memory_mb
        ),
        "raise admission.memory_mb in cordon.toml, or lower the profile's limits.memory_mb",
    ))
}

impl House {
    /// Refreshes the gauges that nobody pushes.
    pub(super) fn gauge(&self) {
        let parts = self.conduct.parts();
        parts.telemetry.provenance_records(parts.log.size());
        match parts.log.completeness() {
            Ok(trace) => parts.telemetry.trace_complete(trace.ended - trace.missing.len() as u64, trace.ended),
            // What cannot be shown to be complete is not.
            Err(error) => {
                tracing::error!(%error, "trace completeness cannot be computed");
                parts.telemetry.trace_complete(0, 1);
            }
        }
        parts.telemetry.admission(parts.admission.waiting(), parts.admission.running(), parts.admission.memory_bytes());
        // Two zygotes of one tier, with a JIT and without, count together.
        let mut counts = HashMap::new();
        for kind in kinds(&parts.policy.current().profiles) {
            let sum = counts.entry(CellKind::from(kind)).or_insert(Count::default());
            let count = parts.cells.count(kind);
            *sum = Count { starting: sum.starting + count.starting, idle: sum.idle + count.idle, running: sum.running + count.running };
        }
        for (kind, count) in counts {
            for (state, number) in
                [(CellState::Starting, count.starting), (CellState::Idle, count.idle), (CellState::Running, count.running)]
            {
                parts.telemetry.cells(kind, state, number);
            }
        }
    }

    /// `Err` with the reason while no run could be admitted.
    pub(super) fn ready(&self) -> Result<(), String> {
        let parts = self.conduct.parts();
        kinds(&parts.policy.current().profiles)
            .into_iter()
            .try_for_each(|kind| parts.cells.sealed(kind).map(drop))
            .map_err(|error| error.to_string())?;
        match parts.log.store().health() {
            Health::Writing => Ok(()),
            Health::Failed(why) | Health::Broken(why) => Err(format!("the store takes no writes: {why}")),
            Health::Closed => Err("the store is closed".to_owned()),
        }
    }
}
