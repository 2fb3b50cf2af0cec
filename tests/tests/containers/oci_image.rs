//! `runj demo oci-image`: what is in the image. The themes `demo_image` of the suites with engines
//! have them take it.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use lzma_rust2::{XzOptions, XzWriter};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use runj_tests::{Invocation, Sandbox};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{Archive, Builder, EntryType, Header};

use crate::case::cases;

cases![
    it_has_what_the_archive_has: Nothing,
    all_that_refers_to_something_is_right: Nothing,
    every_packing_makes_the_same_image: Nothing,
    its_times_are_one: Nothing,
    a_directory_makes_the_same_image,
    the_small_one_has_rescue_and_little_else: Nothing,
    the_processor_is_that_of_the_programs: Nothing,
    what_is_no_root_is_told_of: Nothing,
    what_is_there_is_left_alone: Nothing,
];

/// What is at a path in a root.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    kind: EntryType,
    mode: u32,
    owner: (u64, u64),
    /// Where a link leads.
    target: Option<PathBuf>,
    content: Vec<u8>,
    flags: Option<String>,
}

type Root = BTreeMap<PathBuf, Item>;

fn item(kind: EntryType, mode: u32) -> Item {
    Item { kind, mode, owner: (0, 0), target: None, content: Vec::new(), flags: None }
}

fn file(mode: u32, content: &[u8]) -> Item {
    Item { content: content.to_vec(), ..item(EntryType::Regular, mode) }
}

fn link(kind: EntryType, mode: u32, target: &str) -> Item {
    Item { target: Some(target.into()), ..item(kind, mode) }
}

/// The beginning of a program for amd64 or arm64.
fn program(machine: u8) -> Vec<u8> {
    let mut header = vec![0; 64];
    header[..6].copy_from_slice(b"\x7fELF\x02\x01");
    header[18] = machine;
    header
}

const AMD64: u8 = 62;
const ARM64: u8 = 183;

/// A root with one of everything. Of several paths of a file the first in order has it, as in the
/// image.
fn root() -> Root {
    let long = format!("usr/share/{}/{}", "long/".repeat(40), "x".repeat(120));
    let directory = |mode| item(EntryType::Directory, mode);
    [
        ("bin", directory(0o755)),
        ("bin/[", file(0o555, &program(AMD64)[..20])),
        ("bin/sh", file(0o555, &program(AMD64))),
        ("bin/test", link(EntryType::Link, 0o555, "bin/[")),
        ("dev", directory(0o555)),
        ("etc", directory(0o755)),
        ("etc/empty", file(0o600, b"")),
        ("etc/link", link(EntryType::Symlink, 0o755, "../usr/share//misc/")),
        ("tmp", directory(0o1777)),
        ("usr", directory(0o755)),
        ("usr/bin", directory(0o755)),
        ("usr/bin/su", file(0o4755, b"setuid")),
        ("usr/pipe", item(EntryType::Fifo, 0o640)),
        ("usr/share", directory(0o2775)),
        ("usr/share/owned", Item { owner: (22, 3_000_000), ..file(0o640, b"owned") }),
        (&long, file(0o644, b"far away")),
        ("usr/share/name with \u{e9}\n", file(0o644, &[b'x'; 100_000])),
    ]
    .into_iter()
    .map(|(path, item)| (path.into(), item))
    .collect()
}

/// With the flags that FreeBSD's base system has on such a file.
fn with_flags(mut root: Root) -> Root {
    root.get_mut(Path::new("usr/bin/su")).unwrap().flags = Some("schg".into());
    root
}

/// An archive as FreeBSD's releases have it: with other times, `./` before each path, and in an
/// order of its own.
fn archive(root: &Root) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    let is_link = |item: &Item| item.kind == EntryType::Link;
    let (links, others): (Vec<_>, Vec<_>) = root.iter().rev().partition(|(_, item)| is_link(item));
    for (number, (path, item)) in others.into_iter().chain(links).enumerate() {
        let mut header = Header::new_ustar();
        header.set_entry_type(item.kind);
        header.set_mode(item.mode);
        header.set_uid(item.owner.0);
        header.set_gid(item.owner.1);
        header.set_mtime(1_680_837_000 + u64::try_from(number).unwrap());
        header.set_size(item.content.len().try_into().unwrap());
        if let Some(flags) = &item.flags {
            tar.append_pax_extensions([("SCHILY.fflags", flags.as_bytes())]).unwrap();
        }
        if let Some(target) = &item.target {
            let hard = item.kind == EntryType::Link;
            let target = if hard { Path::new("./").join(target) } else { target.clone() };
            header.set_link_name_literal(target.to_str().unwrap()).unwrap();
        }
        tar.append_data(&mut header, Path::new("./").join(path), &*item.content).unwrap();
    }
    tar.into_inner().unwrap()
}

