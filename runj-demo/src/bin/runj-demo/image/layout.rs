//! An image with one layer in OCI's image layout (image-layout.md), in a tar archive.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, Write};

use anyhow::{Context as _, Error};
use jiff::Timestamp;
use oci_spec::distribution::Reference;
use oci_spec::image::{
    ANNOTATION_REF_NAME, Arch as OciArch, ConfigBuilder, Descriptor, HistoryBuilder,
    ImageConfigurationBuilder, ImageIndexBuilder, ImageManifestBuilder, MediaType,
    OciLayoutBuilder, Os, PlatformBuilder, RootFsBuilder, Sha256Digest,
};
use runj_demo::Arch;
use serde::Serialize;
use tar::{Builder, Header};

use super::layer::Layer;
use crate::digest::Digesting;

/// The name by which containerd imports an image, and podman loads it.
const FULL_NAME: &str = "io.containerd.image.name";
/// What a container runs, and where it looks for programs, if nobody says otherwise.
const COMMAND: &str = "/bin/sh";
const PATH: &str = "PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin";

/// What there is to say of an image.
pub(super) struct About<'a> {
    pub(super) name: &'a Reference,
    pub(super) arch: Arch,
    /// Seconds since 1970.
    pub(super) time: u64,
}

/// Writes an image of the layer that is in `blob`.
pub(super) fn write(
    about: &About<'_>,
    layer: &Layer,
    blob: &mut File,
    out: impl Write,
) -> Result<(), Error> {
    let arch = match about.arch {
        Arch::Amd64 => OciArch::Amd64,
        Arch::Arm64 => OciArch::ARM64,
    };
    let created = Timestamp::from_second(about.time.try_into()?)?.to_string();
    let history = HistoryBuilder::default().created(&*created).created_by("runj demo oci-image");
    let config = ImageConfigurationBuilder::default()
        .created(created)
        .architecture(arch.clone())
        .os(Os::FreeBSD)
        .config(ConfigBuilder::default().env([PATH.to_owned()]).cmd([COMMAND.to_owned()]).build()?)
        .rootfs(
            RootFsBuilder::default()
                .typ("layers")
                .diff_ids([format!("sha256:{}", layer.unpacked)])
                .build()?,
        )
        .history([history.build()?])
        .build()?;
    let config = Blob::json(&config)?;
    let length = blob.metadata()?.len();
    let layer = described(MediaType::ImageLayerGzip, &layer.packed, length)?;
    let manifest = ImageManifestBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageManifest)
        .config(config.described(MediaType::ImageConfig)?)
        .layers([layer.clone()])
        .build()?;
    let manifest = Blob::json(&manifest)?;
    let mut entry = manifest.described(MediaType::ImageManifest)?;
    entry
        .set_platform(Some(PlatformBuilder::default().architecture(arch).os(Os::FreeBSD).build()?));
    let tag = about.name.tag().context("--name: a tag is missing")?;
    entry.set_annotations(Some(HashMap::from([
        (FULL_NAME.to_owned(), about.name.whole()),
        (ANNOTATION_REF_NAME.to_owned(), tag.to_owned()),
    ])));
    let index = ImageIndexBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageIndex)
        .manifests([entry])
        .build()?;
    let layout = OciLayoutBuilder::default().image_layout_version("1.0.0").build()?;

    let mut tar = Builder::new(out);
    let mut add = |name: &str, length: u64, bytes: &mut dyn Read| {
        let mut header = Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(length);
        header.set_mtime(about.time);
        tar.append_data(&mut header, name, bytes)
    };
    for (name, document) in
        [("index.json", Blob::json(&index)?), ("oci-layout", Blob::json(&layout)?)]
    {
        add(name, document.length()?, &mut &*document.bytes)?;
    }
    for document in [&config, &manifest] {
        add(&path(&document.sha256), document.length()?, &mut &*document.bytes)?;
    }
    blob.rewind()?;
    add(&path(layer.digest().digest()), length, blob)?;
    tar.into_inner()?.flush()?;
    Ok(())
}

/// Where the blob of that digest is.
fn path(sha256: &str) -> String {
    format!("blobs/sha256/{sha256}")
}

/// A document that others refer to.
struct Blob {
    bytes: Vec<u8>,
    sha256: String,
}

impl Blob {
    /// With its keys in order, as those of a `HashMap` are not.
    fn json(document: &impl Serialize) -> Result<Self, Error> {
        let mut document = serde_json::to_value(document)?;
        document.sort_all_objects();
        let bytes = document.to_string().into_bytes();
        let mut digest = Digesting::new(io::sink());
        digest.write_all(&bytes)?;
        Ok(Self { bytes, sha256: digest.finish().1 })
    }

    fn length(&self) -> Result<u64, Error> {
        Ok(self.bytes.len().try_into()?)
    }

    fn described(&self, media_type: MediaType) -> Result<Descriptor, Error> {
        described(media_type, &self.sha256, self.length()?)
    }
}

fn described(media_type: MediaType, sha256: &str, length: u64) -> Result<Descriptor, Error> {
    Ok(Descriptor::new(media_type, length, sha256.parse::<Sha256Digest>()?))
}
