//! The code of artifacts that run again: compiled once, by a cell that runs nothing, and sent along with later runs of the same artifact.
//!
//! All of it happens after a run was answered, and only while the machine has room that no run asks for.

use super::conduct::Inner;
use super::signals::{Running, cancellation};
use crate::artifact::{Code, CodeKey, Prepared};
use crate::cell::{Budget, Caps, Cell, DATA_SLACK_BYTES, Death, Execution, Kill, NoErrands, PREPARE_MEMORY_BYTES, ZygoteKind};
use crate::model::frame::{FROM_CELL_SLACK, FromCell, Order};
use crate::model::{CompileOrder, Digest, Grant, ModuleCache, cache_bytes_max};
use crate::telemetry::CodeCache;
use std::sync::Arc;
use std::time::Duration;

/// Least JavaScript of an artifact, in bytes, for which code is kept. Source: `benches/load.py --only code` with this at 1: at 8 KB a run saves 0.1 to
/// 0.5 ms of CPU, below 5 KB no more than the measurement's own spread.
const SOURCE_BYTES_LEAST: u64 = 8 << 10;

/// CPU time that compiling one artifact may take. 400 KB took 22 ms; the longest source that any profile may take is 40 times that.
const COMPILE_CPU: Duration = Duration::from_secs(2);

/// Time that compiling one artifact may take, and time to wait for its cell.
const COMPILE_WALL: Duration = Duration::from_secs(5);

/// The code of one run.
pub(super) struct RunCode {
    key: CodeKey,
    prepared: Prepared,
    known: Option<Code>,
}

impl RunCode {
    /// What is known of the code of `artifact` under `grant`; none for one that is too small to gain by it.
    pub(super) fn of(inner: &Inner, artifact: Digest, prepared: &Prepared, grant: &Grant) -> Option<Self> {
        if !gains(prepared) {
            return None;
        }
        let build = inner.build(ZygoteKind::Runs(grant.tier, grant.jit));
        // INVARIANT (code of its own): what is found under this key was made of this artifact, by a cell of this kind and build.
        let key = CodeKey { artifact, tier: grant.tier, jit: grant.jit, build };
        let known = inner.parts.artifacts.codes().get(&key);
        Some(Self { key, prepared: Arc::clone(prepared), known })
    }

    /// The caches that its order takes along.
    pub(super) fn caches(&self) -> Vec<ModuleCache> {
        match &self.known {
            Some(Code::Made(caches)) => caches.as_ref().clone(),
            Some(Code::Ran | Code::Never) | None => Vec::new(),
        }
    }

    /// Takes note of how the run got on with its code; `rejected` when V8 did not take it, as the cell tells. A second run without any has some
    /// made for those that follow.
    pub(super) fn used(&self, inner: &Arc<Inner>, rejected: bool) {
        let codes = inner.parts.artifacts.codes();
        let result = match &self.known {
            Some(Code::Made(_)) if rejected => CodeCache::Rejected,
            Some(Code::Made(_)) => CodeCache::Hit,
            Some(Code::Ran | Code::Never) | None => CodeCache::Miss,
        };
        inner.parts.telemetry.code_cache(result);
        match (&self.known, rejected) {
            // A cell may lie about this; then the runs of its own artifact are a little slower.
            (Some(Code::Made(_)), true) => codes.put(self.key, Code::Never),
            // Others that began as early may be further by now.
            (None, _) if codes.get(&self.key).is_none() => codes.put(self.key, Code::Ran),
            (Some(Code::Ran), _) => make(inner, self.key, &self.prepared),
            (Some(Code::Made(_)), false) | (Some(Code::Never) | None, _) => {}
        }
    }
}

/// Whether they are long enough to gain by a cache.
fn gains(modules: &Prepared) -> bool {
    source_bytes(modules) >= SOURCE_BYTES_LEAST
}

fn source_bytes(modules: &Prepared) -> u64 {
    modules.iter().map(|module| module.code.len() as u64).sum()
}