/// What is in an unpacked layer; all its times are that one.
fn items(layer: &[u8], time: u64) -> Root {
    let mut root = Root::new();
    let mut last = PathBuf::new();
    for entry in Archive::new(layer).entries().unwrap() {
        let mut entry = entry.unwrap();
        let flags = entry.pax_extensions().unwrap().and_then(|extensions| {
            let mut extensions = extensions.map(Result::unwrap);
            let flags = extensions.find(|extension| extension.key() == Ok("SCHILY.fflags"));
            flags.map(|extension| extension.value().unwrap().to_owned())
        });
        let header = entry.header();
        assert_eq!(header.mtime().unwrap(), time);
        let item = Item {
            kind: header.entry_type(),
            mode: header.mode().unwrap(),
            owner: (header.uid().unwrap(), header.gid().unwrap()),
            target: entry.link_name().unwrap().map(std::borrow::Cow::into_owned),
            content: Vec::new(),
            flags,
        };
        let path: PathBuf = entry.path().unwrap().components().collect();
        assert!(last < path, "{last:?} {path:?}");
        last.clone_from(&path);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert!(root.insert(path, Item { content, ..item }).is_none());
    }
    root
}

/// An image that was written.
struct Image {
    bytes: Vec<u8>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Image {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let mut files = BTreeMap::new();
        for entry in Archive::new(&*bytes).entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.insert(path, content);
        }
        Self { bytes, files }
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.files[path]).unwrap()
    }

    /// The blob that is described so.
    #[track_caller]
    fn blob(&self, descriptor: &Value) -> &[u8] {
        let digest = descriptor["digest"].as_str().unwrap();
        let blob = &self.files[&format!("blobs/{}", digest.replace(':', "/"))];
        assert_eq!(sha256(blob), digest);
        assert_eq!(descriptor["size"], blob.len());
        blob
    }

    fn manifest(&self) -> Value {
        let index = self.json("index.json");
        serde_json::from_slice(self.blob(&index["manifests"][0])).unwrap()
    }

    fn config(&self) -> Value {
        serde_json::from_slice(self.blob(&self.manifest()["config"])).unwrap()
    }

    /// The layer, unpacked.
    fn layer(&self) -> Vec<u8> {
        let mut layer = Vec::new();
        GzDecoder::new(self.blob(&self.manifest()["layers"][0])).read_to_end(&mut layer).unwrap();
        layer
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digest}")
}

fn oci_image(sandbox: &Sandbox<'_>, flags: &[&str]) -> Invocation {
    sandbox.runj(["demo", "oci-image"]).args(flags)
}

/// Writes a file in the sandbox.
fn put(sandbox: &Sandbox<'_>, name: &str, content: &[u8]) -> String {
    fs::write(sandbox.path().join(name), content).unwrap();
    name.to_owned()
}

#[track_caller]
fn image_of(sandbox: &Sandbox<'_>, root: &str, flags: &[&str]) -> Image {
    let output = format!("{root}{}.image", flags.concat().replace('/', "_"));
    oci_image(sandbox, flags).args(["--output", &output, root]).run().succeeded_silently();
    Image::read(&sandbox.path().join(output))
}

fn it_has_what_the_archive_has(sandbox: &Sandbox<'_>) {
    let root = with_flags(root());
    let tar = put(sandbox, "root.tar", &archive(&root));
    assert_eq!(items(&image_of(sandbox, &tar, &[]).layer(), 0), root);
}

fn all_that_refers_to_something_is_right(sandbox: &Sandbox<'_>) {
    put(sandbox, "base.txz", &archive(&root()));
    // The defaults.
    oci_image(sandbox, &[]).run().succeeded_silently();
    let image = Image::read(&sandbox.path().join("image.tar"));
    assert_eq!(image.files.len(), 5);
    assert_eq!(image.json("oci-layout"), json!({ "imageLayoutVersion": "1.0.0" }));
    let index = image.json("index.json");
    assert_eq!(index["manifests"].as_array().unwrap().len(), 1);
    let platform = json!({ "os": "freebsd", "architecture": "amd64" });
    assert_eq!(index["manifests"][0]["platform"], platform);
    let name = json!({
        "io.containerd.image.name": "localhost/freebsd:latest",
        "org.opencontainers.image.ref.name": "latest",
    });
    assert_eq!(index["manifests"][0]["annotations"], name);
    let config = image.config();
    assert_eq!(config["os"], "freebsd");
    assert_eq!(config["architecture"], "amd64");
    assert_eq!(config["config"]["Cmd"], json!(["/bin/sh"]));
    assert_eq!(config["rootfs"]["diff_ids"], json!([sha256(&image.layer())]));

    let named = image_of(sandbox, "base.txz", &["--name", "example.org/base/free:14.3"]);
    let name = json!({
        "io.containerd.image.name": "example.org/base/free:14.3",
        "org.opencontainers.image.ref.name": "14.3",
    });
    assert_eq!(named.json("index.json")["manifests"][0]["annotations"], name);
}

