//! The heap, behind its lock.

use std::cell::UnsafeCell;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dlmalloc::Dlmalloc;

use super::pages::Pages;

/// What malloc(3) aligns to.
pub(super) const ALIGNMENT: usize = 2 * size_of::<usize>();

/// A heap that many threads use.
///
/// Nothing here may allocate, nor use thread-local storage: the C library asks for memory to put that
/// in. The standard library's mutex is an atomic number and a system call for whoever has to wait.
pub(super) struct Heap {
    memory: Mutex<Dlmalloc<Pages>>,
    /// Whoever holds the lock over a fork has it here.
    held: Held,
}

struct Held(UnsafeCell<Option<MutexGuard<'static, Dlmalloc<Pages>>>>);

// SAFETY: only whoever holds the lock looks into it.
unsafe impl Sync for Held {}

impl Heap {
    pub(super) const fn new() -> Self {
        Self {
            memory: Mutex::new(Dlmalloc::new_with_allocator(Pages)),
            held: Held(UnsafeCell::new(None)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Dlmalloc<Pages>> {
        // Nothing panics in there.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `size` bytes aligned to `alignment`, or null.
    ///
    /// # Safety
    ///
    /// `alignment` is a power of two.
    pub(super) unsafe fn allocate(&self, size: usize, alignment: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { self.lock().c_memalign(alignment, size) }
    }

    /// `size` bytes of zeros, or null. All of it is written: the heap does not remember which of its
    /// memory nobody has had yet.
    pub(super) fn allocate_zeroed(&self, size: usize) -> *mut u8 {
        // SAFETY: the alignment is the one that every piece of memory here has.
        unsafe { self.lock().calloc(size, ALIGNMENT) }
    }

    /// The memory at `address`, or new memory with what was there, of `size` bytes; null if there is
    /// none, and then the old one stays. It may be made from nothing, of a null `address`.
    ///
    /// # Safety
    ///
    /// `address` is null or from here, and was not freed.
    pub(super) unsafe fn resize(&self, address: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { self.lock().c_realloc(address, size) }
    }

    /// Frees the memory at `address`, if it is not null.
    ///
    /// # Safety
    ///
    /// `address` is null or from here, was not freed, and nobody uses it any more.
    pub(super) unsafe fn free(&self, address: *mut u8) {
        if !address.is_null() {
            // SAFETY: the caller's promise.
            unsafe { self.lock().c_free(address) }
        }
    }

    /// Keeps all other threads out until [`release`](Self::release), so that a process which is
    /// forked meanwhile finds the heap whole.
    pub(super) fn hold(&'static self) {
        let guard = self.lock();
        // SAFETY: the lock is ours, and with it what this holds.
        unsafe { *self.held.0.get() = Some(guard) };
    }

    /// Lets the others in again, in the process that forked and in the new one.
    ///
    /// # Safety
    ///
    /// [`hold`](Self::hold) was called by this thread, or by the one that it is in a forked process.
    pub(super) unsafe fn release(&self) {
        // SAFETY: the lock is ours since `hold`. Taken out first: once it is dropped it is not.
        let guard = unsafe { ptr::replace(self.held.0.get(), None) };
        drop(guard);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use nix::sys::signal::{Signal, kill};
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, fork};
    use proptest::prelude::*;

    use super::*;

    /// What is done with one of eight places.
    #[derive(Clone, Debug)]
    enum Step {
        Allocate { place: usize, size: usize, alignment: u32 },
        Zeroed { place: usize, size: usize },
        Resize { place: usize, size: usize },
        Free { place: usize },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let place = || 0..8usize;
        let size = || prop_oneof![30 => 0..64usize, 20 => 0..5000usize, 1 => 0..600_000usize];
        let step = prop_oneof![
            (place(), size(), 0..13u32).prop_map(|(place, size, alignment)| Step::Allocate {
                place,
                size,
                alignment
            }),
            (place(), size()).prop_map(|(place, size)| Step::Zeroed { place, size }),
            (place(), size()).prop_map(|(place, size)| Step::Resize { place, size }),
            place().prop_map(|place| Step::Free { place }),
        ];
        prop::collection::vec(step, 0..100)
    }

    /// Memory that is filled with a byte of its own.
    struct Piece {
        address: *mut u8,
        size: usize,
        mark: u8,
    }

    impl Piece {
        const NONE: Self = Self { address: ptr::null_mut(), size: 0, mark: 0 };

        fn fill(address: *mut u8, size: usize, mark: u8) -> Self {
            assert!(!address.is_null());
            // SAFETY: the heap gave that many bytes.
            unsafe { address.write_bytes(mark, size) };
            Self { address, size, mark }
        }

        fn check(&self, size: usize) {
            let all = |bytes: &[u8]| bytes.iter().all(|&byte| byte == self.mark);
            if !self.address.is_null() {
                // SAFETY: it was filled, and is of that size.
                assert!(all(unsafe { std::slice::from_raw_parts(self.address, size) }));
            }
        }
    }

    fn run(heap: &Heap, steps: &[Step]) {
        let mut pieces = [const { Piece::NONE }; 8];
        for (index, step) in steps.iter().enumerate() {
            let mark = u8::try_from(index % 255 + 1).unwrap();
            let (Step::Allocate { place, .. }
            | Step::Zeroed { place, .. }
            | Step::Resize { place, .. }
            | Step::Free { place }) = *step;
            let old = std::mem::replace(&mut pieces[place], Piece::NONE);
            old.check(old.size);
            // SAFETY: each address is the heap's, and is freed once.
            pieces[place] = unsafe {
                match *step {
                    Step::Resize { size, .. } => {
                        let address = heap.resize(old.address, size);
                        Piece { address, ..old }.check(size.min(old.size));
                        Piece::fill(address, size, mark)
                    }
                    Step::Allocate { size, alignment, .. } => {
                        heap.free(old.address);
                        let alignment = 1 << alignment;
                        let address = heap.allocate(size, alignment);
                        assert_eq!(address.addr() % alignment.max(ALIGNMENT), 0);
                        Piece::fill(address, size, mark)
                    }
                    Step::Zeroed { size, .. } => {
                        heap.free(old.address);
                        let address = heap.allocate_zeroed(size);
                        Piece { address, size, mark: 0 }.check(size);
                        Piece::fill(address, size, mark)
                    }
                    Step::Free { .. } => {
                        heap.free(old.address);
                        Piece::NONE
                    }
                }
            };
        }
        for piece in pieces {
            piece.check(piece.size);
            // SAFETY: the heap's, and freed once.
            unsafe { heap.free(piece.address) };
        }
    }

    proptest! {
        #[test]
        fn no_two_have_the_same_memory(steps in steps()) {
            run(&Heap::new(), &steps);
        }

        #[test]
        fn threads_share_it(steps in prop::collection::vec(steps(), 4)) {
            let heap = Heap::new();
            thread::scope(|scope| {
                for steps in &steps {
                    scope.spawn(|| run(&heap, steps));
                }
            });
        }
    }

    #[test]
    fn what_cannot_be_had_is_null() {
        let heap = Heap::new();
        // SAFETY: the alignments are powers of two, and null may be resized.
        unsafe {
            assert!(heap.allocate(usize::MAX - 64, ALIGNMENT).is_null());
            assert!(heap.allocate(usize::MAX - 64, 4096).is_null());
            assert!(heap.allocate_zeroed(usize::MAX - 64).is_null());
            assert!(heap.resize(ptr::null_mut(), usize::MAX - 64).is_null());
            heap.free(ptr::null_mut());
        }
    }

    #[test]
    fn a_forked_process_finds_it_whole() {
        static HEAP: Heap = Heap::new();
        thread::scope(|scope| {
            let busy: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        for size in 0..20_000 {
                            // SAFETY: an alignment that is one, and what was allocated is freed.
                            unsafe { HEAP.free(HEAP.allocate(size % 3000, ALIGNMENT)) };
                        }
                    })
                })
                .collect();
            while busy.iter().any(|thread| !thread.is_finished()) {
                HEAP.hold();
                // SAFETY: the child calls nothing that is not async-signal-safe but for the heap,
                // which is what this is about.
                match unsafe { fork() }.unwrap() {
                    ForkResult::Child => {
                        // SAFETY: held above; an alignment that is one. It ends by a signal that
                        // nothing else here sends.
                        unsafe {
                            HEAP.release();
                            if !HEAP.allocate(100, ALIGNMENT).is_null() {
                                let _ = kill(nix::unistd::getpid(), Signal::SIGUSR1);
                            }
                            libc::_exit(1);
                        }
                    }
                    ForkResult::Parent { child } => {
                        // SAFETY: held above.
                        unsafe { HEAP.release() };
                        let ended = waitpid(child, None).unwrap();
                        assert_eq!(ended, WaitStatus::Signaled(child, Signal::SIGUSR1, false));
                    }
                }
            }
        });
    }
}
