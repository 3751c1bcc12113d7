//! System call filters: what a zygote may call, and the narrower list of a cell.
//!
//! A call that is not listed is trapped, answered with EPERM and reported on descriptor 2 (`os::refuse_loudly`). The lists are
//! what V8, a time-only tokio runtime, oxc and the C library were seen to call under the corpus and the tests.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition as Cond, SeccompFilter, SeccompRule,
    TargetArch,
};
use std::collections::BTreeMap;

/// Stands for the cell's own pid in the prepared filter; [`SeccompCell::apply`] puts the real one in.
const PID_PLACEHOLDER: u32 = 0x5ce1_1d00;

/// Calls that both may make, whatever the arguments. None of them can open, connect, create or signal anything.
const COMMON: &[i64] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_close,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_pkey_alloc,
    libc::SYS_pkey_free,
    libc::SYS_pkey_mprotect,
    libc::SYS_futex,
    libc::SYS_membarrier,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    // A cell's alarm and the thread that waits for it.
    libc::SYS_setitimer,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Let through here and answered with ENOSYS by `no_clone3`: the C library then uses clone, which a cell's filter refuses.
    libc::SYS_clone3,
];

/// Calls that only a zygote may make: it forks, reaps, passes descriptors and arms its children.
const ZYGOTE_ONLY: &[i64] = &[
    libc::SYS_clone,
    libc::SYS_wait4,
    libc::SYS_pidfd_open,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_prctl,
    libc::SYS_seccomp,
    libc::SYS_prlimit64,
    libc::SYS_tgkill,
];

/// Why a filter could not be built or applied.
pub(super) type SeccompError = Box<dyn std::error::Error + Send + Sync>;

/// The filters of a zygote: its allow-list, and clone3 answered with ENOSYS.
pub(super) fn apply_zygote() -> Result<(), SeccompError> {
    let mut rules = common()?;
    rules.extend(ZYGOTE_ONLY.iter().map(|call| (*call, Vec::new())));
    seccompiler::apply_filter(&no_clone3()?)?;
    seccompiler::apply_filter(&allow_list(rules)?)?;
    Ok(())
}

/// Forbids memory that becomes executable, for processes that make no code: whatever is executable is so already.
pub(super) fn forbid_new_code() -> Result<(), SeccompError> {
    let executable = || rule(2, Len::Dword, Op::MaskedEq(libc::PROT_EXEC as u64), libc::PROT_EXEC as u64);
    let calls = [libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_pkey_mprotect];
    let traps = calls.map(|call| Ok((call, vec![executable()?]))).into_iter().collect::<Result<BTreeMap<_, _>, SeccompError>>()?;
    let filter: BpfProgram = SeccompFilter::new(traps, SeccompAction::Allow, SeccompAction::Trap, arch()?)?.try_into()?;
    Ok(seccompiler::apply_filter(&filter)?)
}

/// The filter of a cell, prepared in its zygote so that a cell only installs it.
///
/// A filter is never taken away, so a cell keeps its zygote's allow-list, and this one only takes from it: what a zygote alone may do, and
/// what is not about the cell itself. That makes it short, which counts: each cell installs and compiles its own.
pub(super) struct SeccompCell(BpfProgram);

