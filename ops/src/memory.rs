//! One account of a run's memory: V8's heap and the buffers outside it together.
//!
//! Buffers come from an allocator that counts and refuses what would go over the budget; V8 then collects garbage and asks again.
//! The heap's limit follows what the buffers leave: after each collection it is set to the rest of the budget, and when V8 is
//! about to reach it, [`Overrun`] decides whether the rest has grown meanwhile or the run is over.

use deno_core::v8;
use std::alloc::Layout;
use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Alignment of buffers: the widest that typed arrays and SIMD loads on them need.
const ALIGNMENT: usize = 16;

/// The young generation, in bytes: three semi-spaces of 1 MiB. Small, so that a cell's nursery costs few pages.
pub const YOUNG_BYTES: usize = 3 << 20;

/// What V8 may use beyond the budget while it unwinds a run that is over. Large, because a native loop that cannot be
/// interrupted must reach the process's own limit (RLIMIT_DATA) rather than V8's abort.
const UNWIND_BYTES: usize = 4 << 30;

/// Called once, on V8's thread, when the budget is used up. It must only ask for the run's end.
pub type Overrun = Box<dyn Fn() + Send + Sync>;

/// The account. Shared by the allocator, V8's callbacks and the run.
pub struct Account {
    budget: AtomicUsize,
    heap: AtomicUsize,
    heap_peak: AtomicUsize,
    external: AtomicUsize,
    external_peak: AtomicUsize,
    /// The allocator refused the request that V8 is collecting garbage for.
    refusing: AtomicBool,
    over: AtomicBool,
    overrun: OnceLock<Overrun>,
    /// V8's isolate, once it keeps this account.
    isolate: OnceLock<OwnIsolate>,
}

/// The isolate of the thread that allocates.
struct OwnIsolate(v8::UnsafeRawIsolatePtr);

// SAFETY: the pointer is used by the allocator only, which V8 calls on the isolate's own thread: a cell has no other that runs JavaScript.
unsafe impl Send for OwnIsolate {}
// SAFETY: as above.
unsafe impl Sync for OwnIsolate {}

/// Buffers from this length on, in bytes, lower the heap's limit at once instead of at the next collection. Smaller ones add up to a collection
/// first: V8 asks for one about every few megabytes of them.
const LARGE_BUFFER_BYTES: usize = 1 << 20;

impl Account {
    /// An account with `budget` bytes.
    pub fn new(budget: usize) -> Arc<Self> {
        Arc::new(Self {
            budget: AtomicUsize::new(budget),
            heap: AtomicUsize::new(0),
            heap_peak: AtomicUsize::new(0),
            external: AtomicUsize::new(0),
            external_peak: AtomicUsize::new(0),
            refusing: AtomicBool::new(false),
            over: AtomicBool::new(false),
            overrun: OnceLock::new(),
            isolate: OnceLock::new(),
        })
    }

    /// Highest use of V8's heap that was seen, in bytes.
    pub fn heap_peak(&self) -> u64 {
        self.heap_peak.load(Ordering::Relaxed) as u64
    }

    /// Highest use of buffers, in bytes.
    pub fn external_peak(&self) -> u64 {
        self.external_peak.load(Ordering::Relaxed) as u64
    }

    /// Notes that the heap holds `bytes` now.
    pub fn note_heap(&self, bytes: usize) {
        self.heap.store(bytes, Ordering::Relaxed);
        self.heap_peak.fetch_max(bytes, Ordering::Relaxed);
    }

    /// What the buffers leave of the budget for the old generation.
    fn rest(&self) -> usize {
        let external = self.external.load(Ordering::Relaxed);
        self.budget.load(Ordering::Relaxed).saturating_sub(external).saturating_sub(YOUNG_BYTES)
    }

    /// Takes `bytes` from the budget, if they are there.
    fn take(&self, bytes: usize) -> bool {
        let (budget, heap) = (self.budget.load(Ordering::Relaxed), self.heap.load(Ordering::Relaxed));
        let fits = |used: usize| used.checked_add(bytes).filter(|sum| sum.saturating_add(heap) <= budget);
        let taken = self.external.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        if let Ok(before) = taken {
            self.external_peak.fetch_max(before + bytes, Ordering::Relaxed);
        }
        self.refusing.store(taken.is_err(), Ordering::Relaxed);
        taken.is_ok()
    }

