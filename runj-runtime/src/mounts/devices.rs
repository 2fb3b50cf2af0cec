//! What a devfs shows, once it is mounted.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, readlinkat};
use nix::sys::stat::{SFlag, fstatat};
use runj_faults::{Point, at};

use super::devfs_rule::DevfsRule;
use super::plan::{Device, MountPlan};
use crate::error::Error;
use crate::sys;

/// More links than this on the way to a device mean a loop.
const MOST_LINKS: usize = 8;

/// Applies the rules of a devfs, and shows its devices. `devfs` is its root.
///
/// What has been mounted is changed and nothing else: the rule sets of the host stay as they are.
pub(super) fn apply(plan: &MountPlan, devfs: &OwnedFd) -> Result<(), Error> {
    for rule in &plan.rules {
        let failed = |refusal: sys::MountRefusal| Error::Unusable {
            place: rule.place.clone(),
            value: format!("{:?}", rule.option),
            reason: refusal.to_string(),
        };
        apply_rule(devfs, &rule.rule).map_err(failed)?;
    }
    for device in &plan.devices {
        show(device, devfs).map_err(|reason| Error::Unusable {
            place: format!("{}.path", device.place),
            value: format!("{:?}", device.path),
            reason,
        })?;
    }
    Ok(())
}

fn apply_rule(devfs: &OwnedFd, rule: &DevfsRule) -> Result<(), sys::MountRefusal> {
    at(Point::DevfsRule).map_err(Errno::from)?;
    sys::apply_rule(devfs, rule)
}

/// Shows a device and the way to it, and nothing beside. An error is the reason in words.
fn show(device: &Device, devfs: &OwnedFd) -> Result<(), String> {
    let apply = |rule: DevfsRule| apply_rule(devfs, &rule).map_err(|refusal| refusal.to_string());
    let mut path = device.path.clone();
    // Some devices have moved and left a link, as those of graphics cards have.
    for _ in 0..MOST_LINKS {
        for (end, _) in path.match_indices('/') {
            apply(DevfsRule::unhide(&path[..end]))?;
        }
        apply(DevfsRule::unhide(&path))?;
        let kind = fstatat(devfs, path.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW)
            .map(|stat| SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT);
        match kind {
            Ok(SFlag::S_IFCHR | SFlag::S_IFBLK) => {
                return match device.mode {
                    Some(mode) => apply(DevfsRule::chmod(&path, mode)),
                    None => Ok(()),
                };
            }
            Ok(SFlag::S_IFLNK) => {
                let target = readlinkat(devfs, path.as_str()).map_err(|e| e.desc().to_owned())?;
                path = target
                    .to_str()
                    .and_then(|target| resolve(&path, target))
                    .ok_or("it is a link out of the devfs")?;
            }
            Ok(SFlag::S_IFDIR) => return Err("expected a device, not a directory of them".into()),
            Ok(_) => return Err("expected a device".into()),
            Err(Errno::ENOENT | Errno::ENOTDIR) => {
                return Err("the host has no such device".into());
            }
            Err(errno) => return Err(errno.desc().to_owned()),
        }
    }
    Err(Errno::ELOOP.desc().into())
}

/// Where a link at `path` leads, if that is in the devfs.
fn resolve(path: &str, target: &str) -> Option<String> {
    let mut names: VecDeque<&str> = match target.strip_prefix("/dev/") {
        Some(_) => VecDeque::new(),
        None if Path::new(target).is_absolute() => return None,
        None => path.rsplit_once('/').map_or("", |(parent, _)| parent).split('/').collect(),
    };
    names.retain(|name| !name.is_empty());
    for name in target.strip_prefix("/dev/").unwrap_or(target).split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop_back()?),
            name => names.push_back(name),
        }
    }
    (!names.is_empty()).then(|| Vec::from(names).join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_a_devfs_stay_in_it() {
        let to = |path, target| resolve(path, target);
        assert_eq!(to("dri/card0", "../drm/0").as_deref(), Some("drm/0"));
        assert_eq!(to("dri/card0", "card1").as_deref(), Some("dri/card1"));
        assert_eq!(to("stdin", "fd/0").as_deref(), Some("fd/0"));
        assert_eq!(to("log", "/dev/klog").as_deref(), Some("klog"));
        assert_eq!(to("log", "/var/run/log"), None);
        assert_eq!(to("log", "../etc/passwd"), None);
        assert_eq!(to("dri/card0", "../../etc/passwd"), None);
        assert_eq!(to("dri/card0", ".."), None);
    }
}
