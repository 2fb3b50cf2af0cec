//! What containerd and its clients send.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| runj_shim::fuzzing::options(input));
