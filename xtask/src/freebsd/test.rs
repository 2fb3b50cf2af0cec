//! `cargo xtask freebsd test`: the tests, on a FreeBSD machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::abi_note;
use super::machine::Machine;
use super::report::{self, MARK, Results};
use super::standard_library::Purpose;
use crate::build::{Program, build, find};
use crate::run::{read, run_seeing};
use crate::{jail_root, test};

/// Where the programs and the script are put together.
const PAYLOAD: &str = "target/freebsd/payload";
/// The same for the machine that this runs on.
const PAYLOAD_HERE: &str = "target/freebsd/payload-here";

/// Runs the tests on a FreeBSD machine
///
/// Builds the binaries and the test programs, statically linked, puts them with a script and a small
/// jail root into target/freebsd/payload and has that run as root on the machine. Nothing has to be
/// installed there.
#[derive(Args)]
pub(crate) struct Test {
    #[command(flatten)]
    machine: Machine,

    /// A containerd for FreeBSD to test with: the directory of `containerd` and `ctr`; without it,
    /// the machine's own if it has one
    #[arg(long, value_name = "DIR")]
    containerd: Option<PathBuf>,

    /// A crate to test, instead of all of them
    #[arg(short, long = "package", value_name = "CRATE")]
    packages: Vec<String>,

    /// How many lifecycles the tests `soak` have, one after the other
    #[arg(long, value_name = "NUMBER")]
    rounds: Option<u32>,

    /// Write what came of every case to FILE, a page in Markdown; the tests are run on this host
    /// as well, if it is not a FreeBSD one
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Arguments of the test programs, as after `cargo test --`
    #[arg(last = true)]
    args: Vec<String>,
}

/// What was built for a machine.
struct Built {
    /// The test programs, and the binaries that they call.
    programs: Vec<Program>,
    for_calls: Option<ForCalls>,
}

/// What else the tests that call the binaries take.
struct ForCalls {
    /// The binaries with fault points.
    faults: Vec<Program>,
    /// The probe, statically linked.
    probe: PathBuf,
}

impl Test {
    pub(crate) fn run(&self) -> Result<()> {
        let payload = Path::new(PAYLOAD);
        let built = if self.machine.is_this() { self.build_here()? } else { self.build_there()? };
        self.pack(&built, self.containerd.as_deref(), payload)?;
        let mut freebsd = Results::default();
        let outcome = self.machine.run(payload, |line| freebsd.line(line));
        let Some(file) = &self.report else { return outcome };
        if !freebsd.is_complete() {
            return outcome.and_then(|()| bail!("the run told nothing about itself: no report"));
        }

        let mut here = None;
        let mut outcome_here = Ok(());
        if !cfg!(target_os = "freebsd") {
            let payload = Path::new(PAYLOAD_HERE);
            // With the releases of containerd that `cargo xtask test` takes, as --containerd is FreeBSD's.
            test::set_up_programs()?;
            self.pack(&self.build_here()?, None, payload)?;
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

    /// Builds everything for this machine.
    fn build_here(&self) -> Result<Built> {
        let flags = self.machine.flags_here()?;
        let native = |mut cargo: Command| {
            if let Some(flags) = &flags {
                cargo.env("RUSTFLAGS", flags);
            }
            build(&mut cargo)
        };
        let mut programs = native(self.tests())?;
        let mut for_calls = None;
        if self.needs_binaries() {
            programs.extend(native(binaries())?);
            let faults = native(binaries_with_faults())?;
            for_calls = Some(ForCalls { faults, probe: jail_root::build_probe(flags.as_deref())? });
        }
        Ok(Built { programs, for_calls })
    }

    fn tests(&self) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--no-run"]);
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
        self.packages.is_empty()
            || self.packages.iter().any(|package| package == "runj-tests" || package == "runj-shim")
    }

    /// Builds everything for FreeBSD.
    fn build_there(&self) -> Result<Built> {
        let cross = |mut cargo: Command| {
            self.machine.cross(&mut cargo, Purpose::Tests)?;
            build(&mut cargo)
        };
        let mut programs = cross(self.tests())?;
        let mut for_calls = None;
        if self.needs_binaries() {
            let binaries = cross(binaries())?;
            let probe = find(&binaries, "runj-probe")?.to_owned();
            programs.extend(binaries);
            for_calls = Some(ForCalls { faults: cross(binaries_with_faults())?, probe });
        }
        Ok(Built { programs, for_calls })
    }

    /// Puts what was built and the script that runs it into the payload.
    fn pack(&self, built: &Built, containerd: Option<&Path>, payload: &Path) -> Result<()> {
        if payload.exists() {
            fs::remove_dir_all(payload)?;
        }
        let mut script = String::from(SCRIPT_HEAD);
        if let Some(rounds) = self.rounds {
            script += &format!("export RUNJ_SOAK={rounds}\n");
        }
        for program in &built.programs {
            if program.test {
                put(program, &payload.join("tests"))?;
                let arguments = self
                    .args
                    .iter()
                    .map(|argument| shlex::try_quote(argument).map(|quoted| format!(" {quoted}")));
                let arguments = arguments.collect::<Result<String, _>>()?;
                script += &format!("try {}{arguments}\n", program.name);
            } else {
                put(program, &payload.join("bin"))?;
            }
        }
        if let Some(ForCalls { faults, probe }) = &built.for_calls {
            faults.iter().try_for_each(|program| put(program, &payload.join("faults")))?;
            jail_root::make(&payload.join("root"), probe)?;
        }
        script += &SCRIPT_TAIL.replace("MARK", MARK);
        if let Some(directory) = containerd {
            pack_containerd(directory, payload)?;
        }
        let file = payload.join("run.sh");
        fs::write(&file, script)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}

/// Puts a containerd into a payload, in a directory of that name.
pub(super) fn pack_containerd(directory: &Path, payload: &Path) -> Result<()> {
    let place = payload.join("containerd");
    fs::create_dir_all(&place)?;
    for program in ["containerd", "ctr"] {
        let from = directory.join(program);
        fs::copy(&from, place.join(program))
            .with_context(|| format!("--containerd: {}", from.display()))?;
    }
    Ok(())
}

/// Puts a program into a directory of a payload.
fn put(program: &Program, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    let path = &program.path;
    let content = fs::read(path).with_context(|| format!("{}", path.display()))?;
    if directory.starts_with(PAYLOAD) && !abi_note::is_in(&content) {
        bail!("{}: the linker has dropped FreeBSD's ABI note", path.display());
    }
    let file = directory.join(&program.name);
    fs::write(&file, content).with_context(|| format!("{}", file.display()))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// The binaries that the tests call.
fn binaries() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--bins"]);
    let packages = ["runj-cli", "runj-demo", "runj-shim", "runj-tests"];
    cargo.args(packages.iter().flat_map(|package| ["--package", package]));
    cargo
}

/// Those of them that have fault points, with these.
fn binaries_with_faults() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--bins", "--profile", "faults"]);
    for package in ["runj-cli", "runj-shim"] {
        cargo.args(["--package", package, "--features", &format!("{package}/fault-points")]);
    }
    cargo
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
RUNJ_FAULTS=$PWD/faults/runj RUNJ_TEST_ROOT=$PWD/root RUNJ_DEMO=$PWD/bin/runj-demo
export RUNJ RUNJ_PROBE RUNJ_SHIM RUNJ_FAULTS RUNJ_TEST_ROOT RUNJ_DEMO
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
