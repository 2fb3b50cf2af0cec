//! The container's mounts: planned from the configuration, then made inside the root.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use runj_jail::Jail;
use runj_spec::Mount;

use crate::beneath::{self, Found, Place};
use crate::error::{Error, whole};
use crate::ledger::Deed;
use crate::store::Locked;
use crate::sys::{self, MountId, Mounted};

/// One mount, with everything about it decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MountPlan {
    /// The JSON path, for messages.
    place: String,
    /// Where in the container, absolute.
    destination: PathBuf,
    file_system: FileSystem,
    /// Whether a directory is mounted, not a single file.
    directory: bool,
}

/// What is to be mounted, in FreeBSD's terms (mount(8), nmount(2)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileSystem {
    pub(crate) fstype: String,
    /// What is mounted, for a nullfs the directory or file of the host.
    pub(crate) from: PathBuf,
    pub(crate) read_only: bool,
    pub(crate) nosuid: bool,
    pub(crate) noexec: bool,
    pub(crate) nodev: bool,
    pub(crate) noatime: bool,
    /// The options that are the file system's own, such as `size=1m`.
    pub(crate) options: Vec<(String, Option<String>)>,
}

/// What a file system is mounted on.
#[derive(Debug)]
pub(crate) struct MountTarget {
    pub(crate) fd: OwnedFd,
    /// Whether it is a directory, not a single file.
    #[cfg_attr(target_os = "linux", expect(dead_code, reason = "only FreeBSD tells them apart"))]
    pub(crate) directory: bool,
}

/// The devfs rule set that hides the host's devices from a jail (devfs.rules(5), jail(8)).
const JAIL_RULESET: i32 = 4;

/// Options of nmount(2) itself, with which a configuration could mount something else, somewhere
/// else, than what it says in `type`, `source` and `destination`.
const RESERVED: &[&str] =
    &["errmsg", "export", "from", "fspath", "fstype", "snapshot", "target", "update"];

/// File systems that have no source; what a configuration names there is a label.
const SOURCELESS: &[&str] =
    &["devfs", "fdescfs", "linprocfs", "linsysfs", "mqueuefs", "procfs", "tmpfs"];

/// Linux's propagation, recursion and time-stamp options, which engines always send, say nothing
/// about a FreeBSD mount; `notmpcopyup` asks for what is done anyway.
const MEANINGLESS: &[&str] = &[
    "bind",
    "rbind",
    "private",
    "rprivate",
    "slave",
    "rslave",
    "shared",
    "rshared",
    "unbindable",
    "runbindable",
    "relatime",
    "norelatime",
    "strictatime",
    "nostrictatime",
    "defaults",
    "notmpcopyup",
];

impl FileSystem {
    /// A nullfs that shows a directory read-only.
    pub(crate) fn read_only_view(of: &Path) -> Self {
        Self { read_only: true, ..Self::new("nullfs", of.to_owned()) }
    }

    fn new(fstype: &str, from: PathBuf) -> Self {
        Self {
            fstype: fstype.to_owned(),
            from,
            read_only: false,
            nosuid: false,
            noexec: false,
            nodev: false,
            noatime: false,
            options: Vec::new(),
        }
    }

    fn apply(&mut self, option: &str) {
        match option {
            "ro" => self.read_only = true,
            "rw" => self.read_only = false,
            "nosuid" => self.nosuid = true,
            "suid" => self.nosuid = false,
            "noexec" => self.noexec = true,
            "exec" => self.noexec = false,
            "nodev" => self.nodev = true,
            "dev" => self.nodev = false,
            "noatime" => self.noatime = true,
            "atime" => self.noatime = false,
            option if MEANINGLESS.contains(&option) => {}
            option => self.options.push(match option.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (option.to_owned(), None),
            }),
        }
    }
}

