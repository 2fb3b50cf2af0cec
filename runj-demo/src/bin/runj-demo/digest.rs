//! SHA-256.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// A file's SHA-256 in hexadecimal digits.
pub(crate) fn of_file(path: &Path) -> io::Result<String> {
    let mut digest = Digesting::new(io::sink());
    io::copy(&mut File::open(path)?, &mut digest)?;
    Ok(digest.finish().1)
}

/// Writes on, and knows what it has written.
pub(crate) struct Digesting<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> Digesting<W> {
    pub(crate) fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new() }
    }

    /// What it wrote to, and the SHA-256 in hexadecimal digits.
    pub(crate) fn finish(self) -> (W, String) {
        let digest = self.hash.finalize();
        (self.inner, digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        if let Some(written) = bytes.get(..count) {
            self.hash.update(written);
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
