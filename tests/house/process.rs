//! Processes as the kernel lists them.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

/// What `/proc/PID/stat` tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stat {
    /// The process.
    pub(crate) pid: u32,
    /// Its parent.
    pub(crate) parent: u32,
    /// True when it is dead and not yet reaped.
    pub(crate) zombie: bool,
    /// CPU time so far, in the kernel's ticks.
    pub(crate) ticks: u64,
}

/// Every process.
fn all() -> Vec<Stat> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(stat).collect()
}

/// One process; `None` when it is gone.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may contain anything.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    let parent = u32::try_from(number(1)?).ok()?;
    Some(Stat { pid, parent, zombie: fields.first() == Some(&"Z"), ticks: number(11)? + number(12)? })
}

/// The living children of `pid`.
pub(crate) fn children(pid: u32) -> Vec<Stat> {
    all().into_iter().filter(|stat| stat.parent == pid && !stat.zombie).collect()
}

/// The zygotes of a supervisor. Each is the only child of a process that stays outside its namespace to die with it.
pub(crate) fn zygotes(supervisor: u32) -> Vec<u32> {
    children(supervisor).iter().flat_map(|outer| children(outer.pid)).map(|zygote| zygote.pid).collect()
}

/// The cells of a supervisor, idle ones included.
pub(crate) fn cells(supervisor: u32) -> Vec<Stat> {
    zygotes(supervisor).into_iter().flat_map(children).collect()
}

/// A supervisor, its zygotes and their cells.
pub(crate) fn family(supervisor: u32) -> BTreeSet<u32> {
    let mut family = BTreeSet::from([supervisor]);
    for outer in children(supervisor) {
        family.insert(outer.pid);
        for zygote in children(outer.pid) {
            family.insert(zygote.pid);
            family.extend(children(zygote.pid).iter().map(|cell| cell.pid));
        }
    }
    family
}

/// Those of `pids` that are still alive.
pub(crate) fn alive(pids: &BTreeSet<u32>) -> Vec<u32> {
    pids.iter().copied().filter(|pid| stat(*pid).is_some_and(|stat| !stat.zombie)).collect()
}

/// Idle cells that a server keeps on its defaults: 8 + 2 + 4 for runs, 4 for intake.
const IDLE: usize = 18;

/// Descriptors of a server that may come and go: connections under way, a journal segment.
pub(crate) const DESCRIPTORS_SLACK: usize = 8;

/// True when a server on its defaults has its idle cells and no other.
pub(crate) fn at_rest(supervisor: u32) -> bool {
    cells(supervisor).len() == IDLE
}

/// Memory of a process that is in RAM, in bytes.
pub(crate) fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// Open descriptors of a process.
pub(crate) fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// Sends a signal, by name, to one process that a test started or that a server of its own started.
pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), "--", &pid.to_string()]).stderr(Stdio::null()).status();
    // A process that is gone already needs no signal.
    status.expect("kill starts");
}