/// Decides about the configuration's mounts. `bundle` is what relative sources are relative to.
pub(crate) fn plan(mounts: &[Mount], bundle: &Path) -> Result<Vec<MountPlan>, Error> {
    mounts.iter().enumerate().map(|(index, mount)| plan_one(mount, index, bundle)).collect()
}

fn plan_one(mount: &Mount, index: usize, bundle: &Path) -> Result<MountPlan, Error> {
    let place = format!("config.json: mounts[{index}]");
    let unusable = |property: &str, value: String, reason: &str| Error::Unusable {
        place: format!("{place}.{property}"),
        value,
        reason: reason.to_owned(),
    };
    let destination = Path::new("/").join(&mount.destination);
    if !destination.components().any(|component| matches!(component, Component::Normal(_))) {
        return Err(unusable(
            "destination",
            format!("{:?}", mount.destination),
            "expected a path below the container's root",
        ));
    }
    let bound = mount.options.iter().any(|option| option == "bind" || option == "rbind");
    let fstype = match mount.typ.as_deref() {
        None | Some("bind" | "nullfs" | "none") => "nullfs",
        Some(_) if bound => "nullfs",
        Some(other) => other,
    };
    let mut directory = true;
    let from = match (fstype, &mount.source) {
        (fstype, _) if SOURCELESS.contains(&fstype) => PathBuf::from(fstype),
        ("nullfs" | "unionfs", None) => {
            return Err(unusable(
                "source",
                "nothing".into(),
                &format!("a {fstype} mount needs what it shows"),
            ));
        }
        (_, None) => PathBuf::from(fstype),
        // A dataset's name.
        ("zfs", Some(source)) => PathBuf::from(source),
        (_, Some(source)) => {
            // Resolved here, on the host: what is relative is relative to the bundle.
            let source = bundle.join(source);
            let source = source
                .canonicalize()
                .map_err(|error| unusable("source", format!("{source:?}"), &error.to_string()))?;
            directory = fstype != "nullfs" || source.is_dir();
            source
        }
    };
    let mut file_system = FileSystem::new(fstype, from);
    for (number, option) in mount.options.iter().enumerate() {
        let name = option.split_once('=').map_or(option.as_str(), |(name, _)| name);
        if RESERVED.contains(&name) {
            return Err(unusable(
                &format!("options[{number}]"),
                format!("{option:?}"),
                "it is said by type, source and destination",
            ));
        }
        if option == "tmpcopyup" {
            return Err(unusable(
                &format!("options[{number}]"),
                "\"tmpcopyup\"".into(),
                "runj does not copy a directory up into a tmpfs yet",
            ));
        }
        if fstype == "tmpfs" && !is_tmpfs_value(option) {
            return Err(unusable(
                &format!("options[{number}]"),
                format!("{option:?}"),
                "expected a number, with k, m, g or t behind it for a size, or octal for a mode",
            ));
        }
        file_system.apply(option);
    }
    let ruled = file_system.options.iter().any(|(name, _)| name == "ruleset");
    if fstype == "devfs" && !ruled {
        // Without one a devfs shows every device of the host.
        file_system.options.push(("ruleset".into(), Some(JAIL_RULESET.to_string())));
    }
    Ok(MountPlan { place, destination, file_system, directory })
}

/// Whether an option of a tmpfs has a value that FreeBSD's kernel understands. What it does not,
/// it takes for no limit at all.
fn is_tmpfs_value(option: &str) -> bool {
    let digits =
        |text: &str, radix: u32| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    match option.split_once('=') {
        Some(("size" | "inodes" | "nr_inodes" | "maxfilesize", amount)) => {
            let suffixes = ['k', 'K', 'm', 'M', 'g', 'G', 't', 'T'];
            digits(amount.strip_suffix(suffixes).unwrap_or(amount), 10)
        }
        Some(("mode", mode)) => digits(mode, 8),
        Some(("uid" | "gid", id)) => digits(id, 10),
        _ => true,
    }
}

