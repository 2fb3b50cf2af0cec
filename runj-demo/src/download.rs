//! The command line of `runj demo download`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use runj_flags::{command, expected, path};

use crate::{Arch, flag};

command! {
    /// Download the base system of a FreeBSD release (base.txz), for a root file system
    ///
    /// Its checksum is compared with the release's MANIFEST. Over http:// that finds accidents, over
    /// https:// also who would replace it. A download that was interrupted goes on where it was, unless
    /// the server has another file by then. Until it is whole and right it has the name FILE.part.
    pub struct Download = "download" {
        /// The release, such as 14.3-RELEASE; that of the host if it is not given
        pub release: Option<String> =
            optional("release", "RELEASE").short('v').alias("version") => release,
        /// The processor
        pub arch: Arch = value("arch", "ARCH")
            .short('a')
            .alias("architecture")
            .choices(Arch::CHOICES)
            .default(Arch::HOST),
        /// The URL of the directory in which releases are, or of a copy of it
        pub mirror: String =
            value("mirror", "URL").default("https://download.freebsd.org/releases"),
        /// The file to write
        pub output: PathBuf = value("output", "FILE").short('o').default("base.txz").path() => path,
    }
}

impl Download {
    /// The command line of `runj-demo` that says the same.
    pub fn line(&self) -> Vec<OsString> {
        let Self { release, arch, mirror, output } = self;
        let mut line = vec!["download".into()];
        line.extend(release.as_ref().map(|release| flag("--release", release)));
        line.push(flag("--arch", arch.to_string()));
        line.push(flag("--mirror", mirror));
        line.push(flag("--output", output));
        line
    }
}

/// A release's name, which becomes a part of a URL.
fn release(word: &OsStr) -> Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let text = word
        .to_str()
        .filter(|text| text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(legal));
    let text = text.ok_or_else(|| expected(word, "a release such as 14.3-RELEASE"))?;
    Ok(if text.contains('-') { text.to_owned() } else { format!("{text}-RELEASE") })
}
