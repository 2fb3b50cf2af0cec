//! The bundle of the demo's containers, below target/demo: made as a person would make it, and
//! removed again.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::run::read;

/// The bundle's directory.
pub(super) const DIRECTORY: &str = "target/demo";

/// runj's own directory (`--root`).
const STATE: &str = "target/demo/state";

const ROOT: &str = "target/demo/rootfs";

/// Where a host has its programs and what they need to run.
const BORROWED: [&str; 5] = ["/bin", "/lib", "/lib64", "/libexec", "/usr"];

/// The interface of every host that has its loopback address.
pub(super) const LOOPBACK: &str = if cfg!(target_os = "freebsd") { "lo0" } else { "lo" };

/// The bundle, and the programs that were built for it.
pub(super) struct Bundle {
    pub(super) runj: PathBuf,
    pub(super) probe: PathBuf,
}

impl Bundle {
    /// Makes the root, which borrows all that is in it from the host but for the probe.
    pub(super) fn make(&self, out: &mut impl Write) -> Result<()> {
        writeln!(out, "$ mkdir -p {ROOT}")?;
        fs::create_dir_all(ROOT).context(ROOT)?;
        writeln!(out, "$ cp {} {ROOT}/probe", self.probe.display())?;
        fs::copy(&self.probe, format!("{ROOT}/probe"))
            .with_context(|| format!("{}", self.probe.display()))?;
        Ok(())
    }

    /// Writes a config.json whose process is the probe with these arguments.
    pub(super) fn configure(&self, [verb, address]: [&str; 2], out: &mut impl Write) -> Result<()> {
        let mounts = BORROWED.iter().filter(|directory| Path::new(directory).is_dir()).map(|from| {
            format!(r#"    {{"destination": "{from}", "source": "{from}", "type": "nullfs", "options": ["ro"]}}"#)
        });
        let text = format!(
            r#"{{
  "ociVersion": "1.3.0",
  "process": {{"args": ["/probe", "{verb}", "{address}"], "cwd": "/"}},
  "root": {{"path": "rootfs"}},
  "mounts": [
{}
  ],
  "freebsd": {{"jail": {{"interface": "{LOOPBACK}"}}}}
}}
"#,
            mounts.collect::<Vec<_>>().join(",\n")
        );
        write("config.json", &text, out)
    }

    /// Writes runj.ext.json, or removes it.
    pub(super) fn extend(&self, extension: Option<&str>, out: &mut impl Write) -> Result<()> {
        match extension {
            Some(text) => write("runj.ext.json", &format!("{text}\n"), out),
            None => {
                let path = format!("{DIRECTORY}/runj.ext.json");
                writeln!(out, "$ rm -f {path}")?;
                unless_missing(fs::remove_file(&path)).context(path)
            }
        }
    }

    /// `runj`, with its state in the bundle's directory.
    pub(super) fn runj<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(&self.runj);
        command.args(["--root", STATE]).args(args);
        command
    }

    /// Removes everything: the containers that an interrupted demo left, and the files.
    ///
    /// Directories are removed only if they are empty. So what a fault has left mounted there is
    /// never descended into, and makes this fail.
    pub(super) fn clear(&self) -> Result<()> {
        if !Path::new(DIRECTORY).exists() {
            return Ok(());
        }
        for id in read(&mut self.runj(["list", "--quiet"]))?.lines() {
            read(&mut self.runj(["delete", "--force", id]))?;
        }
        for file in ["config.json", "runj.ext.json", "rootfs/probe"] {
            let path = format!("{DIRECTORY}/{file}");
            unless_missing(fs::remove_file(&path)).context(path)?;
        }
        for directory in [ROOT, STATE, DIRECTORY] {
            unless_missing(fs::remove_dir(directory)).context(directory)?;
        }
        Ok(())
    }
}

/// Writes a file of the bundle, and shows how that is typed.
fn write(name: &str, text: &str, out: &mut impl Write) -> Result<()> {
    let path = format!("{DIRECTORY}/{name}");
    writeln!(out, "$ cat >{path} <<'END'\n{text}END")?;
    fs::write(&path, text).context(path)
}

fn unless_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
