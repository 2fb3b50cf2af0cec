//! The command line of `runj demo oci-image`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::{Arch, flag};

/// Make an image of a FreeBSD base system, for `ctr image import` and `podman load`
///
/// The image is a tar archive with an OCI image layout. The same root file system makes the same
/// image, byte for byte: all its times are the second in SOURCE_DATE_EPOCH, or 0. While it is made,
/// the directory of FILE needs room for the unpacked root as well.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct OciImage {
    /// The root file system: a base.txz or another tar archive, also with gzip, or a directory
    #[arg(value_name = "ROOT", default_value = "base.txz")]
    pub source: PathBuf,

    /// The name of the image
    #[arg(short, long, value_name = "NAME", default_value = "localhost/freebsd:latest")]
    pub name: String,

    /// The processor; that of the root's sh(1) if it is not given
    #[arg(short, long, value_name = "ARCH")]
    pub arch: Option<Arch>,

    /// Take the static programs of /rescue and what they need of /etc, and nothing else
    #[arg(long)]
    pub small: bool,

    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "image.tar")]
    pub output: PathBuf,
}

impl OciImage {
    pub(crate) fn args(&self) -> Vec<OsString> {
        let Self { source, name, arch, small, output } = self;
        let mut args = vec![flag("--name", name), flag("--output", output)];
        args.extend(arch.map(|arch| flag("--arch", arch.to_string())));
        args.extend(small.then(|| "--small".into()));
        args.extend(["--".into(), source.into()]);
        args
    }
}
