//! The command line of `runj demo download`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::{Arch, flag};

/// Download the base system of a FreeBSD release (base.txz), for a root file system
///
/// Its checksum is compared with the release's MANIFEST. Over http:// that finds accidents, over
/// https:// also who would replace it. A download that was interrupted goes on where it was, unless
/// the server has another file by then. Until it is whole and right it has the name FILE.part.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Download {
    /// The release, such as 14.3-RELEASE; that of the host if it is not given
    #[arg(short = 'v', long, alias = "version", value_name = "RELEASE", value_parser = release)]
    pub release: Option<String>,

    /// The processor
    #[arg(short, long, alias = "architecture", value_name = "ARCH", default_value_t = Arch::HOST)]
    pub arch: Arch,

    /// The URL of the directory in which releases are, or of a copy of it
    #[arg(long, value_name = "URL", default_value = "https://download.freebsd.org/releases")]
    pub mirror: String,

    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "base.txz")]
    pub output: PathBuf,
}

impl Download {
    pub(crate) fn args(&self) -> Vec<OsString> {
        let Self { release, arch, mirror, output } = self;
        let release = release.as_ref().map(|release| flag("--release", release));
        let others =
            [flag("--arch", arch.to_string()), flag("--mirror", mirror), flag("--output", output)];
        release.into_iter().chain(others).collect()
    }
}

/// A release's name, which becomes a part of a URL.
fn release(text: &str) -> Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    if !text.starts_with(|c: char| c.is_ascii_digit()) || !text.bytes().all(legal) {
        return Err("expected a release such as 14.3-RELEASE".to_owned());
    }
    Ok(if text.contains('-') { text.to_owned() } else { format!("{text}-RELEASE") })
}
