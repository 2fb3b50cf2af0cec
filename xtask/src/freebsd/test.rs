//! `cargo xtask freebsd test`: the tests, on a FreeBSD machine.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;

use super::abi_note;
use super::report::{self, MARK, Results};
use super::standard_library::StandardLibrary;
use crate::run::{command_line, read, run_seeing};

/// Where the programs and the script are put together.
const PAYLOAD: &str = "target/freebsd/payload";
/// The same for the machine that this runs on.
const PAYLOAD_HERE: &str = "target/freebsd/payload-here";
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

    /// A containerd for FreeBSD to test with: the directory of `containerd` and `ctr`; without it,
    /// the machine's own if it has one
    #[arg(long, value_name = "DIR")]
    containerd: Option<PathBuf>,

    /// A crate to test, instead of all of them
    #[arg(short, long = "package", value_name = "CRATE")]
    packages: Vec<String>,

    /// Write what came of every case to FILE, a page in Markdown; the tests are run on this host
    /// as well, if it is not a FreeBSD one
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Arguments of the test programs, as after `cargo test --`
    #[arg(last = true)]
    args: Vec<String>,
}

impl Test {
    pub(crate) fn run(&self) -> Result<()> {
        if self.local && !cfg!(target_os = "freebsd") {
            bail!("--local is for a FreeBSD machine, and this is none");
        }
        let payload = Path::new(PAYLOAD);
        let programs = if self.local { self.build_here()? } else { self.build()? };
        self.pack(&programs, payload)?;
        let mut freebsd = Results::default();
        let outcome = self.run_there(payload, |line| freebsd.line(line));
        let Some(file) = &self.report else { return outcome };
        if !freebsd.is_complete() {
            return outcome.and_then(|()| bail!("the run told nothing about itself: no report"));
        }

        let mut here = None;
        let mut outcome_here = Ok(());
        if !cfg!(target_os = "freebsd") {
            let payload = Path::new(PAYLOAD_HERE);
            self.pack(&self.build_here()?, payload)?;
            let results = here.insert(Results::default());
            let mut script = Command::new("sh");
            outcome_here =
                run_seeing(script.arg("run.sh").current_dir(payload), |line| results.line(line));
        }
        report::write(file, &commit()?, &freebsd, here.as_ref())
            .with_context(|| format!("--report: {}", file.display()))?;
        eprintln!("wrote {}", file.display());
        outcome.and(outcome_here)
    }

    /// Has the script run on the FreeBSD machine.
    fn run_there(&self, payload: &Path, see: impl FnMut(&str)) -> Result<()> {
        if let Some(runner) = &self.runner {
            fs::create_dir_all(OUT)?;
            return run_seeing(Command::new(runner).arg(payload).arg(OUT), see);
        }
        match &self.ssh {
            Some(machine) => over_ssh(machine, payload, see),
            None => run_seeing(Command::new("sh").args(["-c", AS_ROOT]).current_dir(payload), see),
        }
    }

    /// Builds the test programs and the binaries that they call for this machine.
    fn build_here(&self) -> Result<Vec<Program>> {
        let mut programs = built(&mut self.tests())?;
        if self.needs_binaries() {
            programs.extend(built(&mut binaries())?);
        }
        Ok(programs)
    }