/// Makes the mount points that have to be made in the root itself, while it can be written to.
///
/// Those below another mount's destination come into being in that mount, later.
pub(crate) fn prepare(
    plans: &[MountPlan],
    root: &Path,
    container: &mut Locked,
) -> Result<(), Error> {
    let fd = open(root)?;
    for (index, plan) in plans.iter().enumerate() {
        let below = |other: &MountPlan| plan.destination.starts_with(&other.destination);
        if !plans[..index].iter().any(below) {
            reach(plan, root, fd.as_fd(), container)?;
        }
    }
    Ok(())
}

/// Mounts everything, in the order of the configuration.
pub(crate) fn mount_all(
    plans: &[MountPlan],
    root: &Path,
    jail: Jail,
    container: &mut Locked,
) -> Result<(), Error> {
    for plan in plans {
        // Opened anew each time: a mount may have covered the root's own directories.
        let fd = open(root)?;
        let (target, path) = reach(plan, root, fd.as_fd(), container)?;
        let covered = count_on(&path).map_err(Error::errno("the mounts"))?;
        // Neither kernel could take one of two containers' mounts away below the other's.
        if covered > 0
            && let Some(other) = container.sharer(root)?
        {
            return Err(Error::Unusable {
                place: format!("{}.destination", plan.place),
                value: format!("{:?}", plan.destination),
                reason: format!("container {}, which has the same root, mounts there", other.id()),
            });
        }
        mount(&plan.file_system, &target, &path, covered, Some(jail), container).map_err(
            |reason| Error::Mount {
                place: plan.place.clone(),
                fstype: plan.file_system.fstype.clone(),
                destination: plan.destination.clone(),
                reason,
            },
        )?;
    }
    Ok(())
}

/// Shows `root` read-only at `view`, a directory of ours.
pub(crate) fn mount_read_only(
    root: &Path,
    view: &Path,
    container: &mut Locked,
) -> Result<(), Error> {
    fs::create_dir(view).map_err(Error::io(format!("{view:?}")))?;
    let target = MountTarget { fd: open(view)?, directory: true };
    let file_system = FileSystem::read_only_view(root);
    mount(&file_system, &target, view, 0, None, container).map_err(|reason| Error::Mount {
        place: "config.json: root.readonly".into(),
        fstype: "nullfs".into(),
        destination: "/".into(),
        reason,
    })
}

/// How many file systems are mounted on exactly this path.
fn count_on(path: &Path) -> Result<usize, Errno> {
    Ok(sys::mounted()?.iter().filter(|mount| mount.path == path).count())
}

/// Mounts on `target`, whose path on the host is `path` and has so many mounts already; an error
/// is the reason in words.
fn mount(
    file_system: &FileSystem,
    target: &MountTarget,
    path: &Path,
    covered: usize,
    jail: Option<Jail>,
    container: &mut Locked,
) -> Result<(), String> {
    container
        .record(&Deed::Mount { path: path.to_owned(), covered })
        .map_err(|error| whole(&error))?;
    let id = sys::mount(file_system, target, jail).map_err(|refusal| refusal.to_string())?;
    container.record(&Deed::Mounted { id }).map_err(|error| whole(&error))
}

/// Undoes the mount that was made on `path`, in `root`, over so many others: the one of that
/// identity, wherever in the root it is by now, or, if whoever mounted it was killed before the
/// identity was known, the one in that place.
///
/// An identity is given out again after a time, so it counts only for mounts of the same root.
pub(crate) fn unmount(
    path: &Path,
    covered: usize,
    id: Option<MountId>,
    root: &Path,
) -> Result<(), Errno> {
    let mut mounted = sys::mounted()?.into_iter();
    let ours = match id {
        Some(id) => mounted.find(|mount| mount.id == id && mount.path.starts_with(root)),
        None => mounted.filter(|mount| mount.path == path).nth(covered),
    };
    ours.map_or(Ok(()), |mount| sys::unmount(&mount))
}

