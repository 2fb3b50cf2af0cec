//! The process of a container, and what `runj exec --process` reads.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{
    Decoded, Reader, absolute_path, boolean, c_string, document, environment_entry,
};
use crate::{ConsoleSize, Error, Rlimit, User, file};

/// A process of a container (OCI `process`).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Whether it gets a terminal.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub terminal: bool,
    /// The size of the terminal. Without a terminal there is none: the property then is an unknown
    /// one, since the specification has it ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_size: Option<ConsoleSize>,
    /// Who it runs as.
    pub user: User,
    /// The program and its arguments: at least one string, none with NUL bytes.
    pub args: Vec<String>,
    /// Its environment, each entry `NAME=value` without NUL bytes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// The directory that it starts in: an absolute path in the container, `/` if not given.
    pub cwd: String,
    /// What it may use. Each resource is limited once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rlimits: Vec<Rlimit>,
    /// Whether it and its children are kept from gaining privileges, such as by running a setuid
    /// program.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_new_privileges: bool,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Process {
    /// Parses the description of a process. `name` is what error messages call the text.
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`] if the text is not JSON, [`Error::Invalid`] with all that is wrong in it
    /// otherwise.
    pub fn parse(text: &[u8], name: &str) -> Result<Self, Error> {
        document(text, name, Self::decode)
    }

    /// Reads the description of a process from a regular file of at most 4 MiB.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, and as [`parse`](Self::parse).
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::parse(&file::read(path, Self::LIMIT)?, &path.display().to_string())
    }

    /// The most bytes of a description.
    const LIMIT: u64 = 4 << 20;

    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        const ARGS: &str = "a list of at least one string: the program and its arguments";

        let mut fields = reader.object(value)?;
        let terminal = fields.optional("terminal", boolean).unwrap_or_default();
        let console_size = terminal.then(|| fields.optional("consoleSize", ConsoleSize::decode));
        let user = fields.optional("user", User::decode).unwrap_or_default();
        let args = fields.required("args", ARGS, |reader, value| {
            if value.as_array().is_some_and(Vec::is_empty) {
                return Err(reader.refuse(&value, ARGS));
            }
            reader.elements(value, ARGS, c_string)
        });
        let env = fields.list("env", "a list of strings such as \"NAME=value\"", environment_entry);
        let cwd = fields.optional("cwd", absolute_path).unwrap_or_else(|| "/".to_owned());
        let mut limited = BTreeMap::new();
        let rlimits = fields.list("rlimits", "a list of objects", |reader, value| {
            Rlimit::decode(reader, value, &mut limited)
        });
        let no_new_privileges = fields.optional("noNewPrivileges", boolean).unwrap_or_default();
        fields.has_for_others(&[
            "apparmorProfile",
            "capabilities",
            "commandLine",
            // Without a terminal.
            "consoleSize",
            "execCPUAffinity",
            "ioPriority",
            "oomScoreAdj",
            "scheduler",
            "selinuxLabel",
        ]);
        Ok(Self {
            terminal,
            console_size: console_size.flatten(),
            user,
            args: args?,
            env,
            cwd,
            rlimits,
            no_new_privileges,
            extra: fields.rest(),
        })
    }
}
