//! A rule of rctl(8) in a document.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::checked::{Checked, checked_string};
use crate::decode::{Decoded, Reader, checked};
use crate::schema::{Property, Text, set_of};

/// A rule about what the container may use, as rctl(8) has it behind the subject, which always is
/// the container's jail: `RESOURCE:ACTION=AMOUNT` or `RESOURCE:ACTION=AMOUNT/PER`.
///
/// It has the form of a rule. Which resources and actions there are, and which go together, is the
/// kernel's to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RctlRule(String);

checked_string!(RctlRule);

impl Checked for RctlRule {
    fn expected() -> String {
        "a rule of rctl(8) without its subject: RESOURCE:ACTION=AMOUNT or \
         RESOURCE:ACTION=AMOUNT/PER, such as \"memoryuse:deny=512m\""
            .to_owned()
    }

    fn check(text: &str) -> Option<Self> {
        let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase());
        let (resource, rest) = text.split_once(':')?;
        let (action, rest) = rest.split_once('=')?;
        let (amount, per) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(p)));
        let digits = amount.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let legal = word(resource)
            && action.strip_suffix(['1', '2']).map_or_else(|| word(action), word)
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && amount.len() - digits.len() <= 1
            && per.is_none_or(word);
        legal.then(|| Self(text.to_owned()))
    }
}

impl Text for RctlRule {
    fn schema() -> Value {
        json!({
            "type": "string",
            "pattern": "^[a-z]+:[a-z]+[12]?=[0-9]+[A-Za-z]?(/[a-z]+)?$",
        })
    }
}

/// A list of rules without duplicates.
impl Property for Vec<RctlRule> {
    fn decode(reader: &mut Reader<'_>, value: Value) -> Decoded<Self> {
        let mut seen = BTreeMap::new();
        reader.elements(
            value,
            "a list of rules such as \"memoryuse:deny=512m\"",
            |reader, value| {
                let rule: RctlRule = checked(reader, value.clone())?;
                reader.once(&mut seen, rule.clone(), &value)?;
                Ok(rule)
            },
        )
    }

    fn schema() -> Value {
        set_of(RctlRule::schema())
    }
}
