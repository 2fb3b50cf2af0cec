//! The command line of `runj demo`.

use std::path::PathBuf;

use runj_demo::{Download, OciImage};
use runj_flags::{command, path, verbs};

command! {
    /// Things to try runj with
    pub(crate) struct Demo = "demo" {
        pub(crate) verb: DemoVerb = part(),
    }
}

verbs! {
    pub(crate) enum DemoVerb {
        Download(Download),
        OciImage(OciImage),
        Spec(DemoSpec),
    }
}

command! {
    /// Write a bundle's documents to start from, with comments and for editors
    ///
    /// The container is a shell on the host's own network. Its root file system goes to the directory
    /// rootfs beside the documents. What is there already is left alone.
    pub(crate) struct DemoSpec = "spec" {
        /// The directory to write them to
        pub(crate) dir: PathBuf = operand("DIR").default(".").path() => path,
    }
}
