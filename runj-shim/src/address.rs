//! Where a shim listens.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use runj_faults::{Point, at};
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::identity::Identity;

/// The directory of all shims' sockets, where containerd has none of its own wishes: `s` in its
/// default state directory, of which it cleans up.
const DIRECTORY: &str =
    if cfg!(target_os = "freebsd") { "/var/run/containerd/s" } else { "/run/containerd/s" };

/// The socket of a container's shim, named as containerd's own shims name theirs: by a digest of
/// containerd's socket, the namespace and the id. A socket's path must be short.
pub(crate) fn socket(directory: Option<&Path>, containerd: &Path, identity: &Identity) -> PathBuf {
    let key = containerd.join(identity.namespace.as_ref()).join(identity.id.as_ref());
    let digest = Sha256::digest(key.as_os_str().as_bytes());
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    directory.unwrap_or(Path::new(DIRECTORY)).join(name)
}

/// A further socket beside a shim's, which [`remove`] removes as well.
pub(crate) fn beside(socket: &Path, name: &str) -> PathBuf {
    let mut path = OsString::from(socket);
    path.push(".");
    path.push(name);
    path.into()
}

/// Listens at `socket`; `None` when a shim does already.
pub(crate) fn listen(socket: &Path) -> Result<Option<UnixListener>, Error> {
    let failed = || Error::io(format!("{}", socket.display()));
    if let Some(directory) = socket.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(directory)
            .map_err(Error::io(format!("{}", directory.display())))?;
    }
    let listener = match UnixListener::bind(socket) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if UnixStream::connect(socket).is_ok() {
                return Ok(None);
            }
            // Its shim was killed.
            fs::remove_file(socket).map_err(failed())?;
            UnixListener::bind(socket).map_err(failed())?
        }
        bound => bound.map_err(failed())?,
    };
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600)).map_err(failed())?;
    Ok(Some(listener))
}

/// Removes a shim's sockets, if they are there.
pub(crate) fn remove(socket: &Path) {
    let (Some(directory), Some(name)) = (socket.parent(), socket.file_name()) else { return };
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        if entry.file_name().as_bytes().starts_with(name.as_bytes()) {
            // Somebody else may be removing it too.
            let _ = at(Point::ShimForget)
                .map_err(io::Error::from)
                .and_then(|()| fs::remove_file(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(namespace: &str, id: &str) -> Identity {
        Identity { namespace: namespace.parse().unwrap(), id: id.parse().unwrap() }
    }

    #[test]
    fn the_name_is_that_of_containerd_s_own_shims() {
        let socket =
            socket(None, Path::new("/run/containerd/containerd.sock"), &identity("default", "c1"));
        // printf %s /run/containerd/containerd.sock/default/c1 | sha256sum
        let name = "d25aa4ef11a84e95";
        assert_eq!(socket.parent().unwrap(), Path::new(DIRECTORY));
        let text = socket.file_name().unwrap().to_str().unwrap();
        assert_eq!(text.len(), 64);
        assert!(text.starts_with(name), "{text}");
    }

    #[test]
    fn a_socket_that_nobody_listens_at_is_taken_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = socket(Some(directory.path()), Path::new("/c.sock"), &identity("ns", "c"));
        let first = listen(&path).unwrap().unwrap();
        assert!(listen(&path).unwrap().is_none());
        drop(first);
        assert!(listen(&path).unwrap().is_some());
        fs::write(beside(&path, "console0"), "").unwrap();
        remove(&path);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
