//! What differs between the hosts.

#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "freebsd")]
pub(crate) use self::freebsd::flags;
#[cfg(target_os = "linux")]
pub(crate) use self::linux::flags;
