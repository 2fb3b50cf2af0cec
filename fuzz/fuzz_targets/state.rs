//! What runj keeps of a container.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| runj_runtime::fuzzing::state(input));
