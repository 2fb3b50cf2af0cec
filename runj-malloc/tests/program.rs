//! A program that has it, here this one: it allocates by C's functions and by Rust's, with threads, and
//! forks meanwhile. Where it is linked statically for FreeBSD that is about this crate's malloc, and
//! elsewhere about the C library's.

#![allow(unsafe_code, clippy::unwrap_used)]

use std::process::Command;
use std::thread;

use runj_malloc as _;

#[test]
fn threads_allocate_while_programs_are_started() {
    let grow = |seed: usize| {
        let mut texts: Vec<String> = Vec::new();
        for turn in 0..2_000 {
            texts.push(format!("{seed}.{turn}").repeat(turn % 97));
            if turn % 3 == 0 {
                texts.swap_remove(turn % texts.len());
            }
        }
        texts.iter().map(String::len).sum::<usize>()
    };
    let alone: Vec<usize> = (0..4).map(grow).collect();
    let together: Vec<usize> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|seed| scope.spawn(move || grow(seed))).collect();
        for _ in 0..20 {
            // fork(2) while the others allocate.
            assert!(Command::new("/bin/sh").args(["-c", "exit 0"]).status().unwrap().success());
        }
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(alone, together);
}

#[test]
fn c_functions_do_what_their_manual_pages_say() {
    // SAFETY: what is written is inside of what was allocated, and each address is freed once.
    unsafe {
        let mut address = std::ptr::null_mut();
        assert_eq!(libc::posix_memalign(&raw mut address, 3, 8), libc::EINVAL);
        assert_eq!(libc::posix_memalign(&raw mut address, 256, 8), 0);
        assert_eq!(address.addr() % 256, 0);
        libc::free(address);

        let zeros = libc::calloc(100, 10).cast::<u8>();
        assert!(std::slice::from_raw_parts(zeros, 1000).iter().all(|&byte| byte == 0));
        zeros.write_bytes(7, 1000);
        let more = libc::realloc(zeros.cast(), 100_000).cast::<u8>();
        assert!(std::slice::from_raw_parts(more, 1000).iter().all(|&byte| byte == 7));
        libc::free(more.cast());

        // The compiler knows what these functions are for, and would leave both out.
        let too_much = std::hint::black_box(libc::calloc(std::hint::black_box(usize::MAX / 2), 3));
        assert!(too_much.is_null());
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::ENOMEM));
        libc::free(too_much);
    }
}

#[cfg(all(target_os = "freebsd", target_feature = "crt-static"))]
#[test]
fn the_c_librarys_own_is_not_in_the_program() {
    // What it begins its messages with, put together so that it is not here.
    let mark = ["<", "jemalloc", ">"].concat();
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    assert!(!program.windows(mark.len()).any(|bytes| bytes == mark.as_bytes()));
}
