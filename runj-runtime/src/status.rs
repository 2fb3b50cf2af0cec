//! What a container is doing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The status of a container, as the OCI runtime specification names it ("State").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// `create` is at work.
    Creating,
    /// `create` is done; the container's program does not run yet.
    Created,
    /// The container's program runs.
    Running,
    /// Its processes are stopped until [`resume`](crate::Runtime::resume) lets them go on.
    Paused,
    /// The container's program has ended.
    Stopped,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Creating => "creating",
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        })
    }
}
