//! Times in `state.json`, as RFC 3339 writes them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

/// What time it is. A clock that is before 1970, which cannot be written, is taken for 1970.
pub(crate) fn now() -> SystemTime {
    SystemTime::now().max(UNIX_EPOCH)
}

pub(crate) fn serialize<S: Serializer>(
    time: &SystemTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339(*time))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SystemTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_rfc3339(&text).map_err(D::Error::custom)
}
