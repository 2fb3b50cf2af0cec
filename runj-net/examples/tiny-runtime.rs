//! A container runtime in a hundred lines, built on runj-spec, runj-net and runj-jail:
//!
//! ```text
//! tiny-runtime create ID BUNDLE    makes the jail and its network, and keeps what was done
//! tiny-runtime start ID BUNDLE     runs the process in it, and ends with its exit status
//! tiny-runtime delete ID           ends what runs, and undoes all of it
//! ```
//!
//! It takes root. What it lacks beside runj-runtime: mounts, hooks, terminals, limits, and an answer to
//! being killed halfway.

use std::error::Error;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;
use std::{env, fs};

use runj_jail::{Jail, JailName, Params};
use runj_net::Deed;
use runj_spec::{Bundle, ContainerId};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["create", id, bundle] => create(&id.parse()?, Path::new(bundle)),
        ["start", id, bundle] => start(&id.parse()?, Path::new(bundle)),
        ["delete", id] => delete(&id.parse()?),
        _ => Err("usage: tiny-runtime create|start ID BUNDLE, or delete ID".into()),
    }
}

/// Where it is kept what was done to interfaces for the container.
fn journal(id: &ContainerId) -> PathBuf {
    env::temp_dir().join(format!("tiny-runtime-{id}.json"))
}

fn jail(id: &ContainerId) -> Result<Jail> {
    let name: JailName = id.as_ref().parse()?;
    Ok(Jail::find(&name)?.ok_or_else(|| format!("there is no container {id}"))?)
}

fn create(id: &ContainerId, bundle: &Path) -> Result<ExitCode> {
    let container = Bundle::load(bundle)?.container()?;
    let plan = runj_net::plan(&container.jail)?;
    let root = bundle.join(&container.root.path).canonicalize()?;
    let root = root.to_str().ok_or("the root's path is not UTF-8")?;
    let mut params =
        Params::new().string("name", id.as_ref()).string("path", root).flag("persist", true);
    if let Some(hostname) = &container.hostname {
        params = params.string("host.hostname", &*hostname.value);
    }
    params.extend(plan.params().clone());

    let mut done: Vec<Deed> = Vec::new();
    plan.prepare(&mut done)?;
    let jail = Jail::create(&params).map_err(|error| match plan.explain(&error) {
        Some(explanation) => Box::<dyn Error>::from(explanation),
        None => error.into(),
    })?;
    plan.furnish(jail, &mut done)?;
    fs::write(journal(id), serde_json::to_vec(&done)?)?;
    Ok(ExitCode::SUCCESS)
}

fn start(id: &ContainerId, bundle: &Path) -> Result<ExitCode> {
    let process = Bundle::load(bundle)?.container()?.process.ok_or("there is no process")?;
    let (program, arguments) = process.args.split_first().ok_or("process.args is empty")?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&process.cwd);
    command.uid(process.user.uid).gid(process.user.gid);
    command.env_clear().envs(process.env.iter().filter_map(|it| it.split_once('=')));
    Ok(ExitCode::from(sys::run(jail(id)?, &mut command)?))
}

fn delete(id: &ContainerId) -> Result<ExitCode> {
    let jail = jail(id)?;
    let done: Vec<Deed> = serde_json::from_slice(&fs::read(journal(id))?)?;
    for deed in done.iter().rev() {
        deed.undo(Some(jail))?;
    }
    jail.remove()?;
    jail.wait_empty(Duration::from_secs(10))?;
    fs::remove_file(journal(id))?;
    Ok(ExitCode::SUCCESS)
}

/// The part that forks.
#[allow(unsafe_code)]
mod sys {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::Pid;
    use runj_jail::{Forked, Jail};

    /// Runs a command in the jail; its exit status.
    pub(super) fn run(jail: Jail, command: &mut Command) -> super::Result<u8> {
        let attachment = jail.attachment()?;
        // SAFETY: this process has no other thread, so that the child may do anything.
        match unsafe { attachment.fork() }? {
            Forked::Parent(child) => match waitpid(Pid::from_raw(child), None)? {
                WaitStatus::Exited(_, code) => Ok(u8::try_from(code)?),
                other => Err(format!("the process did not exit: {other:?}").into()),
            },
            Forked::Child => {
                attachment.enter()?;
                Err(command.exec().into())
            }
        }
    }
}
