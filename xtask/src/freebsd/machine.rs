//! A FreeBSD machine: building for it, and having it run something.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::abi_note;
use super::cross::{Cross, clang};
use super::standard_library::Purpose;
use crate::run::{command_line, run_seeing};

/// Where cargo builds. Not where code is only checked: the flags are others, and cargo would build
/// all anew.
const BUILD: &str = "target/freebsd/run";

/// What the machine may give back.
const OUT: &str = "target/freebsd/out";

/// Which machine, and how to build for it.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("machine").required(true))]
pub(super) struct Machine {
    /// This machine, which is a FreeBSD one
    #[arg(long, group = "machine")]
    local: bool,

    /// A machine that is reached by ssh, as root or as somebody with doas or sudo
    #[arg(long, group = "machine", value_name = "USER@HOST")]
    ssh: Option<String>,

    /// A program that is called as PROGRAM PAYLOAD_DIR OUT_DIR, runs PAYLOAD_DIR/run.sh as root on
    /// a FreeBSD machine, streams its output and exits with its status
    #[arg(long, group = "machine", value_name = "PROGRAM")]
    runner: Option<PathBuf>,

    #[command(flatten)]
    cross: Cross,
}

impl Machine {
    /// Whether it is this one, for which nothing special is to be built.
    pub(super) fn is_this(&self) -> bool {
        self.local
    }

    /// What rustc has to be told to build on it; nothing, where what is built is not for it.
    pub(super) fn flags_here(&self) -> Result<Option<String>> {
        if !self.local {
            return Ok(None);
        }
        let target = format!("{ARCH}-unknown-freebsd");
        let note = abi_note::missing(clang()?, &target, Path::new("/"))?;
        Ok(note.map(|note| format!("-Clink-arg={}", note.display())))
    }

    /// Tells cargo to build for it.
    pub(super) fn cross(&self, cargo: &mut Command, purpose: Purpose) -> Result<()> {
        self.cross.tell(cargo, purpose, BUILD, &[])
    }

    /// Has it run the script run.sh of the directory `payload` as root; `see` gets each line that
    /// it prints.
    pub(super) fn run(&self, payload: &Path, see: impl FnMut(&str)) -> Result<()> {
        if self.local && !cfg!(target_os = "freebsd") {
            bail!("--local is for a FreeBSD machine, and this is none");
        }
        if let Some(runner) = &self.runner {
            fs::create_dir_all(OUT)?;
            return run_seeing(Command::new(runner).arg(payload).arg(OUT), see);
        }
        match &self.ssh {
            Some(machine) => over_ssh(machine, payload, see),
            None => run_seeing(Command::new("sh").args(["-c", AS_ROOT]).current_dir(payload), see),
        }
    }
}

/// Runs the script as root, however one becomes that.
const AS_ROOT: &str = "if [ \"$(id -u)\" = 0 ]; then sh run.sh; \
                       elif command -v doas >/dev/null; then doas sh run.sh; \
                       else sudo sh run.sh; fi";

fn over_ssh(machine: &str, payload: &Path, see: impl FnMut(&str)) -> Result<()> {
    // A directory of its own, gone afterwards whatever comes of it. Root's shell is csh(1)
    // before FreeBSD 14, which understands single quotes like others, so there are none inside.
    let script = format!(
        "sh -c 'd=$(mktemp -d /tmp/runj-tests.XXXXXX) && trap \"rm -rf $d\" EXIT && \
         tar -xf - -C $d && cd $d && {AS_ROOT}'"
    );
    let mut tar = Command::new("tar");
    tar.args(["-cf", "-", "-C"]).arg(payload).arg(".").stdout(Stdio::piped());
    let line = command_line(&tar);
    let mut tar = tar.spawn().with_context(|| format!("cannot start `{line}`"))?;
    let packed = tar.stdout.take().context("tar has no standard output")?;
    let outcome = run_seeing(Command::new("ssh").args([machine, &script]).stdin(packed), see);
    let status = tar.wait().with_context(|| format!("waiting for `{line}`"))?;
    outcome?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}