fn every_packing_makes_the_same_image(sandbox: &Sandbox<'_>) {
    let tar = archive(&with_flags(root()));
    let mut xz = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).unwrap();
    xz.write_all(&tar).unwrap();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&tar).unwrap();
    let plain = image_of(sandbox, &put(sandbox, "root.tar", &tar), &[]);
    for (name, packed) in
        [("root.txz", xz.finish().unwrap()), ("root.tgz", gzip.finish().unwrap()), ("again", tar)]
    {
        let image = image_of(sandbox, &put(sandbox, name, &packed), &[]);
        assert!(image.bytes == plain.bytes, "{name}");
    }
}

fn its_times_are_one(sandbox: &Sandbox<'_>) {
    let tar = put(sandbox, "root.tar", &archive(&root()));
    let image = image_of(sandbox, &tar, &[]);
    assert_eq!(image.config()["created"], "1970-01-01T00:00:00Z");
    let at = |time: &str| {
        oci_image(sandbox, &["--output", "later", &tar]).env("SOURCE_DATE_EPOCH", time)
    };
    at("1680837255").run().succeeded_silently();
    let later = Image::read(&sandbox.path().join("later"));
    assert_eq!(later.config()["created"], "2023-04-07T03:14:15Z");
    assert_eq!(items(&later.layer(), 1_680_837_255), items(&image.layer(), 0));
    for entry in Archive::new(&*later.bytes).entries().unwrap() {
        assert_eq!(entry.unwrap().header().mtime().unwrap(), 1_680_837_255);
    }
    fs::remove_file(sandbox.path().join("later")).unwrap();
    let message = at("yesterday").run().refused();
    assert!(message.starts_with("SOURCE_DATE_EPOCH: \"yesterday\": expected"), "{message}");
}

fn a_directory_makes_the_same_image(sandbox: &Sandbox<'_>) {
    let root = root();
    let directory = sandbox.path().join("root");
    fs::create_dir(&directory).unwrap();
    for (path, item) in &root {
        let path = directory.join(path);
        // What is above a path that is long by itself.
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let target = item.target.as_deref();
        match item.kind {
            EntryType::Directory => fs::create_dir_all(&path).unwrap(),
            EntryType::Symlink => symlink(target.unwrap(), &path).unwrap(),
            EntryType::Link => fs::hard_link(directory.join(target.unwrap()), &path).unwrap(),
            EntryType::Fifo => mkfifo(&path, Mode::S_IRWXU).unwrap(),
            _ => fs::write(&path, &item.content).unwrap(),
        }
        if item.kind != EntryType::Symlink {
            let (uid, gid) = item.owner;
            chown(&path, Some(uid.try_into().unwrap()), Some(gid.try_into().unwrap())).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(item.mode)).unwrap();
        }
    }
    let image = image_of(sandbox, "root", &[]);
    let mut found = items(&image.layer(), 0);
    // A link's own mode is the host's matter, and what is above a path has entries as well.
    for item in found.values_mut().filter(|item| item.kind == EntryType::Symlink) {
        item.mode = 0o755;
    }
    found.retain(|path, item| root.contains_key(path) || item.kind != EntryType::Directory);
    assert_eq!(found, root);
    assert!(image_of(sandbox, "root", &["--arch", "amd64"]).bytes == image.bytes);
}

