//! The note by which a program says for which FreeBSD it is (`NT_FREEBSD_ABI_TAG`).
//!
//! It comes from crt1.o, in a section that lld drops, together with all that nothing refers to,
//! unless that crt1.o says otherwise; and rustc has lld drop such things. To a program without the
//! note the kernel behaves as it did long ago (`p_osrel` is 0).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::run::read;

/// The head of the note: lengths of name and value, the type, the name.
const HEAD: &[u8] = b"\x08\0\0\0\x04\0\0\0\x01\0\0\0FreeBSD\0";

/// Whether a program has the note.
pub(crate) fn is_in(program: &[u8]) -> bool {
    release(program).is_some()
}

/// The note's value: the release as `__FreeBSD_version` has it.
pub(crate) fn release(object: &[u8]) -> Option<u32> {
    let at = object.windows(HEAD.len()).position(|window| window == HEAD)?;
    let value = object.get(at + HEAD.len()..)?.first_chunk()?;
    Some(u32::from_le_bytes(*value))
}

/// The source of an object to link with, where the note of `sysroot` would not come through by
/// itself.
///
/// # Errors
///
/// When the linker fails, or `sysroot` has no crt1.o with a note.
pub(crate) fn missing(clang: &str, target: &str, sysroot: &Path) -> Result<Option<PathBuf>> {
    let directory = Path::new("target/freebsd");
    fs::create_dir_all(directory)?;
    let directory = directory.canonicalize()?;
    let (source, program) = (directory.join("note-trial.c"), directory.join("note-trial"));
    fs::write(&source, "int main(void) { return 0; }\n")?;
    let mut link = Command::new(clang);
    link.arg(format!("--target={target}13")).arg(format!("--sysroot={}", sysroot.display()));
    link.args(["-fuse-ld=lld", "-static", "-Wl,--gc-sections"]).arg(&source).arg("-o");
    read(link.arg(&program).stdin(Stdio::null()))?;
    if is_in(&fs::read(&program)?) {
        return Ok(None);
    }
    let crt1 = sysroot.join("usr/lib/crt1.o");
    let object = fs::read(&crt1).with_context(|| format!("{}", crt1.display()))?;
    let Some(release) = release(&object) else {
        bail!("--sysroot: {} does not say for which FreeBSD it is", crt1.display());
    };
    let note = directory.join("abi-note.s");
    // Not in a section group, as it is in crt1.o: lld keeps it.
    let text = format!(
        "\t.section .note.tag, \"a\", %note\n\t.p2align 2\n\t.long 8, 4, 1\n\t.asciz \"FreeBSD\"\n\
         \t.long {release}\n"
    );
    fs::write(&note, text)?;
    Ok(Some(note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_read_out_of_the_note() {
        let mut object = b"\x7fELF and more".to_vec();
        assert!(!is_in(&object));
        object.extend(HEAD);
        assert!(!is_in(&object), "without a value");
        object.extend(1_302_001_u32.to_le_bytes());
        object.extend(b"and more");
        assert_eq!(release(&object), Some(1_302_001));
    }
}
