//! The messages of `proto/`, and the services that exchange them.

// Generated: no hand of ours has written it.
#![allow(clippy::all, clippy::pedantic, clippy::restriction, missing_docs, unreachable_pub, unused)]
#![allow(rust_2018_idioms)]

include!(concat!(env!("OUT_DIR"), "/modules.rs"));
