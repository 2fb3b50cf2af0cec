//! An image of one static busybox, in OCI's layout, made without any network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use super::release::SET_UP;

/// Debian's static busybox: the one that `cargo xtask test` has set up, or the host's.
pub(super) fn busybox() -> Option<PathBuf> {
    let set_up = Path::new(SET_UP).join("bookworm/bin/busybox");
    [set_up, "/bin/busybox".into()].into_iter().find(|busybox| busybox.exists())
}

/// Writes the image, of that name, to a file.
pub(crate) fn write(file: &Path, name: &str) {
    let layer = layer();
    let config = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": { "Env": ["PATH=/bin"], "Cmd": ["sh"] },
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("application/vnd.oci.image.config.v1+json", &config),
        "layers": [described("application/vnd.oci.image.layer.v1.tar", &layer)],
    });
    let manifest = manifest.to_string().into_bytes();
    let mut entry = described("application/vnd.oci.image.manifest.v1+json", &manifest);
    entry["platform"] = json!({ "os": "linux", "architecture": architecture() });
    entry["annotations"] = json!({ "io.containerd.image.name": name });
    let index = json!({ "schemaVersion": 2, "manifests": [entry] }).to_string().into_bytes();

    let mut tar = Builder::new(fs::File::create(file).unwrap());
    add(&mut tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#, 0o644);
    add(&mut tar, "index.json", &index, 0o644);
    for blob in [&layer, &config, &manifest] {
        add(&mut tar, &format!("blobs/{}", digest(blob).replace(':', "/")), blob, 0o644);
    }
    tar.finish().unwrap();
}

/// The root: busybox by all of its names, and the directories that things are mounted on.
fn layer() -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for directory in ["bin", "dev", "etc", "proc", "root", "run", "sys", "tmp"] {
        let mut header = header(0o755, 0);
        header.set_entry_type(EntryType::Directory);
        tar.append_data(&mut header, format!("{directory}/"), &[][..]).unwrap();
    }
    let busybox = busybox().expect("a static busybox");
    add(&mut tar, "bin/busybox", &fs::read(&busybox).unwrap(), 0o755);
    let names = Command::new(&busybox).arg("--list").output().unwrap().stdout;
    for name in String::from_utf8(names).unwrap().lines().filter(|name| *name != "busybox") {
        let mut header = header(0o777, 0);
        header.set_entry_type(EntryType::Symlink);
        tar.append_link(&mut header, format!("bin/{name}"), "busybox").unwrap();
    }
    add(&mut tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", 0o644);
    tar.into_inner().unwrap()
}

fn add(tar: &mut Builder<impl std::io::Write>, path: &str, content: &[u8], mode: u32) {
    let length = content.len().try_into().unwrap();
    tar.append_data(&mut header(mode, length), path, content).unwrap();
}

fn header(mode: u32, length: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(mode);
    header.set_size(length);
    header.set_mtime(0);
    header
}

fn described(media_type: &str, blob: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(blob), "size": blob.len() })
}

fn digest(blob: &[u8]) -> String {
    let digest = Sha256::digest(blob);
    let hexadecimal: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hexadecimal}")
}

/// As images name it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
