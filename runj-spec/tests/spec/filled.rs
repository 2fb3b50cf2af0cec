//! Documents as large as may be.

/// A document that begins and ends like this, and between has as many elements of a list as fit.
pub(crate) fn filled(before: &str, element: impl Fn(usize) -> String, after: &str) -> String {
    const ROOM: usize = 4 << 20;
    let mut text = before.to_owned();
    for index in 0.. {
        let element = element(index);
        if text.len() + element.len() + after.len() + 1 > ROOM {
            break;
        }
        if index > 0 {
            text.push(',');
        }
        text += &element;
    }
    text + after
}
