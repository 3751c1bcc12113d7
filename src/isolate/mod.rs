//! The inside of a cell: one warm V8 isolate that runs one order under its limits.
//!
//! A zygote builds a [`WarmIsolate`]; a cell, forked from it, takes it and runs. Guest misbehaviour is a [`RunEnd`], never an error.

mod compile;
mod drive;
mod ending;
mod limits;
mod line;
mod loader;
mod platform;
mod port;
mod trace;
mod watchdog;

pub use line::Line;
pub use platform::{init_v8, v8_flags, v8_version};

use crate::model::frame::{RunEnd, RunOrder};
use crate::model::{CompileOrder, Digest, ModuleCache};
use cordon_ops::interrupt::Kill;
use cordon_ops::memory::Account;
use cordon_ops::realm::{self, Entry, RealmError};
use cordon_ops::{embedded, memory};
use deno_core::JsRuntime;
use loader::ArtifactLoader;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Arc;
use watchdog::Watchdog;

/// What a zygote decides for all its cells.
#[derive(Debug, Clone, Copy)]
pub struct IsolateSettings {
    /// Largest heap that any run of this zygote's tier may be granted, in bytes.
    pub heap_max_bytes: usize,
    /// Called when V8 is about to abort for want of memory. It should tell the supervisor and leave; V8 aborts when it returns.
    pub out_of_memory: fn(),
}

/// Our fault or the machine's: a zygote without an isolate.
#[derive(Debug, thiserror::Error)]
pub enum IsolateError {
    /// The realm could not be put together.
    #[error(transparent)]
    Realm(#[from] RealmError),
    /// The timers need a runtime that could not be made.
    #[error("the isolate's timer runtime could not be made: {0}")]
    Timers(std::io::Error),
    /// The warm-up run did not end as it must.
    #[error("the warm-up run ended as {0} instead of ok")]
    WarmUp(String),
}

/// An isolate with all of the host's JavaScript loaded and warm, and no guest code in it yet.
pub struct WarmIsolate {
    /// Never dropped: the process ends by `_exit`, and taking a heap apart first would only cost time.
    js: ManuallyDrop<JsRuntime>,
    timers: ManuallyDrop<tokio::runtime::Runtime>,
    entry: Entry,
    loader: Rc<ArtifactLoader>,
    account: Arc<Account>,
    watchdog: Option<Watchdog>,
}

/// Full collections after the warm-up, so that cells inherit an old, compact heap and a nursery with little in it.
/// The first leaves objects that only the next can free; how many are needed was not measured.
const COLLECTIONS: usize = 3;

impl WarmIsolate {
    /// Builds the realm, warms it up by a harmless run through the same path as a guest's, and collects its garbage.
    /// For a zygote, before it is sealed. [`init_v8`] comes first.
    pub fn build(settings: &IsolateSettings) -> Result<Self, IsolateError> {
        let timers = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .on_thread_park(line::before_park)
            .build()
            .map_err(IsolateError::Timers)?;
        let loader = Rc::new(ArtifactLoader::default());
        let account = Account::new(settings.heap_max_bytes);
        let (mut js, entry) = {
            let _entered = timers.enter();
            realm::build(&account, settings.heap_max_bytes, loader.clone())?
        };
        memory::on_out_of_memory(js.v8_isolate(), settings.out_of_memory);
        let mut warm = Self { js: ManuallyDrop::new(js), timers: ManuallyDrop::new(timers), entry, loader, account, watchdog: None };
        warm.warm_up()?;
        for _ in 0..COLLECTIONS {
            warm.js.v8_isolate().low_memory_notification();
        }
        // V8 sweeps the pages of a collection when it needs room, so each cell would sweep, and copy, what siblings sweep as well.
        // Counting code walks the heap, which needs it swept: of the calls that do so, the one without other effects.
        let _ = warm.js.v8_isolate().get_heap_code_and_metadata_statistics();
        // The collections took the shapes and caches along that only garbage held, and the nursery's first page. They are the same for all, so
        // they are made again once, and not by each cell.
        warm.warm_up()?;
        memory::note(warm.js.v8_isolate(), &warm.account);
        Ok(warm)
    }

    /// Names of the ops that do something, sorted: what the build's identity lists.
    pub fn op_names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.js.op_names().into_iter().filter(|name| realm::is_kept(name)).map(str::to_owned).collect();
        names.sort_unstable();
        names
    }

    /// In a cell, before its last filter: starts the watchdog's thread, which waits for the run's budgets. Fails when the kernel
    /// gives no thread.
    pub fn arm(&mut self) -> std::io::Result<()> {
        if self.watchdog.is_none() {
            self.watchdog = Some(Watchdog::arm(Kill::new(self.js.v8_isolate().thread_safe_handle()))?);
        }
        Ok(())
    }

    /// Runs one order to its end under its limits. `line` takes the run's frames while it runs, already inside their caps, and brings what the
    /// supervisor answers. The caller sends what is returned and leaves the process.
    pub fn run(mut self, order: RunOrder, line: Line) -> RunEnd {
        drive::run(&mut self, order, line)
    }

    /// Compiles the modules of one order and runs nothing of them. The caller sends what is returned and leaves the process.
    pub fn compile(mut self, order: &CompileOrder) -> Vec<ModuleCache> {
        compile::compile(&mut self.js, order)
    }

    /// One harmless run through the same path as a guest's, without limits of its own.
    fn warm_up(&mut self) -> Result<(), IsolateError> {
        let end = drive::warm_up(self, WARM_UP);
        match end.outcome {
            crate::model::Outcome::Ok => Ok(()),
            other => Err(IsolateError::WarmUp(format!("{other}: {:?}", end.error))),
        }
    }
}

/// The warm-up's module. It uses what most guests use, so that it is compiled before they come. What reads files the first time it is used, such
/// as the time zone, must be used here: a sealed cell cannot read them, and a refused call looks like an attack.
const WARM_UP: &str = "export default async (input, env, ctx) => {\
    const url = new URL('https://a.example/?b=c'); url.searchParams.append('d', 'e');\
    const text = new TextDecoder().decode(new TextEncoder().encode(url.href));\
    await new Promise((resolve) => setTimeout(resolve, 0)); await null;\
    console.log('%s', text, { input, list: [1, 'two', null], map: new Map([[1, 2]]) });\
    try { throw new TypeError('warm'); } catch (error) { console.error(error.stack, structuredClone({ a: [1] }), atob(btoa('x'))); }\
    const when = new Date(0); when.toString(); when.toLocaleString(); when.getHours(); Temporal.Now.zonedDateTimeISO();\
    new Intl.DateTimeFormat('en').format(when); new Intl.NumberFormat('en').format(1.5); ['b', 'a'].sort((a, b) => a.localeCompare(b));\
    await (await fetch('data:text/plain,warm')).text(); for await (const piece of new Response(new Blob(['a']).stream()).body) piece.length;\
    ctx.waitUntil(Promise.resolve()); const controller = new AbortController();\
    const asked = fetch('https://a.example/', { signal: controller.signal }); controller.abort(); await asked.catch(() => {});\
    return { random: Math.random(), now: Date.now() + performance.now(), id: crypto.randomUUID(), aborted: controller.signal.aborted };\
};";

/// Digest over every script that is embedded: deno_core's are part of its crate and so of the binary's own digest.
pub fn host_javascript_digest() -> Digest {
    Digest::of_parts(embedded::all().flat_map(|(specifier, source)| [specifier.as_bytes(), source.as_bytes()]))
}
