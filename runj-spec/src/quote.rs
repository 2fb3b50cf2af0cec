//! How a value from a document is shown in a message: as JSON, on one line, not too long.

use serde_json::Value;

/// The most characters that a message shows of one value.
const MAX_CHARS: usize = 100;

/// `value` as compact JSON, escaped to stay on one line and cut to [`MAX_CHARS`] characters.
pub(crate) fn quote(value: &Value) -> String {
    let mut shown = String::new();
    for character in value.to_string().chars() {
        if breaks_a_line(character) {
            shown.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    match shown.char_indices().nth(MAX_CHARS) {
        None => shown,
        Some(_) => shown.chars().take(MAX_CHARS - 1).chain(['…']).collect(),
    }
}

/// A text of the document, such as a key, as [`quote`] shows it.
pub(crate) fn quote_text(text: &str) -> String {
    quote(&Value::from(text))
}

/// Whether a terminal or a log could take `character` for more than a letter: a line end, a control
/// character or a change of the writing direction. JSON escapes only those below U+0020.
fn breaks_a_line(character: char) -> bool {
    let separates = matches!(character, '\u{2028}' | '\u{2029}');
    let turns = matches!(
        character,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    character.is_control() || separates || turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_look_like_json() {
        assert_eq!(quote(&json!({"a": [1, "b", null]})), r#"{"a":[1,"b",null]}"#);
    }

    #[test]
    fn a_message_stays_on_one_line() {
        assert_eq!(
            quote_text("a\nb\u{7f}\u{85}\u{2028}\u{202e}\u{1b}"),
            r#""a\nb\u007f\u0085\u2028\u202e\u001b""#
        );
    }

    #[test]
    fn long_values_are_cut() {
        let shown = quote_text(&"ä".repeat(5000));
        assert_eq!(shown.chars().count(), 100);
        assert!(shown.ends_with("ä…"));
        assert_eq!(quote_text(&"a".repeat(98)).chars().count(), 100);
        assert!(quote_text(&"a".repeat(98)).ends_with("a\""));
    }
}
