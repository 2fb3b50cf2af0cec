//! The functions that programs and FreeBSD's C library call: malloc(3), and what the library and its
//! threads ask of the malloc that they are linked with.
//!
//! In a static library the linker takes jemalloc in for the first function that nobody else has, and
//! with it all the others. So all are here that the C library and libthr use of it: if a release of
//! FreeBSD came to use another one, a program would have functions twice, which linkers refuse.

use std::ffi::{c_int, c_void};
use std::ptr;

use super::heap::{ALIGNMENT, Heap};

static HEAP: Heap = Heap::new();

/// Tells the caller why there is no memory.
fn or_no_memory(address: *mut u8) -> *mut c_void {
    if address.is_null() {
        set_errno(libc::ENOMEM);
    }
    address.cast()
}

/// Frees, and leaves errno alone, which whoever frees something may not have read yet: to wait for
/// another thread may change it.
///
/// # Safety
///
/// As [`free`].
unsafe fn release(address: *mut c_void) {
    let errno = errno();
    // SAFETY: the caller's promise.
    unsafe { HEAP.free(address.cast()) };
    set_errno(errno);
}

fn errno() -> c_int {
    // SAFETY: a pointer to the calling thread's own errno.
    unsafe { *libc::__error() }
}

fn set_errno(errno: c_int) {
    // SAFETY: a pointer to the calling thread's own errno.
    unsafe { *libc::__error() = errno };
}

/// malloc(3)
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    // SAFETY: the alignment is a power of two.
    or_no_memory(unsafe { HEAP.allocate(size, ALIGNMENT) })
}

/// calloc(3)
#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    or_no_memory(count.checked_mul(size).map_or(ptr::null_mut(), |size| HEAP.allocate_zeroed(size)))
}

/// realloc(3)
///
/// # Safety
///
/// As the manual page has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(address: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    or_no_memory(unsafe { HEAP.resize(address.cast(), size) })
}

/// free(3)
///
/// # Safety
///
/// As the manual page has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(address: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { release(address) }
}

/// aligned_alloc(3)
#[unsafe(no_mangle)]
extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
    if !alignment.is_power_of_two() {
        set_errno(libc::EINVAL);
        return ptr::null_mut();
    }
    // SAFETY: a power of two.
    or_no_memory(unsafe { HEAP.allocate(size, alignment) })
}

/// posix_memalign(3)
///
/// # Safety
///
/// There is a pointer at `place`.
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(
    place: *mut *mut c_void,
    alignment: usize,
    size: usize,
) -> c_int {
    if !alignment.is_power_of_two() || alignment < size_of::<usize>() {
        return libc::EINVAL;
    }
    // SAFETY: a power of two.
    let address = unsafe { HEAP.allocate(size, alignment) };
    if address.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the caller's promise.
    unsafe { *place = address.cast() };
    0
}

/// For the thread-local storage of the first thread, before there is any (lib/libc/gen/tls.c).
#[unsafe(no_mangle)]
extern "C" fn __je_bootstrap_malloc(size: usize) -> *mut c_void {
    // SAFETY: the alignment is a power of two.
    unsafe { HEAP.allocate(size, ALIGNMENT) }.cast()
}

/// As [`__je_bootstrap_malloc`].
#[unsafe(no_mangle)]
extern "C" fn __je_bootstrap_calloc(count: usize, size: usize) -> *mut c_void {
    count.checked_mul(size).map_or(ptr::null_mut(), |size| HEAP.allocate_zeroed(size)).cast()
}

/// As [`__je_bootstrap_malloc`].
///
/// # Safety
///
/// As [`free`].
#[unsafe(no_mangle)]
unsafe extern "C" fn __je_bootstrap_free(address: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe { release(address) }
}

/// Before a process with threads forks (lib/libthr/thread/thr_fork.c).
#[unsafe(no_mangle)]
extern "C" fn _malloc_prefork() {
    HEAP.hold();
}

/// After it has, in both processes.
///
/// # Safety
///
/// [`_malloc_prefork`] was called before.
#[unsafe(no_mangle)]
unsafe extern "C" fn _malloc_postfork() {
    // SAFETY: the caller's promise.
    unsafe { HEAP.release() }
}

/// Before the first thread but the main one comes (lib/libthr/thread/thr_create.c).
#[unsafe(no_mangle)]
extern "C" fn _malloc_first_thread() {}

/// When a thread ends (lib/libthr/thread/thr_exit.c).
#[unsafe(no_mangle)]
extern "C" fn _malloc_thread_cleanup() {}
