//! What one command leaves for the next: a file and a socket per container.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::Error;

/// A container, in its file: pid, jail and root, a line each.
pub(crate) struct State {
    pub(crate) pid: i32,
    pub(crate) jail: i32,
    pub(crate) jail_root: PathBuf,
}

/// Where a container's process waits.
pub(crate) fn socket(root: &Path, id: &str) -> PathBuf {
    root.join(format!("{id}.socket"))
}

fn file(root: &Path, id: &str) -> PathBuf {
    root.join(format!("{id}.state"))
}

impl State {
    pub(crate) fn write(&self, root: &Path, id: &str) -> io::Result<()> {
        let text = format!("{}\n{}\n{}\n", self.pid, self.jail, self.jail_root.display());
        fs::write(file(root, id), text)
    }

    pub(crate) fn read(root: &Path, id: &str) -> Result<Self, Error> {
        let text = fs::read_to_string(file(root, id)).map_err(|error| format!("{id}: {error}"))?;
        let mut lines = text.lines();
        let mut line = || lines.next().ok_or("the state is cut off");
        Ok(Self { pid: line()?.parse()?, jail: line()?.parse()?, jail_root: line()?.into() })
    }

    /// All containers.
    pub(crate) fn all(root: &Path) -> Result<Vec<(String, Self)>, Error> {
        let mut all = Vec::new();
        for entry in fs::read_dir(root)? {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".state"));
            if let Some(id) = id {
                all.push((id.to_owned(), Self::read(root, id)?));
            }
        }
        Ok(all)
    }

    pub(crate) fn remove(root: &Path, id: &str) -> io::Result<()> {
        fs::remove_file(socket(root, id))?;
        fs::remove_file(file(root, id))
    }

    /// As `state` prints it, with whether the process lives.
    pub(crate) fn json(&self, id: &str) -> String {
        let alive = kill(Pid::from_raw(self.pid), None).is_ok();
        let status = if alive { "running" } else { "stopped" };
        format!(r#"{{"id":"{id}","pid":{},"status":"{status}"}}"#, self.pid)
    }
}
