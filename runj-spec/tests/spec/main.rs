//! What runj-spec promises, tested through its public API.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod any_input;
mod bounds;
mod bundle_files;
mod documents;
mod engines;
mod filled;
mod ids;
mod injected_faults;
mod merging;
mod properties;
mod round_trip;
mod schema;
mod value_rules;