/// What is mounted below `root`, its own mount not included.
pub(crate) fn below(root: &Path) -> Result<Vec<Mounted>, Errno> {
    let mut mounted = sys::mounted()?;
    mounted.retain(|mount| mount.path != root && mount.path.starts_with(root));
    Ok(mounted)
}

/// Undoes what the container mounted by itself: what is mounted below its root and is not in
/// `before`, the newest first.
pub(crate) fn unmount_own(root: &Path, before: &[MountId]) -> Result<(), Errno> {
    let own = below(root)?;
    own.iter().rev().filter(|mount| !before.contains(&mount.id)).try_for_each(sys::unmount)
}

/// The devfs rule set for the jail: what its devfs is mounted with, so that one that the container
/// mounts by itself shows no more.
pub(crate) fn ruleset(plans: &[MountPlan]) -> i32 {
    let mut rulesets = plans
        .iter()
        .filter(|plan| plan.file_system.fstype == "devfs")
        .flat_map(|plan| &plan.file_system.options)
        .filter(|(name, _)| name == "ruleset")
        .filter_map(|(_, value)| value.as_deref()?.parse().ok());
    rulesets.next().unwrap_or(JAIL_RULESET)
}

/// Finds the mount's destination inside the root, making what is missing, and tells its path on
/// the host.
fn reach(
    plan: &MountPlan,
    root: &Path,
    fd: BorrowedFd<'_>,
    container: &mut Locked,
) -> Result<(MountTarget, PathBuf), Error> {
    let refused = |reason: String| Error::Unusable {
        place: format!("{}.destination", plan.place),
        value: format!("{:?}", plan.destination),
        reason,
    };
    let failed = |errno: Errno| refused(errno.desc().to_owned());
    // Each turn makes one directory, so as many turns as names are missing at first are enough,
    // but for a container that removes them at the same time.
    let mut turns = None;
    loop {
        match beneath::find(fd, &plan.destination).map_err(failed)? {
            Found::Directory(place) if place.path.as_os_str().is_empty() => {
                return Err(refused("it leads to the container's root".into()));
            }
            Found::Directory(place) if plan.directory => {
                let path = root.join(&place.path);
                return Ok((MountTarget { fd: place.fd, directory: true }, path));
            }
            Found::Other(place, name) if !plan.directory => {
                let path = root.join(&place.path).join(&name);
                let fd = open_file(&place, &name).map_err(failed)?;
                return Ok((MountTarget { fd, directory: false }, path));
            }
            Found::Directory(_) => {
                return Err(refused("it is a directory, and the source is not".into()));
            }
            Found::Other(..) => {
                return Err(refused("it is no directory".into()));
            }
            Found::Missing(place, names) => {
                let turns = turns.get_or_insert(2 * names.len());
                let Some(name) = names.front().filter(|_| *turns > 0) else {
                    return Err(refused("it keeps changing".into()));
                };
                *turns -= 1;
                let directory = plan.directory || names.len() > 1;
                container.record(&Deed::MountPoint {
                    root: root.to_owned(),
                    path: place.path.join(name),
                    directory,
                })?;
                let made = if directory {
                    beneath::make_directory(&place, name)
                } else {
                    beneath::make_file(&place, name)
                };
                match made {
                    // Made by somebody else meanwhile: look again.
                    Ok(()) | Err(Errno::EEXIST) => {}
                    Err(errno) => return Err(failed(errno)),
                }
            }
        }
    }
}

fn open_file(place: &Place, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    openat(&place.fd, name, flags, Mode::empty())
}

