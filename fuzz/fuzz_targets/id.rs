//! Ids of containers, and the names made of them.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| runj_shim::fuzzing::id(input));