    /// Gives `bytes` back.
    fn give(&self, bytes: usize) {
        self.external.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// V8 is about to reach `limit`. The new limit: the rest of the budget when it is larger, else room to unwind.
    fn near_limit(&self, limit: usize) -> usize {
        let rest = self.rest();
        if rest > limit && !self.refusing.load(Ordering::Relaxed) {
            return rest;
        }
        if !self.over.swap(true, Ordering::Relaxed)
            && let Some(overrun) = self.overrun.get()
        {
            overrun();
        }
        limit.saturating_add(UNWIND_BYTES)
    }
}

/// Creation parameters of an isolate that keeps `account`, with a heap of at most `heap_bytes_max`.
pub fn create_params(account: &Arc<Account>, heap_bytes_max: usize) -> v8::CreateParams {
    // SAFETY: the handle is a strong count of the account, which `drop_account` gives back, and the vtable's functions take
    // exactly that type.
    let allocator = unsafe { v8::new_rust_allocator(Arc::into_raw(account.clone()), &VTABLE) };
    v8::CreateParams::default()
        .array_buffer_allocator(allocator.make_shared())
        .allow_atomics_wait(false)
        .set_max_young_generation_size_in_bytes(YOUNG_BYTES)
        .set_max_old_generation_size_in_bytes(heap_bytes_max)
}

/// Lets `isolate` keep its heap to the rest of `account`'s budget from now on. The account lives as long as the process.
pub fn watch(isolate: &mut v8::Isolate, account: &Arc<Account>) {
    let data = Arc::into_raw(account.clone()).cast_mut().cast::<c_void>();
    // SAFETY: the pointer is used on this isolate's own thread only, by the allocator that it calls.
    let _ = account.isolate.set(OwnIsolate(unsafe { isolate.as_raw_isolate_ptr() }));
    isolate.add_near_heap_limit_callback(near_heap_limit, data);
    isolate.add_gc_prologue_callback(before_collection, data, v8::GCType::kGCTypeAll);
    isolate.add_gc_epilogue_callback(after_collection, data, v8::GCType::kGCTypeAll);
}

/// Notes what `isolate`'s heap holds now. Asking V8 takes a lock of each of its spaces, so a zygote does it once for all its cells.
pub fn note(isolate: &mut v8::Isolate, account: &Account) {
    account.note_heap(isolate.get_heap_statistics().used_heap_size());
}

/// Sets the budget of the run that begins: from now on heap and buffers together stay within `budget`, and `overrun` is called
/// when they cannot. What the heap holds was noted before. V8 keeps about a quarter above what is live, so a budget below that does not take effect at once.
pub fn begin(isolate: &mut v8::Isolate, account: &Arc<Account>, budget: usize, overrun: Overrun) {
    let _ = account.overrun.set(overrun);
    account.budget.store(budget, Ordering::Relaxed);
    lower_limit(isolate, account);
}

/// Calls `handler` instead of V8's own message when V8 is about to abort for want of memory. V8 aborts when it returns.
pub fn on_out_of_memory(isolate: &mut v8::Isolate, handler: fn()) {
    let _ = OUT_OF_MEMORY.set(handler);
    isolate.set_oom_error_handler(out_of_memory);
}

static OUT_OF_MEMORY: OnceLock<fn()> = OnceLock::new();

unsafe extern "C" fn out_of_memory(_location: *const c_char, _details: &v8::OomDetails) {
    if let Some(handler) = OUT_OF_MEMORY.get() {
        handler();
    }
}

/// V8 only lowers its limit when a callback is taken away, so ours is taken away and put back.
fn lower_limit(isolate: &mut v8::Isolate, account: &Arc<Account>) {
    let data = Arc::as_ptr(account).cast_mut().cast::<c_void>();
    isolate.remove_near_heap_limit_callback(near_heap_limit, account.rest().max(1));
    isolate.add_near_heap_limit_callback(near_heap_limit, data);
}

/// The account behind a callback's data.
///
/// # Safety
/// `data` is the pointer that [`watch`] leaked, so the account is alive.
unsafe fn account<'a>(data: *mut c_void) -> &'a Account {
    // SAFETY: by this function's contract.
    unsafe { &*data.cast::<Account>() }
}

unsafe extern "C" fn near_heap_limit(data: *mut c_void, limit: usize, _initial: usize) -> usize {
    // SAFETY: `data` is what `watch` registered.
    unsafe { account(data) }.near_limit(limit)
}

unsafe extern "C" fn before_collection(isolate: v8::UnsafeRawIsolatePtr, _: v8::GCType, _: v8::GCCallbackFlags, data: *mut c_void) {
    // SAFETY: V8 calls this on the isolate's own thread with the isolate that is collecting; `data` is what `watch` registered.
    let (mut isolate, account) = unsafe { (v8::Isolate::from_raw_isolate_ptr(isolate), account(data)) };
    note(&mut isolate, account);
}

unsafe extern "C" fn after_collection(isolate: v8::UnsafeRawIsolatePtr, _: v8::GCType, _: v8::GCCallbackFlags, data: *mut c_void) {
    // SAFETY: as in `before_collection`.
    let (mut isolate, account) = unsafe { (v8::Isolate::from_raw_isolate_ptr(isolate), account(data)) };
    follow(&mut isolate, account);
}

/// Notes what the heap holds and lowers its limit to what the buffers leave of the budget.
fn follow(isolate: &mut v8::Isolate, account: &Account) {
    let heap = isolate.get_heap_statistics();
    account.note_heap(heap.used_heap_size());
    if account.over.load(Ordering::Relaxed) {
        return;
    }
    let rest = account.rest();
    if rest < heap.heap_size_limit().saturating_sub(YOUNG_BYTES) {
        let data = std::ptr::from_ref(account).cast_mut().cast::<c_void>();
        isolate.remove_near_heap_limit_callback(near_heap_limit, rest.max(1));
        isolate.add_near_heap_limit_callback(near_heap_limit, data);
    }
}

/// [`follow`] for the allocator, which V8 calls without an isolate.
fn follow_from_allocator(account: &Account) {
    if let Some(OwnIsolate(isolate)) = account.isolate.get() {
        // SAFETY: the isolate that keeps this account, on its own thread. It lives as long as the process.
        let mut isolate = unsafe { v8::Isolate::from_raw_isolate_ptr(*isolate) };
        follow(&mut isolate, account);
    }
}

static VTABLE: v8::RustAllocatorVtable<Account> =
    v8::RustAllocatorVtable { allocate, allocate_uninitialized: allocate, free, drop: drop_account };

/// The layout of a buffer of `bytes`; none when no address space could hold it.
fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.max(1), ALIGNMENT).ok()
}

