//! `containerd-shim-runj-v1`, through which containerd runs containers with runj.
//!
//! containerd starts the program anew for each thing it wants of it (`flags::Action`): `start`
//! makes a copy of it that stays (`serve`), serves containerd's task service for one container
//! (`service`) and calls `runj` for it (`runj`); `delete` cleans up after it.

mod address;
mod bootstrap;
mod bundle;
mod delete;
mod error;
mod events;
mod exit;
mod flags;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod identity;
mod info;
mod io;
mod jail_name;
mod log;
mod options;
mod process;
mod reaper;
mod rootfs;
mod rpc;
mod runj;
mod serve;
mod service;
mod shim;
mod start;
#[allow(unsafe_code)]
mod sys;
mod task;

use std::env;
use std::process::ExitCode;

use crate::error::whole;
use crate::flags::{Action, Flags};

/// The program: does what its arguments say.
// containerd reads standard error; a person does when he calls the program himself.
#[allow(clippy::print_stderr)]
pub fn main() -> ExitCode {
    let done = Flags::parse(env::args_os().skip(1)).and_then(|flags| match flags.action {
        Action::Info => info::run(),
        Action::Version => info::version(),
        Action::Start => start::run(&flags),
        Action::Serve => serve::run(&flags),
        Action::Delete => delete::run(&flags),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("containerd-shim-runj-v1: {}", whole(&error));
            ExitCode::FAILURE
        }
    }
}
