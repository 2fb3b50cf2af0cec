//! A root file system as the layer of an image: a tar archive.

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::archive::FLAGS;
use super::tree::{Entry, FileId, Kind, Tree};
use crate::digest::Digesting;

/// A layer that was written, by SHA-256 in hexadecimal digits.
pub(super) struct Layer {
    /// Of what is unpacked.
    pub(super) unpacked: String,
    /// Of what was written.
    pub(super) packed: String,
}

/// Writes it, packed, with that time for all entries.
pub(super) fn write(tree: &Tree, time: u64, out: impl Write) -> Result<Layer, Error> {
    let gzip = GzEncoder::new(Digesting::new(out), Compression::default());
    let mut tar = Builder::new(Digesting::new(gzip));
    // By the first path that it has: the others are links to that.
    let mut written: HashMap<FileId, &Path> = HashMap::new();
    for (path, entry) in &tree.entries {
        append(&mut tar, tree, time, (path, entry), &mut written)
            .with_context(|| format!("{path:?}"))?;
    }
    let (gzip, unpacked) = tar.into_inner()?.finish();
    let (mut out, packed) = gzip.finish()?.finish();
    out.flush()?;
    Ok(Layer { unpacked, packed })
}

fn append<'t>(
    tar: &mut Builder<impl Write>,
    tree: &Tree,
    time: u64,
    (path, entry): (&'t Path, &Entry),
    written: &mut HashMap<FileId, &'t Path>,
) -> Result<(), Error> {
    let mut header = Header::new_ustar();
    header.set_mode(entry.mode);
    header.set_uid(entry.uid);
    header.set_gid(entry.gid);
    header.set_mtime(time);
    header.set_size(0);
    // What does not fit into the header comes before it (pax(1), "pax Header Block").
    let mut more: Vec<(&str, Vec<u8>)> = Vec::new();
    if !entry.flags.is_empty() {
        more.push((FLAGS, entry.flags.clone().into_bytes()));
    }
    let mut bytes = None;
    let (kind, target) = match &entry.kind {
        Kind::Directory => (EntryType::Directory, None),
        Kind::Link(target) => (EntryType::Symlink, Some(target.as_path())),
        Kind::Fifo => (EntryType::Fifo, None),
        Kind::Device { block, major, minor } => {
            header.set_device_major(*major)?;
            header.set_device_minor(*minor)?;
            (if *block { EntryType::Block } else { EntryType::Char }, None)
        }
        Kind::File(id) => match written.get(id) {
            Some(first) => (EntryType::Link, Some(*first)),
            None => {
                written.insert(*id, path);
                let (length, content) = tree.open(*id)?;
                header.set_size(length);
                bytes = Some((length, content));
                (EntryType::Regular, None)
            }
        },
    };
    header.set_entry_type(kind);
    if let Some(target) = target
        && header.set_link_name_literal(target.as_os_str().as_bytes()).is_err()
    {
        more.push(("linkpath", target.as_os_str().as_bytes().to_owned()));
    }
    let path = if kind.is_dir() { path.join("") } else { PathBuf::from(path) };
    if header.set_path(&path).is_err() {
        header.set_path("a-long-path")?;
        more.push(("path", path.into_os_string().into_encoded_bytes()));
    }
    header.set_cksum();
    if !more.is_empty() {
        tar.append_pax_extensions(more.iter().map(|(key, value)| (*key, value.as_slice())))?;
    }
    match bytes {
        None => tar.append(&header, io::empty())?,
        Some((length, content)) => {
            let mut counted = Counted { inner: content, count: 0 };
            tar.append(&header, &mut counted)?;
            if counted.count != length {
                bail!("it has become shorter");
            }
        }
    }
    Ok(())
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: io::Read> io::Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += u64::try_from(count).map_err(io::Error::other)?;
        Ok(count)
    }
}
