//! The hardening layers of a zygote and its cells, by name.

/// The names of all layers, in the order in which they are applied.
pub const LAYERS: [&str; 19] = [
    "parent_death_signal",
    "oom_first",
    "rlimits",
    "user_namespace",
    "pid_namespace",
    "network_namespace",
    "mount_namespace",
    "ipc_namespace",
    "uts_namespace",
    "core_scheduling",
    "empty_root",
    "no_capabilities",
    "no_new_privileges",
    "not_dumpable",
    "landlock",
    "no_new_code",
    "seccomp_zygote",
    "seccomp_cell",
    "rlimit_data",
];
