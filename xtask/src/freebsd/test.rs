//! `cargo xtask freebsd test`: the tests, on a FreeBSD machine.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;

use super::standard_library::StandardLibrary;
use crate::run::{command_line, run};

/// Where the programs and the script are put together.
const PAYLOAD: &str = "target/freebsd/payload";
/// What the machine may give back.
const OUT: &str = "target/freebsd/out";

/// Runs the tests on a FreeBSD machine
///
/// Builds the binaries and the test programs, statically linked, puts them with a script into
/// target/freebsd/payload and has that run as root on the machine. Nothing has to be installed
/// there.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("machine").required(true))]
pub(crate) struct Test {
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

    /// A crate to test, instead of all of them
    #[arg(short, long = "package", value_name = "CRATE")]
    packages: Vec<String>,

    /// Arguments of the test programs, as after `cargo test --`
    #[arg(last = true)]
    args: Vec<String>,
}

impl Test {
    pub(crate) fn run(&self) -> Result<()> {
        let programs = self.build()?;
        self.pack(&programs)?;
        if self.local {
            return run(Command::new("sh").arg("run.sh").current_dir(PAYLOAD));
        }
        if let Some(runner) = &self.runner {
            fs::create_dir_all(OUT)?;
            return run(Command::new(runner).args([PAYLOAD, OUT]));
        }
        self.over_ssh()
    }

    fn over_ssh(&self) -> Result<()> {
        let Some(machine) = &self.ssh else { return Ok(()) };
        // A directory of its own, gone afterwards whatever comes of the tests.
        let script = "d=$(mktemp -d /tmp/runj-tests.XXXXXX) && trap 'rm -rf \"$d\"' EXIT && \
                      tar -xf - -C \"$d\" && cd \"$d\" && \
                      if [ \"$(id -u)\" = 0 ]; then sh run.sh; \
                      elif command -v doas >/dev/null; then doas sh run.sh; \
                      else sudo sh run.sh; fi";
        let mut tar = Command::new("tar");
        tar.args(["-cf", "-", "-C", PAYLOAD, "."]).stdout(Stdio::piped());
        let line = command_line(&tar);
        let mut tar = tar.spawn().with_context(|| format!("cannot start `{line}`"))?;
        let payload = tar.stdout.take().context("tar has no standard output")?;
        let outcome = run(Command::new("ssh").args([machine.as_str(), script]).stdin(payload));
        let packed = tar.wait().with_context(|| format!("waiting for `{line}`"))?;
        outcome?;
        if !packed.success() {
            bail!("`{line}` failed: {packed}");
        }
        Ok(())
    }

    /// Builds the test programs and the binaries; tells where they are.
    fn build(&self) -> Result<Vec<Program>> {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--no-run", "--message-format", "json-render-diagnostics"]);
        // Everything with tests but doc tests, which are run by rustdoc and do not travel.
        cargo.arg("--tests");
        if self.packages.is_empty() {
            // xtask is the one that sends the others.
            cargo.args(["--workspace", "--exclude", "xtask"]);
        }
        cargo.args(self.packages.iter().flat_map(|package| ["--package", package]));
        if self.local {
            return built(&mut cargo);
        }
        self.cross(&mut cargo)?;
        let mut programs = built(&mut cargo)?;
        // With -p the binaries that the tests call may not be among them.
        let mut binaries = Command::new("cargo");
        binaries.args(["build", "--message-format", "json-render-diagnostics", "--bins"]);
        binaries.args(["--package", "runj-cli", "--package", "runj-tests"]);
        self.cross(&mut binaries)?;
        programs.extend(built(&mut binaries)?);
        Ok(programs)
    }

    /// Tells cargo to build for FreeBSD and to link with its libraries.
    fn cross(&self, cargo: &mut Command) -> Result<()> {
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
        cargo.env(format!("CARGO_TARGET_{variable}_LINKER"), clang()?);
        let sysroot = sysroot.display();
        cargo.env(
            format!("CARGO_TARGET_{variable}_RUSTFLAGS"),
            format!(
                "-Ctarget-feature=+crt-static -Clink-arg=--target={target}13 \
                 -Clink-arg=--sysroot={sysroot} -Clink-arg=-fuse-ld=lld"
            ),
        );
        Ok(())
    }

    /// Puts the programs and the script that runs them into the payload.
    fn pack(&self, programs: &[Program]) -> Result<()> {
        let payload = Path::new(PAYLOAD);
        if payload.exists() {
            fs::remove_dir_all(payload)?;
        }
        let mut script = String::from(SCRIPT_HEAD);
        for Program { name, path, test } in programs {
            let place = payload.join(if *test { "tests" } else { "bin" });
            fs::create_dir_all(&place)?;
            fs::copy(path, place.join(name)).with_context(|| format!("{}", path.display()))?;
            if *test {
                let arguments = self
                    .args
                    .iter()
                    .map(|argument| shlex::try_quote(argument).map(|quoted| format!(" {quoted}")));
                let arguments = arguments.collect::<Result<String, _>>()?;
                script += &format!("try {name}{arguments}\n");
            }
        }
        script += SCRIPT_TAIL;
        let file = payload.join("run.sh");
        fs::write(&file, script)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}

/// Runs one test program after the other, all of them whatever fails.
const SCRIPT_HEAD: &str = r#"#!/bin/sh
# Runs the tests in this directory, as root on FreeBSD.
uname -a
RUNJ=$PWD/bin/runj RUNJ_PROBE=$PWD/bin/runj-probe
export RUNJ RUNJ_PROBE
failed=
try() {
	name=$1
	shift
	echo "     Running $name"
	"./tests/$name" "$@" </dev/null || failed="$failed $name"
}
"#;

const SCRIPT_TAIL: &str = r#"if [ -n "$failed" ]; then
	echo "failed:$failed"
	exit 1
fi
echo "all test programs passed"
"#;

struct Program {
    name: String,
    path: PathBuf,
    test: bool,
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

/// Shows and runs a cargo command; the programs that it says it has built.
fn built(cargo: &mut Command) -> Result<Vec<Program>> {
    let line = command_line(cargo);
    eprintln!("$ {line}");
    let mut child =
        cargo.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{line}`"))?;
    let messages = child.stdout.take().context("cargo has no standard output")?;
    let mut programs = Vec::new();
    for message in BufReader::new(messages).lines() {
        let message: Value = serde_json::from_str(&message?)?;
        let Some(path) = message["executable"].as_str() else { continue };
        let test = message["profile"]["test"].as_bool().unwrap_or_default();
        let path = PathBuf::from(path);
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // cargo adds a hash to the names of test programs; the crate's name says more.
        let name = match (test, message["target"]["name"].as_str()) {
            (true, Some(target)) => {
                let package = path_package(&message);
                format!("{package}.{target}")
            }
            _ => file,
        };
        programs.push(Program { name, path, test });
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(programs)
}

/// The name of the directory of the crate that a message is about.
fn path_package(message: &Value) -> String {
    let manifest = Path::new(message["manifest_path"].as_str().unwrap_or_default());
    let directory = manifest.parent().and_then(Path::file_name).unwrap_or_default();
    directory.to_string_lossy().into_owned()
}