    fn tests(&self) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--no-run", "--message-format", "json-render-diagnostics"]);
        // Everything with tests but doc tests, which are run by rustdoc and do not travel.
        cargo.arg("--tests");
        if self.packages.is_empty() {
            // xtask is the one that sends the others.
            cargo.args(["--workspace", "--exclude", "xtask"]);
        }
        cargo.args(self.packages.iter().flat_map(|package| ["--package", package]));
        cargo
    }

    /// Whether the tests that call the binaries are among those to run.
    fn needs_binaries(&self) -> bool {
        self.packages.is_empty() || self.packages.iter().any(|package| package == "runj-tests")
    }

    /// Builds the test programs and the binaries that they call for FreeBSD.
    fn build(&self) -> Result<Vec<Program>> {
        let mut tests = self.tests();
        self.cross(&mut tests)?;
        let mut programs = built(&mut tests)?;
        if self.needs_binaries() {
            let mut binaries = binaries();
            self.cross(&mut binaries)?;
            programs.extend(built(&mut binaries)?);
        }
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

    /// Puts the programs and the script that runs them into the payload.
    fn pack(&self, programs: &[Program], payload: &Path) -> Result<()> {
        if payload.exists() {
            fs::remove_dir_all(payload)?;
        }
        let mut script = String::from(SCRIPT_HEAD);
        for Program { name, path, test } in programs {
            let place = payload.join(if *test { "tests" } else { "bin" });
            fs::create_dir_all(&place)?;
            let content = fs::read(path).with_context(|| format!("{}", path.display()))?;
            if payload == Path::new(PAYLOAD) && !abi_note::is_in(&content) {
                bail!("{}: the linker has dropped FreeBSD's ABI note", path.display());
            }
            let file = place.join(name);
            fs::write(&file, content).with_context(|| format!("{}", file.display()))?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
            if *test {
                let arguments = self
                    .args
                    .iter()
                    .map(|argument| shlex::try_quote(argument).map(|quoted| format!(" {quoted}")));
                let arguments = arguments.collect::<Result<String, _>>()?;
                script += &format!("try {name}{arguments}\n");
            }
        }
        script += &SCRIPT_TAIL.replace("MARK", MARK);
        if let Some(directory) = &self.containerd {
            let place = payload.join("containerd");
            fs::create_dir_all(&place)?;
            for program in ["containerd", "ctr"] {
                let from = directory.join(program);
                fs::copy(&from, place.join(program))
                    .with_context(|| format!("--containerd: {}", from.display()))?;
            }
        }
        let file = payload.join("run.sh");
        fs::write(&file, script)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}

/// The binaries that the tests call.
fn binaries() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--message-format", "json-render-diagnostics", "--bins"]);
    let packages = ["runj-cli", "runj-shim", "runj-tests"];
    cargo.args(packages.iter().flat_map(|package| ["--package", package]));
    cargo
}

/// Runs the script as root, however one becomes that.
const AS_ROOT: &str = "if [ \"$(id -u)\" = 0 ]; then sh run.sh; \
                       elif command -v doas >/dev/null; then doas sh run.sh; \
                       else sudo sh run.sh; fi";

fn over_ssh(machine: &str, payload: &Path, see: impl FnMut(&str)) -> Result<()> {
    // A directory of its own, gone afterwards whatever comes of the tests. Root's shell is csh(1)
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

/// What the source is, in words.
fn commit() -> Result<String> {
    let commit = read(Command::new("git").args(["rev-parse", "--short", "HEAD"]))?;
    let changes = read(Command::new("git").args(["status", "--porcelain"]))?;
    let with = if changes.is_empty() { "" } else { ", with changes that were not committed yet" };
    Ok(format!("commit {}{with}", commit.trim()))
}

/// Runs one test program after the other, all of them whatever fails, and says in the end again
/// what came of each case: between the lines there may have been others.
const SCRIPT_HEAD: &str = r#"#!/bin/sh
# Runs the tests in this directory, as root on FreeBSD.
uname -a
RUNJ=$PWD/bin/runj RUNJ_PROBE=$PWD/bin/runj-probe RUNJ_SHIM=$PWD/bin/containerd-shim-runj-v1
export RUNJ RUNJ_PROBE RUNJ_SHIM
if [ -d containerd ]; then
	RUNJ_CONTAINERD=$PWD/containerd
	export RUNJ_CONTAINERD
fi
work=$(mktemp -d /tmp/runj-results.XXXXXX)
trap 'rm -rf "$work"' EXIT
failed=
try() {
	name=$1
	shift
	echo "     Running $name"
	{
		"./tests/$name" "$@" </dev/null
		echo $? >"$work/status"
	} | tee "$work/output"
	[ "$(cat "$work/status")" = 0 ] || failed="$failed $name"
	sed -n "s/^test .* \.\.\. /$name: &/p" "$work/output" >>"$work/results"
}
"#;

const SCRIPT_TAIL: &str = r#"echo "MARK"
echo "date $(date -u +%Y-%m-%d)"
cat "$work/results"
echo "machine $(uname -srm)"
if [ -n "$failed" ]; then
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
