//! What the container's process reports of its way to its program.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| runj_runtime::fuzzing::report(input));
