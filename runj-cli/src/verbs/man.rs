//! `runj man`

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Error};
use runj_flags::{Command as _, Release};

use crate::flags::{Flags, Man};

/// Of the two lines of --version that engines read, the part that is a version.
const RELEASE: Release<'_> = Release {
    // System administration, as jail(8).
    section: "8",
    manual: "FreeBSD System Manager's Manual",
    version: env!("CARGO_PKG_VERSION"),
};

pub(crate) fn run(man: &Man) -> Result<ExitCode, Error> {
    fs::create_dir_all(&man.dir).with_context(|| format!("{:?}", man.dir))?;
    for page in runj_flags::man(Flags::COMMAND, RELEASE) {
        let path = man.dir.join(&page.file);
        fs::write(&path, &page.text).with_context(|| format!("{path:?}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
