//! What hostile native code would try first. Test builds only; `probe` reports how each attempt came out.

use std::io;

/// One attempt: what was tried, and the call's result or its errno.
pub(in crate::cell) type Attempt = (String, Result<i64, i32>);

/// A raw system call.
fn call(number: libc::c_long, arguments: [usize; 5]) -> Result<i64, i32> {
    let [a, b, c, d, e] = arguments;
    // SAFETY: the attempts pass null, small numbers or pointers to live buffers; a call that succeeds is the test's finding.
    let result = unsafe { libc::syscall(number, a, b, c, d, e) };
    if result < 0 { Err(io::Error::last_os_error().raw_os_error().unwrap_or(0)) } else { Ok(result) }
}

fn plain(name: &str, number: libc::c_long, arguments: [usize; 5]) -> Attempt {
    (name.to_owned(), call(number, arguments))
}

const NONE: [usize; 5] = [0; 5];

/// All attempts of a family; empty for a family that does not exist.
pub(in crate::cell) fn family(name: &str) -> Vec<Attempt> {
    match name {
        "network" => network(),
        "files" => files(),
        "programs" => programs(),
        "signals" => signals(),
        "descriptors" => descriptors(),
        "kernel" => kernel(),
        "limits" => limits(),
        "code" => code(),
        _ => Vec::new(),
    }
}

fn network() -> Vec<Attempt> {
    let socket = |family: i32, kind: i32| [family as usize, kind as usize, 0, 0, 0];
    let mut pair = [0i32; 2];
    vec![
        plain("socket inet", libc::SYS_socket, socket(libc::AF_INET, libc::SOCK_STREAM)),
        plain("socket inet6", libc::SYS_socket, socket(libc::AF_INET6, libc::SOCK_DGRAM)),
        plain("socket unix", libc::SYS_socket, socket(libc::AF_UNIX, libc::SOCK_STREAM)),
        plain("socket netlink", libc::SYS_socket, socket(libc::AF_NETLINK, libc::SOCK_RAW)),
        plain("socketpair", libc::SYS_socketpair, [libc::AF_UNIX as usize, libc::SOCK_STREAM as usize, 0, pair.as_mut_ptr() as usize, 0]),
        plain("connect", libc::SYS_connect, [3, 0, 0, 0, 0]),
        plain("bind", libc::SYS_bind, [3, 0, 0, 0, 0]),
        plain("listen", libc::SYS_listen, [3, 1, 0, 0, 0]),
        plain("sendmsg", libc::SYS_sendmsg, [3, 0, 0, 0, 0]),
        plain("recvmsg", libc::SYS_recvmsg, [3, 0, 0, 0, 0]),
    ]
}

fn files() -> Vec<Attempt> {
    let open = |path: &std::ffi::CStr, flags: i32| {
        call(libc::SYS_openat, [libc::AT_FDCWD as usize, path.as_ptr() as usize, flags as usize, 0o600, 0])
    };
    let paths = [c"/", c"/etc/passwd", c"/proc/self/environ", c"/proc/self/maps", c"/proc/1/environ", c"/dev/urandom", c"/dev/null", c"."];
    let mut attempts: Vec<Attempt> = paths.iter().map(|path| (format!("open {path:?}"), open(path, libc::O_RDONLY))).collect();
    attempts.push(("create /tmp/x".into(), open(c"/tmp/x", libc::O_CREAT | libc::O_WRONLY)));
    let path = c"/etc/passwd".as_ptr() as usize;
    attempts.extend([
        plain("stat", libc::SYS_newfstatat, [libc::AT_FDCWD as usize, path, 0, 0, 0]),
        plain("readlink", libc::SYS_readlinkat, [libc::AT_FDCWD as usize, path, 0, 0, 0]),
        plain("unlink", libc::SYS_unlinkat, [libc::AT_FDCWD as usize, path, 0, 0, 0]),
        plain("mkdir", libc::SYS_mkdirat, [libc::AT_FDCWD as usize, path, 0, 0, 0]),
        plain("memfd_create", libc::SYS_memfd_create, [path, 0, 0, 0, 0]),
        plain("chroot", libc::SYS_chroot, [path, 0, 0, 0, 0]),
        plain("mount", libc::SYS_mount, [path, path, path, 0, 0]),
    ]);
    attempts
}

