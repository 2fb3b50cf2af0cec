//! Rules by which a devfs shows its devices (devfs(8), "Rule Specification").

use std::path::Path;

use crate::bounded;

/// One rule: conditions, all of which have to hold, and what is done to the nodes that match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DevfsRule {
    /// A pattern for the path below the devfs, as fnmatch(3) takes it with `FNM_PATHNAME`.
    pub(crate) path: Option<String>,
    /// Of which kinds a device has to be one.
    pub(crate) kinds: Vec<DeviceKind>,
    /// Whether the node is shown.
    pub(crate) visible: Option<bool>,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) mode: Option<u16>,
    /// The rule set that is applied as well.
    pub(crate) include: Option<u16>,
}

/// A kind of device, as `type` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceKind {
    Disk,
    Mem,
    Tape,
    Tty,
}

/// The longest pattern (`DEVFS_MAXPTRNLEN` without the NUL, sys/fs/devfs/devfs.h).
const LONGEST_PATTERN: usize = 199;

/// What stands for other characters in a pattern.
const WILDCARDS: [char; 4] = ['*', '?', '[', '\\'];

impl DevfsRule {
    /// Shows exactly this path.
    pub(crate) fn unhide(path: &str) -> Self {
        Self { path: Some(literal(path)), visible: Some(true), ..Self::default() }
    }

    /// Gives exactly this path those permission bits.
    pub(crate) fn chmod(path: &str, mode: u16) -> Self {
        Self { path: Some(literal(path)), mode: Some(mode), ..Self::default() }
    }

    /// Reads a rule as devfs(8) does for `rule apply`; an error says what is expected.
    ///
    /// One that shows devices has to say which, by a path that begins with a name: to show all of
    /// the host's, `ruleset=0` is what says so.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.chars().any(|c| c.is_control() && c != '\t') {
            return Err("expected one rule, on one line".into());
        }
        let mut words = text.split([' ', '\t']).filter(|word| !word.is_empty());
        let mut rule = Self::default();
        let mut acts = false;
        while let Some(word) = words.next() {
            let is_condition = matches!(word, "path" | "type");
            if is_condition && acts {
                return Err(format!("{word:?} is a condition: it comes before what is done"));
            }
            acts |= !is_condition;
            let mut argument =
                || words.next().ok_or_else(|| format!("something is expected after {word:?}"));
            match word {
                "path" => rule.path = Some(pattern(argument()?)?),
                "type" => rule.kinds.push(kind(argument()?)?),
                "hide" => rule.visible = Some(false),
                "unhide" => rule.visible = Some(true),
                "mode" => rule.mode = Some(mode(argument()?)?),
                "user" => rule.uid = Some(user(argument()?)?),
                "group" => rule.gid = Some(group(argument()?)?),
                "include" => rule.include = Some(rule_set(argument()?)?),
                other => {
                    return Err(format!(
                        "{other:?} is none of path, type, hide, unhide, mode, user, group and \
                         include"
                    ));
                }
            }
        }
        if !acts {
            return Err("expected what is to be done, such as \"path null unhide\"".into());
        }
        if rule.visible == Some(true) && !rule.names_devices() {
            return Err("it would show all devices: expected a path that begins with a name".into());
        }
        Ok(rule)
    }

    fn names_devices(&self) -> bool {
        self.path.as_ref().is_some_and(|path| !path.starts_with(WILDCARDS))
    }
}

