//! How a process ended.

use jiff::Timestamp;
use protobuf::MessageField;
use serde::{Deserialize, Serialize};

/// The end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exit {
    /// What it returned, or 128 and the signal that ended it.
    pub(crate) status: u32,
    pub(crate) at: Timestamp,
}

type MessageTimestamp = protobuf::well_known_types::timestamp::Timestamp;

impl Exit {
    /// An end at this moment.
    pub(crate) fn now(status: u32) -> Self {
        Self { status, at: Timestamp::now() }
    }

    pub(crate) fn time(&self) -> MessageField<MessageTimestamp> {
        MessageField::some(timestamp(self.at))
    }
}

/// A time as protobuf has it.
pub(crate) fn timestamp(time: Timestamp) -> MessageTimestamp {
    MessageTimestamp {
        seconds: time.as_second(),
        nanos: time.subsec_nanosecond(),
        ..MessageTimestamp::default()
    }
}
