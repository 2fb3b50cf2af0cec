//! Other runtimes to measure runj beside.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::apt::Home;

/// Runtimes that are measured where they are in `PATH`. A runj there is the one written in Go: ours
/// is built.
const KNOWN: [(&str, &str); 5] = [
    ("runc", "runc"),
    ("crun", "crun"),
    ("youki", "youki"),
    ("ocijail", "ocijail"),
    ("runj", "runj-go"),
];

/// Where those are put that are fetched.
const HOME: &str = "target/bench/peers";

/// The suite of Debian's that they come from: one whose C library is old enough for all machines.
const SUITE: &str = "bookworm";

/// What is fetched where it is not there: a program, and the packages with it and with libraries
/// that few machines have.
const FETCHED: [(&str, &[&str]); 2] = [("runc", &["runc"]), ("crun", &["crun", "libyajl2"])];

/// The runtimes.
pub(crate) struct Peers {
    /// Each as NAME=PROGRAM.
    pub(crate) runtimes: Vec<String>,
    /// Where libraries of fetched ones are.
    pub(crate) library_path: Option<PathBuf>,
}

impl Peers {
    /// Finds those that this machine has and fetches, on Linux, what it lacks.
    ///
    /// # Errors
    /// One can be neither found nor fetched.
    pub(crate) fn find() -> Result<Self> {
        let mut found = Self { runtimes: Vec::new(), library_path: None };
        let path = env::var_os("PATH").unwrap_or_default();
        for (program, name) in KNOWN {
            if let Some(program) = in_path(program, &path) {
                // Go's runj is FreeBSD's alone, and on Linux it may be ours that is installed.
                if name != "runj-go" || cfg!(target_os = "freebsd") {
                    found.runtimes.push(format!("{name}={}", program.display()));
                }
            }
        }
        if cfg!(target_os = "linux") {
            for (program, packages) in FETCHED {
                if in_path(program, &path).is_none() {
                    found.fetch(program, packages)?;
                }
            }
        }
        Ok(found)
    }

    fn fetch(&mut self, program: &str, packages: &[&str]) -> Result<()> {
        let home = Home::lock(HOME)?;
        let directory = home.path().join(program);
        if !directory.exists() {
            let suite = home.suite(SUITE)?;
            let mut unpacked = None;
            for package in packages {
                unpacked = Some(suite.unpack(package)?);
            }
            let unpacked = unpacked.context("a program without a package")?;
            // Whole or not at all.
            fs::rename(unpacked, &directory).with_context(|| format!("{}", directory.display()))?;
        }
        let places = ["usr/sbin", "usr/bin"].map(|place| directory.join(place).join(program));
        let file = places.into_iter().find(|file| file.exists());
        let file = file.with_context(|| format!("Debian's {program} has no {program}"))?;
        let libraries = libraries(&directory)?;
        let mut version = Command::new(&file);
        version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(libraries) = &libraries {
            version.env("LD_LIBRARY_PATH", libraries);
        }
        if version.status().is_ok_and(|status| status.success()) {
            self.runtimes.push(format!("{program}={}", file.display()));
            self.library_path = self.library_path.take().or(libraries);
        } else {
            eprintln!("note: Debian's {program} does not run here and is left out");
        }
        Ok(())
    }
}

fn in_path(program: &str, path: &OsString) -> Option<PathBuf> {
    env::split_paths(path).map(|directory| directory.join(program)).find(|file| file.is_file())
}

/// The directory of unpacked libraries: Debian's is named after the architecture.
fn libraries(directory: &Path) -> Result<Option<PathBuf>> {
    for parent in ["usr/lib", "lib"] {
        let Ok(entries) = fs::read_dir(directory.join(parent)) else { continue };
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_string_lossy().contains("-linux-") {
                return Ok(Some(entry.path()));
            }
        }
    }
    Ok(None)
}