/// Zeroed memory in both cases: what a cell's process held before is nobody's business, and the kernel's fresh pages are zero already.
unsafe extern "C" fn allocate(account: &Account, bytes: usize) -> *mut c_void {
    let Some(layout) = layout(bytes) else { return std::ptr::null_mut() };
    if !account.take(bytes) {
        return std::ptr::null_mut();
    }
    if bytes >= LARGE_BUFFER_BYTES {
        follow_from_allocator(account);
    }
    // SAFETY: the layout's size is at least 1.
    let memory = unsafe { std::alloc::alloc_zeroed(layout) };
    if memory.is_null() {
        account.give(bytes);
    }
    memory.cast()
}

unsafe extern "C" fn free(account: &Account, memory: *mut c_void, bytes: usize) {
    let Some(layout) = layout(bytes).filter(|_| !memory.is_null()) else { return };
    account.give(bytes);
    // SAFETY: V8 frees what `allocate` returned, with the length it asked for.
    unsafe { std::alloc::dealloc(memory.cast(), layout) };
}

unsafe extern "C" fn drop_account(account: *const Account) {
    // SAFETY: the count that `create_params` handed over.
    drop(unsafe { Arc::from_raw(account) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_fit_at_the_budget_and_not_one_byte_past_it() {
        let account = Account::new(1000);
        account.note_heap(400);
        assert!(account.take(600));
        assert!(!account.take(1));
        account.give(600);
        assert!(!account.take(601));
        assert!(!account.take(usize::MAX));
        assert_eq!((account.external.load(Ordering::Relaxed), account.external_peak()), (0, 600));
    }

    #[test]
    fn the_heap_may_grow_into_what_buffers_left_and_is_over_otherwise() {
        let called = Arc::new(AtomicUsize::new(0));
        let account = Account::new(YOUNG_BYTES + 1000);
        let count = called.clone();
        let _ = account.overrun.set(Box::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        }));
        assert_eq!(account.near_limit(900), 1000);
        assert_eq!(called.load(Ordering::Relaxed), 0);
        assert!(account.near_limit(1000) > UNWIND_BYTES);
        assert!(account.near_limit(1000) > UNWIND_BYTES);
        assert_eq!(called.load(Ordering::Relaxed), 1, "told once");
    }

    #[test]
    fn a_refused_buffer_makes_the_last_resort_collection_the_end() {
        let account = Account::new(YOUNG_BYTES + 1000);
        assert!(!account.take(YOUNG_BYTES + 1001));
        assert!(account.near_limit(10) > UNWIND_BYTES);
        let account = Account::new(YOUNG_BYTES + 1000);
        assert!(!account.take(YOUNG_BYTES + 1001));
        assert!(account.take(1), "the next request fits");
        assert_eq!(account.near_limit(10), 999);
    }
}
