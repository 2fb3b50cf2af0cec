//! What the C library is told about this program.

#[cfg(target_os = "freebsd")]
mod freebsd {
    /// What FreeBSD's malloc looks for when it starts (jemalloc(3), TUNING): a process with one
    /// thread that soon ends gains nothing from arenas and a cache per thread, and their pages
    /// are half a megabyte of each verb's memory.
    ///
    /// It is a pointer to text that ends in NUL, which a reference to its first byte is as well.
    #[allow(non_upper_case_globals)]
    // SAFETY: no other symbol of that name is defined, but for the weak one of the C library,
    // which is declared as `const char *` and only ever read.
    #[unsafe(no_mangle)]
    static malloc_conf: &u8 = &c"narenas:1,tcache:false".to_bytes()[0];
}
