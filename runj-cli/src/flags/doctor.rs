//! The command line of `runj doctor`.

use runj_flags::command;

command! {
    /// Tell what this host can do for containers, what it lacks, and the commands that mend it
    ///
    /// The exit status is 0 unless no container can run here at all.
    pub(crate) struct Doctor = "doctor" {
        /// Print JSON
        pub(crate) json: bool = switch("json"),
    }
}
