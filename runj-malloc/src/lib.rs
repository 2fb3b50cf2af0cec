//! malloc(3) for statically linked FreeBSD programs that end after a millisecond.
//!
//! FreeBSD's C library has jemalloc, which is made for programs that live. It sets itself up before
//! `main`, whether or not anything is allocated: of `runj list`, executed and ended, almost half of all
//! instructions were that, the kernel's included. And it spreads what is allocated by
//! size, so that each size is a page fault of its own. This one is Doug Lea's, as the crate
//! [`dlmalloc`] has it, behind one lock: it has nothing to set up, and puts one thing beside the next.
//!
//! A program uses it, in C and in Rust alike, by naming this crate:
//!
//! ```
//! use runj_malloc as _;
//! ```
//!
//! Only where it is linked statically for FreeBSD (`-Ctarget-feature=+crt-static`). Everywhere else
//! the crate is empty: in a program that is linked dynamically the C library's malloc is as good as
//! started by the time it could be replaced.
//!
//! One lock means that threads which allocate at the same moment wait for each other. It is for
//! programs with few threads.

#[cfg(any(test, all(target_os = "freebsd", target_feature = "crt-static")))]
#[allow(unsafe_code)]
mod sys;
