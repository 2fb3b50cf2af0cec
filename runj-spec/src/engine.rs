//! What podman and buildah expect of a runtime without saying it.
//!
//! Their configurations for FreeBSD are written for ocijail. Two things are in none of them,
//! because that runtime does them for everybody:
//!
//! - A container gets the addresses of its parent: the host's, which is what `--network host` means,
//!   or those of the jail that `org.freebsd.parentJail` names, which is how a pod, and every network
//!   before FreeBSD 13.3, is shared. For any other network they set `org.freebsd.jail.vnet=new`.
//! - It may use raw sockets, as ping(8) does, and change file flags, as pkg(8) does.
//!
//! A plain bundle that says nothing gets neither, so the two have to be told apart.
//!
//! | engine | a bundle is its own if | it has no network, and wants none of its parent's, if |
//! |---|---|---|
//! | podman | the annotation `io.container.manager` is `libpod` | no parent is named, and the host name is the one that podman makes up, the beginning of the id (the bundle is `ID/userdata`): on the host's network it is the host's |
//! | buildah, also as `podman build` | its directory is named `buildah` and a number, and has an /etc/hosts or an /etc/resolv.conf for the container: buildah has no annotation that it always sets | it cannot be known then |
//!
//! Where both are made for Linux, which a bundle without a devfs is, a network in
//! `linux.namespaces` is the container's own as well. On FreeBSD podman always names one for the
//! images of Linux.
//!
//! So podman's `--network none` cannot be known from `--network host` if `--hostname` is given, nor
//! in a pod. An annotation takes the network away there.
//!
//! All of this comes last: it is done where nothing else spoke. Any `ip4`, `ip6`, list of
//! addresses, list of interfaces or `vnet=new`, in config.json, runj.ext.json or an annotation
//! (`--annotation org.freebsd.jail.ip4=disable`), leaves both families of addresses as they are
//! given, and `org.freebsd.jail.allow.raw_sockets=false` takes away what is allowed.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;

use crate::json_path::JsonPath;
use crate::{AllowParameter, Config, IpMode, Jail, Origin, Sourced, VnetMode};

/// The annotation by which the containers of podman can be known.
pub(crate) const MANAGER: &str = "io.container.manager";

/// What each container of podman and buildah may do (jail(8), `allow.*`).
const ALLOWED: [&str; 2] = ["raw_sockets", "chflags"];

/// Which engine a bundle is from.
enum Engine {
    Podman,
    Buildah,
}

/// Fills what the engine that `config` is from expects, where nothing else spoke. `dir` is the
/// bundle's directory.
pub(crate) fn fill(jail: &mut Jail, config: &Config, dir: &Path) {
    let Some((engine, origin)) = Engine::of(config, dir) else { return };
    for parameter in ALLOWED {
        let allowed = Sourced::new(true, origin.clone());
        jail.allow.entry(AllowParameter::known(parameter)).or_insert(allowed);
    }
    if !has_network(jail) && engine.wants_addresses(jail, config, dir) {
        jail.ip4 = Some(Sourced::new(IpMode::Inherit, origin.clone()));
        jail.ip6 = Some(Sourced::new(IpMode::Inherit, origin));
    }
}

impl Engine {
    /// The engine, and what it is known by.
    fn of(config: &Config, dir: &Path) -> Option<(Self, Origin)> {
        if config.annotations.get(MANAGER).is_some_and(|manager| manager == "libpod") {
            let place = JsonPath::of_key("annotations").key(MANAGER).to_string();
            return Some((Self::Podman, Origin::new(Config::FILE_NAME, place)));
        }
        let number = dir.file_name()?.to_str()?.strip_prefix("buildah")?;
        let named = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        // Anybody's bundle may have such a name: containerd's has the id of the container.
        let buildah = named
            && config.mounts.iter().any(|mount| {
                matches!(mount.destination.as_str(), "/etc/hosts" | "/etc/resolv.conf")
                    && mount.source.as_ref().is_some_and(|from| Path::new(from).starts_with(dir))
            });
        buildah.then(|| (Self::Buildah, Origin::new(format!("{}", dir.display()), "")))
    }

    /// Whether a container about whose network nothing is said is to have its parent's addresses.
    fn wants_addresses(&self, jail: &Jail, config: &Config, dir: &Path) -> bool {
        if has_linux_network(config) {
            return false;
        }
        match self {
            Self::Podman => jail.parent.is_some() || !has_made_up_name(config, dir),
            // By what it is known by it has a network.
            Self::Buildah => true,
        }
    }
}

/// Whether the host name is the one that podman gives a container that has none: the first 12
/// digits of its id.
fn has_made_up_name(config: &Config, dir: &Path) -> bool {
    let id = dir.parent().and_then(Path::file_name).and_then(OsStr::to_str);
    let made_up = id.and_then(|id| id.get(..12));
    made_up.is_some() && config.hostname.as_deref() == made_up
}

/// Whether the bundle is made for Linux and names a network namespace.
fn has_linux_network(config: &Config) -> bool {
    let is_network = |namespace: &Value| namespace.get("type").is_some_and(|typ| typ == "network");
    let namespaces = config.linux.as_ref().and_then(|linux| linux.extra.get("namespaces"));
    namespaces.and_then(Value::as_array).is_some_and(|all| all.iter().any(is_network))
        && !config.mounts.iter().any(|mount| mount.typ.as_deref() == Some("devfs"))
}

/// Whether anything is said about the container's network. `vnet=inherit` is nothing: it is the
/// default.
fn has_network(jail: &Jail) -> bool {
    jail.ip4.is_some()
        || jail.ip6.is_some()
        || !jail.ip4_addr.is_empty()
        || !jail.ip6_addr.is_empty()
        || !jail.vnet_interfaces.is_empty()
        || jail.vnet.as_ref().is_some_and(|vnet| vnet.value == VnetMode::New)
}
