//! FreeBSD.

use std::fs::Metadata;
use std::os::freebsd::fs::MetadataExt as _;

/// The flags that somebody sets (chflags(2)), by the names that chflags(1) and tar archives have.
const FLAGS: [(libc::c_ulong, &str); 7] = [
    (libc::SF_APPEND, "sappnd"),
    (libc::SF_ARCHIVED, "arch"),
    (libc::SF_IMMUTABLE, "schg"),
    (libc::SF_NOUNLINK, "sunlnk"),
    (libc::UF_APPEND, "uappnd"),
    (libc::UF_IMMUTABLE, "uchg"),
    (libc::UF_NOUNLINK, "uunlnk"),
];

/// A file's flags as chflags(1) has them, with commas.
pub(crate) fn flags(metadata: &Metadata) -> String {
    let flags = libc::c_ulong::from(metadata.st_flags());
    let names = FLAGS.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, name)| *name);
    names.collect::<Vec<_>>().join(",")
}
