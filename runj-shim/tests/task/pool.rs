//! A pool of ZFS for a test to play with, made by ZFS's own programs.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A pool in a file.
pub(crate) struct Pool {
    pub(crate) name: String,
}

impl Pool {
    /// Makes one in a new file, mounted on a directory.
    pub(crate) fn new(file: &Path, mounted_on: &Path) -> Self {
        // Twice as large as ZFS takes it at least, and without content yet.
        fs::File::create_new(file).unwrap().set_len(128 << 20).unwrap();
        let pool = Self { name: format!("runj-test-{}", std::process::id()) };
        let (file, on) = (file.to_str().unwrap(), mounted_on.to_str().unwrap());
        // No cache file: the host's list of pools is none of ours.
        run("zpool", &["create", "-o", "cachefile=none", "-m", on, &pool.name, file]);
        pool
    }

    /// What it has mounted, or not, in lines of a name and `yes` or `no`.
    pub(crate) fn list(&self) -> String {
        zfs(&["list", "-r", "-H", "-o", "name,mounted", &self.name])
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Whatever is mounted of it.
        let _ = Command::new("zpool").args(["destroy", "-f", &self.name]).output();
    }
}

/// Why there can be no pool here.
pub(crate) fn missing() -> Option<&'static str> {
    // It loads the kernel's part where that is a module.
    let possible = Command::new("zpool").arg("list").output();
    let possible = possible.is_ok_and(|output| output.status.success());
    (!possible).then_some("needs zfs")
}

/// Calls zfs(8); what it prints.
pub(crate) fn zfs(args: &[&str]) -> String {
    run("zfs", args)
}

fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
