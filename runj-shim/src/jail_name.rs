//! Names of jails for containers of many containerd namespaces.

use runj_jail::{Jail, JailName};

use crate::error::Error;
use crate::identity::Identity;

/// The name for the container's jail: its id, as `runj` would name it, or where another jail has
/// that name already, id and namespace.
///
/// The kernel has one name space for jails, while containerd's ids are unique only in theirs.
pub(crate) fn choose(identity: &Identity) -> Result<JailName, Error> {
    let name = identity.id.jail_name();
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

/// `id@namespace`, percent-encoded. No id has an `@`, so this is no other container's name.
pub(crate) fn qualified(identity: &Identity) -> String {
    let Identity { id, namespace } = identity;
    format!("{}%40{}", id.as_ref(), namespace.as_ref()).replace('.', "%2e")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qualified_name_is_one_the_kernel_takes() {
        let identity =
            Identity { namespace: "k8s.io".parse().unwrap(), id: "123".parse().unwrap() };
        let name: JailName = qualified(&identity).parse().unwrap();
        assert_eq!(name.as_str(), "123%40k8s%2eio");
    }
}
