//! Parameters as bytes, the way `jail_set(2)` and `jail_get(2)` exchange them: a NUL-terminated
//! name and a value in host byte order, addresses in network byte order.
//!
//! Pure, so that it is tested on every host.

use std::ffi::CString;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::error::Error;
use crate::param::{Jailsys, Kind, Param, Value};

/// A parameter as the kernel takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawParam {
    /// The name, with the `no` of a flag that is turned off.
    pub(crate) name: CString,
    /// The value; empty for a flag, which is its name alone.
    pub(crate) value: Vec<u8>,
}

/// A parameter that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: CString,
    /// How many bytes there are for its value. None when the kernel alone knows how many it takes.
    pub(crate) room: usize,
}

impl Wanted {
    /// The room for a text: `MAXPATHLEN` (sys/param.h), which no other parameter's is longer than.
    const TEXT: usize = 1024;

    pub(crate) fn new(name: &str, kind: Kind) -> Result<Self, Error> {
        let room = match kind {
            Kind::Flag | Kind::Jailsys | Kind::Int => size_of::<i32>(),
            Kind::String => Self::TEXT,
            Kind::Ip4 | Kind::Ip6 => 0,
        };
        let name = CString::new(name).map_err(|_| Error::NulByte { name: name.to_owned() })?;
        Ok(Self { name, room })
    }
}

/// Encodes one parameter.
pub(crate) fn encode(param: &Param) -> Result<RawParam, Error> {
    let nul = || Error::NulByte { name: param.name.clone() };
    let name = match param.value {
        Value::Flag(false) => off(&param.name),
        _ => param.name.clone(),
    };
    let value = match &param.value {
        Value::Flag(_) => Vec::new(),
        Value::Jailsys(mode) => mode.as_raw().to_ne_bytes().to_vec(),
        Value::Int(value) => value.to_ne_bytes().to_vec(),
        Value::String(value) => {
            CString::new(value.as_bytes()).map_err(|_| nul())?.into_bytes_with_nul()
        }
        Value::Ip4(addresses) => addresses.iter().flat_map(Ipv4Addr::octets).collect(),
        Value::Ip6(addresses) => addresses.iter().flat_map(Ipv6Addr::octets).collect(),
    };
    Ok(RawParam { name: CString::new(name).map_err(|_| nul())?, value })
}

/// The name that turns a flag off: `no` before the last component (`allow.mount.nonullfs`).
fn off(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, leaf)) => format!("{stem}.no{leaf}"),
        None => format!("no{name}"),
    }
}

/// Decodes a value that the kernel returned; `None` when the bytes are not of that kind.
pub(crate) fn decode(kind: Kind, bytes: &[u8]) -> Option<Value> {
    let int = || Some(i32::from_ne_bytes(bytes.try_into().ok()?));
    Some(match kind {
        Kind::Flag => Value::Flag(int()? != 0),
        Kind::Jailsys => Value::Jailsys(Jailsys::from_raw(int()?)?),
        Kind::Int => Value::Int(int()?),
        Kind::String => {
            // The kernel may answer with more room than text.
            let text = bytes.split(|&b| b == 0).next()?;
            Value::String(String::from_utf8_lossy(text).into_owned())
        }
        Kind::Ip4 => Value::Ip4(addresses::<4, _>(bytes)?),
        Kind::Ip6 => Value::Ip6(addresses::<16, _>(bytes)?),
    })
}

fn addresses<const N: usize, A: From<[u8; N]>>(bytes: &[u8]) -> Option<Vec<A>> {
    let (addresses, rest) = bytes.as_chunks::<N>();
    rest.is_empty().then(|| addresses.iter().map(|&octets| octets.into()).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(name: &str, value: Value) -> (String, Vec<u8>) {
        let raw = encode(&Param { name: name.to_owned(), value }).unwrap();
        (raw.name.into_string().unwrap(), raw.value)
    }

    #[test]
    fn a_flag_is_its_name() {
        assert_eq!(raw("persist", Value::Flag(true)), ("persist".into(), vec![]));
        assert_eq!(raw("persist", Value::Flag(false)), ("nopersist".into(), vec![]));
        assert_eq!(
            raw("allow.mount.nullfs", Value::Flag(false)),
            ("allow.mount.nonullfs".into(), vec![])
        );
    }

    #[test]
    fn values_are_laid_out_as_the_kernel_reads_them() {
        assert_eq!(raw("ip4", Value::Jailsys(Jailsys::Inherit)).1, 2i32.to_ne_bytes());
        assert_eq!(raw("ip4", Value::Jailsys(Jailsys::New)).1, 1i32.to_ne_bytes());
        assert_eq!(raw("ip4", Value::Jailsys(Jailsys::Disable)).1, 0i32.to_ne_bytes());
        assert_eq!(raw("path", Value::String("/j".into())).1, b"/j\0");
        let two = vec![Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::LOCALHOST];
        assert_eq!(raw("ip4.addr", Value::Ip4(two)).1, [10, 0, 0, 2, 127, 0, 0, 1]);
    }

    #[test]
    fn a_nul_byte_is_refused_with_the_name() {
        let param = Param { name: "host.hostname".into(), value: Value::String("a\0b".into()) };
        assert!(encode(&param).unwrap_err().to_string().contains("host.hostname"));
    }

    fn values() -> impl Strategy<Value = (Kind, Value)> {
        prop_oneof![
            prop_oneof![Just(Jailsys::New), Just(Jailsys::Inherit), Just(Jailsys::Disable)]
                .prop_map(|m| (Kind::Jailsys, Value::Jailsys(m))),
            any::<i32>().prop_map(|i| (Kind::Int, Value::Int(i))),
            "[^\0]{0,64}".prop_map(|s| (Kind::String, Value::String(s))),
            prop::collection::vec(any::<Ipv4Addr>(), 0..8).prop_map(|a| (Kind::Ip4, Value::Ip4(a))),
            prop::collection::vec(any::<Ipv6Addr>(), 0..8).prop_map(|a| (Kind::Ip6, Value::Ip6(a))),
        ]
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_the_same((kind, value) in values()) {
            let raw = encode(&Param { name: "x".into(), value: value.clone() }).unwrap();
            prop_assert_eq!(decode(kind, &raw.value), Some(value));
        }

        #[test]
        fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            for kind in [
                Kind::Flag, Kind::Jailsys, Kind::Int, Kind::String, Kind::Ip4, Kind::Ip6,
            ] {
                let _ = decode(kind, &bytes);
            }
        }
    }
}
