//! Which container this shim is for.

use runj_spec::ContainerId;

use crate::error::Error;
use crate::flags::Flags;

/// A container, as containerd knows it: an id is unique in its namespace.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// The containerd namespace. containerd's rule for its name is narrower than that for an id,
    /// so that it is fit to be a file's name too.
    pub(crate) namespace: ContainerId,
    pub(crate) id: ContainerId,
}

impl Identity {
    pub(crate) fn of(flags: &Flags) -> Result<Self, Error> {
        let name = |flag: &str, value: &str| {
            value.parse::<ContainerId>().map_err(|error| Error::Unusable {
                place: flag.into(),
                value: format!("{value:?}"),
                reason: error.to_string(),
            })
        };
        Ok(Self { namespace: name("-namespace", &flags.namespace)?, id: name("-id", &flags.id)? })
    }
}
