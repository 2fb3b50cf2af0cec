//! A bundle's documents.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| runj_runtime::fuzzing::config(input));
