//! Jail parameters.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The parameters of one jail, in the order in which the kernel is to see them.
///
/// Names are those of jail(8) ("JAIL PARAMETERS"). Which parameters exist depends on the kernel
/// and its modules, so a name is a text and the kernel refuses what it does not know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<Param>);

/// One parameter and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// The name as jail(8) lists it, for a flag without its `no`.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// The value of a parameter, by the kinds that the kernel distinguishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// On or off. The kernel looks at the name alone: `allow.x` turns it on, `allow.nox` off.
    Flag(bool),
    /// How the jail shares a subsystem with its parent.
    Jailsys(Jailsys),
    /// A C `int`.
    Int(i32),
    /// A text; it must not contain a NUL byte.
    String(String),
    /// IPv4 addresses, the first one being the source of outgoing connections.
    Ip4(Vec<Ipv4Addr>),
    /// IPv6 addresses, the first one being the source of outgoing connections.
    Ip6(Vec<Ipv6Addr>),
}

/// The kind of a parameter, needed to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Value::Flag`]
    Flag,
    /// [`Value::Jailsys`]
    Jailsys,
    /// [`Value::Int`]
    Int,
    /// [`Value::String`]
    String,
    /// [`Value::Ip4`]
    Ip4,
    /// [`Value::Ip6`]
    Ip6,
}

/// How a jail shares a subsystem with its parent (`JAIL_SYS_*` in `sys/jail.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jailsys {
    /// The jail has none of it.
    Disable,
    /// The jail has its own.
    New,
    /// The jail shares its parent's.
    Inherit,
}

impl Jailsys {
    pub(crate) fn as_raw(self) -> i32 {
        match self {
            Self::Disable => 0,
            Self::New => 1,
            Self::Inherit => 2,
        }
    }

    pub(crate) fn from_raw(raw: i32) -> Option<Self> {
        [Self::Disable, Self::New, Self::Inherit].into_iter().find(|mode| mode.as_raw() == raw)
    }
}

impl fmt::Display for Jailsys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Disable => "disable",
            Self::New => "new",
            Self::Inherit => "inherit",
        })
    }
}

impl fmt::Display for Param {
    /// The parameter as jail.conf(5) has it, without the semicolon: `ip4=inherit`,
    /// `allow.noraw_sockets`, `path="/jails/my web"`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value } = self;
        match value {
            Value::Flag(true) => formatter.write_str(name),
            Value::Flag(false) => match name.rsplit_once('.') {
                Some((parent, last)) => write!(formatter, "{parent}.no{last}"),
                None => write!(formatter, "no{name}"),
            },
            Value::Jailsys(mode) => write!(formatter, "{name}={mode}"),
            Value::Int(number) => write!(formatter, "{name}={number}"),
            Value::String(text) => write!(formatter, "{name}={}", quoted(text)),
            Value::Ip4(addresses) => write!(formatter, "{name}={}", list(addresses)),
            Value::Ip6(addresses) => write!(formatter, "{name}={}", list(addresses)),
        }
    }
}

/// A text as jail.conf(5) takes it: in quotes if it is more than a word. What a terminal would not
/// show but do is written as C does, byte by byte.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' | '$' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            character if acts(character) => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    quoted.push_str(&format!("\\{byte:03o}"));
                }
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a character controls a terminal, or the direction of what follows it.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

fn list(addresses: &[impl ToString]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

impl Params {
    /// No parameters yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter, after those that are there.
    pub fn push(&mut self, name: impl Into<String>, value: Value) {
        self.0.push(Param { name: name.into(), value });
    }

    /// The parameters, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Param> {
        self.0.iter()
    }

    /// The value of the parameter called `name`, the last one if it was given more than once.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|param| param.name == name).map(|param| &param.value)
    }

    /// With a flag such as `persist` or `allow.raw_sockets` turned on or off.
    #[must_use]
    pub fn flag(self, name: &str, on: bool) -> Self {
        self.with(name, Value::Flag(on))
    }

    /// With the mode of a subsystem such as `ip4`, `host` or `sysvshm`.
    #[must_use]
    pub fn jailsys(self, name: &str, mode: Jailsys) -> Self {
        self.with(name, Value::Jailsys(mode))
    }

    /// With a number such as `enforce_statfs`.
    #[must_use]
    pub fn int(self, name: &str, value: i32) -> Self {
        self.with(name, Value::Int(value))
    }

    /// With a text such as `path` or `host.hostname`.
    #[must_use]
    pub fn string(self, name: &str, value: impl Into<String>) -> Self {
        self.with(name, Value::String(value.into()))
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.push(name, value);
        self
    }
}

impl Extend<Param> for Params {
    fn extend<I: IntoIterator<Item = Param>>(&mut self, params: I) {
        self.0.extend(params);
    }
}

impl IntoIterator for Params {
    type Item = Param;
    type IntoIter = std::vec::IntoIter<Param>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Params {
    type Item = &'a Param;
    type IntoIter = std::slice::Iter<'a, Param>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_look_as_in_jail_conf() {
        let params = Params::new()
            .flag("persist", true)
            .flag("allow.mount.nullfs", false)
            .flag("persist", false)
            .jailsys("ip4", Jailsys::Inherit)
            .int("enforce_statfs", 2)
            .string("path", "/jails/web-1")
            .string("host.hostname", "it's $HOME \"here\"\\")
            .string("host.domainname", "")
            .string("parent", "\u{1b}[2Jä\r\n\u{85}\u{202e}");
        let shown: Vec<_> = params.iter().map(Param::to_string).collect();
        assert_eq!(
            shown,
            [
                "persist",
                "allow.mount.nonullfs",
                "nopersist",
                "ip4=inherit",
                "enforce_statfs=2",
                "path=/jails/web-1",
                "host.hostname=\"it's \\$HOME \\\"here\\\"\\\\\"",
                "host.domainname=\"\"",
                r#"parent="\033[2Jä\015\n\302\205\342\200\256""#,
            ]
        );
        let addresses = vec![Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)];
        let param = Param { name: "ip4.addr".into(), value: Value::Ip4(addresses) };
        assert_eq!(param.to_string(), "ip4.addr=192.0.2.1,192.0.2.2");
    }
}
