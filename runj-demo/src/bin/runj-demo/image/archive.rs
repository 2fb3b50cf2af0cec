//! A root file system in a tar archive.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, bail};
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use tar::{Archive, EntryType};

use super::small::Part;
use super::tree::{Entry, Kind, Tree, relative};
use crate::progress;

/// The name under which libarchive, and so FreeBSD's tar(1), keeps file flags.
pub(super) const FLAGS: &str = "SCHILY.fflags";

/// Reads a part of an archive.
pub(super) fn read(path: &Path, part: Part, tree: &mut Tree) -> Result<(), Error> {
    let file = File::open(path)?;
    let progress = progress::bar(0, Some(file.metadata()?.len()));
    let outcome = read_all(progress.wrap_read(file), part, tree);
    progress.finish_and_clear();
    outcome
}

fn read_all(packed: impl Read, part: Part, tree: &mut Tree) -> Result<(), Error> {
    let mut archive = Archive::new(unpacked(BufReader::new(packed))?);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = PathBuf::from(OsStr::from_bytes(&entry.path_bytes()));
        let context = || format!("{path:?}");
        let Some(path) = relative(&path)? else { continue };
        if !part.has(&path) {
            continue;
        }
        let flags = flags(&mut entry)?;
        let header = entry.header();
        let (mode, uid, gid) = (header.mode()? & 0o7777, header.uid()?, header.gid()?);
        let target = entry.link_name_bytes().map(|name| PathBuf::from(OsStr::from_bytes(&name)));
        let device = |block| -> Result<Kind, Error> {
            let number = |number: Option<u32>| number.context("a device without a number");
            let (major, minor) = (header.device_major()?, header.device_minor()?);
            Ok(Kind::Device { block, major: number(major)?, minor: number(minor)? })
        };
        let kind = match header.entry_type() {
            EntryType::Directory => Kind::Directory,
            EntryType::Symlink => Kind::Link(target.with_context(context)?),
            EntryType::Fifo => Kind::Fifo,
            EntryType::Char => device(false).with_context(context)?,
            EntryType::Block => device(true).with_context(context)?,
            EntryType::Link => {
                let target = target.with_context(context)?;
                let file = relative(&target)?.and_then(|target| tree.file(&target));
                let file = file.with_context(|| {
                    format!("{path:?}: it is the same file as {target:?}, which is not there")
                })?;
                Kind::File(file)
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let length = entry.size();
                Kind::File(tree.add_bytes(&mut entry, length).with_context(context)?)
            }
            other => bail!("{path:?}: an entry of type {other:?}"),
        };
        tree.entries.insert(path, Entry { mode, uid, gid, flags, kind });
    }
    Ok(())
}

fn flags(entry: &mut tar::Entry<'_, impl Read>) -> Result<String, Error> {
    for extension in entry.pax_extensions()?.into_iter().flatten() {
        let extension = extension?;
        if extension.key_bytes() == FLAGS.as_bytes() {
            return Ok(extension.value()?.to_owned());
        }
    }
    Ok(String::new())
}

/// What is packed, by xz(1), gzip(1) or not at all, as its first bytes tell.
fn unpacked<'r>(mut packed: impl Read + 'r) -> Result<Box<dyn Read + 'r>, Error> {
    let mut first = Vec::new();
    packed.by_ref().take(6).read_to_end(&mut first)?;
    let is_xz = first == b"\xfd7zXZ\0";
    let is_gzip = first.starts_with(b"\x1f\x8b");
    let whole = Cursor::new(first).chain(packed);
    Ok(if is_xz {
        Box::new(XzReader::new(whole, true))
    } else if is_gzip {
        Box::new(MultiGzDecoder::new(whole))
    } else {
        Box::new(whole)
    })
}
