//! Somebody else's text in the three forms that nothing breaks out of.

use std::fmt::Write as _;

use crate::report::text::is_hostile;

/// Longest text in a line; names are shorter, and a longer one is somebody's game.
const LONGEST: usize = 240;

/// Characters that show nothing, or join others to something else.
fn is_invisible(c: char) -> bool {
    is_hostile(c)
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        )
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}')
        || matches!(c, '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' | '\u{2800}')
}

/// A text on one line, everything in it visible, not longer than a name.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, c) in text.chars().enumerate() {
        if number >= LONGEST {
            out.push('…');
            break;
        }
        push_visible(c, &mut out);
    }
    out
}

fn push_visible(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if is_invisible(c) => _ = write!(out, "\\u{{{:x}}}", c as u32),
        c => out.push(c),
    }
}

/// The longest run of backticks in a text.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A code span. Its delimiter is longer than any run of backticks inside; a space at each end is stripped by the reader,
/// so that the text may begin and end with anything.
pub(super) fn code_span(text: &str, out: &mut String) {
    let text = visible(text);
    if text.trim().is_empty() {
        // A span of spaces alone is not one everywhere.
        out.push_str("`(empty)`");
        return;
    }
    let delimiter = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    _ = write!(out, "{delimiter}{pad}{text}{pad}{delimiter}");
}

/// A `<code>` element for the inside of `<summary>`. Whatever is not a letter or a digit becomes a character reference:
/// those who look for `@name` and `#1` in the source find nothing either.
pub(super) fn html_code(text: &str, out: &mut String) {
    out.push_str("<code>");
    for c in visible(text).chars() {
        if c.is_alphanumeric() || matches!(c, '-' | '.' | '/' | ' ' | '…') {
            out.push(c);
        } else {
            _ = write!(out, "&#{};", c as u32);
        }
    }
    out.push_str("</code>");
}

/// A fenced block with a line end.
pub(super) fn fence(language: &str, text: &str, out: &mut String) {
    let delimiter = "`".repeat(longest_run(text).max(2) + 1);
    _ = writeln!(out, "{delimiter}{language}");
    for line in text.lines() {
        fence_line(line, out);
        out.push('\n');
    }
    _ = writeln!(out, "{delimiter}");
}

/// Longest line of a fenced block.
const LONGEST_LINE: usize = 500;

fn fence_line(line: &str, out: &mut String) {
    for (number, c) in line.chars().enumerate() {
        if number >= LONGEST_LINE {
            out.push('…');
            break;
        }
        push_visible(c, out);
    }
}

pub(super) fn address(root: &str, path: &str, fragment: &str) -> String {
    let mut out = root.trim_end_matches('/').to_owned();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        out.push('/');
        // A dot segment would be resolved by the browser, to another page.
        let dots = matches!(part, "." | "..");
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) || (byte == b'.' && !dots) {
                out.push(char::from(byte));
            } else {
                _ = write!(out, "%{byte:02X}");
            }
        }
    }
    if !fragment.is_empty() {
        out.push('#');
        out.push_str(fragment);
    }
    out
}
