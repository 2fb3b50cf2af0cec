//! A jail with the network of a plan.

use std::error::Error as StdError;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use runj_jail::{Jail, Params};
use runj_net::{Deed, Journal, Plan, plan};
use runj_spec::{InterfaceName, Origin, Sourced};

/// A jail, what was done for it, and its removal.
pub(crate) struct Site {
    pub(crate) jail: Jail,
    pub(crate) done: Vec<Deed>,
}

impl Site {
    /// Does all that the plan says.
    pub(crate) fn create(plan: &Plan) -> Self {
        let mut done = Vec::new();
        plan.prepare(&mut done).unwrap();
        let mut site = Self { jail: create_jail(plan).unwrap(), done };
        plan.furnish(site.jail, &mut site.done).unwrap();
        site
    }

    /// Creates the jail and does nothing else.
    pub(crate) fn bare(plan: &Plan) -> Self {
        Self { jail: create_jail(plan).unwrap(), done: Vec::new() }
    }

    pub(crate) fn undo(&mut self) {
        self.done.iter().rev().for_each(|deed| deed.undo(Some(self.jail)).unwrap());
    }

    /// Removes the jail and leaves its deeds as they are.
    pub(crate) fn remove(mut self) {
        self.done.clear();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for deed in self.done.iter().rev() {
            let _ = deed.undo(Some(self.jail));
        }
        let _ = self.jail.remove();
        let _ = self.jail.wait_gone(Duration::from_secs(30));
    }
}

/// A jail with the plan's parameters and the host's root.
pub(crate) fn create_jail(plan: &Plan) -> Result<Jail, runj_jail::Error> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("net-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut params = Params::new().string("name", name).string("path", "/").flag("persist", true);
    params.extend(plan.params().clone());
    Jail::create(&params)
}

/// The plan for a jail with addresses on an interface of the host.
pub(crate) fn addresses_on(interface: &InterfaceName, ip4: &[&str], ip6: &[&str]) -> Plan {
    plan(&runj_spec::Jail {
        ip4_addr: given("config.json", "freebsd.jail.ip4Addr", ip4),
        ip6_addr: given("config.json", "freebsd.jail.ip6Addr", ip6),
        interface: Some(Sourced::new(
            interface.clone(),
            Origin::new("config.json", "freebsd.jail.interface"),
        )),
        ..runj_spec::Jail::default()
    })
    .unwrap()
}

/// The plan for a jail with a network stack of its own and interfaces in it.
pub(crate) fn moving(interfaces: &[&InterfaceName]) -> Plan {
    let names: Vec<&str> = interfaces.iter().map(AsRef::as_ref).map(AsRef::as_ref).collect();
    plan(&runj_spec::Jail {
        vnet_interfaces: given("runj.ext.json", "network.vnet.interfaces", &names),
        ..runj_spec::Jail::default()
    })
    .unwrap()
}

fn given<T: FromStr<Err: std::fmt::Debug>>(
    file: &str,
    path: &str,
    values: &[&str],
) -> Vec<Sourced<T>> {
    let sourced = |(index, value): (usize, &&str)| {
        Sourced::new(value.parse().unwrap(), Origin::new(file, format!("{path}[{index}]")))
    };
    values.iter().enumerate().map(sourced).collect()
}

/// A journal that takes nothing.
pub(crate) struct Full;

impl Journal for Full {
    fn record(&mut self, _: Deed) -> Result<(), Box<dyn StdError + Send + Sync>> {
        Err("no space left".into())
    }
}
