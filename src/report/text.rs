//! Other people's text made harmless: what a terminal would obey, what would start a line of its own, and what makes
//! a line look other than it is (text direction) is shown as an escape.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character must not reach a terminal as it is: controls of both sets (the second, U+0080 to U+009F, opens
/// escape sequences as well), line and paragraph separators, marks that turn the direction of text,
/// and the private character that `human` works with.
pub(in crate::report) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}' | '\u{f8ff}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}')
}

/// The text on one line: `\n`, `\t`, `\u{1b}` where the text has such characters.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escape(text, |_| false)
}

/// As [`one_line`], but the text may have several lines.
pub(super) fn lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| c == '\n')
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    let bad = |c: char| is_hostile(c) && !keep(c);
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !bad(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a `String` does not fail.
            c => _ = write!(out, "\\u{{{:x}}}", c as u32),
        }
    }
    Cow::Owned(out)
}

/// A JSON text with the characters escaped that JSON would let through (its writer escapes only U+0000 to U+001F).
/// Such characters can only stand in strings, so the document stays the same.
pub(super) fn json(text: String) -> String {
    let bad = |c: char| is_hostile(c) && c >= '\u{7f}';
    if !text.contains(bad) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if bad(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(one_line("plain ünïcode 漢字 🦀"), "plain ünïcode 漢字 🦀");
        assert_eq!(
            one_line("a\x1b[2Jb\n::error::\r\t\u{9b}31m\u{202e}"),
            "a\\u{1b}[2Jb\\n::error::\\r\\t\\u{9b}31m\\u{202e}"
        );
        assert_eq!(lines("a\nb\x07"), "a\nb\\u{7}");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({ "a": "\u{9b}\u{2028}\u{e0001}\x1b\u{7f}é" });
        let text = json(value.to_string());
        assert!(!text.contains(is_hostile), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
