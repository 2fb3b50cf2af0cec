//! What each mount option means here: the list by which none is dropped in silence.
//!
//! An option is applied, or it says nothing about a FreeBSD mount, or a warning tells that it
//! cannot be had, or the container is refused. What is in none of the lists is the file system's
//! own, as the specification has it, and FreeBSD's kernel refuses those that it does not know. Some
//! of its file systems never look, and for those the lists are here ([`own`]).

use super::file_system::Attributes;

/// What an option says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Something that any mount has, or has not.
    Attribute(Attribute),
    /// Nothing about a FreeBSD mount.
    Nothing,
    /// Something that Linux has and FreeBSD has not, and that changes nothing that is seen.
    Missing,
    /// Whether what is in the directory below is copied into the file system first.
    CopyUp(bool),
    /// A rule for the devices of a devfs (devfs(8)).
    Rule(String),
    /// Not a mount of its own, but a change of the one that is there.
    Remount,
    /// An option of the file system's own: its name and value.
    Own(String, Option<String>),
    /// What cannot be done, and why.
    Refused(String),
}

/// An [`Attributes`] field and what it becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    field: Field,
    value: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    ReadOnly,
    Nosuid,
    Noexec,
    Nodev,
    Noatime,
    Nosymfollow,
}

impl Attribute {
    pub(super) fn apply(self, attributes: &mut Attributes) {
        let field = match self.field {
            Field::ReadOnly => &mut attributes.read_only,
            Field::Nosuid => &mut attributes.nosuid,
            Field::Noexec => &mut attributes.noexec,
            Field::Nodev => &mut attributes.nodev,
            Field::Noatime => &mut attributes.noatime,
            Field::Nosymfollow => &mut attributes.nosymfollow,
        };
        *field = self.value;
    }
}

/// The options that are applied to any mount (mount(8)). The `r` in front of some is Linux's for
/// mounts below as well; a nullfs shows none of those.
const ATTRIBUTES: &[(&str, Field, bool)] = &[
    ("ro", Field::ReadOnly, true),
    ("rro", Field::ReadOnly, true),
    ("rdonly", Field::ReadOnly, true),
    ("rw", Field::ReadOnly, false),
    ("rrw", Field::ReadOnly, false),
    ("nosuid", Field::Nosuid, true),
    ("rnosuid", Field::Nosuid, true),
    ("suid", Field::Nosuid, false),
    ("rsuid", Field::Nosuid, false),
    ("noexec", Field::Noexec, true),
    ("rnoexec", Field::Noexec, true),
    ("exec", Field::Noexec, false),
    ("rexec", Field::Noexec, false),
    ("nodev", Field::Nodev, true),
    ("rnodev", Field::Nodev, true),
    ("dev", Field::Nodev, false),
    ("rdev", Field::Nodev, false),
    ("noatime", Field::Noatime, true),
    ("rnoatime", Field::Noatime, true),
    ("atime", Field::Noatime, false),
    ("ratime", Field::Noatime, false),
    ("nosymfollow", Field::Nosymfollow, true),
    ("rnosymfollow", Field::Nosymfollow, true),
    ("symfollow", Field::Nosymfollow, false),
    ("rsymfollow", Field::Nosymfollow, false),
];

/// What engines always send and what says nothing about a FreeBSD mount: that a directory is bound
/// is said by the type, a mount is seen by all who see the directory, times of access are recorded
/// unless `noatime` is given, and some words are for the reader of fstab(5) alone.
const NOTHING: &[&str] = &[
    "auto",
    "bind",
    "defaults",
    "noauto",
    "norelatime",
    "nostrictatime",
    "private",
    "rbind",
    "relatime",
    "rnorelatime",
    "rnostrictatime",
    "rprivate",
    "rrelatime",
    "rshared",
    "rslave",
    "rstrictatime",
    "runbindable",
    "shared",
    "slave",
    "strictatime",
    "unbindable",
];

/// What tunes Linux's file systems and FreeBSD has nothing for. A warning is logged.
const MISSING: &[&str] = &[
    "diratime",
    "dirsync",
    "huge",
    "inode32",
    "inode64",
    "iversion",
    "lazytime",
    "loud",
    "mand",
    "mpol",
    "nodiratime",
    "noiversion",
    "nolazytime",
    "nomand",
    "rdiratime",
    "rnodiratime",
    "silent",
];

