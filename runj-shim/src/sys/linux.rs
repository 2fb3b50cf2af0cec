//! The Linux development host.

use std::io;
use std::path::Path;
use std::thread;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, umount2};
use nix::sched::{CloneFlags, unshare};

/// prctl(2), `PR_SET_CHILD_SUBREAPER`.
pub(crate) fn become_reaper() -> io::Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    Ok(())
}

/// Options that are flags of mount(2); what is not here goes to the file system.
const FLAGS: &[(&str, MsFlags, bool)] = &[
    ("async", MsFlags::MS_SYNCHRONOUS, false),
    ("atime", MsFlags::MS_NOATIME, false),
    ("bind", MsFlags::MS_BIND, true),
    ("defaults", MsFlags::empty(), true),
    ("dev", MsFlags::MS_NODEV, false),
    ("dirsync", MsFlags::MS_DIRSYNC, true),
    ("exec", MsFlags::MS_NOEXEC, false),
    ("noatime", MsFlags::MS_NOATIME, true),
    ("nodev", MsFlags::MS_NODEV, true),
    ("nodiratime", MsFlags::MS_NODIRATIME, true),
    ("noexec", MsFlags::MS_NOEXEC, true),
    ("nosuid", MsFlags::MS_NOSUID, true),
    ("rbind", MsFlags::MS_BIND.union(MsFlags::MS_REC), true),
    ("relatime", MsFlags::MS_RELATIME, true),
    ("ro", MsFlags::MS_RDONLY, true),
    ("rw", MsFlags::MS_RDONLY, false),
    ("strictatime", MsFlags::MS_STRICTATIME, true),
    ("suid", MsFlags::MS_NOSUID, false),
    ("sync", MsFlags::MS_SYNCHRONOUS, true),
];

/// Mounts what containerd asks for (mount(2)).
pub(crate) fn mount(
    fstype: &str,
    source: &str,
    options: &[String],
    on: &Path,
) -> Result<(), String> {
    let mut flags = MsFlags::empty();
    let mut data = Vec::new();
    for option in options {
        match FLAGS.iter().find(|(name, ..)| name == option) {
            Some((_, flag, true)) => flags.insert(*flag),
            Some((_, flag, false)) => flags.remove(*flag),
            None => data.push(option.as_str()),
        }
    }
    let data = data.join(",");
    let mount = |flags, data: &str| {
        nix::mount::mount(Some(source), on, Some(fstype), flags, Some(data))
            .map_err(|errno| errno.to_string())
    };
    // The kernel takes one page and would leave out the rest, and with it layers.
    let most = rustix::param::page_size() - 1;
    if data.len() <= most {
        mount(flags, &data)?;
    } else {
        let (directory, data) = relative_layers(&data).ok_or_else(|| too_long(&data, most))?;
        if data.len() > most {
            return Err(too_long(&data, most));
        }
        in_directory(directory, || mount(flags, &data))?;
    }
    // What a bind mount is to be beside bound takes another call.
    let beyond = flags - MsFlags::MS_BIND - MsFlags::MS_REC;
    if flags.contains(MsFlags::MS_BIND) && !beyond.is_empty() {
        mount(MsFlags::MS_BIND | MsFlags::MS_REMOUNT | beyond, &data)?;
    }
    Ok(())
}

fn too_long(data: &str, most: usize) -> String {
    format!("the options are {} bytes long: mount(2) takes {most}", data.len())
}

/// The directory that all lower layers of an overlay are in, and its options with the layers named
/// from there. containerd's layers have long paths that differ in a number.
fn relative_layers(data: &str) -> Option<(&Path, String)> {
    const LAYERS: &str = "lowerdir=";
    let options: Vec<_> = data.split(',').collect();
    let layers = options.iter().find_map(|option| option.strip_prefix(LAYERS))?;
    let paths: Vec<_> = layers.split(':').collect();
    let parent = |path: &str| path.rfind('/').map(|slash| slash + 1);
    let first = paths.first()?;
    let common = |length: usize, path: &&str| {
        let same = first.bytes().zip(path.bytes()).take(length);
        let same = same.take_while(|(one, other)| one == other).count();
        parent(first.get(..same)?)
    };
    let length = paths.iter().try_fold(parent(first)?, common)?;
    let directory = &first[..length];
    // A colon in a path is escaped, and only a whole path can be cut.
    if !paths.iter().all(|path| path.starts_with('/') && path.len() > length) {
        return None;
    }
    let layers: Vec<_> = paths.iter().map(|path| &path[length..]).collect();
    let layers = format!("{LAYERS}{}", layers.join(":"));
    let options = options.iter().map(|&option| match option.strip_prefix(LAYERS) {
        Some(_) => layers.as_str(),
        None => option,
    });
    Some((Path::new(directory), options.collect::<Vec<_>>().join(",")))
}

/// Does something with another working directory than that of the other threads.
fn in_directory<T: Send>(
    directory: &Path,
    act: impl FnOnce() -> Result<T, String> + Send,
) -> Result<T, String> {
    let there = || {
        unshare(CloneFlags::CLONE_FS).map_err(|errno| format!("unshare(2): {errno}"))?;
        nix::unistd::chdir(directory)
            .map_err(|errno| format!("{}: {errno}", directory.display()))?;
        act()
    };
    thread::scope(|scope| scope.spawn(there).join())
        .unwrap_or_else(|_| Err("the thread that mounts has panicked".into()))
}

/// Unmounts everything that is mounted on exactly this path.
pub(crate) fn unmount(path: &Path) -> Result<(), Errno> {
    loop {
        match umount2(path, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) => {}
            // Nothing is, any more.
            Err(Errno::EINVAL | Errno::ENOENT) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_from_the_directory_that_they_share() {
        let short = |data: &str| {
            let (directory, data) = relative_layers(data)?;
            Some((directory.to_str().unwrap().to_owned(), data))
        };
        let data = "index=off,workdir=/r/s/9/work,lowerdir=/r/s/12/fs:/r/s/1/fs,upperdir=/r/s/9/fs";
        let expected = "index=off,workdir=/r/s/9/work,lowerdir=12/fs:1/fs,upperdir=/r/s/9/fs";
        assert_eq!(short(data), Some(("/r/s/".into(), expected.into())));
        assert_eq!(short("lowerdir=/a:/b"), Some(("/".into(), "lowerdir=a:b".into())));
        for data in ["", "size=1m", "lowerdir=a:b", "lowerdir=/a/b:/a/", r"lowerdir=/a\:b:/a/c"] {
            assert_eq!(short(data), None, "{data}");
        }
    }
}
