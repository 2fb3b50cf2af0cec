//! Memory as C sees it: addresses.

mod heap;
mod pages;
#[cfg(all(target_os = "freebsd", target_feature = "crt-static"))]
mod symbols;
