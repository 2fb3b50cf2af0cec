//! The lists that both forms of the network configuration have.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::decode::{Decoded, Reader, checked};
use crate::schema::{Property, Text, set_of};
use crate::{AddressFamily, InterfaceName, IpAddress};

/// A list of addresses without duplicates, which the kernel would refuse with a bare EINVAL.
impl<A: AddressFamily> Property for Vec<IpAddress<A>> {
    fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut seen = BTreeMap::new();
        reader.one_or_more(value, "a list of addresses", |reader, value| {
            let address: IpAddress<A> = checked(reader, value.clone())?;
            reader.once(&mut seen, address.address(), &value)?;
            Ok(address)
        })
    }

    fn schema() -> Value {
        set_of(IpAddress::<A>::schema())
    }
}

/// A list of interfaces without duplicates: an interface can be moved once.
impl Property for Vec<InterfaceName> {
    fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut seen = BTreeMap::new();
        reader.one_or_more(value, "a list of network interfaces", |reader, value| {
            let name: InterfaceName = checked(reader, value.clone())?;
            reader.once(&mut seen, name.clone(), &value)?;
            Ok(name)
        })
    }

    fn schema() -> Value {
        set_of(InterfaceName::schema())
    }
}