fn the_small_one_has_rescue_and_little_else(sandbox: &Sandbox<'_>) {
    let mut root = root();
    for (path, item) in [
        ("rescue", item(EntryType::Directory, 0o755)),
        ("rescue/[", file(0o555, &program(ARM64))),
        ("rescue/ls", link(EntryType::Link, 0o555, "rescue/[")),
        ("rescue/sh", link(EntryType::Link, 0o555, "rescue/[")),
        ("etc/passwd", file(0o644, b"root:*:0:0::/root:/bin/sh\n")),
        ("etc/rc", file(0o644, b"# boots\n")),
        ("etc/rc.d", item(EntryType::Directory, 0o755)),
        ("etc/rc.d/passwd", file(0o644, b"# is another\n")),
    ] {
        root.insert(path.into(), item);
    }
    let tar = put(sandbox, "root.tar", &archive(&root));
    let small = image_of(sandbox, &tar, &["--small"]);
    assert_eq!(small.config()["architecture"], "arm64");
    let small = items(&small.layer(), 0);
    let paths: Vec<_> = small.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "bin",
            "dev",
            "etc",
            "etc/passwd",
            "mnt",
            "proc",
            "rescue",
            "rescue/[",
            "rescue/ls",
            "rescue/sh",
            "root",
            "sbin",
            "tmp",
            "var",
            "var/run",
            "var/tmp",
        ]
    );
    for (path, item) in &small {
        match path.to_str().unwrap() {
            "bin" | "sbin" => assert_eq!(item.target.as_deref(), Some(Path::new("rescue"))),
            "var/tmp" => assert_eq!(item.mode, 0o1777),
            _ => {
                assert!(root.get(path).is_none_or(|of_root| of_root == item), "{path:?}");
            }
        }
    }
    let tar = put(sandbox, "without.tar", &archive(&self::root()));
    let message = oci_image(sandbox, &["--small", &tar]).run().refused();
    assert_eq!(message, "--small: the root has no /rescue/sh");
}

fn the_processor_is_that_of_the_programs(sandbox: &Sandbox<'_>) {
    let mut root = root();
    for (content, processor) in [(program(ARM64), "arm64"), (program(AMD64), "amd64")] {
        root.get_mut(Path::new("bin/sh")).unwrap().content = content;
        let tar = put(sandbox, processor, &archive(&root));
        assert_eq!(image_of(sandbox, &tar, &[]).config()["architecture"], processor);
    }
    root.get_mut(Path::new("bin/sh")).unwrap().content = b"#!/bin/another\n".to_vec();
    let tar = put(sandbox, "script", &archive(&root));
    let message = oci_image(sandbox, &[&tar]).run().refused();
    assert!(message.starts_with("--arch: missing: "), "{message}");
    let image = image_of(sandbox, &tar, &["--arch", "arm64"]);
    assert_eq!(image.config()["architecture"], "arm64");
}

fn what_is_no_root_is_told_of(sandbox: &Sandbox<'_>) {
    let with = |path: &str, item: Item| archive(&[(PathBuf::from(path), item)].into());
    let mut cut = archive(&root());
    cut.truncate(cut.len() - 90_000);
    let mut climbing = with("aa/escaped", file(0o644, b""));
    climbing[..2].copy_from_slice(b"..");
    // The sum of the header has to be right.
    let sum: u32 = climbing[..512]
        .iter()
        .enumerate()
        .map(|(at, byte)| u32::from(if (148..156).contains(&at) { b' ' } else { *byte }))
        .sum();
    climbing[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    for (name, content, reason) in [
        ("garbage", vec![b'x'; 1000], ""),
        ("cut", cut, ""),
        ("xz", b"\xfd7zXZ\0and no more".to_vec(), ""),
        ("deletes", with("etc/.wh.passwd", file(0o644, b"")), "takes a file away"),
        ("lost", with("bin/x", link(EntryType::Link, 0o644, "bin/y")), "which is not there"),
        ("climbing", climbing, "leads out of the root"),
    ] {
        let message = oci_image(sandbox, &[&put(sandbox, name, &content)]).run().refused();
        assert!(message.starts_with(&format!("{name:?}: ")), "{name}: {message}");
        assert!(message.contains(reason), "{message}");
        assert!(!sandbox.path().join("image.tar").exists());
    }
    let message = oci_image(sandbox, &["nowhere"]).run().refused();
    assert!(message.starts_with("\"nowhere\": No such file"), "{message}");
    for name in ["Upper", "a b", "x@sha256:00", ""] {
        let message = oci_image(sandbox, &["--name", name, "garbage"]).run().refused();
        assert!(message.starts_with(&format!("--name: {name:?}: ")), "{message}");
    }
}

fn what_is_there_is_left_alone(sandbox: &Sandbox<'_>) {
    let tar = put(sandbox, "root.tar", &archive(&root()));
    put(sandbox, "image.tar", b"mine");
    let before = fs::read_dir(sandbox.path()).unwrap().count();
    let message = oci_image(sandbox, &[&tar]).run().refused();
    assert_eq!(message, "--output: \"image.tar\" is there already");
    assert_eq!(fs::read(sandbox.path().join("image.tar")).unwrap(), b"mine");
    let message = oci_image(sandbox, &["--output", "no/where", &tar]).run().refused();
    assert!(message.starts_with("--output: \"no\": No such file"), "{message}");
    assert_eq!(fs::read_dir(sandbox.path()).unwrap().count(), before, "nothing is left behind");
}
