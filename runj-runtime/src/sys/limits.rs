//! Resource limits by the names that configurations use.

use nix::errno::Errno;

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

impl Limit {
    /// Sets it for the calling process; async-signal-safe.
    ///
    /// `ERANGE` when the kernel has set less than was asked for: FreeBSD bends a limit to what the
    /// whole system has, such as kern.maxfilesperproc, and says nothing. Whoever asked for no
    /// limit has that.
    pub(super) fn apply(&self) -> Result<(), Errno> {
        // SAFETY: the pointer is to a live rlimit.
        Errno::result(unsafe { libc::setrlimit(self.resource, &raw const self.value) })?;
        let set = self.current()?;
        let holds = |asked, set| asked == set || asked == libc::RLIM_INFINITY;
        if holds(self.value.rlim_cur, set.rlim_cur) && holds(self.value.rlim_max, set.rlim_max) {
            Ok(())
        } else {
            Err(Errno::ERANGE)
        }
    }

    /// Whether it lets so many descriptors be open.
    pub(super) fn has_room_for(&self, descriptors: libc::rlim_t) -> bool {
        self.resource != libc::RLIMIT_NOFILE || self.value.rlim_cur >= descriptors
    }

    /// The same limit, but with room for so many descriptors. To lower it to what it is to be takes no
    /// privilege.
    pub(super) fn with_room_for(&self, descriptors: libc::rlim_t) -> Self {
        let mut limit = *self;
        if !self.has_room_for(descriptors) {
            limit.value.rlim_cur = descriptors;
            limit.value.rlim_max = limit.value.rlim_max.max(descriptors);
        }
        limit
    }

    /// Whether both are for the same resource, which may have two names.
    pub(crate) fn is_of_same_resource(&self, other: &Self) -> bool {
        self.resource == other.resource
    }

    /// The limit that the calling process has.
    fn current(&self) -> Result<libc::rlimit, Errno> {
        let mut current = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the pointer is to a live rlimit.
        Errno::result(unsafe { libc::getrlimit(self.resource, &raw mut current) })?;
        Ok(current)
    }
}

/// The limit of that name; `None` when this host has none.
pub(crate) fn limit(name: &str, soft: u64, hard: u64) -> Option<Limit> {
    let (_, resource) = platform::LIMITS.iter().find(|(known, _)| *known == name)?;
    let value = libc::rlimit { rlim_cur: amount(soft), rlim_max: amount(hard) };
    let limit = Limit { resource: *resource, value };
    // Some came with later kernels.
    limit.current().is_ok().then_some(limit)
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
