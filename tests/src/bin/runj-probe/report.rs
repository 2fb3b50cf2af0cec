//! What a process is like.

use std::os::unix::ffi::OsStringExt as _;

use nix::sys::stat::{Mode, umask};
use nix::unistd::{getegid, geteuid, getgid, getgroups, getpgrp, getpid, getsid, getuid};
use serde_json::{Map, Value, json};

use crate::sys;

pub(crate) fn report() -> Value {
    // Reading the mask takes setting it.
    let mask = umask(Mode::empty());
    umask(mask);
    let mut groups: Vec<u32> =
        getgroups().expect("groups").iter().map(|gid| gid.as_raw()).collect();
    groups.sort_unstable();
    groups.dedup();
    let environment: Vec<String> = std::env::vars_os()
        .map(|(name, value)| format!("{}={}", text(name), text(value)))
        .collect();
    json!({
        "args": std::env::args_os().map(text).collect::<Vec<_>>(),
        "env": environment,
        "cwd": std::env::current_dir().ok(),
        "uid": [getuid().as_raw(), geteuid().as_raw()],
        "gid": [getgid().as_raw(), getegid().as_raw()],
        "groups": groups,
        "umask": mask.bits(),
        "rlimits": limits(),
        "descriptors": sys::open_descriptors(),
        "directories": sys::open_directories(),
        "ignored": sys::ignored_signals(),
        "blocked": sys::blocked_signals(),
        "terminal": sys::terminal_size(),
        "leads_session": getsid(None).expect("a session") == getpid(),
        "leads_group": getpgrp() == getpid(),
        "no_new_privileges": sys::no_new_privileges(),
        "hostname": hostname(),
        "domainname": sys::domainname(),
        "pid": getpid().as_raw(),
    })
}

pub(crate) fn hostname() -> String {
    text(nix::unistd::gethostname().expect("a host name"))
}

fn limits() -> Map<String, Value> {
    let limits = sys::limits().into_iter();
    limits.map(|(name, limit)| (name.to_owned(), json!(limit))).collect()
}

fn text(text: std::ffi::OsString) -> String {
    String::from_utf8_lossy(&text.into_vec()).into_owned()
}
