//! For which processor a root's programs are.

use std::io::Read as _;
use std::path::Path;

use runj_demo::Arch;

use super::tree::Tree;

/// Programs of which every base system has one.
const PROGRAMS: [&str; 3] = ["bin/sh", "rescue/sh", "libexec/ld-elf.so.1"];

/// That of the first of the programs that are there. elf(5): the machine is in the two bytes at 18.
pub(super) fn of(tree: &Tree) -> Option<Arch> {
    let ids = PROGRAMS.iter().filter_map(|path| tree.file(Path::new(path)));
    ids.filter_map(|id| {
        let mut header = [0; 20];
        tree.open(id).ok()?.1.read_exact(&mut header).ok()?;
        match header {
            [0x7f, b'E', b'L', b'F', .., 62, 0] => Some(Arch::Amd64),
            [0x7f, b'E', b'L', b'F', .., 183, 0] => Some(Arch::Arm64),
            _ => None,
        }
    })
    .next()
}
