//! What is there, and what can be changed.

use std::{fs, io};

use nix::errno::Errno;
use serde_json::{Value, json};

/// The names in a directory, sorted.
pub(crate) fn list(directory: &str) -> Result<Value, Errno> {
    let entries = fs::read_dir(directory).map_err(errno)?;
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string()).collect();
    names.sort_unstable();
    Ok(json!(names.into_iter().map(|name| name.expect("text")).collect::<Vec<_>>()))
}

/// Writes a file, which gets its own path for content.
pub(crate) fn write(file: &str) -> Result<Value, Errno> {
    fs::write(file, file).map_err(errno)?;
    Ok(json!({ "written": file }))
}

fn errno(error: io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().expect("an error of the system's"))
}
