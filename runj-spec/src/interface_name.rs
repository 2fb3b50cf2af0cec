//! The name of a network interface.

use serde_json::{Value, json};

use crate::checked::{Checked, checked_string};
use crate::schema::Text;

/// The name of a network interface: 1 to 15 bytes (IFNAMSIZ - 1, see ifnet(9)) without `/`, white
/// space or control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName(String);

checked_string!(InterfaceName);

impl Checked for InterfaceName {
    fn expected() -> String {
        "the name of a network interface: 1 to 15 bytes without '/', white space or control characters".to_owned()
    }

    fn check(text: &str) -> Option<Self> {
        let legal = (1..=15).contains(&text.len())
            && !text.contains(|character: char| {
                character == '/' || character.is_whitespace() || character.is_control()
            });
        legal.then(|| Self(text.to_owned()))
    }
}

impl Text for InterfaceName {
    /// JSON Schema counts characters, not bytes, so this allows ASCII only.
    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[!-.0-~]{1,15}$" })
    }
}
