//! Resource limits by the names that configurations use.

use super::platform;

/// One limit, as setrlimit(2) takes it.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) resource: platform::Resource,
    pub(crate) value: libc::rlimit,
}

impl std::fmt::Debug for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { resource, value } = self;
        write!(f, "limit {resource}: {}, {}", value.rlim_cur, value.rlim_max)
    }
}

/// The limit of that name; `None` when this host has none.
pub(crate) fn limit(name: &str, soft: u64, hard: u64) -> Option<Limit> {
    let (_, resource) = platform::LIMITS.iter().find(|(known, _)| *known == name)?;
    Some(Limit {
        resource: *resource,
        value: libc::rlimit { rlim_cur: amount(soft), rlim_max: amount(hard) },
    })
}

/// The names of all limits of this host.
pub(crate) fn limit_names() -> Vec<&'static str> {
    platform::LIMITS.iter().map(|(name, _)| *name).collect()
}

/// FreeBSD counts with a sign; whatever is beyond its greatest number is without limit, as it is
/// for setrlimit(2).
fn amount(value: u64) -> libc::rlim_t {
    libc::rlim_t::try_from(value).unwrap_or(libc::RLIM_INFINITY)
}
