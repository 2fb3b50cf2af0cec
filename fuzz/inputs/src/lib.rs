//! The inputs of the fuzz targets that are kept: those to begin with (`fuzz/corpus`), and those
//! that once found something (`fuzz/regressions`). They are part of the test programs, which also
//! run where the source is not.

use include_dir::{Dir, include_dir};

static CORPUS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../corpus");
static REGRESSIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../regressions");

/// Calls `run` with every input of `target`.
///
/// # Panics
///
/// When there is none to begin with, and when `run` does; the input's file has been named then.
#[allow(clippy::print_stdout, reason = "a test that fails shows it")]
pub fn replay(target: &str, run: fn(&[u8])) {
    let inputs = |of: &'static Dir<'_>| of.get_dir(target).into_iter().flat_map(Dir::files);
    assert!(inputs(&CORPUS).next().is_some(), "fuzz/corpus/{target} has no inputs");
    for file in inputs(&CORPUS).chain(inputs(&REGRESSIONS)) {
        println!("{}", file.path().display());
        run(file.contents());
    }
}
