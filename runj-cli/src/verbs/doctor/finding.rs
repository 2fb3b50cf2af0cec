//! What was found out about the host.

use serde::Serialize;

/// One thing about the host.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// What it is about.
    pub(super) subject: &'static str,
    pub(super) standing: Standing,
    /// How it is, in words.
    pub(super) says: String,
    /// The command that mends it, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

/// What a finding means for containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Standing {
    /// It is as it should be.
    Fine,
    /// Some containers, or some ways to run them, go without.
    Lacks,
    /// No container can run.
    Blocks,
}

impl Finding {
    pub(super) fn fine(subject: &'static str, says: impl Into<String>) -> Self {
        Self { subject, standing: Standing::Fine, says: says.into(), remedy: None }
    }

    pub(super) fn lacks(subject: &'static str, says: impl Into<String>) -> Self {
        Self { standing: Standing::Lacks, ..Self::fine(subject, says) }
    }

    pub(super) fn blocks(subject: &'static str, says: impl Into<String>) -> Self {
        Self { standing: Standing::Blocks, ..Self::fine(subject, says) }
    }

    pub(super) fn mended_by(mut self, command: impl Into<String>) -> Self {
        self.remedy = Some(command.into());
        self
    }
}
