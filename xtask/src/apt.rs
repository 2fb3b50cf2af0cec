//! Packages of any Debian release, without touching the machine's own.
//!
//! apt works in directories of its own, so that the machine's package lists, cache and hooks are
//! left alone; its mirror, proxy and credentials are the machine's. A package is verified with
//! Debian's archive keys, as any other.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::run::{read, run};

/// Has the keys that Debian's releases are signed with.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where a machine's apt sources are listed, whatever their format, one package index a line.
const INDEXES: [&str; 5] = [
    "--no-release-info",
    "indextargets",
    "--format",
    "$(REPO_URI) $(RELEASE) $(COMPONENT)",
    "Created-By: Packages",
];

/// A directory in which things are set up, by one process at a time.
pub(crate) struct Home {
    path: PathBuf,
    /// Unlocked when it is dropped.
    _lock: File,
}

impl Home {
    /// Makes and locks it.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub(crate) fn lock(path: &str) -> Result<Self> {
        fs::create_dir_all(path)?;
        let path = Path::new(path).canonicalize()?;
        // Two at once would unpack into each other's directories.
        let lock = path.join("lock");
        let lock = File::create(&lock).with_context(|| format!("{}", lock.display()))?;
        lock.lock()?;
        // Of a run that was interrupted.
        remove(&path.join("unpacked"))?;
        remove(&path.join("apt"))?;
        Ok(Self { path, _lock: lock })
    }

    /// The directory, absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what a suite of Debian's has.
    ///
    /// # Errors
    /// This is not a Debian machine, or its mirror does not serve the suite.
    pub(crate) fn suite(&self, suite: &str) -> Result<Apt> {
        let apt = Apt { dir: self.path.join("apt"), unpacked: self.path.join("unpacked") };
        configure(&apt.dir, suite)?;
        run(apt.command("apt-get").arg("update"))?;
        Ok(apt)
    }
}

/// What a suite of Debian's has.
pub(crate) struct Apt {
    dir: PathBuf,
    unpacked: PathBuf,
}

impl Apt {
    /// The versions of a package, as apt-cache(8) lists them: `PACKAGE | VERSION | SOURCE`.
    ///
    /// # Errors
    /// apt-cache(8) cannot be run.
    pub(crate) fn versions(&self, package: &str) -> Result<String> {
        read(self.command("apt-cache").args(["madison", package]))
    }

    /// Downloads a package, as `NAME` or `NAME=VERSION`, and unpacks it; the directory goes with
    /// this.
    ///
    /// # Errors
    /// The suite does not have it.
    pub(crate) fn unpack(&self, package: &str) -> Result<&Path> {
        run(self.command("apt-get").args(["download", package]))?;
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                run(Command::new("dpkg-deb").arg("--extract").arg(&path).arg(&self.unpacked))?;
                fs::remove_file(&path)?;
            }
        }
        Ok(&self.unpacked)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["-c", "apt.conf"]).current_dir(&self.dir);
        command
    }
}

impl Drop for Apt {
    fn drop(&mut self) {
        for dir in [&self.dir, &self.unpacked] {
            // The next one removes it otherwise.
            let _ = remove(dir);
        }
    }
}

/// Gives apt lists, a cache and one source of its own in the directory `apt`.
fn configure(apt: &Path, suite: &str) -> Result<()> {
    ensure!(
        Path::new(KEYRING).exists(),
        "{KEYRING} is missing: `apt-get install debian-archive-keyring`"
    );
    let os_release = fs::read_to_string("/etc/os-release").context("/etc/os-release")?;
    let indexes = read(Command::new("apt-get").args(INDEXES))?;
    let mirror = debian_mirror(&indexes, &os_release)
        .context("no source of this machine's apt is a Debian mirror")?;

    for dir in ["lists/partial", "cache/archives/partial"] {
        let dir = apt.join(dir);
        fs::create_dir_all(&dir).with_context(|| format!("{}", dir.display()))?;
    }
    let source = format!("deb [signed-by={KEYRING} targets=Packages] {mirror} {suite} main\n");
    write(&apt.join("sources.list"), &source)?;
    let here = apt.display();
    let options = format!(
        r#"Dir::Etc::SourceList "{here}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "{here}/lists";
Dir::State::Status "/dev/null";
Dir::Cache "{here}/cache";
# The machine's hooks act on its own lists and cache.
#clear APT::Update;
# apt's own user cannot write here.
APT::Sandbox::User "root";
# Mirrors that fetch a package on demand are silent meanwhile.
Acquire::http::Timeout "300";
Acquire::https::Timeout "300";
Acquire::Retries "5";
"#
    );
    write(&apt.join("apt.conf"), &options)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("{}", path.display()))
}

/// The mirror that the packages of this Debian release come from, of those in [`INDEXES`]' output.
/// Third parties serve a component `main` for the release too, but not under Debian's path.
fn debian_mirror<'a>(indexes: &'a str, os_release: &str) -> Option<&'a str> {
    let codename = os_release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))?
        .trim_matches('"');
    indexes.lines().find_map(|index| {
        let mut fields = index.split(' ');
        let (mirror, release, component) = (fields.next()?, fields.next()?, fields.next()?);
        let debian = mirror.trim_end_matches('/').ends_with("/debian");
        (debian && release == codename && component == "main").then_some(mirror)
    })
}

/// Removes a directory that need not exist.
///
/// # Errors
/// It cannot be removed.
pub(crate) fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.with_context(|| format!("{}", dir.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_debians_own_mirror_for_this_release() {
        let os_release = "ID=debian\nVERSION_CODENAME=bookworm\n";
        let indexes = "\
https://vendor.example/debian/ bookworm/vendor main
https://vendor.example/tools/ bookworm main
http://mirror.example/debian-security/ bookworm-security main
http://mirror.example/debian/ bookworm-updates main
http://mirror.example/debian/ bookworm contrib
http://nearer.example/pub/debian/ bookworm main
";
        let mirror = debian_mirror(indexes, os_release);
        assert_eq!(mirror, Some("http://nearer.example/pub/debian/"));
        assert_eq!(debian_mirror(indexes, "ID=arch\n"), None);
    }
}
