//! What arrives at the socket for a terminal.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| runj_shim::fuzzing::console(input));
