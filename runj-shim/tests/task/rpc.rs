//! The shim's messages, and containerd's side of the services.

// Generated, and not all of it is used.
#![allow(clippy::all, clippy::pedantic, clippy::restriction, missing_docs, unreachable_pub, unused)]
#![allow(rust_2018_idioms)]

include!(concat!(env!("OUT_DIR"), "/modules.rs"));