/// A pattern that matches this path and no other.
fn literal(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for c in path.chars() {
        if WILDCARDS.contains(&c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

/// Whether a path is short enough for a rule.
pub(crate) fn fits(path: &str) -> bool {
    literal(path).len() <= LONGEST_PATTERN
}

fn pattern(word: &str) -> Result<String, String> {
    if word.len() > LONGEST_PATTERN {
        return Err(format!("expected a path of at most {LONGEST_PATTERN} bytes"));
    }
    // devfs(8) takes it as it is, and then it matches nothing.
    if word.starts_with('/') || word.split('/').any(|name| name == "..") {
        return Err(format!("{word:?}: expected a path relative to /dev, without \"..\""));
    }
    Ok(word.to_owned())
}

fn kind(word: &str) -> Result<DeviceKind, String> {
    match word {
        "disk" => Ok(DeviceKind::Disk),
        "mem" => Ok(DeviceKind::Mem),
        "tape" => Ok(DeviceKind::Tape),
        "tty" => Ok(DeviceKind::Tty),
        other => Err(format!("type {other:?} is none of disk, mem, tape and tty")),
    }
}

fn mode(word: &str) -> Result<u16, String> {
    u16::from_str_radix(word, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777 && word.chars().all(|c| c.is_digit(8)))
        .ok_or_else(|| format!("mode {word:?}: expected octal digits, at most 7777"))
}

fn user(word: &str) -> Result<u32, String> {
    id_in("/etc/passwd", word).map_err(|reason| format!("user {word:?}: {reason}"))
}

fn group(word: &str) -> Result<u32, String> {
    id_in("/etc/group", word).map_err(|reason| format!("group {word:?}: {reason}"))
}

/// The id that `word` is, or that it is the name of in the host's passwd(5) or group(5).
///
/// getpwnam(3) would ask NIS as well, and brings what it takes for that, a tenth of the whole program.
fn id_in(file: &str, word: &str) -> Result<u32, String> {
    const LARGEST: u64 = 1 << 24;
    if let Ok(id) = word.parse() {
        return Ok(id);
    }
    let text = bounded::read(Path::new(file), LARGEST);
    let text = text.map_err(|error| format!("a name is looked up in {file}: {error}"))?;
    let found = text.split(|&byte| byte == b'\n').find_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        if name == word.as_bytes() { str::from_utf8(id).ok()?.parse().ok() } else { None }
    });
    found.ok_or_else(|| format!("{file} of the host has none of that name"))
}

fn rule_set(word: &str) -> Result<u16, String> {
    word.parse().map_err(|_| format!("include {word:?}: expected the number of a rule set"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rules_are_read_as_devfs_does() {
        let podman = DevfsRule::parse("path dri/card0 unhide mode 0600").unwrap();
        assert_eq!(
            podman,
            DevfsRule {
                path: Some("dri/card0".into()),
                visible: Some(true),
                mode: Some(0o600),
                ..DevfsRule::default()
            }
        );
        // Podman's for Linux images.
        assert_eq!(DevfsRule::parse("path shm unhide mode 1777").unwrap().mode, Some(0o1777));
        let rule = DevfsRule::parse(" type disk type\tmem path da* hide user 7 group 8 include 3 ");
        assert_eq!(
            rule.unwrap(),
            DevfsRule {
                path: Some("da*".into()),
                kinds: vec![DeviceKind::Disk, DeviceKind::Mem],
                visible: Some(false),
                uid: Some(7),
                gid: Some(8),
                include: Some(3),
                ..DevfsRule::default()
            }
        );
        assert_eq!(DevfsRule::parse("hide").unwrap().visible, Some(false));
        assert_eq!(DevfsRule::parse("path null user root").unwrap().uid, Some(0));
        // It has another number on each host.
        let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
        let rule = DevfsRule::parse("path null user nobody group daemon").unwrap();
        assert_eq!(rule.uid, Some(nobody.uid.as_raw()));
        assert_eq!(rule.gid, Some(1));
    }

    #[test]
    fn what_is_no_rule_is_refused_with_what_is_expected() {
        for (text, expected) in [
            ("", "what is to be done"),
            ("path null", "what is to be done"),
            ("path null unhide\npath mem unhide", "one line"),
            ("100", "\"100\" is none of"),
            ("null unhide", "\"null\" is none of"),
            ("unhide path null", "is a condition"),
            ("path", "after \"path\""),
            ("path null mode u+rw", "octal"),
            ("path null mode 10000", "octal"),
            ("path null mode +7", "octal"),
            ("path /dev/null unhide", "relative to /dev"),
            ("path ../mem unhide", "without \"..\""),
            ("type floppy hide", "none of disk"),
            ("path null user nobody-of-that-name", "the host has none"),
            ("path null include jail", "rule set"),
        ] {
            let error = DevfsRule::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
        assert!(DevfsRule::parse(&format!("path {} unhide", "x".repeat(200))).is_err());
    }

    #[test]
    fn a_rule_cannot_show_everything() {
        for text in
            ["unhide", "type disk unhide", "path * unhide", "path ?* unhide", "path [a-z]* unhide"]
        {
            let error = DevfsRule::parse(text).unwrap_err();
            assert!(error.contains("all devices"), "{text}: {error}");
        }
        assert!(DevfsRule::parse("path drm/* unhide").is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_a_rule_panic(text in "\\PC{0,40}") {
            let _ = DevfsRule::parse(&text);
        }

        #[test]
        fn a_device_s_path_is_a_pattern_of_itself_alone(path in "[a-z*?\\[\\\\/]{1,12}") {
            let pattern = literal(&path);
            let mut plain = String::new();
            let mut characters = pattern.chars();
            while let Some(c) = characters.next() {
                match c {
                    '\\' => plain.extend(characters.next()),
                    c => {
                        prop_assert!(!WILDCARDS.contains(&c));
                        plain.push(c);
                    }
                }
            }
            prop_assert_eq!(plain, path);
        }
    }
}
