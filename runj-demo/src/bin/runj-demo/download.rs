//! `runj demo download`

mod http;
mod manifest;
mod partial;

use std::io;

use anyhow::{Context as _, Error, bail};
use nix::sys::utsname::uname;
use runj_demo::{Arch, Download};

use self::http::Client;
use self::partial::Partial;
use crate::digest;

/// The file that a release's base system is in.
const FILE: &str = "base.txz";

pub(crate) fn run(download: &Download) -> Result<(), Error> {
    let release = match &download.release {
        Some(release) => release.clone(),
        None => host_release()?,
    };
    let output = &download.output;
    let mirror = download.mirror.trim_end_matches('/');
    let directory = format!("{mirror}/{}/{release}", path(download.arch));
    let client = Client::new(mirror)?;
    let manifest = format!("{directory}/MANIFEST");
    let expected = manifest::digest(&client.text(&manifest)?, FILE)
        .with_context(|| format!("{manifest}: it has no checksum of {FILE}"))?;

    match digest::of_file(output) {
        Ok(found) if found == expected => return Ok(()),
        Ok(_) => bail!("--output: {output:?} is there already, and is not {FILE} of {release}"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("--output: {output:?}")),
    }
    let mut partial = Partial::open(output)?;
    client.fetch(&format!("{directory}/{FILE}"), &expected, &mut partial)?;
    partial.finish(&expected)
}

/// Where the releases for a processor are: `hw.machine` and `hw.machine_arch`.
fn path(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "amd64/amd64",
        Arch::Arm64 => "arm64/aarch64",
    }
}

/// The host's release: a newer one's programs could want more than its kernel has.
fn host_release() -> Result<String, Error> {
    let host = uname()?;
    let (system, release) = (host.sysname().to_string_lossy(), host.release().to_string_lossy());
    match release.split_once("-RELEASE") {
        // Patches of a release change nothing about its base.txz.
        Some((number, _)) if system == "FreeBSD" => Ok(format!("{number}-RELEASE")),
        _ => bail!(
            "--release: missing: this host ({system} {release}) is no FreeBSD release: say which one, \
             such as --release 14.3"
        ),
    }
}
