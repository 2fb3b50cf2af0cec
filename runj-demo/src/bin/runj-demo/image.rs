//! `runj demo oci-image`

mod archive;
mod directory;
mod layer;
mod layout;
mod machine;
mod small;
mod tree;

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Error, bail};
use oci_spec::distribution::Reference;
use runj_demo::OciImage;
use tempfile::NamedTempFile;

use self::layout::About;
use self::small::Part;
use self::tree::Tree;

pub(crate) fn run(image: &OciImage) -> Result<(), Error> {
    let name = name(&image.name)?;
    let time = source_date_epoch()?;
    let output = &image.output;
    if output.symlink_metadata().is_ok() {
        bail!("--output: {output:?} is there already");
    }
    let directory = match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let in_directory = || format!("--output: {directory:?}");
    let part = if image.small { Part::Small } else { Part::Whole };
    let mut tree = Tree::new(tempfile::tempfile_in(directory).with_context(in_directory)?);
    let root = &image.source;
    fs::metadata(root)
        .map_err(Error::from)
        .and_then(|metadata| match metadata.is_dir() {
            true => directory::read(root, part, &mut tree),
            false => archive::read(root, part, &mut tree),
        })
        .with_context(|| format!("{root:?}"))?;
    part.complete(&mut tree)?;
    let arch = image.arch.or_else(|| machine::of(&tree));
    let arch = arch.context("--arch: missing: the root has no sh(1) that tells the processor")?;

    let mut blob = tempfile::tempfile_in(directory).with_context(in_directory)?;
    let layer = layer::write(&tree, time, &blob)?;
    let mut written = NamedTempFile::new_in(directory).with_context(in_directory)?;
    layout::write(&About { name: &name, arch, time }, &layer, &mut blob, &mut written)?;
    written
        .as_file()
        .set_permissions(fs::Permissions::from_mode(0o644))
        .and_then(|()| written.as_file().sync_all())
        .map_err(Error::from)
        .and_then(|()| Ok(written.persist_noclobber(output)?))
        .with_context(|| format!("--output: {output:?}"))?;
    Ok(())
}

/// The name of the image; `latest`, if it has no tag.
fn name(text: &str) -> Result<Reference, Error> {
    let name: Reference = text.parse().with_context(|| format!("--name: {text:?}"))?;
    if name.digest().is_some() {
        bail!("--name: {text:?}: the digest is what comes out");
    }
    Ok(name)
}

/// The time for all that is in the image (reproducible-builds.org/specs/source-date-epoch).
fn source_date_epoch() -> Result<u64, Error> {
    const VARIABLE: &str = "SOURCE_DATE_EPOCH";
    let Some(text) = env::var_os(VARIABLE) else { return Ok(0) };
    let seconds = text.to_str().and_then(|text| text.parse().ok());
    seconds.with_context(|| format!("{VARIABLE}: {text:?}: expected seconds since 1970"))
}
