//! The jail's name of a container.

use runj_jail::{BadJailName, JailName};
use runj_spec::ContainerId;

/// The name of a container's jail: the id itself wherever the kernel allows that.
///
/// Two kinds of id are legal and no jail names: one with dots, which the kernel reads as a path of
/// jails, and one of digits alone, which it reads as a jid. In these each dot, or the first digit,
/// is percent-encoded. `%` occurs in no id, so the encoding is reversible and never ambiguous.
pub(crate) fn jail_name(id: &ContainerId) -> Result<JailName, BadJailName> {
    let id = id.as_ref();
    let (first, rest) = match id.as_bytes() {
        [first, rest @ ..] if first.is_ascii_digit() && rest.iter().all(u8::is_ascii_digit) => {
            (format!("%{first:02x}"), &id[1..])
        }
        _ => (String::new(), id),
    };
    format!("{first}{}", rest.replace('.', "%2e")).parse()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn name(id: &str) -> String {
        jail_name(&id.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn the_name_is_the_id_where_it_can_be() {
        for id in ["web", "web-1_b+c", "7up", "0a"] {
            assert_eq!(name(id), id);
        }
        assert_eq!(name("a.b.c"), "a%2eb%2ec");
        assert_eq!(name("123"), "%3123");
        assert_eq!(name("0"), "%30");
        assert_eq!(name("1.2"), "1%2e2");
    }

    proptest! {
        #[test]
        fn no_two_ids_share_a_name(
            ids in prop::collection::hash_set("[a-c0-2_][a-c0-2_.+-]{0,5}", 2..60)
        ) {
            let mut names = HashMap::new();
            for id in ids {
                if let Some(other) = names.insert(name(&id), id.clone()) {
                    prop_assert!(false, "{} and {} share a name", id, other);
                }
            }
        }
    }
}
