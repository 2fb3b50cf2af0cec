//! Jails as the kernel keeps them: `struct prison` and the tree that they form.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::addresses::Addresses;
use super::namespaces::Kind;
use crate::process::ProcessId;

/// The jid of the host itself, the root of the tree.
pub(super) const HOST: i32 = 0;

/// The highest jid (`JAIL_MAX`).
pub(super) const JAIL_MAX: i32 = 999_999;

/// The permissions that there are, and whether a new jail has them (`pr_flag_allow` and
/// `JAIL_DEFAULT_ALLOW` in `kern_jail.c`, and those that modules add): each with the names that
/// turn it on and off.
pub(super) const ALLOW: [(&str, &str, bool); 22] = [
    ("allow.set_hostname", "allow.noset_hostname", true),
    ("allow.sysvipc", "allow.nosysvipc", false),
    ("allow.raw_sockets", "allow.noraw_sockets", false),
    ("allow.chflags", "allow.nochflags", false),
    ("allow.mount", "allow.nomount", false),
    ("allow.quotas", "allow.noquotas", false),
    ("allow.socket_af", "allow.nosocket_af", false),
    ("allow.mlock", "allow.nomlock", false),
    ("allow.reserved_ports", "allow.noreserved_ports", true),
    ("allow.read_msgbuf", "allow.noread_msgbuf", false),
    ("allow.unprivileged_proc_debug", "allow.nounprivileged_proc_debug", true),
    ("allow.suser", "allow.nosuser", true),
    ("allow.mount.devfs", "allow.mount.nodevfs", false),
    ("allow.mount.fdescfs", "allow.mount.nofdescfs", false),
    ("allow.mount.fusefs", "allow.mount.nofusefs", false),
    ("allow.mount.nullfs", "allow.mount.nonullfs", false),
    ("allow.mount.procfs", "allow.mount.noprocfs", false),
    ("allow.mount.linprocfs", "allow.mount.nolinprocfs", false),
    ("allow.mount.linsysfs", "allow.mount.nolinsysfs", false),
    ("allow.mount.tmpfs", "allow.mount.notmpfs", false),
    ("allow.mount.zfs", "allow.mount.nozfs", false),
    ("allow.vmm", "allow.novmm", false),
];

/// The kinds of System V IPC, each a jailsys parameter of its own.
pub(super) const SYSV: [&str; 3] = ["sysvmsg", "sysvsem", "sysvshm"];

/// Which System V objects of one kind a jail has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Sysv {
    Disabled,
    Own,
    Inherited,
}

/// The process that holds a jail's namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    pub(super) pid: i32,
    pub(super) start: u64,
    /// The number of its pid namespace.
    pub(super) namespace: u64,
}

impl Holder {
    pub(super) fn process(self) -> ProcessId {
        ProcessId::recorded(self.pid, self.start)
    }
}

/// One jail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Prison {
    pub(super) jid: i32,
    /// The jid of the jail that it is in, or [`HOST`].
    pub(super) parent: i32,
    /// No jail was ever made in it.
    #[serde(default)]
    pub(super) childless: bool,
    /// Its full name.
    pub(super) name: String,
    pub(super) path: String,
    /// It is on its way out.
    pub(super) dying: bool,
    pub(super) persist: bool,
    /// It has a host name and the like of its own.
    pub(super) host: bool,
    pub(super) hostuuid: String,
    pub(super) hostid: u64,
    /// It has a network stack of its own.
    pub(super) vnet: bool,
    pub(super) ip4: Addresses<Ipv4Addr>,
    pub(super) ip6: Addresses<Ipv6Addr>,
    pub(super) ip4_saddrsel: bool,
    pub(super) ip6_saddrsel: bool,
    /// What of [`ALLOW`] it may do.
    pub(super) allow: BTreeSet<String>,
    /// As [`SYSV`] lists them.
    pub(super) sysv: [Sysv; 3],
    pub(super) securelevel: i32,
    pub(super) children_max: i32,
    pub(super) enforce_statfs: i32,
    pub(super) devfs_ruleset: i32,
    pub(super) osrelease: String,
    pub(super) osreldate: i32,
    /// What it may use, as rctl(8) writes it.
    #[serde(default)]
    pub(super) rules: Vec<String>,
    /// None for the host alone.
    pub(super) holder: Option<Holder>,
}

