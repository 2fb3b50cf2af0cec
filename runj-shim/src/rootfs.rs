//! The container's root, as containerd's snapshotter wants it mounted.

use std::path::{Path, PathBuf};

use runj_faults::{Point, at};

use crate::error::Error;
use crate::rpc::mount::Mount;
use crate::sys;

/// Mounts everything on the bundle's rootfs. What was mounted is undone when something fails.
pub(crate) fn mount(mounts: &[Mount], rootfs: &Path) -> Result<(), Error> {
    for mount in mounts {
        let mounted = target(mount, rootfs).and_then(|on| {
            tracing::debug!("mounting {} on {}", mount.type_, on.display());
            at(Point::ShimMount)?;
            sys::mount(&mount.type_, &mount.source, &mount.options, &on).map_err(|reason| {
                Error::Mount { fstype: mount.type_.clone(), from: mount.source.clone(), on, reason }
            })
        });
        if let Err(error) = mounted {
            if let Err(left) = unmount(rootfs) {
                tracing::warn!("undoing the mounts of a container's root: {left}");
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Unmounts the container's root; that it is not mounted is no error.
pub(crate) fn unmount(rootfs: &Path) -> Result<(), Error> {
    at(Point::ShimUnmount)?;
    sys::unmount(rootfs).map_err(Error::io(format!("unmounting {}", rootfs.display())))
}

fn target(mount: &Mount, rootfs: &Path) -> Result<PathBuf, Error> {
    // Only the root itself: what is mounted in it is config.json's to say, and runj's to do, since
    // a path inside may lead anywhere.
    if mount.target.is_empty() || mount.target == "/" {
        return Ok(rootfs.to_owned());
    }
    Err(Error::Unusable {
        place: "rootfs.target".into(),
        value: format!("{:?}", mount.target),
        reason: "expected the root itself".into(),
    })
}
