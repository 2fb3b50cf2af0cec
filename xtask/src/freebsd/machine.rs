//! A FreeBSD machine: building for it, and having it run something.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::abi_note;
use super::standard_library::StandardLibrary;
use crate::run::{command_line, run_seeing};

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

    /// FreeBSD's libraries to link with: a directory that has usr/lib/libc.a
    #[arg(long, value_name = "DIR", env = "FREEBSD_SYSROOT")]
    sysroot: Option<PathBuf>,

    /// The processor of the machine
    #[arg(long, value_name = "ARCH", default_value = "x86_64")]
    arch: String,
}

impl Machine {
    /// Whether it is this one, for which nothing special is to be built.
    pub(super) fn is_this(&self) -> bool {
        self.local
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

    /// Tells cargo to build for it and to link with its libraries, statically.
    pub(super) fn cross(&self, cargo: &mut Command) -> Result<()> {
        let Some(sysroot) = &self.sysroot else {
            bail!("--sysroot or FREEBSD_SYSROOT has to say where FreeBSD's libraries are");
        };
        let sysroot = sysroot.canonicalize().with_context(|| format!("--sysroot: {sysroot:?}"))?;
        if !sysroot.join("usr/lib/libc.a").exists() {
            bail!("--sysroot: {sysroot:?}: there is no usr/lib/libc.a in it");
        }
        let target = format!("{}-unknown-freebsd", self.arch);
        StandardLibrary::find()?.tell(cargo);
        // Beside what is only checked: the flags are others, and cargo would build all anew.
        cargo.args(["--target-dir", "target/freebsd/run", "--target", &target]);
        // What a debugger would want is most of a program's size, and there is no debugger.
        cargo.env("CARGO_PROFILE_DEV_DEBUG", "false").env("CARGO_PROFILE_DEV_STRIP", "debuginfo");
        let variable = target.to_uppercase().replace('-', "_");
        let clang = clang()?;
        cargo.env(format!("CARGO_TARGET_{variable}_LINKER"), clang);
        let mut flags = format!(
            "-Ctarget-feature=+crt-static -Clink-arg=--target={target}13 \
             -Clink-arg=--sysroot={} -Clink-arg=-fuse-ld=lld",
            sysroot.display()
        );
        if let Some(note) = abi_note::missing(clang, &target, &sysroot)? {
            flags += &format!(" -Clink-arg={}", note.display());
        }
        cargo.env(format!("CARGO_TARGET_{variable}_RUSTFLAGS"), flags);
        Ok(())
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

/// The name of this machine's clang; Debian's is called by its version.
fn clang() -> Result<&'static str> {
    const NAMES: [&str; 7] =
        ["clang", "clang-20", "clang-19", "clang-18", "clang-16", "clang-15", "clang-14"];
    let runs = |name: &&str| {
        let mut clang = Command::new(name);
        clang.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        clang.status().is_ok_and(|status| status.success())
    };
    NAMES.into_iter().find(runs).context("linking for FreeBSD takes clang and lld")
}
