//! Fault points in a program that people use: none.

use nix::errno::Errno;

use crate::point::{InitPoint, Point};

/// What a step is refused with: never anything.
#[derive(Clone, Copy, Debug)]
pub enum Fault {}

impl Fault {
    /// The kernel's word.
    #[must_use]
    pub fn errno(self) -> Errno {
        match self {}
    }
}

/// Goes on.
///
/// # Errors
///
/// None.
#[inline(always)]
pub fn at(_: Point) -> Result<(), Fault> {
    Ok(())
}

/// What is to happen in a process that is about to be forked: nothing.
#[derive(Clone, Copy, Debug)]
pub struct Init;

impl Init {
    /// Decides.
    #[inline(always)]
    #[must_use]
    pub fn prepare() -> Self {
        Self
    }

    /// Descriptors that the process has to keep for it.
    #[inline(always)]
    pub fn descriptors(&self) -> impl Iterator<Item = i32> + use<> {
        std::iter::empty()
    }

    /// Goes on.
    ///
    /// # Errors
    ///
    /// None.
    #[inline(always)]
    pub fn at(&self, _: InitPoint) -> Result<(), Fault> {
        Ok(())
    }
}
