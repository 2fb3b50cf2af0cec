//! `runj spec`

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Error};
use serde_json::json;

use crate::flags::Spec;

pub(crate) fn run(spec: &Spec) -> Result<ExitCode, Error> {
    let path = spec.bundle.join("config.json");
    let mut text = serde_json::to_string_pretty(&example())?;
    text.push('\n');
    // What is there already is somebody's work.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .with_context(|| format!("--bundle: {path:?}"))?;
    file.write_all(text.as_bytes()).with_context(|| format!("{path:?}"))?;
    Ok(ExitCode::SUCCESS)
}

/// A shell in a jail with the usual mounts, on the host's IPv4.
fn example() -> serde_json::Value {
    let path = "PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";
    json!({
        "ociVersion": "1.3.0",
        "process": {
            "terminal": true,
            "user": { "uid": 0, "gid": 0 },
            "args": ["sh"],
            "env": [path, "TERM=xterm"],
            "cwd": "/"
        },
        "root": { "path": "rootfs" },
        "hostname": "runj",
        "mounts": [
            { "destination": "/dev", "type": "devfs", "source": "devfs", "options": ["ruleset=4"] },
            { "destination": "/dev/fd", "type": "fdescfs", "source": "fdescfs" },
            { "destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"] }
        ],
        "freebsd": { "jail": { "ip4": "inherit" } }
    })
}
