//! Parameters of jails, as bytes and as texts.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| runj_jail::fuzzing::params(input));
