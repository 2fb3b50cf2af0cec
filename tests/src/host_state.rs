//! The host, as far as a test concerns it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use runj_jail::ProcessId;

use crate::sandbox::{Sandbox, jails_below};
use crate::sys;
use crate::wait::DEADLINE;

/// Jails and mounts below a sandbox, the processes that its calls of `runj` forked, and the files
/// in it but for the output of those calls: one line each.
#[derive(Debug, Clone)]
pub struct HostState {
    lines: BTreeSet<String>,
    processes: BTreeSet<i32>,
}

impl HostState {
    pub(crate) fn of(sandbox: &Sandbox<'_>) -> Self {
        let path = sandbox.path();
        let mut lines = BTreeSet::new();
        if nix::unistd::geteuid().is_root() {
            for (jail, name) in jails_below(path) {
                lines.insert(format!("jail {} {name}", jail.jid()));
            }
        }
        let mounts: Vec<_> =
            sys::mounts().into_iter().filter(|mount| mount.starts_with(path)).collect();
        for mount in &mounts {
            // More than one may be on the same path.
            let mut number = 0;
            while !lines.insert(format!("mount {} {number}", mount.display())) {
                number += 1;
            }
        }
        for entry in fs::read_dir(path).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() != "output" {
                files(&entry.path(), &mounts, &mut lines);
            }
        }
        Self { lines, processes: sys::marked_processes(path) }
    }

    /// Shows that nothing is other than it was `before`, once the processes that are new have ended.
    ///
    /// # Panics
    ///
    /// With the differences, when something is.
    #[track_caller]
    pub fn assert_unchanged_since(&self, before: &Self) {
        let new: Vec<_> = self.lines.difference(&before.lines).collect();
        let gone: Vec<_> = before.lines.difference(&self.lines).collect();
        assert!(new.is_empty() && gone.is_empty(), "the host has changed: +{new:#?} -{gone:#?}");
        wait_ended(self.processes.difference(&before.processes));
    }

    /// Shows that there is no jail, no mount, no process and no container's state.
    #[track_caller]
    pub(crate) fn assert_unconcerned(&self) {
        let left: Vec<_> = self
            .lines
            .iter()
            .filter(|line| !line.starts_with("file ") || line.contains("/state/"))
            .collect();
        assert!(left.is_empty(), "something is left: {left:#?}");
        wait_ended(&self.processes);
    }
}

/// Killed processes take a moment to end; those that were not killed do not end.
#[track_caller]
fn wait_ended<'a>(processes: impl IntoIterator<Item = &'a i32>) {
    for &pid in processes {
        let ended = ProcessId::of(pid).unwrap().is_none_or(|left| left.wait(DEADLINE).unwrap());
        assert!(ended, "process {pid} is left");
    }
}

/// Lists a file and those below it, but nothing that is mounted there.
fn files(path: &Path, mounts: &[PathBuf], lines: &mut BTreeSet<String>) {
    if mounts.iter().any(|mount| mount == path) {
        return;
    }
    // It may be gone by now.
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    let (mode, size) = (metadata.mode(), metadata.len());
    if metadata.is_dir() {
        lines.insert(format!("file {} {mode:o}", path.display()));
        let Ok(entries) = fs::read_dir(path) else { return };
        for entry in entries {
            files(&entry.unwrap().path(), mounts, lines);
        }
    } else {
        let inode = metadata.ino();
        lines.insert(format!("file {} {mode:o} {size} bytes, inode {inode}", path.display()));
    }
}
