//! What the machine has, as far as defaults depend on it.

use std::path::Path;

/// Memory assumed when neither the kernel nor a control group tells, in bytes: small, so that too little is admitted, not too much.
const MEMORY_BYTES_FALLBACK: u64 = 1 << 30;

/// Cores and memory that this process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Cores, by affinity and control group.
    pub cores: u64,
    /// Memory in bytes: the machine's, or the control group's limit when that is lower.
    pub memory_bytes: u64,
}

impl Machine {
    /// Asks the kernel: `/proc/meminfo` and the control groups (version 2 and 1) that this process is in.
    pub fn probe() -> Self {
        let read = |path: &Path| std::fs::read_to_string(path).ok();
        let total = read(Path::new("/proc/meminfo")).and_then(|text| mem_total(&text));
        let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
        let limits = limit_files(&groups).into_iter().filter_map(|path| read(Path::new(&path))).filter_map(|text| group_limit(&text));
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        Self { cores, memory_bytes: limits.chain(total).min().unwrap_or(MEMORY_BYTES_FALLBACK) }
    }
}

/// `MemTotal` of `/proc/meminfo` in bytes.
fn mem_total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// A control group's limit in bytes; none when it says `max`.
fn group_limit(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// Files that may hold the memory limit of the groups in `/proc/self/cgroup`: the group's own and each one above it.
/// Inside a container the paths of the host do not exist, but the mount point itself is the container's group.
fn limit_files(groups: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        let (root, name) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            list if list.split(',').any(|controller| controller == "memory") => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        let above = Path::new(group).ancestors().filter_map(Path::to_str).map(|group| group.trim_end_matches('/'));
        files.extend(above.map(|group| format!("{root}{group}/{name}")));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_kibibytes_and_a_group_without_limit_sets_none() {
        assert_eq!(mem_total("MemTotal:       16384 kB\nMemFree: 1 kB\n"), Some(16 << 20));
        assert_eq!(mem_total("MemTotal: lots\n"), None);
        assert_eq!(mem_total(""), None);
        assert_eq!((group_limit("max\n"), group_limit("1048576\n")), (None, Some(1 << 20)));
    }

    #[test]
    fn the_limits_of_the_group_and_of_every_group_above_it_count() {
        assert_eq!(limit_files("0::/a/b\n"), ["/a/b", "/a", ""].map(|group| format!("/sys/fs/cgroup{group}/memory.max")));
        assert_eq!(
            limit_files("5:cpu,memory:/x\n3:pids:/x\n"),
            ["/x", ""].map(|group| format!("/sys/fs/cgroup/memory{group}/memory.limit_in_bytes"))
        );
        assert!(limit_files("nonsense\n").is_empty());
    }

    #[test]
    fn this_machine_has_a_core_and_memory() {
        let machine = Machine::probe();
        assert!(machine.cores >= 1 && machine.memory_bytes > 1 << 20, "{machine:?}");
    }
}
