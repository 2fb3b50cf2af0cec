//! Names of jails for containers of many containerd namespaces.

use runj_jail::{Jail, JailName};
use runj_spec::ContainerId;

use crate::error::Error;
use crate::identity::Identity;

/// The name for the container's jail: its id, as `runj` would name it, or where another jail has
/// that name already, id and namespace.
///
/// The kernel has one name space for jails, while containerd's ids are unique only in theirs.
pub(crate) fn choose(identity: &Identity) -> Result<JailName, Error> {
    let name = plain(&identity.id);
    let unusable = |error: runj_jail::BadJailName| Error::Unusable {
        place: "container id".into(),
        value: format!("{:?}", identity.id.as_ref()),
        reason: error.to_string(),
    };
    let name: JailName = name.parse().map_err(unusable)?;
    match Jail::find(&name)? {
        None => Ok(name),
        Some(_) => qualified(identity).parse().map_err(unusable),
    }
}

/// The id with what the kernel would take for a hierarchy or a jid percent-encoded, as `runj`
/// does it.
fn plain(id: &ContainerId) -> String {
    let id = id.as_ref();
    match id.as_bytes() {
        [first, rest @ ..] if first.is_ascii_digit() && rest.iter().all(u8::is_ascii_digit) => {
            format!("%{first:02x}{}", &id[1..])
        }
        _ => id.replace('.', "%2e"),
    }
}

/// `id@namespace`, percent-encoded. No id has an `@`, so this is no other container's name.
fn qualified(identity: &Identity) -> String {
    let Identity { id, namespace } = identity;
    format!("{}%40{}", id.as_ref(), namespace.as_ref()).replace('.', "%2e")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_runj() {
        for (id, name) in [("web", "web"), ("a.b", "a%2eb"), ("123", "%3123"), ("1.2", "1%2e2")] {
            assert_eq!(plain(&id.parse().unwrap()), name);
        }
    }

    #[test]
    fn a_qualified_name_is_one_the_kernel_takes() {
        let identity =
            Identity { namespace: "k8s.io".parse().unwrap(), id: "123".parse().unwrap() };
        let name: JailName = qualified(&identity).parse().unwrap();
        assert_eq!(name.as_str(), "123%40k8s%2eio");
    }
}
