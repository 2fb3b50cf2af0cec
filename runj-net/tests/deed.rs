//! Deeds as they stand in a ledger, which another version of runj may have written.

#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use runj_net::Deed;

#[test]
fn the_form_is_stable() {
    for (deed, json) in [
        (
            Deed::Alias {
                interface: "lo1".parse().unwrap(),
                address: "192.0.2.1".parse().unwrap(),
                prefix: 32,
            },
            r#"{"alias":{"interface":"lo1","address":"192.0.2.1","prefix":32}}"#,
        ),
        (
            Deed::Alias {
                interface: "em0".parse().unwrap(),
                address: "2001:db8::1".parse().unwrap(),
                prefix: 64,
            },
            r#"{"alias":{"interface":"em0","address":"2001:db8::1","prefix":64}}"#,
        ),
        (
            Deed::Moved { interface: "epair0b".parse().unwrap() },
            r#"{"moved":{"interface":"epair0b"}}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&deed).unwrap(), json);
        assert_eq!(serde_json::from_str::<Deed>(json).unwrap(), deed);
    }
}

#[test]
fn what_is_no_deed_is_refused() {
    for json in [
        r#"{"moved":{"interface":"a/b"}}"#,
        r#"{"moved":{"interface":"0123456789abcdef"}}"#,
        r#"{"moved":{}}"#,
        r#"{"moved":{"interface":"em0","home":1}}"#,
        r#"{"alias":{"interface":"em0","address":"192.0.2","prefix":32}}"#,
        r#"{"alias":{"interface":"em0","address":"192.0.2.1","prefix":256}}"#,
        r#"{"bridged":{"interface":"em0"}}"#,
    ] {
        assert!(serde_json::from_str::<Deed>(json).is_err(), "{json}");
    }
}

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        ("[a-z]{1,12}[0-9]{1,3}", any::<std::net::IpAddr>(), 0..=128u8).prop_map(
            |(interface, address, prefix)| Deed::Alias {
                interface: interface.parse().unwrap(),
                address,
                prefix
            }
        ),
        "[a-z]{1,12}[0-9]{1,3}"
            .prop_map(|interface| Deed::Moved { interface: interface.parse().unwrap() }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(deed in deeds()) {
        let json = serde_json::to_string(&deed).unwrap();
        prop_assert_eq!(serde_json::from_str::<Deed>(&json).unwrap(), deed);
    }
}
