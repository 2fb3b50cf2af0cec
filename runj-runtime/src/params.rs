//! The jail parameters that a configuration asks for, the network's apart.

use std::path::Path;

use runj_jail::{Jailsys, Params, Value};
use runj_spec::{Container, HostMode, Jail, Sourced, SysvMode};

use crate::error::Error;

/// The parameters of the container's jail, but for its name.
pub(crate) fn params(
    container: &Container,
    path: &Path,
    network: &Params,
    ruleset: i32,
) -> Result<Params, Error> {
    let Some(path) = path.to_str() else {
        return Err(Error::Unusable {
            place: "config.json: root.path".into(),
            value: format!("{path:?}"),
            reason: "a jail's path has to be UTF-8".into(),
        });
    };
    let jail = &container.jail;
    // A container exists from `create` on, when no process is in its jail yet.
    let mut params = Params::new().string("path", path).flag("persist", true);
    // Without one, a devfs that the container mounts by itself shows every device of the host.
    params.push("devfs_ruleset", Value::Int(ruleset));
    host(container, jail, &mut params);
    params.extend(network.clone());
    for (parameter, mode) in sysv_modes(jail) {
        if let Some(mode) = mode {
            params.push(parameter, Value::Jailsys(sysv(mode.value)));
        }
    }
    if let Some(enforce) = &jail.enforce_statfs {
        params.push("enforce_statfs", Value::Int(enforce.value.into()));
    }
    for (parameter, allowed) in &jail.allow {
        params.push(format!("allow.{parameter}"), Value::Flag(allowed.value));
    }
    Ok(params)
}

/// System V IPC where the configuration says nothing of it: the specification has it default to
/// `new`, the kernel to `disable`. The kernel refuses it where a module is missing, or below a jail
/// that has none itself.
pub(crate) fn defaults(jail: &Jail) -> Params {
    let mut params = Params::new();
    // The older parameter speaks for all three.
    if !jail.allow.contains_key("sysvipc") {
        for (parameter, _) in sysv_modes(jail).into_iter().filter(|(_, mode)| mode.is_none()) {
            params.push(parameter, Value::Jailsys(Jailsys::New));
        }
    }
    params
}

fn sysv_modes(jail: &Jail) -> [(&'static str, &Option<Sourced<SysvMode>>); 3] {
    [("sysvmsg", &jail.sysvmsg), ("sysvsem", &jail.sysvsem), ("sysvshm", &jail.sysvshm)]
}

/// What the kernel would silently bend: a host name beside `host=inherit` makes it `host=new`.
pub(crate) fn check(container: &Container) -> Result<(), Error> {
    let names = [&container.hostname, &container.domainname];
    match (&container.jail.host, names.into_iter().flatten().next()) {
        (Some(mode), Some(name)) if mode.value == HostMode::Inherit => Err(Error::Unusable {
            place: mode.origin.to_string(),
            value: "\"inherit\"".into(),
            reason: format!(
                "{} gives the container a name of its own, which takes \"new\"",
                name.origin
            ),
        }),
        _ => Ok(()),
    }
}

fn host(container: &Container, jail: &Jail, params: &mut Params) {
    match jail.host.as_ref().map(|mode| mode.value) {
        None => {}
        Some(HostMode::New) => params.push("host", Value::Jailsys(Jailsys::New)),
        Some(HostMode::Inherit) => {
            params.push("host", Value::Jailsys(Jailsys::Inherit));
            // It is the host's own name that the container could set otherwise.
            if !jail.allow.contains_key("set_hostname") {
                params.push("allow.set_hostname", Value::Flag(false));
            }
        }
    }
    for (parameter, name) in
        [("host.hostname", &container.hostname), ("host.domainname", &container.domainname)]
    {
        if let Some(name) = name {
            params.push(parameter, Value::String(name.value.clone()));
        }
    }
}

fn sysv(mode: SysvMode) -> Jailsys {
    match mode {
        SysvMode::Disable => Jailsys::Disable,
        SysvMode::New => Jailsys::New,
        SysvMode::Inherit => Jailsys::Inherit,
    }
}
