//! A limit of `linux.resources`.

use serde::Serialize;
use serde_json::Value;

use crate::decode::{Decoded, Reader};

/// A limit as `linux.resources` has it: a number, of which -1 and 0 stand for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LinuxLimit(i64);

impl LinuxLimit {
    /// No limit.
    pub const NONE: Self = Self(-1);

    /// What Linux itself says for no limit: the largest number of whole pages (`PAGE_COUNTER_MAX`).
    /// Engines on Linux read it there and write it here.
    const NONE_IN_PAGES: i64 = i64::MAX & !0xfff;

    /// That limit, or none for -1 and 0; `None` for other negative numbers.
    #[must_use]
    pub fn new(limit: i64) -> Option<Self> {
        (limit >= Self::NONE.0).then_some(Self(limit))
    }

    /// The limit, if it is one.
    #[must_use]
    pub fn get(self) -> Option<u64> {
        let is_limit = (1..Self::NONE_IN_PAGES).contains(&self.0);
        is_limit.then(|| self.0.unsigned_abs())
    }

    pub(crate) fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        value.as_i64().and_then(Self::new).ok_or_else(|| {
            let expected = format!("an integer from 1 to {}, or -1 for no limit", i64::MAX);
            reader.refuse(&value, expected)
        })
    }
}