impl Prison {
    /// The host itself (`prison0`).
    pub(super) fn host() -> Self {
        Self {
            jid: HOST,
            parent: HOST,
            childless: false,
            name: "0".into(),
            path: "/".into(),
            dying: false,
            persist: true,
            host: true,
            hostuuid: String::new(),
            hostid: 0,
            vnet: true,
            ip4: Addresses::unrestricted(),
            ip6: Addresses::unrestricted(),
            ip4_saddrsel: true,
            ip6_saddrsel: true,
            allow: ALLOW.iter().map(|(name, ..)| (*name).to_owned()).collect(),
            sysv: [Sysv::Own; 3],
            securelevel: -1,
            children_max: JAIL_MAX,
            enforce_statfs: 0,
            devfs_ruleset: 0,
            // The kernel that is emulated.
            osrelease: "13.2-RELEASE".into(),
            osreldate: 1_302_001,
            rules: Vec::new(),
            holder: None,
        }
    }

    pub(super) fn allows(&self, permission: &str) -> bool {
        self.allow.contains(permission)
    }

    /// The name without those of the jails that it is in.
    pub(super) fn own_name(&self) -> &str {
        self.name.rsplit_once('.').map_or(&self.name, |(_, own)| own)
    }
}

/// All jails, and the host at the root.
#[derive(Debug)]
pub(super) struct Prisons {
    host: Prison,
    jails: BTreeMap<i32, Prison>,
}

impl Prisons {
    pub(super) fn new(jails: impl IntoIterator<Item = Prison>) -> Self {
        Self {
            host: Prison::host(),
            jails: jails.into_iter().map(|prison| (prison.jid, prison)).collect(),
        }
    }

    /// All jails by jid, dying ones included, without the host.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Prison> {
        self.jails.values()
    }

    /// The jail of that jid, dying or not.
    pub(super) fn find(&self, jid: i32) -> Option<&Prison> {
        self.jails.get(&jid)
    }

    pub(super) fn insert(&mut self, prison: Prison) {
        self.jails.insert(prison.jid, prison);
    }

    pub(super) fn forget(&mut self, jid: i32) {
        self.jails.remove(&jid);
    }

    /// The jail that another one is in.
    ///
    /// The host stands in for one that has vanished, which the registry does not let happen
    /// before its children have.
    pub(super) fn parent(&self, prison: &Prison) -> &Prison {
        self.jails.get(&prison.parent).unwrap_or(&self.host)
    }

    /// The living jail of that name, or else a dying one (`prison_find_name`).
    pub(super) fn by_name(&self, name: &str) -> Option<&Prison> {
        let named = || self.iter().filter(|prison| prison.name == name);
        named().find(|prison| !prison.dying).or_else(|| named().next())
    }

    /// The jids of the jails below that one, parents before their children.
    pub(super) fn descendants(&self, jid: i32) -> Vec<i32> {
        let mut found = Vec::new();
        let mut parents = vec![jid];
        while let Some(parent) = parents.pop() {
            for prison in self.iter().filter(|prison| prison.parent == parent) {
                found.push(prison.jid);
                parents.push(prison.jid);
            }
        }
        found
    }

    /// The jail whose namespace of that kind a jail uses: its own, or that of the nearest one it
    /// is in; [`HOST`] has those of the host.
    pub(super) fn owner<'a>(&'a self, prison: &'a Prison, kind: Kind) -> &'a Prison {
        let mut prison = prison;
        while prison.jid != HOST {
            let own = match kind {
                Kind::Pid => true,
                Kind::Uts => prison.host,
                Kind::Net => prison.vnet,
                // There is one namespace for all three: it is the jail's own as soon as one of
                // them is, and unless one of them is the parent's.
                Kind::Ipc => {
                    prison.sysv.contains(&Sysv::Own) || !prison.sysv.contains(&Sysv::Inherited)
                }
            };
            if own {
                break;
            }
            prison = self.parent(prison);
        }
        prison
    }
}
