//! An archive that is the same whenever and wherever it is made of the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

/// Its files, by their paths below its one directory.
#[derive(Default)]
pub(super) struct Archive(BTreeMap<String, File>);

struct File {
    mode: u32,
    content: Vec<u8>,
}

impl Archive {
    /// Adds a file that anybody may read.
    pub(super) fn add(&mut self, path: &str, content: Vec<u8>) {
        self.0.insert(path.to_owned(), File { mode: 0o644, content });
    }

    /// Adds all that is in a directory of the host, for anybody to read.
    pub(super) fn add_directory(&mut self, directory: &Path, path: &str) -> Result<()> {
        for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
            let entry = entry?;
            let name = entry.file_name().into_string().ok().context("a name that is not UTF-8")?;
            let (from, to) = (entry.path(), format!("{path}/{name}"));
            if entry.file_type()?.is_dir() {
                self.add_directory(&from, &to)?;
            } else {
                self.add(&to, fs::read(&from).with_context(|| from.display().to_string())?);
            }
        }
        Ok(())
    }

    /// Adds a file that anybody may run.
    pub(super) fn add_program(&mut self, path: &str, content: Vec<u8>) {
        self.0.insert(path.to_owned(), File { mode: 0o755, content });
    }

    /// The files that can be run.
    pub(super) fn programs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let programs = self.0.iter().filter(|(_, file)| file.mode == 0o755);
        programs.map(|(path, file)| (&**path, &*file.content))
    }

    /// All of it in one directory of that name, as a compressed tar file (ustar), dated by `time`,
    /// in seconds since 1970.
    pub(super) fn pack(&self, directory: &str, time: u64) -> Result<Vec<u8>> {
        // Neither a name nor a time of its own, nor the system that packed it.
        let gzip = GzBuilder::new().operating_system(255).write(Vec::new(), Compression::best());
        let mut tar = Builder::new(gzip);
        for (path, file) in &self.0 {
            let mut header = Header::new_ustar();
            header.set_entry_type(EntryType::Regular);
            header.set_mode(file.mode);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(time);
            header.set_size(u64::try_from(file.content.len())?);
            header.set_username("root")?;
            header.set_groupname("wheel")?;
            tar.append_data(&mut header, format!("{directory}/{path}"), &*file.content)?;
        }
        Ok(tar.into_inner()?.finish()?)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn the_order_and_the_day_make_no_difference() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("d")).unwrap();
        fs::write(directory.path().join("d/e"), "e").unwrap();
        let packed = |paths: [&str; 2]| {
            let mut archive = Archive::default();
            for path in paths {
                archive.add(path, path.into());
            }
            archive.add_program("bin/runj", b"ELF".into());
            archive.add_directory(directory.path(), "c").unwrap();
            archive.pack("runj-1", 86_400).unwrap()
        };
        let packed = [packed(["a", "b"]), packed(["b", "a"])];
        assert_eq!(packed[0], packed[1]);

        let mut tar = tar::Archive::new(GzDecoder::new(&*packed[0]));
        let mut entries = Vec::new();
        for entry in tar.entries().unwrap() {
            let mut entry = entry.unwrap();
            let (path, header) = (entry.path().unwrap().display().to_string(), entry.header());
            let about = (path, header.mode().unwrap(), header.mtime().unwrap());
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            entries.push((about, content));
        }
        let entry = |path: &str, mode, content: &str| {
            ((format!("runj-1/{path}"), mode, 86_400), content.to_owned())
        };
        let expected = [
            entry("a", 0o644, "a"),
            entry("b", 0o644, "b"),
            entry("bin/runj", 0o755, "ELF"),
            entry("c/d/e", 0o644, "e"),
        ];
        assert_eq!(entries, expected);
    }
}
