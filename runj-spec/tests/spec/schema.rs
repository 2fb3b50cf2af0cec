//! The JSON Schema of runj.ext.json says what the decoder does.

use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use runj_spec::Extension;
use serde_json::{Value, json};

use crate::documents;

static SCHEMA: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::draft7::new(&Extension::json_schema()).unwrap());

fn is_decoded(document: &Value) -> bool {
    Extension::parse(document.to_string().as_bytes(), "runj.ext.json").is_ok()
}

#[test]
fn the_published_schema_is_the_one_that_the_types_make() {
    let published = include_str!("../../schema/runj.ext.schema.json");
    let mut made = serde_json::to_string_pretty(&Extension::json_schema()).unwrap();
    made.push('\n');
    assert_eq!(published, made, "`cargo xtask schema` writes it");
}

#[test]
fn the_schema_is_one() {
    assert!(jsonschema::draft7::meta::is_valid(&Extension::json_schema()));
}

#[test]
fn every_property_is_described() {
    fn check(schema: &Value, place: &str) {
        let description = schema["description"].as_str().unwrap_or_default();
        assert!(description.ends_with('.'), "{place}: {description:?}");
        for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
            check(schema, &format!("{place}.{key}"));
        }
    }
    check(&Extension::json_schema(), "");
}

#[test]
fn a_document_can_name_its_schema() {
    let document = json!({ "$schema": "./runj.ext.schema.json", "network": {} });
    assert!(SCHEMA.is_valid(&document) && is_decoded(&document));
    let extension = Extension::parse(document.to_string().as_bytes(), "runj.ext.json").unwrap();
    assert_eq!(
        serde_json::to_value(&extension).unwrap(),
        json!({ "$schema": "./runj.ext.schema.json" })
    );
}

#[test]
fn what_is_misspelt_is_pointed_out() {
    for document in [
        json!({ "netwrok": {} }),
        json!({ "network": { "ip4": {} } }),
        json!({ "network": { "ipv4": { "mode": "inherited" } } }),
        json!({ "network": { "vnet": { "interface": "em0" } } }),
        json!({ "network": { "resolvConf": "inherit" } }),
    ] {
        assert!(!SCHEMA.is_valid(&document), "{document}");
    }
}

/// Takes the properties away that nobody knows.
fn without_unknown(value: &mut Value) {
    if let Value::Object(object) = value {
        object.retain(|key, _| !key.starts_with('x'));
        object.values_mut().for_each(without_unknown);
    }
}

/// A document of known properties.
fn document() -> impl Strategy<Value = Value> {
    documents::extension().prop_map(|mut document| {
        without_unknown(&mut document);
        document
    })
}

/// The JSON pointers (RFC 6901) of the values in `value`, itself first.
fn pointers(value: &Value, pointer: &str, all: &mut Vec<String>) {
    all.push(pointer.to_owned());
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                pointers(value, &format!("{pointer}/{key}"), all);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                pointers(value, &format!("{pointer}/{index}"), all);
            }
        }
        _ => {}
    }
}

/// Values that are right in one place and wrong in most.
fn odd() -> impl Strategy<Value = Value> {
    let text = select(vec![
        "",
        "new",
        "inherit",
        "disable",
        "New",
        "new ",
        "0.0.0.0",
        "0.0.0.0/8",
        "10.0.0.1",
        "255.255.255.255",
        "10.0.0.01",
        "10.0.0.1/33",
        "10.0.0.1/08",
        "10.0.0.1/",
        "10.0.0.256",
        "::",
        "0::0",
        "::/64",
        "::0.0.0.0",
        "::1",
        "1::/129",
        "1:2:3:4:5:6:7::",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:1.2.3.4",
        "::ffff:1.2.3.4/96",
        "fe80::1%lo0",
        "em0",
        "a/b",
        "a b",
        "em0\n",
        "0123456789abcdef",
    ]);
    prop_oneof![
        4 => text.prop_map(Value::from),
        1 => text_list(),
        1 => documents::any_json(),
    ]
}

fn text_list() -> impl Strategy<Value = Value> {
    proptest::collection::vec("(10\\.0\\.0\\.[01]|::[01]|em[01])", 0..4).prop_map(Value::from)
}

/// The texts of addresses, and others that look like them.
fn near_addresses() -> impl Strategy<Value = String> {
    let ip4 = "[0-9]{1,3}\\.[0-9]{1,2}\\.(0|25[0-9])\\.[0-2]{1,3}(/[0-9]{1,2})?";
    let ip6 =
        "(::)?([0f]{1,4}:){0,7}:?([0f]{1,4}(:[0f]{1,4}){0,6})?(:?1\\.2\\.3\\.4)?(/1?[0-9]{1,2})?";
    prop_oneof![ip4, ip6, "[0-9a-g:./]{0,12}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn right_documents_are_accepted(document in document()) {
        prop_assert!(is_decoded(&document));
        prop_assert!(SCHEMA.is_valid(&document));
    }

    #[test]
    fn what_the_schema_accepts_the_decoder_accepts(
        mut document in document(),
        changes in proptest::collection::vec((any::<Index>(), odd()), 1..3),
    ) {
        for (at, value) in changes {
            let mut all = Vec::new();
            pointers(&document, "", &mut all);
            *document.pointer_mut(at.get::<String>(&all).as_str()).unwrap() = value;
        }
        prop_assert!(!SCHEMA.is_valid(&document) || is_decoded(&document), "{}", document);
    }

    #[test]
    fn schema_and_decoder_take_the_same_addresses(text in near_addresses()) {
        for family in ["ipv4", "ipv6"] {
            let document = json!({ "network": { family: { "addr": [text] } } });
            prop_assert_eq!(SCHEMA.is_valid(&document), is_decoded(&document), "{}", document);
        }
    }
}
