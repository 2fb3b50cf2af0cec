//! The checksums of archives.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// Writes those of all archives in a directory there: `SHA256SUMS` for sha256sum(1) of Linux, and
/// `CHECKSUM.SHA256` as sha256(1) of FreeBSD writes it.
pub(super) fn write(directory: &Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name().into_string().ok().context("a name that is not UTF-8")?;
        if name.ends_with(".tar.gz") {
            names.push(name);
        }
    }
    names.sort();
    let (mut linux, mut freebsd) = (String::new(), String::new());
    for name in names {
        let sum = sha256(&fs::read(directory.join(&name))?)?;
        writeln!(linux, "{sum}  {name}")?;
        writeln!(freebsd, "SHA256 ({name}) = {sum}")?;
    }
    for (name, text) in [("SHA256SUMS", linux), ("CHECKSUM.SHA256", freebsd)] {
        let path = directory.join(name);
        fs::write(&path, text)?;
        eprintln!("{} is written", path.display());
    }
    Ok(())
}

fn sha256(content: &[u8]) -> Result<String> {
    let mut text = String::new();
    for byte in Sha256::digest(content) {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_every_archive() {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in [("b.tar.gz", "abc"), ("a.tar.gz", ""), ("a.txt", "")] {
            fs::write(directory.path().join(name), content).unwrap();
        }
        write(directory.path()).unwrap();
        let read = |name| fs::read_to_string(directory.path().join(name)).unwrap();
        // FIPS 180-2, appendix B.1, and the digest of nothing.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(read("SHA256SUMS"), format!("{nothing}  a.tar.gz\n{abc}  b.tar.gz\n"));
        let freebsd = format!("SHA256 (a.tar.gz) = {nothing}\nSHA256 (b.tar.gz) = {abc}\n");
        assert_eq!(read("CHECKSUM.SHA256"), freebsd);
    }
}