/// Whether a tmpfs begins with what is in the directory below it.
const COPY_UP: [&str; 2] = ["notmpcopyup", "tmpcopyup"];

/// Options of nmount(2) itself, with which a configuration could mount something else, somewhere
/// else, than what it says in `type`, `source` and `destination`.
const RESERVED: &[&str] =
    &["errmsg", "export", "from", "fspath", "fstype", "snapshot", "target", "update"];

/// The options that any file system of FreeBSD may have (`vfs_donmount` in sys/kern/vfs_mount.c).
const OF_ALL: &[&str] = &[
    "acls",
    "async",
    "automounted",
    "clusterr",
    "clusterw",
    "cover",
    "emptydir",
    "multilabel",
    "nfsv4acls",
    "noasync",
    "noclusterr",
    "noclusterw",
    "nocover",
    "noemptydir",
    "suiddir",
    "sync",
    "union",
    "untrusted",
];

/// The options that a file system has of its own, for those that take any other without a word
/// (their `vfs_mount` never calls `vfs_filteropt`).
fn own(fstype: &str) -> Option<&'static [&'static str]> {
    match fstype {
        "nullfs" => Some(&["cache", "nocache"]),
        "fdescfs" => Some(&["linrdlnk"]),
        "unionfs" => Some(&["below", "copymode", "gid", "udir", "ufile", "uid", "whiteout"]),
        "procfs" | "linprocfs" | "linsysfs" | "mqueuefs" => Some(&[]),
        _ => None,
    }
}

/// The options that any mount can have and that create does not refuse, for the features structure:
/// those of file systems are not to be in it.
pub(crate) fn recognized() -> impl Iterator<Item = &'static str> {
    let attributes = ATTRIBUTES.iter().map(|(name, ..)| *name);
    attributes.chain(NOTHING.iter().copied()).chain(MISSING.iter().copied()).chain(COPY_UP)
}

/// What an option of a file system of that type says.
pub(super) fn meaning(fstype: &str, option: &str) -> Meaning {
    let (name, value) = match option.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (option, None),
    };
    if let (None, Some(&(_, field, value))) =
        (value, ATTRIBUTES.iter().find(|(known, ..)| *known == option))
    {
        return Meaning::Attribute(Attribute { field, value });
    }
    match (name, value) {
        (name, None) if NOTHING.contains(&name) => Meaning::Nothing,
        // What programs note in a line of fstab(5).
        ("comment", Some(_)) => Meaning::Nothing,
        (name, _) if name.starts_with("x-") || name.starts_with("X-") => Meaning::Nothing,
        (name, _) if MISSING.contains(&name) => Meaning::Missing,
        (name, _) if RESERVED.contains(&name) => {
            Meaning::Refused("it is said by type, source and destination".into())
        }
        ("remount", None) => Meaning::Remount,
        ("idmap" | "ridmap", _) => {
            Meaning::Refused("FreeBSD does not map the owners of a mount".into())
        }
        ("notmpcopyup", None) => Meaning::CopyUp(false),
        ("tmpcopyup", None) if fstype == "tmpfs" => Meaning::CopyUp(true),
        ("tmpcopyup", None) => Meaning::Refused("only into a tmpfs something is copied up".into()),
        ("rule", Some(rule)) if fstype == "devfs" => Meaning::Rule(rule.to_owned()),
        ("rule" | "ruleset", _) if fstype != "devfs" => {
            Meaning::Refused("only a devfs has rules".into())
        }
        ("ruleset", Some(value)) if value.parse::<u16>().is_ok() => own_option(name, Some(value)),
        ("ruleset", _) => {
            Meaning::Refused("expected the number of a rule set, from 0 to 65535".into())
        }
        (name, value) if fstype == "tmpfs" => match tmpfs(name, value) {
            true => own_option(if name == "nr_inodes" { "inodes" } else { name }, value),
            false => Meaning::Refused(
                "expected a number, with k, m, g or t behind it for a size, or octal for a mode"
                    .into(),
            ),
        },
        ("nodup", None) if fstype == "fdescfs" => Meaning::Refused(
            "runj's own look-ups in it would lead through the descriptors that runj has".into(),
        ),
        (name, value) => match own(fstype) {
            Some(known) if !known.contains(&name) && !OF_ALL.contains(&name) => {
                Meaning::Refused(format!("{fstype} has no such option"))
            }
            _ => own_option(name, value),
        },
    }
}

