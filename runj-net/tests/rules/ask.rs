//! Asking the kernel, and asking runj.

use std::fs;
use std::net::Ipv4Addr;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use runj_jail::{Errno, Error, Jail, Jailsys, Kind, Params, Value};
use runj_net::{Plan, plan};
use runj_spec::{Bundle, Container};
use serde_json::{Value as Json, json};

/// A jail that ends with the test.
#[derive(Debug)]
pub(crate) struct Made(Jail);

impl Deref for Made {
    type Target = Jail;
    fn deref(&self) -> &Jail {
        &self.0
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // A test that fails must not hide behind this.
        let _ = self.0.remove();
        let _ = self.0.wait_gone(Duration::from_secs(20));
    }
}

impl Made {
    /// A mode as the kernel tells it.
    pub(crate) fn mode(&self, name: &str) -> Jailsys {
        match self.get(&[(name, Kind::Jailsys)]).unwrap()[..] {
            [Value::Jailsys(mode)] => mode,
            ref other => panic!("{other:?}"),
        }
    }
}

/// A name that no other jail has.
pub(crate) fn fresh_name() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("runj-rule-{}-{number}", std::process::id())
}

/// An address that is this process's among all that run these tests, by a number. It is on no
/// interface (RFC 2544 has it for such purposes).
pub(crate) fn address(number: u8) -> Ipv4Addr {
    let [a, b, ..] = std::process::id().to_le_bytes();
    Ipv4Addr::new(198, 18 + (b & 1), a, number)
}

/// `ip4.addr`.
pub(crate) fn four(addresses: &[Ipv4Addr]) -> Params {
    let mut params = Params::new();
    params.push("ip4.addr", Value::Ip4(addresses.to_vec()));
    params
}

/// `ip6.addr`.
pub(crate) fn six(addresses: &[&str]) -> Params {
    let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
    let mut params = Params::new();
    params.push("ip6.addr", Value::Ip6(addresses));
    params
}

/// Asks the kernel for a jail that has these parameters, besides a name and the host's root.
pub(crate) fn kernel(with: Params) -> Result<Made, Error> {
    kernel_names(&fresh_name(), with)
}

/// The same for a jail of that name.
pub(crate) fn kernel_names(name: &str, with: Params) -> Result<Made, Error> {
    let mut all = Params::new().string("name", name).string("path", "/").flag("persist", true);
    all.extend(with);
    Jail::create(&all).map(Made)
}

/// Shows that the kernel refused with that errno and that text of its own, or none.
#[track_caller]
pub(crate) fn assert_refused(answer: Result<Made, Error>, errno: Errno, text: Option<&str>) {
    match answer {
        Err(Error::Refused { errno: refused, message, .. }) => {
            assert_eq!((refused, message.as_deref()), (errno, text));
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// Shows that the kernel refuses a jail with these.
#[track_caller]
pub(crate) fn kernel_refuses(with: Params, errno: Errno, text: Option<&str>) {
    assert_refused(kernel(with), errno, text);
}

/// What runj understands of a bundle with this `freebsd.jail`.
pub(crate) fn container(freebsd_jail: &Json) -> Result<Container, String> {
    let bundle = tempfile::tempdir().unwrap();
    let config = json!({
        "ociVersion": "1.3.0",
        "process": { "args": ["sh"], "cwd": "/" },
        "freebsd": { "jail": freebsd_jail }
    });
    fs::write(bundle.path().join("config.json"), config.to_string()).unwrap();
    let bundle = Bundle::load(bundle.path()).map_err(|error| error.to_string())?;
    bundle.container().map_err(|error| error.to_string())
}

/// What runj would do for it.
fn ours(freebsd_jail: &Json) -> Result<Plan, String> {
    plan(&container(freebsd_jail)?.jail).map_err(|error| error.to_string())
}

/// Shows that runj refuses it, and names that property.
#[track_caller]
pub(crate) fn runj_refuses(freebsd_jail: &Json, property: &str) {
    let message = ours(freebsd_jail).unwrap_err();
    let place = format!("config.json: freebsd.jail.{property}: ");
    assert!(message.contains(&place), "{place:?} is not in {message:?}");
}

/// Shows that runj asks the kernel for these.
#[track_caller]
pub(crate) fn runj_sends(freebsd_jail: &Json, params: &Params) -> Plan {
    let plan = ours(freebsd_jail).unwrap();
    assert_eq!(plan.params(), params);
    plan
}

/// Shows that runj puts the kernel's refusal in terms of the bundle.
#[track_caller]
pub(crate) fn runj_explains(plan: &Plan, property: &str) {
    let error = kernel(plan.params().clone()).unwrap_err();
    assert_explained(plan, &error, property);
}

/// Shows that of this refusal.
#[track_caller]
pub(crate) fn assert_explained(plan: &Plan, error: &Error, property: &str) {
    let explanation = plan.explain(error).unwrap_or_else(|| panic!("{error}")).to_string();
    let place = format!("config.json: freebsd.jail.{property}");
    assert!(explanation.starts_with(&place), "{explanation}");
}