fn programs() -> Vec<Attempt> {
    let path = c"/bin/true".as_ptr() as usize;
    let fork_flags = libc::SIGCHLD as usize;
    vec![
        plain("execve", libc::SYS_execve, [path, 0, 0, 0, 0]),
        plain("execveat", libc::SYS_execveat, [libc::AT_FDCWD as usize, path, 0, 0, 0]),
        plain("clone a process", libc::SYS_clone, [fork_flags, 0, 0, 0, 0]),
        plain("clone a thread", libc::SYS_clone, [(libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_SIGHAND) as usize, 0, 0, 0, 0]),
        plain("clone3", libc::SYS_clone3, NONE),
        plain("unshare", libc::SYS_unshare, [libc::CLONE_NEWUSER as usize, 0, 0, 0, 0]),
        plain("setns", libc::SYS_setns, [0, 0, 0, 0, 0]),
        plain("ptrace traceme", libc::SYS_ptrace, NONE),
        plain("ptrace attach", libc::SYS_ptrace, [16, 1, 0, 0, 0]),
        plain("process_vm_readv", libc::SYS_process_vm_readv, [1, 0, 0, 0, 0]),
        plain("process_vm_writev", libc::SYS_process_vm_writev, [1, 0, 0, 0, 0]),
    ]
}

fn signals() -> Vec<Attempt> {
    let kill = libc::SIGKILL as usize;
    let mut attempts = vec![
        plain("kill everything", libc::SYS_kill, [usize::MAX, kill, 0, 0, 0]),
        plain("kill the zygote", libc::SYS_kill, [1, kill, 0, 0, 0]),
        plain("kill the group", libc::SYS_kill, [0, kill, 0, 0, 0]),
        plain("tgkill the zygote", libc::SYS_tgkill, [1, 1, kill, 0, 0]),
        plain("tkill the zygote", libc::SYS_tkill, [1, kill, 0, 0, 0]),
        plain("pidfd_open the zygote", libc::SYS_pidfd_open, [1, 0, 0, 0, 0]),
        plain("sigqueue the zygote", libc::SYS_rt_sigqueueinfo, [1, kill, 0, 0, 0]),
    ];
    let own = std::process::id() as usize;
    for pid in (2..own + 20).filter(|pid| *pid != own) {
        attempts.push(plain(&format!("tgkill sibling {pid}"), libc::SYS_tgkill, [pid, pid, kill, 0, 0]));
        attempts.push(plain(&format!("kill sibling {pid}"), libc::SYS_kill, [pid, kill, 0, 0, 0]));
    }
    attempts
}

fn descriptors() -> Vec<Attempt> {
    let mut pair = [0i32; 2];
    let mut attempts = vec![
        plain("dup", libc::SYS_dup, [2, 0, 0, 0, 0]),
        plain("dup3", libc::SYS_dup3, [2, 9, 0, 0, 0]),
        plain("fcntl dup", libc::SYS_fcntl, [2, libc::F_DUPFD as usize, 5, 0, 0]),
        plain("fcntl setfl", libc::SYS_fcntl, [2, libc::F_SETFL as usize, 0, 0, 0]),
        plain("pipe2", libc::SYS_pipe2, [pair.as_mut_ptr() as usize, 0, 0, 0, 0]),
        plain("eventfd2", libc::SYS_eventfd2, NONE),
        plain("epoll_create1", libc::SYS_epoll_create1, NONE),
        plain("timerfd_create", libc::SYS_timerfd_create, NONE),
        plain("ioctl", libc::SYS_ioctl, [2, libc::TIOCSTI as usize, 0, 0, 0]),
    ];
    // Three standard ones and the socket exist; any other number must be closed.
    let open: Vec<usize> = (0..1024).filter(|number| call(libc::SYS_fcntl, [*number, libc::F_GETFD as usize, 0, 0, 0]).is_ok()).collect();
    let expected = open.len() == 4 && open[..3] == [0, 1, 2];
    attempts.push((format!("open descriptors {open:?}"), if expected { Err(0) } else { Ok(open.len() as i64) }));
    let variables = std::env::vars_os().count();
    attempts.push((format!("{variables} environment variables"), if variables == 0 { Err(0) } else { Ok(variables as i64) }));
    attempts
}