/// Has a cell compile `modules`, if the machine has room for it now and compiles nothing else. Otherwise a later run asks again.
fn make(inner: &Arc<Inner>, key: CodeKey, modules: &Prepared) {
    let Some(turn) = inner.compile_turn() else { return };
    // A run that asks twice at once: the first had it made.
    if inner.parts.artifacts.codes().get(&key) != Some(Code::Ran) {
        return;
    }
    let Some(room) = inner.parts.admission.spare((PREPARE_MEMORY_BYTES + DATA_SLACK_BYTES) >> 20) else { return };
    let (inner, modules, running) = (Arc::clone(inner), Arc::clone(modules), inner.enter());
    tokio::spawn(async move {
        compile(&inner, key, &modules, running).await;
        drop((room, turn));
    });
}

/// Has `modules` compiled, and keeps what comes of it.
async fn compile(inner: &Inner, key: CodeKey, modules: &Prepared, mut running: Running) {
    // Nobody waits for it, so nobody goes away.
    let (_guard, mut signal) = cancellation();
    let take = tokio::time::timeout(COMPILE_WALL, inner.parts.cells.take(ZygoteKind::Runs(key.tier, key.jit)));
    let cell = tokio::select! {
        cell = take => cell,
        _ = running.stopped(&mut signal) => return,
    };
    let Ok(Ok(cell)) = cell else { return };
    let cache_bytes = cache_bytes_max(source_bytes(modules));
    let execution = execute(cell, modules, cache_bytes, running.stopped(&mut signal)).await;
    let code = match read(execution, modules, cache_bytes) {
        Ok(caches) => Code::Made(Arc::new(caches)),
        // The machine's doing, not the source's: another run may ask again.
        Err(Unmade::Stopped) => return,
        Err(Unmade::Never(why)) => {
            tracing::warn!(artifact = %key.artifact, why, "no code is kept of an artifact");
            Code::Never
        }
    };
    let result = if code == Code::Never { CodeCache::Failed } else { CodeCache::Made };
    inner.parts.artifacts.codes().put(key, code);
    inner.parts.telemetry.code_cache(result);
}

async fn execute(cell: Cell, modules: &Prepared, cache_bytes: u64, stop: impl Future<Output = crate::model::Outcome>) -> Execution {
    let budget = Budget { cpu: COMPILE_CPU, wall: COMPILE_WALL, memory_bytes: PREPARE_MEMORY_BYTES };
    let frame_bytes = usize::try_from(cache_bytes).unwrap_or(usize::MAX).saturating_add(FROM_CELL_SLACK);
    // INVARIANT (code of its own): a cell that compiles runs nothing, so whatever it would log, be denied or ask for is a lie.
    let caps = Caps { frame_bytes, log_bytes: 0, log_lines: 0, denials: 0 };
    let order = Order::Compile(Box::new(CompileOrder { modules: modules.as_ref().clone(), cache_bytes }));
    cell.execute(&order, (budget, caps), &mut NoErrands, stop).await
}

/// Why there is no code.
#[derive(Debug, PartialEq, Eq)]
enum Unmade {
    /// It was stopped, or its cell was lost.
    Stopped,
    /// There will be none.
    Never(String),
}

/// The caches, if they are what was asked for. What is in them only V8 can tell.
fn read(execution: Execution, modules: &Prepared, cache_bytes: u64) -> Result<Vec<ModuleCache>, Unmade> {
    match (execution.killed, execution.death, execution.last) {
        (Some(Kill::Stopped(_)), _, _) | (None, Some(Death::Host), _) => Err(Unmade::Stopped),
        (Some(Kill::Lied(how)), _, _) => Err(Unmade::Never(how)),
        (Some(Kill::Cpu | Kill::Wall), _, _) => Err(Unmade::Never("it takes too long to compile".to_owned())),
        (None, None, Some(FromCell::Compiled(caches))) => checked(caches, modules, cache_bytes),
        (None, None, Some(_)) => Err(Unmade::Never("its compiler answered with something else".to_owned())),
        (None, _, _) => Err(Unmade::Never("compiling it used up the memory or the stack of its process".to_owned())),
    }
}

