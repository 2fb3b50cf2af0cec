//! `cargo xtask dist`: what is released for FreeBSD.

mod archive;
mod bill;
mod checksums;
mod crates;
mod licences;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::{Artifact, Metadata};
use clap::Args;

use self::archive::Archive;
use self::bill::Bill;
use self::crates::Linked;
use crate::build::{artifacts, build, find};
use crate::dependencies::metadata;
use crate::freebsd::{Cross, Purpose, release};
use crate::run::{read, run};

/// Where archives and their checksums go.
const DIRECTORY: &str = "target/dist";

/// Where cargo builds: what it has built for tests, with other flags, is left alone.
const BUILD: &str = "target/freebsd/dist";

/// Files of the repository, and where they are in an archive.
const FILES: [(&str, &str); 13] = [
    ("LICENSE", "share/doc/runj/LICENSE"),
    ("README.md", "share/doc/runj/README.md"),
    ("CHANGELOG.md", "share/doc/runj/CHANGELOG.md"),
    ("ARCHITECTURE.md", "share/doc/runj/ARCHITECTURE.md"),
    ("CONTRIBUTING.md", "share/doc/runj/CONTRIBUTING.md"),
    ("SECURITY.md", "share/doc/runj/SECURITY.md"),
    ("runj-spec/schema/runj.ext.schema.json", "share/runj/runj.ext.schema.json"),
    ("dist/containerd/config.toml", "share/examples/runj/containerd/config.toml"),
    ("dist/podman/containers.conf", "share/examples/runj/podman/containers.conf"),
    ("dist/freebsd/loader.conf", "share/examples/runj/loader.conf"),
    ("dist/freebsd/rc.conf", "share/examples/runj/rc.conf"),
    ("dist/freebsd/sysctl.conf", "share/examples/runj/sysctl.conf"),
    ("dist/freebsd/devfs.rules", "share/examples/runj/devfs.rules"),
];

/// The pages that the README names, in the same place beside it.
const BOOK: (&str, &str) = ("docs", "share/doc/runj/docs");

/// Where shells look for completions.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "share/bash-completion/completions/runj"),
    ("fish", "share/fish/vendor_completions.d/runj.fish"),
    ("zsh", "share/zsh/site-functions/_runj"),
];

/// Makes the release archive for FreeBSD, below target/dist
///
/// Static programs, man pages, the book, completions, examples, the licences of all that is in the
/// programs, and a bill of materials (CycloneDX). The sysroot needs FreeBSD's COPYRIGHT beside its
/// libraries. The same source in the same directory makes the same archive: its times are those of
/// SOURCE_DATE_EPOCH, or of the commit.
#[derive(Args)]
pub(crate) struct Dist {
    #[command(flatten)]
    cross: Cross,
}

impl Dist {
    pub(crate) fn run(&self) -> Result<()> {
        let metadata = metadata(&self.cross.target())?;
        let time = source_date()?;
        let version = version(&metadata)?;
        let name = format!("runj-{version}-freebsd-{}", self.cross.machine());
        // Before the long part.
        let system = self.cross.sysroot()?.join("COPYRIGHT");
        let system = fs::read(&system).with_context(|| {
            format!("{}: of FreeBSD's base system, as its libraries are", system.display())
        })?;
        let (rust, standard_library) = licences::of_standard_library()?;

        let mut archive = Archive::default();
        let artifacts = self.programs(&metadata, &mut archive)?;
        let release = release_of(&archive)?;
        self.documents(&mut archive)?;

        let linked = Linked::of(&metadata, &artifacts, |file| self.cross.has_built(file))?;
        let doc = "share/doc/runj/licences";
        archive.add(&format!("{doc}/crates.txt"), licences::text(&linked.others())?.into_bytes());
        archive.add(&format!("{doc}/rust-standard-library.html"), standard_library);
        archive.add(&format!("{doc}/freebsd.txt"), system);
        let bill = Bill { version: &version, time, rust: &rust, release, linked: &linked };
        archive.add("share/doc/runj/runj.cdx.json", bill.json()?);

        let directory = Path::new(DIRECTORY);
        fs::create_dir_all(directory)?;
        let path = directory.join(format!("{name}.tar.gz"));
        fs::write(&path, archive.pack(&name, time)?)?;
        eprintln!("{} is written", path.display());
        checksums::write(directory)
    }

