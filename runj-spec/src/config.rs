//! config.json as it is written.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, checked, document, host_name, trace};
use crate::json_path::Step;
use crate::merge::merge;
use crate::serialize::is_default;
use crate::{Error, Freebsd, Hooks, Ignored, Linux, Mount, OciVersion, Process, Root};

/// config.json as it is written (OCI runtime specification, config.md).
///
/// What this crate has no type for is in [`extra`](Self::extra).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// The version of the specification that the bundle complies with.
    pub oci_version: OciVersion,
    /// The root file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<Root>,
    /// The process. Needed at start only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The host name: at most 255 bytes without NUL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The NIS domain name: at most 255 bytes without NUL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domainname: Option<String>,
    /// The file systems to mount, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
    /// The programs that run at the points of the container's life.
    #[serde(skip_serializing_if = "is_default")]
    pub hooks: Hooks,
    /// What others noted about the container.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The FreeBSD part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freebsd: Option<Freebsd>,
    /// The Linux part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linux: Option<Linux>,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Config {
    /// The name of the file in a bundle.
    pub const FILE_NAME: &'static str = "config.json";

    /// Parses config.json. `file` is what error messages call the text.
    ///
    /// # Errors
    ///
    /// [`Error::Syntax`] if the text is not JSON, [`Error::Invalid`] with all that is wrong in it
    /// otherwise.
    pub fn parse(text: &[u8], file: &str) -> Result<Self, Error> {
        document(text, file, Self::decode)
    }

    /// The properties that are looked for in a config.json that is `document`, given or not: their
    /// paths, in which `[]` stands for every element of a list. Whoever describes what is known of
    /// config.json can be held to it.
    #[must_use]
    pub fn properties(document: Value) -> BTreeSet<String> {
        trace(document, Self::FILE_NAME, Self::decode).looked_for
    }

    /// The properties of a config.json that is `document` of which nothing is made. Beside a wrong
    /// value some may be missing.
    #[must_use]
    pub fn ignored(document: Value) -> Vec<Ignored> {
        trace(document, Self::FILE_NAME, Self::decode).ignored
    }

    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        let oci_version = fields.required("ociVersion", "a version such as \"1.3.0\"", checked);
        let root = fields.optional("root", Root::decode);
        let process = fields.optional("process", Process::decode);
        let hostname = fields.optional("hostname", host_name);
        let domainname = fields.optional("domainname", host_name);
        let mounts = fields.list("mounts", "a list of objects", Mount::decode);
        let hooks = fields.optional("hooks", Hooks::decode).unwrap_or_default();
        let annotations = fields.optional("annotations", annotations).unwrap_or_default();
        let freebsd = fields.optional("freebsd", Freebsd::decode);
        let linux = fields.optional("linux", Linux::decode);
        fields.has_for_others(&["solaris", "vm", "windows", "zos"]);
        // The merge is done again for the container. Here it adds to the problems what its parts do
        // not see: a bad annotation, a contradiction.
        let reader = fields.reader();
        let file = reader.file().to_owned();
        merge(&file, freebsd.as_ref(), &annotations, None, reader.problems());
        Ok(Self {
            oci_version: oci_version?,
            root,
            process,
            hostname,
            domainname,
            mounts,
            hooks,
            annotations,
            freebsd,
            linux,
            extra: fields.rest(),
        })
    }
}

/// An object of texts, none of them under an empty key.
fn annotations(reader: &mut Reader<'_>, value: Value) -> Decoded<BTreeMap<String, String>> {
    let entries = reader.object(value)?.entries();
    let read = |(key, value): (String, Value)| {
        reader
            .below(Step::Key(key.clone()), |reader| match value {
                Value::String(text) if !key.is_empty() => Ok((key, text)),
                Value::String(_) => Err(reader.refuse(&value, "a key that is not empty")),
                other => Err(reader.refuse(&other, "a string")),
            })
            .ok()
    };
    Ok(entries.into_iter().filter_map(read).collect())
}
