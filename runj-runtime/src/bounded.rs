//! Reading files of which somebody else may have made something else.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Reads the regular file at `path` of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // The writer of a fifo is not waited for.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    // Room for all of it, so that it is read in one go.
    let room = metadata.len().min(limit) + 1;
    let mut text = Vec::with_capacity(usize::try_from(room).unwrap_or_default());
    // One byte more tells a file that is too large, whatever its size was said to be.
    file.take(limit + 1).read_to_end(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= limit) {
        Ok(text)
    } else {
        Err(io::Error::other(format!("it has more than {limit} bytes")))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use nix::sys::stat::Mode;

    use super::*;

    #[test]
    fn what_is_no_file_of_a_decent_size_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("right"), "1234").unwrap();
        fs::write(path("long"), "12345").unwrap();
        File::create(path("huge")).unwrap().set_len(1 << 36).unwrap();
        nix::unistd::mkfifo(&path("fifo"), Mode::S_IRWXU).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("endless")).unwrap();
        assert_eq!(read(&path("right"), 4).unwrap(), b"1234");
        for (name, reason) in [
            ("long", "it has more than 4 bytes"),
            ("huge", "it has more than 4 bytes"),
            ("fifo", "it is not a regular file"),
            ("endless", "it is not a regular file"),
            (".", "it is not a regular file"),
        ] {
            assert_eq!(read(&path(name), 4).unwrap_err().to_string(), reason, "{name}");
        }
    }
}
