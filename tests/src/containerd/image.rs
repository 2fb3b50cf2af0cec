//! An image of the host's own programs, in OCI's layout, made without any network.

use std::env::consts;
use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use super::userland::{Entry, SEARCH_PATH, Userland};

/// Writes an image of these layers, of that name and with that command, to a file.
pub(super) fn write(file: &Path, name: &str, layers: &[Vec<u8>], command: &[&str]) {
    let diff_ids: Vec<_> = layers.iter().map(|layer| digest(layer)).collect();
    let described_layer =
        |layer: &Vec<u8>| described("application/vnd.oci.image.layer.v1.tar", layer);
    let config = json!({
        "architecture": architecture(),
        "os": consts::OS,
        "config": { "Env": [SEARCH_PATH], "Cmd": command },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("application/vnd.oci.image.config.v1+json", &config),
        "layers": layers.iter().map(described_layer).collect::<Vec<_>>(),
    });
    let manifest = manifest.to_string().into_bytes();
    let mut entry = described("application/vnd.oci.image.manifest.v1+json", &manifest);
    entry["platform"] = json!({ "os": consts::OS, "architecture": architecture() });
    entry["annotations"] = json!({ "io.containerd.image.name": name });
    let index = json!({ "schemaVersion": 2, "manifests": [entry] }).to_string().into_bytes();

    let mut tar = Builder::new(fs::File::create(file).unwrap());
    add(&mut tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#, 0o644);
    add(&mut tar, "index.json", &index, 0o644);
    for blob in layers.iter().chain([&config, &manifest]) {
        add(&mut tar, format!("blobs/{}", digest(blob).replace(':', "/")), blob, 0o644);
    }
    tar.finish().unwrap();
}

/// A layer of one file, which has its name for content.
pub(super) fn file_layer(path: &str) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    add(&mut tar, path, path.as_bytes(), 0o644);
    tar.into_inner().unwrap()
}

/// The root, as a layer.
pub(super) fn root_layer(userland: &Userland) -> Vec<u8> {
    root(userland).into_inner().unwrap()
}

/// What a release of FreeBSD has in base.txz: the root, and a shell where rescue(8) has it.
pub(super) fn base(userland: &Userland) -> Vec<u8> {
    let mut tar = root(userland);
    let shell = userland.shell();
    add(&mut tar, "rescue/sh", &fs::read(shell).unwrap(), 0o755);
    tar.into_inner().unwrap()
}

fn root(userland: &Userland) -> Builder<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for directory in userland.directories() {
        let mut header = header(0o755, 0);
        header.set_entry_type(EntryType::Directory);
        tar.append_data(&mut header, directory.join(""), &[][..]).unwrap();
    }
    for (path, entry) in &userland.0 {
        match entry {
            Entry::Copy(from) => add(&mut tar, path, &fs::read(from).unwrap(), 0o755),
            Entry::Link(to) => {
                let mut header = header(0o777, 0);
                header.set_entry_type(EntryType::Symlink);
                tar.append_link(&mut header, path, to).unwrap();
            }
        }
    }
    add(&mut tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", 0o644);
    tar
}

fn add(tar: &mut Builder<impl Write>, path: impl AsRef<Path>, content: &[u8], mode: u32) {
    let length = content.len().try_into().unwrap();
    tar.append_data(&mut header(mode, length), path, content).unwrap();
}

fn header(mode: u32, length: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(mode);
    header.set_size(length);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
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
    match consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
