//! Hardening layers of a zygote, applied in the order that works, each recorded as it came out.
//!
//! Every layer is attempted on its own; what a machine lacks is recorded as such and never hidden. Whether a tier runs without
//! a layer is its profile's word (`require_hardening`).

use super::ZygoteKind;
use super::os;
use super::seccomp::{self, SeccompCell};
use crate::model::LAYERS;
use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, chdir, getpid, pivot_root};
use rustix::thread::{CapabilitySet, CapabilitySets, CoreSchedulingScope};
use std::fmt::Display;

/// The state of a layer that is fully in force.
pub const ENFORCED: &str = "enforced";

/// Descriptors that a zygote may have: of its own it needs some ten, but the kernel also measures by this limit how many descriptors
/// of the same user may be under way in messages before this process may send one (unix(7), ETOOMANYREFS).
const ZYGOTE_DESCRIPTORS_MAX: u64 = 1024;

/// Descriptors that a cell may have: the three standard ones and its socket are open, and it can make none.
const CELL_DESCRIPTORS_MAX: u64 = 4;

/// Layers and how each came out.
#[derive(Debug, Default)]
pub(super) struct Layers(Vec<(String, String)>);

impl Layers {
    fn note(&mut self, layer: &str, result: Result<(), impl Display>) {
        debug_assert!(LAYERS.contains(&layer), "{layer} is no known layer");
        let state = result.map_or_else(|error| format!("unavailable: {error}"), |()| ENFORCED.to_owned());
        self.0.push((layer.to_owned(), state));
    }

    /// The list.
    pub(super) fn into_vec(self) -> Vec<(String, String)> {
        self.0
    }
}

/// Before the fork that enters the pid namespace, in a process with one thread and nothing loaded.
pub(super) fn before_fork(layers: &mut Layers) {
    layers.note("oom_first", std::fs::write("/proc/self/oom_score_adj", "1000"));
    layers.note("rlimits", limit_resources());
    let namespaces = [
        ("user_namespace", CloneFlags::CLONE_NEWUSER),
        ("pid_namespace", CloneFlags::CLONE_NEWPID),
        ("network_namespace", CloneFlags::CLONE_NEWNET),
        ("mount_namespace", CloneFlags::CLONE_NEWNS),
        ("ipc_namespace", CloneFlags::CLONE_NEWIPC),
        ("uts_namespace", CloneFlags::CLONE_NEWUTS),
    ];
    for (layer, flag) in namespaces {
        layers.note(layer, unshare(flag));
    }
}

fn limit_resources() -> nix::Result<()> {
    let limits = [
        (Resource::RLIMIT_NOFILE, ZYGOTE_DESCRIPTORS_MAX),
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, 0),
        (Resource::RLIMIT_MEMLOCK, 0),
        (Resource::RLIMIT_MSGQUEUE, 0),
    ];
    limits.into_iter().try_for_each(|(resource, most)| {
        // Never more than whoever started the supervisor has: raising it would need a capability.
        let (_, hard) = getrlimit(resource)?;
        setrlimit(resource, most.min(hard), most.min(hard))
    })
}

/// Dies with its parent. Cleared by every fork, so each process arms it again.
pub(super) fn die_with_parent(layers: &mut Layers) {
    layers.note("parent_death_signal", prctl::set_pdeathsig(Signal::SIGKILL));
}

