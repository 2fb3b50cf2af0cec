//! Files that output is appended to.

use std::fs::{DirBuilder, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use crate::error::Error;

/// Opens the file of a `file://` URI, given without its scheme. It is made, and its directory, if
/// it is not there.
pub(super) fn append(uri: &str) -> Result<OwnedFd, Error> {
    let path = path(uri)?;
    let failed = || Error::io(format!("{}", path.display()));
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(directory).map_err(failed())?;
    }
    let file = OpenOptions::new().append(true).create(true).mode(0o644).open(&path);
    Ok(file.map_err(failed())?.into())
}

/// The path of a URI without its scheme and its query.
pub(super) fn path(uri: &str) -> Result<PathBuf, Error> {
    let path = uri.split_once('?').map_or(uri, |(path, _)| path);
    if !path.starts_with('/') {
        return Err(Error::Unusable {
            place: "stdout or stderr".into(),
            value: format!("{uri:?}"),
            reason: "expected an absolute path behind the scheme".into(),
        });
    }
    let bytes = percent_encoding::percent_decode_str(path).collect();
    Ok(std::ffi::OsString::from_vec(bytes).into())
}
