//! Times in `state.json`, as RFC 3339 writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

/// The last second that can be written, that of the year 9999.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// What time it is, as RFC 3339 can write it: a clock that is before 1970 or after 9999 is taken for
/// the nearest such time.
#[must_use]
pub fn now() -> SystemTime {
    SystemTime::now().clamp(UNIX_EPOCH, UNIX_EPOCH + LAST)
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
    humantime::parse_rfc3339(&text).map_err(|_| {
        D::Error::custom(format!("{text:?} is not a time such as 2026-01-02T03:04:05Z"))
    })
}