impl SeccompCell {
    /// Builds the filter.
    pub(super) fn prepare() -> Result<Self, SeccompError> {
        let mut traps: BTreeMap<_, _> = ZYGOTE_ONLY.iter().map(|call| (*call, Vec::new())).collect();
        let differs = |argument, value: u64| Cond::new(argument, Len::Dword, Op::Ne, value);
        traps.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![differs(0, PID_PLACEHOLDER.into())?])?]);
        let own_limits = [libc::RLIMIT_DATA, libc::RLIMIT_CPU, libc::RLIMIT_STACK];
        let other_limit = own_limits.map(|limit| differs(1, limit.into())).into_iter().collect::<Result<_, _>>()?;
        traps.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![differs(0, 0)?])?, SeccompRule::new(other_limit)?]);
        let names = [libc::PR_SET_NAME, libc::PR_SET_VMA];
        let other_option = names.map(|option| differs(0, option as u64)).into_iter().collect::<Result<_, _>>()?;
        traps.insert(libc::SYS_prctl, vec![SeccompRule::new(other_option)?]);
        Ok(Self(SeccompFilter::new(traps, SeccompAction::Allow, SeccompAction::Trap, arch()?)?.try_into()?))
    }

    /// Installs the filter in the calling cell, whose pid in its namespace is `pid`.
    pub(super) fn apply(&self, pid: i32) -> Result<(), SeccompError> {
        let mut program = self.0.clone();
        for instruction in program.iter_mut().filter(|instruction| instruction.k == PID_PLACEHOLDER) {
            instruction.k = pid.unsigned_abs();
        }
        // All threads: the watchdog of a cell exists before its filter.
        Ok(seccompiler::apply_filter_all_threads(&program)?)
    }
}

/// The rules of [`COMMON`], and the one question about a descriptor that the standard library asks before it closes one.
fn common() -> Result<BTreeMap<i64, Vec<SeccompRule>>, SeccompError> {
    let mut rules: BTreeMap<_, _> = COMMON.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_fcntl, vec![rule(1, Len::Dword, Op::Eq, libc::F_GETFD as u64)?]);
    Ok(rules)
}

fn rule(argument: u8, length: Len, operator: Op, value: u64) -> Result<SeccompRule, SeccompError> {
    Ok(SeccompRule::new(vec![Cond::new(argument, length, operator, value)?])?)
}

fn allow_list(rules: BTreeMap<i64, Vec<SeccompRule>>) -> Result<BpfProgram, SeccompError> {
    Ok(SeccompFilter::new(rules, SeccompAction::Trap, SeccompAction::Allow, arch()?)?.try_into()?)
}

fn no_clone3() -> Result<BpfProgram, SeccompError> {
    let rules = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let refuse = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch()?)?.try_into()?)
}

fn arch() -> Result<TargetArch, SeccompError> {
    Ok(std::env::consts::ARCH.try_into()?)
}

/// The name of call `number` for metrics and logs; `other` for calls that no one is expected to try.
pub(super) fn call_name(number: i64) -> &'static str {
    const NAMES: &[(i64, &str)] = &[
        (libc::SYS_socket, "socket"),
        (libc::SYS_socketpair, "socketpair"),
        (libc::SYS_connect, "connect"),
        (libc::SYS_openat, "openat"),
        (libc::SYS_execve, "execve"),
        (libc::SYS_execveat, "execveat"),
        (libc::SYS_ptrace, "ptrace"),
        (libc::SYS_clone, "clone"),
        (libc::SYS_kill, "kill"),
        (libc::SYS_tgkill, "tgkill"),
        (libc::SYS_prctl, "prctl"),
        (libc::SYS_prlimit64, "prlimit64"),
        (libc::SYS_dup, "dup"),
        (libc::SYS_fcntl, "fcntl"),
        (libc::SYS_ioctl, "ioctl"),
        (libc::SYS_pipe2, "pipe2"),
        (libc::SYS_memfd_create, "memfd_create"),
        (libc::SYS_mmap, "mmap"),
        (libc::SYS_mprotect, "mprotect"),
        (libc::SYS_io_uring_setup, "io_uring_setup"),
        (libc::SYS_bpf, "bpf"),
        (libc::SYS_perf_event_open, "perf_event_open"),
        (libc::SYS_userfaultfd, "userfaultfd"),
        (libc::SYS_keyctl, "keyctl"),
        (libc::SYS_process_vm_readv, "process_vm_readv"),
        (libc::SYS_pidfd_open, "pidfd_open"),
        (libc::SYS_unshare, "unshare"),
        (libc::SYS_mount, "mount"),
        (libc::SYS_readlinkat, "readlinkat"),
        (libc::SYS_newfstatat, "newfstatat"),
        (libc::SYS_statx, "statx"),
    ];
    NAMES.iter().find(|(known, _)| *known == number).map_or("other", |(_, name)| name)
}