/// After V8 and the realm are warm: everything that would have been in their way.
pub(super) fn after_warm_up(layers: &mut Layers, cell_filter: &SeccompCell, kind: ZygoteKind) {
    let this_process = CoreSchedulingScope::ThreadGroup;
    layers.note("core_scheduling", rustix::thread::create_core_scheduling_cookie(rustix::process::getpid(), this_process));
    layers.note("empty_root", empty_root());
    layers.note("no_capabilities", drop_capabilities());
    layers.note("no_new_privileges", prctl::set_no_new_privs());
    layers.note("not_dumpable", prctl::set_dumpable(false));
    match landlock_nothing() {
        Ok(RulesetStatus::FullyEnforced) => layers.note("landlock", Ok::<(), &str>(())),
        Ok(RulesetStatus::PartiallyEnforced) => layers.0.push(("landlock".into(), "partial: an older kernel handles fewer rights".into())),
        Ok(RulesetStatus::NotEnforced) => layers.note("landlock", Err("the kernel has no Landlock")),
        Err(error) => layers.note("landlock", Err(error)),
    }
    if kind.makes_code() {
        layers.0.push(("no_new_code".into(), "off: V8 compiles here; a profile with `jitless = true` has it".into()));
    } else {
        layers.note("no_new_code", seccomp::forbid_new_code());
    }
    let allow_list = seccomp::apply_zygote();
    let in_force = allow_list.is_ok();
    layers.note("seccomp_zygote", allow_list);
    let (filter, limit) = trial_cell(cell_filter);
    match filter {
        Ok(()) if !in_force => {
            layers.0.push(("seccomp_cell".into(), "partial: it narrows its zygote's filter, which is not in force".into()))
        }
        filter => layers.note("seccomp_cell", filter),
    }
    layers.note("rlimit_data", limit);
}

/// Replaces the mount tree by an empty, read-only one.
fn empty_root() -> nix::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("none"), "/proc", Some("tmpfs"), flags, Some("size=4k,nr_inodes=2"))?;
    chdir("/proc")?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")?;
    mount(none, "/", none, flags | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, none)
}

fn drop_capabilities() -> rustix::io::Result<()> {
    rustix::thread::clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
}

/// Handles every right that Landlock knows and grants none: no path, no port, no abstract socket, no signal outside.
fn landlock_nothing() -> Result<RulesetStatus, landlock::RulesetError> {
    let abi = ABI::V6;
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort);
    let ruleset = ruleset.handle_access(AccessFs::from_all(abi))?.handle_access(AccessNet::from_all(abi))?.scope(Scope::from_all(abi))?;
    Ok(ruleset.create()?.restrict_self()?.ruleset)
}

/// Seals a process forked for it as a cell is sealed and tells whether it worked: the filter's state and the data limit's.
fn trial_cell(cell_filter: &SeccompCell) -> (Result<(), String>, Result<(), String>) {
    let child = match os::fork() {
        Ok(nix::unistd::ForkResult::Child) => {
            let limit = limit_data(u64::MAX >> 1).is_err();
            let filter = arm_cell(cell_filter).is_err();
            os::exit_now(i32::from(filter) | i32::from(limit) << 1)
        }
        Ok(nix::unistd::ForkResult::Parent { child }) => child,
        Err(error) => return (Err(error.to_string()), Err(error.to_string())),
    };
    let code = match nix::sys::wait::waitpid(child, None) {
        Ok(nix::sys::wait::WaitStatus::Exited(_, code)) => code,
        Ok(other) => return (Err(format!("{other:?}")), Err(format!("{other:?}"))),
        Err(error) => return (Err(error.to_string()), Err(error.to_string())),
    };
    let state = |bit: i32, what: &str| if code & bit == 0 { Ok(()) } else { Err(format!("a cell could not {what}")) };
    (state(1, "install its filter"), state(2, "set its data limit"))
}

/// Seals a cell right after its fork, while it is idle.
pub(super) fn arm_cell(filter: &SeccompCell) -> Result<(), seccomp::SeccompError> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    setrlimit(Resource::RLIMIT_NOFILE, CELL_DESCRIPTORS_MAX, CELL_DESCRIPTORS_MAX)?;
    filter.apply(Pid::as_raw(getpid()))
}

/// Sets the true end of a cell's memory: private writable memory of `bytes`, what was inherited included.
pub(super) fn limit_data(bytes: u64) -> nix::Result<()> {
    setrlimit(Resource::RLIMIT_DATA, bytes, bytes)
}

/// A backstop behind both watchdogs: the kernel kills the cell at `seconds` of CPU time since its fork.
pub(super) fn limit_cpu(seconds: u64) -> nix::Result<()> {
    setrlimit(Resource::RLIMIT_CPU, seconds, seconds)
}