fn own_option(name: &str, value: Option<&str>) -> Meaning {
    Meaning::Own(name.to_owned(), value.map(str::to_owned))
}

/// Whether an option of a tmpfs has a value that FreeBSD's kernel understands. What it does not,
/// it takes for no limit at all.
fn tmpfs(name: &str, value: Option<&str>) -> bool {
    let digits =
        |text: &str, radix: u32| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    match (name, value) {
        ("size" | "inodes" | "nr_inodes" | "maxfilesize", Some(amount)) => {
            let suffixes = ['k', 'K', 'm', 'M', 'g', 'G', 't', 'T'];
            digits(amount.strip_suffix(suffixes).unwrap_or(amount), 10)
        }
        ("mode", Some(mode)) => digits(mode, 8),
        ("uid" | "gid", Some(id)) => digits(id, 10),
        ("size" | "inodes" | "nr_inodes" | "maxfilesize" | "mode" | "uid" | "gid", None) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(options: &[&str]) -> Attributes {
        let mut attributes = Attributes::default();
        for option in options {
            let Meaning::Attribute(attribute) = meaning("nullfs", option) else {
                panic!("{option} is no attribute");
            };
            attribute.apply(&mut attributes);
        }
        attributes
    }

    #[test]
    fn the_last_of_two_contrary_options_counts() {
        let nothing = Attributes::default();
        assert_eq!(attributes(&["ro", "rw", "nosuid", "suid", "noexec", "rexec"]), nothing);
        assert_eq!(attributes(&["nodev", "dev", "noatime", "atime", "nosymfollow"]), {
            Attributes { nosymfollow: true, ..nothing }
        });
        assert_eq!(attributes(&["rro"]), Attributes { read_only: true, ..nothing });
    }

    #[test]
    fn what_engines_always_send_is_nothing_to_any_file_system() {
        let always =
            ["private", "rprivate", "rbind", "bind", "relatime", "strictatime", "defaults"];
        for fstype in ["nullfs", "tmpfs", "devfs", "procfs", "ufs"] {
            for option in always {
                assert_eq!(meaning(fstype, option), Meaning::Nothing, "{fstype} {option}");
            }
            assert_eq!(meaning(fstype, "notmpcopyup"), Meaning::CopyUp(false));
            assert_eq!(meaning(fstype, "lazytime"), Meaning::Missing);
        }
    }

    #[test]
    fn a_tmpfs_without_a_limit_is_not_what_a_misspelt_limit_gets() {
        for option in ["size=64m", "size=65536k", "size=1048576", "mode=1777", "uid=7", "inodes=9"]
        {
            assert!(matches!(meaning("tmpfs", option), Meaning::Own(..)), "{option}");
        }
        for option in
            ["size=nonsense", "size=", "size=50%", "size", "mode=rwx", "uid=me", "inodes=k"]
        {
            assert!(matches!(meaning("tmpfs", option), Meaning::Refused(_)), "{option}");
        }
        assert_eq!(meaning("tmpfs", "nr_inodes=7"), own_option("inodes", Some("7")));
    }

    #[test]
    fn options_that_the_kernel_would_drop_are_refused() {
        for (fstype, option) in [
            ("nullfs", "nosiud"),
            ("nullfs", "size=1m"),
            ("procfs", "hidepid=2"),
            ("fdescfs", "ruleset=4"),
            ("fdescfs", "nodup"),
            ("tmpfs", "ruleset=4"),
            ("tmpfs", "rule=path null unhide"),
            ("nullfs", "tmpcopyup"),
            ("devfs", "ruleset=jail"),
            ("devfs", "ruleset=65536"),
            ("nullfs", "idmap"),
            ("tmpfs", "update"),
            ("tmpfs", "fspath=/etc"),
        ] {
            assert!(matches!(meaning(fstype, option), Meaning::Refused(_)), "{fstype} {option}");
        }
        // And what it knows, or judges by itself, is passed on.
        for (fstype, option) in
            [("nullfs", "nocache"), ("fdescfs", "linrdlnk"), ("nullfs", "sync"), ("ufs", "snap")]
        {
            assert!(matches!(meaning(fstype, option), Meaning::Own(..)), "{fstype} {option}");
        }
    }
}
