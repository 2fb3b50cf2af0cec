//! `runj demo spec`

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Error, bail};
use runj_spec::{Config, Extension};
use serde_json::{Value, json};

use crate::flags::DemoSpec;

/// Where the schema is, as runj.ext.json names it.
const SCHEMA: &str = "runj.ext.schema.json";

pub(crate) fn run(spec: &DemoSpec) -> Result<ExitCode, Error> {
    let documents = [
        (Config::FILE_NAME, config()),
        (Extension::FILE_NAME, extension()),
        (SCHEMA, Extension::json_schema()),
    ];
    fs::create_dir_all(&spec.dir).with_context(|| format!("{:?}", spec.dir))?;
    // Either all are written or none is.
    for (name, _) in &documents {
        let path = spec.dir.join(name);
        if path.symlink_metadata().is_ok() {
            bail!("{path:?} is there already");
        }
    }
    for (name, document) in &documents {
        let path = spec.dir.join(name);
        let mut text = serde_json::to_string_pretty(document)?;
        text.push('\n');
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("{path:?}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// JSON has no comments; a property `//` is ignored, as the specification says of all that are not
/// known.
fn config() -> Value {
    let path = "PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";
    json!({
        "//": "The OCI runtime specification (config.md) describes this file. `runj config check` \
               says what is wrong with it, `runj config show` what it means.",
        "ociVersion": "1.3.0",
        "process": {
            "//": "What runs, and in what. terminal: whoever runs it gets a terminal, as for a shell.",
            "terminal": true,
            "user": { "uid": 0, "gid": 0 },
            "args": ["sh"],
            "env": [path, "TERM=xterm"],
            "cwd": "/"
        },
        "root": {
            "//": "Relative to this file. For instance an unpacked base.txz of a release. \
                   readonly: true shows it read-only.",
            "path": "rootfs"
        },
        "hostname": "demo",
        "mounts": [
            {
                "//": "Rule set 4 hides the host's devices (devfs.rules(5)).",
                "destination": "/dev",
                "type": "devfs",
                "source": "devfs",
                "options": ["ruleset=4"]
            },
            { "destination": "/dev/fd", "type": "fdescfs", "source": "fdescfs" },
            {
                "//": "A directory of the host would be: \"type\": \"nullfs\", \"source\": \
                       \"/path/on/the/host\", \"options\": [\"ro\"].",
                "destination": "/tmp",
                "type": "tmpfs",
                "source": "tmpfs",
                "options": ["mode=1777"]
            }
        ],
        "freebsd": {
            "//": "The jail (config-freebsd.md). runj.ext.json overrides what is here.",
            "jail": {
                "//": "Mounts: 2 shows the root's alone, 1 all below it.",
                "enforceStatfs": 1,
                "allow": { "//": "ping(8) needs raw sockets.", "rawSockets": true }
            }
        }
    })
}

/// Comments are in the schema, which editors show.
fn extension() -> Value {
    json!({
        "$schema": format!("./{SCHEMA}"),
        "network": {
            "ipv4": { "mode": "inherit" },
            "ipv6": { "mode": "inherit" },
            "resolvConf": "host"
        }
    })
}
