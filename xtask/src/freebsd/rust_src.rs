//! The standard library's sources from Debian's rust-src package, for machines where rustup cannot
//! fetch them.
//!
//! apt works in directories of its own below target/freebsd, so that the machine's package lists,
//! cache and hooks are left alone; its mirror, proxy and credentials are the machine's. The package
//! is verified with Debian's archive keys, as any other.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::run::{read, run};

/// Debian's suite of newer packages for its stable release: it keeps the last few Rust releases.
const SUITE: &str = "trixie-backports";

/// Has the keys that [`SUITE`] is signed with.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where a machine's apt sources are listed, whatever their format, one package index a line.
const INDEXES: [&str; 5] = [
    "--no-release-info",
    "indextargets",
    "--format",
    "$(REPO_URI) $(RELEASE) $(COMPONENT)",
    "Created-By: Packages",
];

/// Sets up the sources of the release that `rustc` is, unless they are there already, and returns
/// their directory: what is `library` in the Rust repository.
///
/// # Errors
/// This is not a Debian machine, or Debian does not serve that release.
pub(super) fn set_up() -> Result<PathBuf> {
    let version = read(Command::new("rustc").arg("-vV"))?;
    let release = version.lines().find_map(|line| line.strip_prefix("release: "));
    let release = release.context("`rustc -vV` names no release")?;

    fs::create_dir_all("target/freebsd")?;
    let home = Path::new("target/freebsd").canonicalize()?;
    // Two at once would unpack into each other's directories. Unlocked when the file is dropped.
    let lock = home.join("lock");
    let lock = File::create(&lock).with_context(|| format!("{}", lock.display()))?;
    lock.lock()?;

    let library = home.join(format!("library-{release}"));
    if !library.exists() {
        fetch(release, &home, &library)?;
    }
    // Also when an earlier run was interrupted here.
    remove(&home.join("unpacked"))?;
    remove(&home.join("apt"))?;
    Ok(library)
}

/// Makes `library`, whole or not at all.
fn fetch(release: &str, home: &Path, library: &Path) -> Result<()> {
    let apt = home.join("apt");
    configure(&apt)?;
    run(Command::new("apt-get").args(["-c", "apt.conf", "update"]).current_dir(&apt))?;
    let versions = read(
        Command::new("apt-cache").args(["-c", "apt.conf", "madison", "rust-src"]).current_dir(&apt),
    )?;
    let version = package_version(&versions, release)
        .with_context(|| format!("{SUITE} has no rust-src {release}, only\n{versions}"))?;
    let package = format!("rust-src={version}");
    run(Command::new("apt-get").args(["-c", "apt.conf", "download", &package]).current_dir(&apt))?;

    let unpacked = home.join("unpacked");
    remove(&unpacked)?;
    let package = apt.join(format!("rust-src_{version}_all.deb"));
    run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&unpacked))?;
    let sources = unpacked.join(format!("usr/src/rustc-{release}/library"));
    // Debian's choice of the dependencies; cargo fetches those that Cargo.lock names.
    remove(&sources.join("vendor"))?;
    // Only now does it count as set up.
    fs::rename(&sources, library).with_context(|| format!("{}", sources.display()))
}

/// Gives apt lists, a cache and one source of its own in the directory `apt`.
fn configure(apt: &Path) -> Result<()> {
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
    let source = format!("deb [signed-by={KEYRING} targets=Packages] {mirror} {SUITE} main\n");
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

/// The version, of those that `apt-cache madison` lists, whose upstream part is `release`.
fn package_version<'a>(madison: &'a str, release: &str) -> Option<&'a str> {
    madison.lines().filter_map(|line| line.split('|').nth(1).map(str::trim)).find(|version| {
        // 1.95.0+dfsg1-2~bpo13+1: Debian repacks the sources and says so after the plus sign.
        version.strip_prefix(release).is_some_and(|rest| rest.starts_with(['+', '-']))
    })
}

/// Removes a directory that need not exist.
fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.with_context(|| format!("{}", dir.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_the_package_of_the_toolchain_not_the_newest() {
        let madison = "\
  rust-src | 1.96.1+dfsg1-2~bpo13+1 | http://mirror.example/debian trixie-backports/main
  rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://mirror.example/debian trixie-backports/main
";
        assert_eq!(package_version(madison, "1.95.0"), Some("1.95.0+dfsg1-2~bpo13+1"));
        assert_eq!(package_version(madison, "1.9"), None);
        assert_eq!(package_version(madison, "1.97.0-nightly"), None);
    }

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