fn checked(caches: Vec<ModuleCache>, modules: &Prepared, cache_bytes: u64) -> Result<Vec<ModuleCache>, Unmade> {
    let never = |why: &str| Err(Unmade::Never(why.to_owned()));
    // In the order of the modules, some left out: so none is there twice.
    let mut names = modules.iter().map(|module| module.name.as_str());
    if !caches.iter().all(|cache| names.any(|name| name == cache.module)) {
        return never("its compiler answered with other modules");
    }
    if caches.iter().map(|cache| cache.bytes.len() as u64).sum::<u64>() > cache_bytes {
        return never("its compiler answered with more than it may");
    }
    if caches.is_empty() { never("none of it has room, or compiles") } else { Ok(caches) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::frame::ReadyModule;

    fn modules(names: &[&str]) -> Prepared {
        let module = |name: &&str| ReadyModule { name: (*name).to_owned(), code: String::new(), source_map: None };
        Arc::new(names.iter().map(module).collect())
    }

    fn caches(rows: &[(&str, usize)]) -> Vec<ModuleCache> {
        rows.iter().map(|(name, bytes)| ModuleCache { module: (*name).to_owned(), bytes: vec![0; *bytes].into() }).collect()
    }

    #[test]
    fn code_is_kept_of_a_source_at_the_least_length_and_not_of_one_a_byte_shorter() {
        let least = usize::try_from(SOURCE_BYTES_LEAST).expect("fits");
        let module = |bytes: usize| ReadyModule { name: String::new(), code: "x".repeat(bytes), source_map: None };
        assert!(gains(&Arc::new(vec![module(least - 1), module(1)])), "all modules count together");
        assert!(!gains(&Arc::new(vec![module(least - 1)])));
    }

    #[test]
    fn caches_of_the_artifacts_modules_pass_in_their_order_and_no_others() {
        let modules = modules(&["a", "b", "c"]);
        let passes = |rows: &[(&str, usize)]| checked(caches(rows), &modules, 100).is_ok();
        assert!(passes(&[("a", 1), ("b", 1), ("c", 1)]));
        assert!(passes(&[("a", 1), ("c", 1)]));
        for wrong in [&[("d", 1)][..], &[("b", 1), ("a", 1)], &[("a", 1), ("a", 1)], &[("a", 1), ("", 1)], &[]] {
            assert!(!passes(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn caches_pass_up_to_their_most_bytes_and_not_with_one_more() {
        let modules = modules(&["a", "b"]);
        assert!(checked(caches(&[("a", 60), ("b", 40)]), &modules, 100).is_ok());
        assert!(checked(caches(&[("a", 60), ("b", 41)]), &modules, 100).is_err());
    }

    #[test]
    fn what_the_machine_ended_may_be_tried_again_and_what_the_source_did_may_not() {
        let modules = modules(&["a"]);
        let ended = |change: fn(&mut Execution)| {
            let mut execution = Execution { death: None, ..Execution::lost() };
            change(&mut execution);
            read(execution, &modules, 100)
        };
        assert_eq!(read(Execution::lost(), &modules, 100), Err(Unmade::Stopped));
        assert_eq!(ended(|execution| execution.killed = Some(Kill::Stopped(crate::model::Outcome::Canceled))), Err(Unmade::Stopped));
        assert!(ended(|execution| execution.last = Some(FromCell::Compiled(caches(&[("a", 1)])))).is_ok());
        let source: [fn(&mut Execution); 5] = [
            |execution| execution.killed = Some(Kill::Lied("x".to_owned())),
            |execution| execution.killed = Some(Kill::Cpu),
            |execution| execution.death = Some(Death::Memory),
            |execution| execution.death = Some(Death::Crash),
            |execution| execution.last = Some(FromCell::Prepared(Vec::new())),
        ];
        for change in source {
            assert!(matches!(ended(change), Err(Unmade::Never(_))));
        }
    }
}
