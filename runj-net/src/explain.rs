//! What the kernel says of a jail's network parameters, in terms of the configuration.

use nix::errno::Errno;
use runj_spec::Origin;

use crate::conflict::Places;
use crate::plan::{Plan, Restriction};

/// Why the kernel refused a jail's network parameters, by the places of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason} ({errno})", Places(places))]
pub struct Explanation {
    places: Vec<Origin>,
    reason: String,
    errno: Errno,
}

impl Explanation {
    /// Where the configuration asks for what was refused, at least one place.
    #[must_use]
    pub fn places(&self) -> &[Origin] {
        &self.places
    }

    /// The error number.
    #[must_use]
    pub fn errno(&self) -> Errno {
        self.errno
    }
}

impl Plan {
    /// What the kernel's refusal of a jail with this plan's [parameters](Self::params) means for
    /// the configuration; `None` when it is not about them.
    ///
    /// The texts and numbers are those of `kern_jail_set` in sys/kern/kern_jail.c.
    #[must_use]
    pub fn explain(&self, error: &runj_jail::Error) -> Option<Explanation> {
        let runj_jail::Error::Refused { errno, message, .. } = error else { return None };
        let (places, reason) = match (errno, message.as_deref()) {
            (Errno::EADDRINUSE, Some("IPv4 addresses clash")) => clash(&self.sources.ip4),
            (Errno::EADDRINUSE, Some("IPv6 addresses clash")) => clash(&self.sources.ip6),
            (Errno::EINVAL, Some("too many IPv4 addresses")) => too_many(&self.sources.ip4),
            (Errno::EINVAL, Some("too many IPv6 addresses")) => too_many(&self.sources.ip6),
            (Errno::EINVAL, Some("vnet jails cannot have IP address restrictions")) => {
                self.restricted_vnet()
            }
            (Errno::EINVAL, Some(text)) => self.unknown(text.strip_prefix("unknown parameter: ")?),
            (Errno::EPERM, None) => self.beyond_parent(),
            _ => return None,
        };
        (!places.is_empty()).then_some(Explanation { places, reason, errno: *errno })
    }

    /// The plan has no `vnet` beside these, so somebody added it.
    fn restricted_vnet(&self) -> (Vec<Origin>, String) {
        let places = self.sources.places().cloned().collect();
        (places, "a jail with a network stack of its own takes no modes or addresses".to_owned())
    }

    /// A parameter of a part of the kernel that is optional (options VIMAGE, INET, INET6).
    fn unknown(&self, parameter: &str) -> (Vec<Origin>, String) {
        let (places, what) = match parameter {
            "vnet" => (self.sources.vnet.iter().cloned().collect(), "separate network stacks"),
            "ip4" | "ip4.addr" => (self.sources.ip4.places().cloned().collect(), "IPv4"),
            "ip6" | "ip6.addr" => (self.sources.ip6.places().cloned().collect(), "IPv6"),
            _ => (Vec::new(), ""),
        };
        (
            places,
            format!("this kernel is built without {what}, it has no jail parameter {parameter}"),
        )
    }

    /// The kernel has no text for this one, and other parameters may be the cause as well.
    fn beyond_parent(&self) -> (Vec<Origin>, String) {
        let lists = self.sources.ip4.addresses.iter().chain(&self.sources.ip6.addresses);
        let reason = "if the container's jail is inside another one, its addresses must be among \
                      those of that one";
        (lists.cloned().collect(), reason.to_owned())
    }
}

fn clash(family: &Restriction) -> (Vec<Origin>, String) {
    let reason = "another jail has an address of these: expected addresses of no other jail, or \
                  one address only, shared with jails that have no other";
    (family.addresses.clone(), reason.to_owned())
}

fn too_many(family: &Restriction) -> (Vec<Origin>, String) {
    let reason = format!(
        "{} addresses are more than the kernel allows: expected at most what \
         sysctl security.jail.jail_max_af_ips says",
        family.addresses.len()
    );
    (family.addresses.clone(), reason)
}