fn open(root: &Path) -> Result<OwnedFd, Error> {
    beneath::open_root(root).map_err(Error::errno(format!("{root:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(text: &str) -> Mount {
        let config = format!(r#"{{"ociVersion":"1.0.2","root":{{"path":"r"}},"mounts":[{text}]}}"#);
        runj_spec::Config::parse(config.as_bytes(), "config.json").unwrap().mounts.remove(0)
    }

    fn planned(text: &str) -> Result<MountPlan, String> {
        plan_one(&mount(text), 3, Path::new("/tmp")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_mount_without_type_is_a_nullfs() {
        for typ in ["", r#""type":"bind","#, r#""type":"nullfs","#, r#""type":"none","#] {
            let plan =
                planned(&format!(r#"{{{typ}"destination":"/x","source":"/","options":["ro"]}}"#))
                    .unwrap();
            assert_eq!(plan.file_system.fstype, "nullfs");
            assert!(plan.file_system.read_only && plan.directory);
        }
    }

    #[test]
    fn a_devfs_gets_the_rules_for_jails_unless_others_are_asked_for() {
        let rules = |text: &str| planned(text).unwrap().file_system.options;
        let four = vec![("ruleset".to_owned(), Some("4".to_owned()))];
        assert_eq!(rules(r#"{"type":"devfs","destination":"/dev"}"#), four);
        let zero = vec![("ruleset".to_owned(), Some("0".to_owned()))];
        assert_eq!(rules(r#"{"type":"devfs","destination":"/dev","options":["ruleset=0"]}"#), zero);
    }

    #[test]
    fn the_last_of_two_contrary_options_counts_and_linux_s_are_nothing() {
        let plan = planned(
            r#"{"type":"tmpfs","destination":"/t",
                "options":["ro","rw","rprivate","nosuid","size=1m","relatime"]}"#,
        )
        .unwrap();
        assert!(!plan.file_system.read_only && plan.file_system.nosuid);
        assert_eq!(plan.file_system.options, [("size".to_owned(), Some("1m".to_owned()))]);
    }

    #[test]
    fn what_cannot_be_mounted_is_said_with_its_path() {
        let error = planned(r#"{"destination":"/x","source":"/no/such"}"#).unwrap_err();
        assert!(error.starts_with(r#"config.json: mounts[3].source: "/no/such" is not allowed:"#));
        let error = planned(r#"{"destination":"/","type":"tmpfs"}"#).unwrap_err();
        assert!(error.starts_with("config.json: mounts[3].destination: \"/\""), "{error}");
        let error = planned(r#"{"destination":"/x"}"#).unwrap_err();
        assert!(error.contains("mounts[3].source"), "{error}");
    }

    #[test]
    fn a_tmpfs_without_a_limit_is_not_what_a_misspelt_limit_gets() {
        let options = |option: &str| {
            planned(&format!(r#"{{"destination":"/x","type":"tmpfs","options":["{option}"]}}"#))
        };
        for option in ["size=64m", "size=65536k", "size=1048576", "mode=1777", "uid=7", "inodes=9"]
        {
            assert!(options(option).is_ok(), "{option}");
        }
        for option in ["size=nonsense", "size=", "size=50%", "mode=rwx", "uid=me", "inodes=k"] {
            assert!(options(option).unwrap_err().contains("mounts[3].options[0]"), "{option}");
        }
    }

    #[test]
    fn options_cannot_say_what_is_mounted_where() {
        for option in ["fspath=/etc", "from=/etc", "target=/etc", "fstype=nullfs", "update"] {
            let error = planned(&format!(
                r#"{{"destination":"/x","type":"tmpfs","options":["{option}"]}}"#
            ))
            .unwrap_err();
            assert!(error.starts_with("config.json: mounts[3].options[0]: "), "{error}");
        }
    }

    #[test]
    fn a_source_is_looked_up_on_the_host_and_never_left_to_the_kernel() {
        let error =
            planned(r#"{"destination":"/x","type":"unionfs","source":"evil"}"#).unwrap_err();
        assert!(error.starts_with(r#"config.json: mounts[3].source: "/tmp/evil""#), "{error}");
    }
}
