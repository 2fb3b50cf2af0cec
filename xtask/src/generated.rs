//! Files of the repository that are made from something else in it.

use std::fs;

use anyhow::{Context as _, Result, ensure};

use crate::{coverage, port, reference, schema};

/// Such a file.
pub(crate) struct Generated {
    /// Where it is, from the root of the workspace.
    pub(crate) path: &'static str,
    /// The verb that writes it.
    pub(crate) verb: &'static str,
    /// What has to be in it.
    pub(crate) text: String,
}

impl Generated {
    /// Writes it and says so.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&self) -> Result<()> {
        fs::write(self.path, &self.text).with_context(|| self.path.to_owned())?;
        eprintln!("{} is written", self.path);
        Ok(())
    }

    /// That it has been written since what it is made from has changed.
    fn check(&self) -> Result<()> {
        let present = fs::read_to_string(self.path).with_context(|| self.path.to_owned())?;
        ensure!(
            present == self.text,
            "{} is out of date: `cargo xtask {}` writes it",
            self.path,
            self.verb
        );
        Ok(())
    }
}

/// Holds all of them to what they are made from.
///
/// # Errors
/// One of them is out of date; names the verb that writes it.
pub(crate) fn check() -> Result<()> {
    for file in [schema::file()?, coverage::file(), reference::file(), port::file()?] {
        file.check()?;
        eprintln!("{} is up to date", file.path);
    }
    Ok(())
}