    /// Builds the programs of every crate that is published and adds them; all that was built.
    fn programs(&self, metadata: &Metadata, archive: &mut Archive) -> Result<Vec<Artifact>> {
        let mut all = Vec::new();
        for package in metadata.workspace_packages() {
            let programs = package.targets.iter().filter(|target| target.is_bin());
            let programs: Vec<_> = programs.map(|target| &*target.name).collect();
            if package.publish.is_some() || programs.is_empty() {
                continue;
            }
            // Each crate on its own, or else it gets what the other ones' libraries can do as well.
            let mut cargo = Command::new("cargo");
            cargo.args(["build", "--locked", "--release", "--bins", "--package", &package.name]);
            self.cross.tell(&mut cargo, Purpose::Use, BUILD, &remapped(metadata)?)?;
            let built = artifacts(&mut cargo)?;
            for program in programs {
                let path = built
                    .iter()
                    .filter_map(|artifact| artifact.executable.as_ref())
                    .find(|path| path.file_name() == Some(program))
                    .with_context(|| format!("cargo has built no {program}"))?;
                let content = fs::read(path).with_context(|| path.to_string())?;
                archive.add_program(&format!("bin/{program}"), content);
            }
            all.extend(built);
        }
        Ok(all)
    }

    /// Adds what is for people and their shells, by a runj of this host.
    fn documents(&self, archive: &mut Archive) -> Result<()> {
        for (from, to) in FILES {
            archive.add(to, fs::read(from).with_context(|| from.to_owned())?);
        }
        archive.add_directory(Path::new(BOOK.0), BOOK.1)?;
        let programs = build(Command::new("cargo").args(["build", "--package", "runj-cli"]))?;
        let runj = find(&programs, "runj")?;
        for (shell, to) in COMPLETIONS {
            let script = read(Command::new(runj).args(["completions", shell]))?;
            archive.add(to, script.into_bytes());
        }
        let pages = tempfile::tempdir()?;
        run(Command::new(runj).arg("man").arg(pages.path()))?;
        archive.add_directory(pages.path(), "share/man/man8")
    }
}

/// The version of the program that all this is about.
fn version(metadata: &Metadata) -> Result<String> {
    let packages = metadata.workspace_packages();
    let runj = packages.iter().find(|package| package.name == "runj-cli");
    Ok(runj.context("there is no runj-cli")?.version.to_string())
}

/// The seconds since 1970 that everything in the archive is dated with
/// (<https://reproducible-builds.org/specs/source-date-epoch/>).
fn source_date() -> Result<u64> {
    let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(seconds) => seconds,
        Err(_) => read(Command::new("git").args(["log", "-1", "--format=%ct"]))?,
    };
    seconds.trim().parse().with_context(|| format!("SOURCE_DATE_EPOCH: {seconds:?}"))
}

/// Flags for rustc by which programs do not say where they were built.
fn remapped(metadata: &Metadata) -> Result<Vec<String>> {
    let home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir().context("there is no home directory")?.join(".cargo"),
    };
    let places = [(metadata.workspace_root.as_std_path(), "/runj"), (&*home, "/cargo")];
    Ok(places.map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).into())
}

/// For which FreeBSD the programs are, as `__FreeBSD_version` has it.
fn release_of(archive: &Archive) -> Result<u32> {
    let mut of_all = None;
    for (name, program) in archive.programs() {
        let Some(release) = release(program) else {
            bail!("{name}: the linker has dropped FreeBSD's ABI note");
        };
        ensure!(*of_all.get_or_insert(release) == release, "{name} is for another FreeBSD");
    }
    of_all.context("there are no programs")
}
