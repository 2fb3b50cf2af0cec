//! A limit on what a process may use.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode::{Decoded, Reader, integer, non_empty};
use crate::json_path::Step;

/// A limit on what a process may use (OCI `process.rlimits`, setrlimit(2)).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rlimit {
    /// The name of the resource, such as `RLIMIT_NOFILE`. Which ones there are is the platform's to
    /// say.
    #[serde(rename = "type")]
    pub typ: String,
    /// The limit that is enforced, in the resource's own unit: at most [`hard`](Self::hard).
    pub soft: u64,
    /// What the process may raise [`soft`](Self::soft) to.
    pub hard: u64,
    /// The properties that this crate does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Rlimit {
    /// `seen` are the resources that an earlier limit of the list is for.
    pub(crate) fn decode(
        reader: &mut Reader<'_>,
        value: Value,
        seen: &mut BTreeMap<String, String>,
    ) -> Decoded<Self> {
        let mut fields = reader.object(value)?;
        let limit = integer(0..=u64::MAX);
        let typ =
            fields.required("type", "a resource such as \"RLIMIT_NOFILE\"", |reader, value| {
                let typ = non_empty(reader, value)?;
                reader.once(seen, typ.clone(), &Value::from(typ.as_str()))?;
                Ok(typ)
            });
        let soft = fields.required("soft", "an integer", limit.clone());
        let hard = fields.required("hard", "an integer", limit);
        if let (Ok(soft), Ok(hard)) = (&soft, &hard)
            && soft > hard
        {
            fields.reader().below(Step::Key("soft".to_owned()), |reader| {
                reader.refuse(&Value::from(*soft), format!("at most the hard limit, {hard}"))
            });
        }
        Ok(Self { typ: typ?, soft: soft?, hard: hard?, extra: fields.rest() })
    }
}
