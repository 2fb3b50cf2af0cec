//! Where the heap has its memory from.

use std::ptr;

/// Anonymous memory (mmap(2)).
pub(super) struct Pages;

// SAFETY: mmap(2) gives memory that is nobody else's, of at least that size, and full of zeros. It stays
// until munmap(2), which takes any part of it.
unsafe impl dlmalloc::Allocator for Pages {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
        // SAFETY: a new mapping, at an address that the kernel chooses, changes nobody's memory.
        let address = unsafe { libc::mmap(ptr::null_mut(), size, access, flags, -1, 0) };
        if address == libc::MAP_FAILED {
            return (ptr::null_mut(), 0, 0);
        }
        (address.cast(), size, 0)
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        // FreeBSD has no mremap(2).
        ptr::null_mut()
    }

    fn free_part(&self, address: *mut u8, before: usize, after: usize) -> bool {
        // SAFETY: the heap's own memory, of which it has `before` bytes and gives up those behind
        // `after`.
        unsafe { libc::munmap(address.add(after).cast(), before - after) == 0 }
    }

    fn free(&self, address: *mut u8, size: usize) -> bool {
        // SAFETY: the heap's own memory, which it gives up.
        unsafe { libc::munmap(address.cast(), size) == 0 }
    }

    fn can_release_part(&self, _: u32) -> bool {
        true
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        // The smallest there is: memory comes and goes in pieces of 64 KiB.
        4096
    }
}
