//! Containers from a user's side: the real `runj`, the host as it is before and after, and a
//! program inside that says what it sees.
//!
//! This takes root; the harness reports the cases as ignored to anybody else. `RUNJ` and
//! `RUNJ_PROBE` name the programs where there is no cargo to build them with.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::unwrap_used)]

mod addresses;
mod bad_input;
mod boots;
mod case;
mod completions;
mod concurrency;
mod config;
mod conmon;
mod coverage;
mod crashes;
mod damaged;
mod demo;
mod device_rules;
mod devices;
mod doctor;
mod download;
mod exec;
mod failed_create;
mod features;
mod files;
mod home;
mod hooks;
mod hostile;
mod isolation;
mod lifecycle;
mod limits;
mod lingering;
mod logs;
mod model;
mod mount_options;
mod mounts;
mod network;
mod oci_image;
mod own_root;
// The one way to make interfaces for a test.
#[path = "../../../runj-net/tests/interfaces/pair.rs"]
mod pair;
#[cfg_attr(target_os = "freebsd", path = "../../../runj-net/tests/interfaces/pair_freebsd.rs")]
#[cfg_attr(target_os = "linux", path = "../../../runj-net/tests/interfaces/pair_linux.rs")]
mod pair_sys;
mod parameters;
mod pausing;
mod people;
mod process;
mod resolv_conf;
mod rlimits;
mod security;
mod soak;
mod spec;
mod start_hooks;
mod starved;
mod terminals;
mod tracing;
mod usage;
mod vanishing;
mod versions;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use runj_tests::Programs;

use crate::case::Theme;

fn main() -> ExitCode {
    if let Some(ended) = runj_tests::monitor() {
        return ended;
    }
    if let Some(ended) = soak::lifecycles() {
        return ended;
    }
    let themes = themes();
    let mut arguments = Arguments::from_args();
    // Most of the time each of them waits for some process.
    arguments.test_threads.get_or_insert(4);
    let locate = || Programs::locate(env!("CARGO_BIN_EXE_runj-probe")).with_demo();
    let trials = case::trials(&themes, locate);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// All cases.
fn themes() -> Vec<Theme> {
    vec![
        Theme { name: "addresses", cases: addresses::CASES },
        Theme { name: "bad_input", cases: bad_input::CASES },
        Theme { name: "boots", cases: boots::CASES },
        Theme { name: "completions", cases: completions::CASES },
        Theme { name: "concurrency", cases: concurrency::CASES },
        Theme { name: "conmon", cases: conmon::CASES },
        Theme { name: "config", cases: config::CASES },
        Theme { name: "coverage", cases: coverage::CASES },
        Theme { name: "crashes", cases: crashes::CASES },
        Theme { name: "damaged", cases: damaged::CASES },
        Theme { name: "devices", cases: devices::CASES },
        Theme { name: "demo", cases: demo::CASES },
        Theme { name: "doctor", cases: doctor::CASES },
        Theme { name: "download", cases: download::CASES },
        Theme { name: "device_rules", cases: device_rules::CASES },
        Theme { name: "exec", cases: exec::CASES },
        Theme { name: "failed_create", cases: failed_create::CASES },
        Theme { name: "files", cases: files::CASES },
        Theme { name: "features", cases: features::CASES },
        Theme { name: "home", cases: home::CASES },
        Theme { name: "hooks", cases: hooks::CASES },
        Theme { name: "hostile", cases: hostile::CASES },
        Theme { name: "limits", cases: limits::CASES },
        Theme { name: "lingering", cases: lingering::CASES },
        Theme { name: "logs", cases: logs::CASES },
        Theme { name: "model", cases: model::CASES },
        Theme { name: "mount_options", cases: mount_options::CASES },
        Theme { name: "mounts", cases: mounts::CASES },
        Theme { name: "own_root", cases: own_root::CASES },
        Theme { name: "oci_image", cases: oci_image::CASES },
        Theme { name: "parameters", cases: parameters::CASES },
        Theme { name: "pausing", cases: pausing::CASES },
        Theme { name: "people", cases: people::CASES },
        Theme { name: "process", cases: process::CASES },
        Theme { name: "resolv_conf", cases: resolv_conf::CASES },
        Theme { name: "rlimits", cases: rlimits::CASES },
        Theme { name: "security", cases: security::CASES },
        Theme { name: "soak", cases: soak::CASES },
        Theme { name: "spec", cases: spec::CASES },
        Theme { name: "start_hooks", cases: start_hooks::CASES },
        Theme { name: "starved", cases: starved::CASES },
        Theme { name: "terminals", cases: terminals::CASES },
        Theme { name: "tracing", cases: tracing::CASES },
        Theme { name: "usage", cases: usage::CASES },
        Theme { name: "vanishing", cases: vanishing::CASES },
        Theme { name: "versions", cases: versions::CASES },
        Theme { name: "isolation", cases: isolation::CASES },
        Theme { name: "network", cases: network::CASES },
        Theme { name: "lifecycle", cases: lifecycle::CASES },
    ]
}
