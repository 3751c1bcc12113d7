//! The clock that wakes the thread that ends a run: the process's one interval timer.
//!
//! A run that keeps its limits is over before the alarm is due, so it costs one system call to set it and never a switch of threads. The alarm rings on
//! the thread that runs JavaScript, which passes it on and rests until it was looked at: waking a thread on another, sleeping processor was
//! seen to take a tick of 4 ms in one of ten cases, and a loop that is to be ended would use up CPU time meanwhile.

use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

/// What the thread is, in the words of the C library.
type Body = extern "C" fn(*mut libc::c_void) -> *mut libc::c_void;

/// Stack of the thread, in bytes: it calls two clocks and two functions of V8. Source: 16 KiB is glibc's least, with room for a signal's frame.
const STACK_BYTES: usize = 64 << 10;

/// Memory for the one stack. Part of the program's own zeroed memory, so that a cell maps nothing for it.
#[repr(C, align(4096))]
struct Stack(std::cell::UnsafeCell<[MaybeUninit<u8>; STACK_BYTES]>);

// SAFETY: only the thread that is started once per process uses it.
unsafe impl Sync for Stack {}

static STACK: Stack = Stack(std::cell::UnsafeCell::new([MaybeUninit::uninit(); STACK_BYTES]));

fn checked(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(result)) }
}

fn alarm_signal() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set, sigaddset adds a signal that exists.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGALRM);
        set.assume_init()
    }
}

/// The waiting thread, as the kernel numbers it; 0 before it runs.
static WAITING: AtomicI32 = AtomicI32::new(0);

/// How often the waiting thread went back to wait: after each look.
static LOOKS: AtomicU32 = AtomicU32::new(0);

/// How long the ringing thread rests at most, and in which steps. A look takes microseconds once the other thread runs.
static REST_STEP: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 50_000 };
const REST_STEPS: u32 = 160;

/// On the thread that runs JavaScript: passes the ring on and rests until it was looked at.
extern "C" fn ring(_: libc::c_int) {
    let looks = LOOKS.load(Ordering::Acquire);
    // SAFETY: errno is this thread's own; tgkill and nanosleep may be called in a signal handler and touch no memory of ours.
    unsafe {
        let errno = *libc::__errno_location();
        libc::syscall(libc::SYS_tgkill, libc::getpid(), WAITING.load(Ordering::Acquire), libc::SIGALRM);
        for _ in 0..REST_STEPS {
            if LOOKS.load(Ordering::Acquire) != looks {
                break;
            }
            libc::nanosleep(&raw const REST_STEP, std::ptr::null_mut());
        }
        *libc::__errno_location() = errno;
    }
}

/// Starts the one thread of this process that waits for the alarm, and lets the alarm ring on the calling thread. Once per process: the thread's
/// stack is one piece of static memory.
///
/// Errors: the kernel gives no thread.
pub fn start_thread(body: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    extern "C" fn run(body: *mut libc::c_void) -> *mut libc::c_void {
        // SAFETY: asks for a number.
        WAITING.store(unsafe { libc::gettid() }, Ordering::Release);
        // SAFETY: the pointer that `start_thread` made from a box of exactly this type, and gave to this thread alone.
        let body = unsafe { Box::from_raw(body.cast::<Box<dyn FnOnce() + Send>>()) };
        body();
        std::ptr::null_mut()
    }
    let set = alarm_signal();
    // The new thread inherits the blocked signal, which it waits for; this one takes it by its handler.
    // SAFETY: a live set; no old one is asked for.
    checked(unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) })?;
    let body = Box::into_raw(Box::new(body)).cast::<libc::c_void>();
    let started = spawn(run, body);
    if started.is_err() {
        // SAFETY: no thread took it.
        drop(unsafe { Box::from_raw(body.cast::<Box<dyn FnOnce() + Send>>()) });
    }
    started?;
    take_rings()?;
    // SAFETY: as above.
    checked(unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut()) })
}

fn take_rings() -> io::Result<()> {
    // SAFETY: an all-zero sigaction is a valid value of that plain C struct; the handler is a function of the right type.
    let done = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ring as *const () as usize;
        action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGALRM, &raw const action, std::ptr::null_mut())
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn spawn(body: Body, argument: *mut libc::c_void) -> io::Result<()> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let mut thread = MaybeUninit::<libc::pthread_t>::uninit();
    // SAFETY: the attributes are initialised before they are used and destroyed after; the stack is static, aligned and used by no other
    // thread; `argument` stays valid until the thread takes it.
    unsafe {
        checked(libc::pthread_attr_init(attributes.as_mut_ptr()))?;
        let prepared = checked(libc::pthread_attr_setstack(attributes.as_mut_ptr(), STACK.0.get().cast(), STACK_BYTES));
        let detached = checked(libc::pthread_attr_setdetachstate(attributes.as_mut_ptr(), libc::PTHREAD_CREATE_DETACHED));
        let created =
            prepared.and(detached).and_then(|()| checked(libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), body, argument)));
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        created
    }
}

/// Lets the alarm ring once after `time`, in place of what was set before.
pub fn ring_after(time: Duration) {
    let seconds = libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX);
    // Zero would switch it off.
    let micros = if time.is_zero() { 1 } else { libc::suseconds_t::from(time.subsec_micros().max(u32::from(time.as_secs() == 0))) };
    let never = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let timer = libc::itimerval { it_interval: never, it_value: libc::timeval { tv_sec: seconds, tv_usec: micros } };
    // SAFETY: a live timer; no old one is asked for. It fails for times out of range only, which these are not.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
}

/// Waits for the alarm. For the thread of [`start_thread`], which thereby says that it has looked at the ring before. A wait that is interrupted counts as
/// a ring: who waits looks at the clocks.
pub fn wait() {
    LOOKS.fetch_add(1, Ordering::AcqRel);
    let set = alarm_signal();
    // SAFETY: a live set; what rang is not asked for.
    unsafe { libc::sigwaitinfo(&raw const set, std::ptr::null_mut()) };
}
