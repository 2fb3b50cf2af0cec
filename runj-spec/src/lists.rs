//! The lists that both forms of the network configuration have.

use std::collections::BTreeMap;

use crate::decode::{Fields, checked};
use crate::{AddressFamily, InterfaceName, IpAddress};

/// A list of addresses without duplicates, which the kernel would refuse with a bare EINVAL.
pub(crate) fn addresses<A: AddressFamily>(
    fields: &mut Fields<'_, '_>,
    key: &str,
) -> Vec<IpAddress<A>> {
    let mut seen = BTreeMap::new();
    fields.one_or_more(key, "a list of addresses", |reader, value| {
        let address: IpAddress<A> = checked(reader, value.clone())?;
        reader.once(&mut seen, address.address(), &value)?;
        Ok(address)
    })
}

/// A list of interfaces without duplicates: an interface can be moved once.
pub(crate) fn interfaces(fields: &mut Fields<'_, '_>, key: &str) -> Vec<InterfaceName> {
    let mut seen = BTreeMap::new();
    fields.one_or_more(key, "a list of network interfaces", |reader, value| {
        let name: InterfaceName = checked(reader, value.clone())?;
        reader.once(&mut seen, name.clone(), &value)?;
        Ok(name)
    })
}
