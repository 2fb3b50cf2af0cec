//! The command line of `runj demo oci-image`.

use std::ffi::OsString;
use std::path::PathBuf;

use runj_flags::{command, path};

use crate::{Arch, flag};

command! {
    /// Make an image of a FreeBSD base system, for `ctr image import` and `podman load`
    ///
    /// The image is a tar archive with an OCI image layout. The same root file system makes the same
    /// image, byte for byte: all its times are the second in SOURCE_DATE_EPOCH, or 0. While it is made,
    /// the directory of FILE needs room for the unpacked root as well.
    pub struct OciImage = "oci-image" {
        /// The root file system: a base.txz or another tar archive, also with gzip, or a directory
        pub source: PathBuf = operand("ROOT").default("base.txz").path() => path,
        /// The name of the image
        pub name: String = value("name", "NAME").short('n').default("localhost/freebsd:latest"),
        /// The processor; that of the root's sh(1) if it is not given
        pub arch: Option<Arch> = optional("arch", "ARCH").short('a').choices(Arch::CHOICES),
        /// Take the static programs of /rescue and what they need of /etc, and nothing else
        pub small: bool = switch("small"),
        /// The file to write
        pub output: PathBuf = value("output", "FILE").short('o').default("image.tar").path() => path,
    }
}

impl OciImage {
    /// The command line of `runj-demo` that says the same.
    pub fn line(&self) -> Vec<OsString> {
        let Self { source, name, arch, small, output } = self;
        let mut line = vec!["oci-image".into(), flag("--name", name), flag("--output", output)];
        line.extend(arch.map(|arch| flag("--arch", arch.to_string())));
        line.extend(small.then(|| "--small".into()));
        line.extend(["--".into(), source.into()]);
        line
    }
}