fn kernel() -> Vec<Attempt> {
    vec![
        plain("io_uring_setup", libc::SYS_io_uring_setup, NONE),
        plain("bpf", libc::SYS_bpf, NONE),
        plain("perf_event_open", libc::SYS_perf_event_open, NONE),
        plain("userfaultfd", libc::SYS_userfaultfd, NONE),
        plain("keyctl", libc::SYS_keyctl, NONE),
        plain("add_key", libc::SYS_add_key, NONE),
        plain("personality", libc::SYS_personality, NONE),
        plain("reboot", libc::SYS_reboot, NONE),
        plain("shmget", libc::SYS_shmget, NONE),
        plain("msgget", libc::SYS_msgget, NONE),
        plain("seccomp", libc::SYS_seccomp, NONE),
        plain("landlock_create_ruleset", libc::SYS_landlock_create_ruleset, NONE),
        plain("setuid", libc::SYS_setuid, NONE),
        plain("capset", libc::SYS_capset, NONE),
        plain("sched_setaffinity", libc::SYS_sched_setaffinity, NONE),
    ]
}

fn limits() -> Vec<Attempt> {
    let most = libc::rlimit { rlim_cur: u64::MAX, rlim_max: u64::MAX };
    let most = &raw const most as usize;
    let raise = |resource: u32| [0, resource as usize, most, 0, 0];
    vec![
        plain("raise data", libc::SYS_prlimit64, raise(libc::RLIMIT_DATA)),
        plain("raise cpu", libc::SYS_prlimit64, raise(libc::RLIMIT_CPU)),
        plain("raise files", libc::SYS_prlimit64, raise(libc::RLIMIT_NOFILE)),
        plain("limit the zygote", libc::SYS_prlimit64, [1, libc::RLIMIT_DATA as usize, most, 0, 0]),
        plain("become dumpable", libc::SYS_prctl, [libc::PR_SET_DUMPABLE as usize, 1, 0, 0, 0]),
        plain("outlive the zygote", libc::SYS_prctl, [libc::PR_SET_PDEATHSIG as usize, 0, 0, 0, 0]),
    ]
}

fn code() -> Vec<Attempt> {
    let (all, private) =
        ((libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC) as usize, (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as usize);
    // A page of this function's own stack stands for any memory that guest code has written.
    let page = (&raw const all as usize) & !0xfff;
    // SAFETY: a fresh mapping; one that succeeds is the test's finding.
    let mapped = unsafe { libc::syscall(libc::SYS_mmap, 0usize, 4096usize, all, private, usize::MAX, 0usize) };
    let mapped = if mapped < 0 { Err(io::Error::last_os_error().raw_os_error().unwrap_or(0)) } else { Ok(mapped) };
    vec![
        ("map executable memory".to_owned(), mapped),
        plain("make memory executable", libc::SYS_mprotect, [page, 4096, all, 0, 0]),
        plain("make it so by a key", libc::SYS_pkey_mprotect, [page, 4096, all, usize::MAX, 0]),
    ]
}

/// Dies of a segmentation fault.
pub(in crate::cell) fn fault() -> ! {
    // SAFETY: none; this is the crash that the test asks for.
    unsafe { std::ptr::null_mut::<u8>().write_volatile(1) };
    std::process::abort()
}
