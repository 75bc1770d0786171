//! Where things stand in the source text: the parser's marks as byte offsets, and the ends that it does not tell.
//!
//! Traps of yaml-rust2 0.13 that this module is here for: `Marker::index` counts characters, but bytes inside block
//! scalars, so it is of use only for ASCII (otherwise line and column are, which are right); a block scalar is marked at
//! its first line of text, an empty one at whatever follows; a block map after its first key; nothing has an end.

use yaml_rust2::scanner::Marker;

/// Byte offsets of marks. All offsets count from the beginning of the whole text, byte order mark included.
pub(super) struct Places<'t> {
    text: &'t str,
    /// Where the parser began: behind a byte order mark.
    base: usize,
    /// Beginnings of lines; empty for ASCII, where marks are offsets already.
    lines: Vec<u32>,
    /// The last place that was worked out, because most marks are on its line or the next: line, column, offset.
    last: (usize, usize, usize),
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str, base: usize) -> Self {
        let mut lines = Vec::new();
        if !text.is_ascii() {
            lines.push(base as u32);
            let bytes = text.as_bytes();
            for (at, byte) in bytes.iter().enumerate().skip(base) {
                if *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
                    lines.push(at as u32 + 1);
                }
            }
        }
        Self { text, base, lines, last: (0, 0, base) }
    }

    /// The byte offset of a mark; marks behind the end are the end.
    pub(super) fn byte(&mut self, mark: &Marker) -> usize {
        if self.lines.is_empty() {
            return (self.base + mark.index()).min(self.text.len());
        }
        let line = mark.line().saturating_sub(1);
        let Some(start) = self.lines.get(line) else { return self.text.len() };
        let (mut column, mut offset) = match self.last {
            (last, column, offset) if last == line && column <= mark.col() => (column, offset),
            _ => (0, *start as usize),
        };
        for character in self.text[offset..].chars().take(mark.col() - column) {
            offset += character.len_utf8();
            column += 1;
        }
        self.last = (line, column, offset);
        offset
    }
}

/// What stands between two tokens.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Lead {
    /// The first tag: from its `!` to its end.
    pub(super) tag: Option<(usize, usize)>,
    /// The first `-` that begins a list item.
    pub(super) dash: Option<usize>,
    /// The `|` or `>` of a block scalar.
    pub(super) header: Option<usize>,
}

/// What to look for between two tokens; looking ends where it is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Want {
    Tag,
    Header,
    /// Everything there is.
    All,
}

/// Looks through white space, comments, indicators, anchors and tags between the end of a token and `to`.
pub(super) fn lead(text: &str, from: usize, to: usize, want: Want) -> Lead {
    let bytes = text.as_bytes();
    let mut found = Lead::default();
    let mut at = from;
    while at < to.min(bytes.len()) {
        match bytes[at] {
            b'#' if at == 0 || bytes[at - 1].is_ascii_whitespace() => at = line_end(bytes, at),
            b'!' => {
                let end = word_end(bytes, at);
                found.tag = found.tag.or(Some((at, end)));
                if want == Want::Tag {
                    break;
                }
                at = end;
            }
            b'&' => at = word_end(bytes, at),
            b'-' => {
                found.dash = found.dash.or(Some(at));
                at += 1;
            }
            b'|' | b'>' => {
                found.header = Some(at);
                break;
            }
            _ => at += 1,
        }
    }
    found
}

/// The end of a tag, an anchor or an alias.
pub(super) fn word_end(bytes: &[u8], at: usize) -> usize {
    let end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']' | b'{' | b'}');
    bytes[at..].iter().position(end).map_or(bytes.len(), |length| at + length)
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r')).map_or(bytes.len(), |length| at + length)
}

/// The end of a plain scalar with this value. On several lines its words stand in the source in the same order, and only
/// blanks and line ends between them.
pub(super) fn plain_end(text: &str, start: usize, value: &str) -> usize {
    if stands_at(text, start, value) {
        return start + value.len();
    }
    let blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let bytes = text.as_bytes();
    let mut at = start;
    for byte in value.bytes().filter(|byte| !blank(*byte)) {
        while bytes.get(at).is_some_and(|byte| blank(*byte)) {
            at += 1;
        }
        if bytes.get(at) != Some(&byte) {
            break;
        }
        at += 1;
    }
    floor(text, at)
}

/// Whether a text holds `value` at a place. Most values are a part of the very text.
pub(super) fn stands_at(text: &str, at: usize, value: &str) -> bool {
    let part = text.get(at..).and_then(|rest| rest.get(..value.len()));
    part.is_some_and(|part| std::ptr::eq(part, value) || part == value)
}

/// The end of a quoted scalar, behind its closing quote.
pub(super) fn quoted_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let Some(quote) = bytes.get(start).copied() else { return text.len() };
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        if *byte == b'\\' && quote == b'"' {
            at += 1;
        } else if *byte == quote {
            if quote == b'\'' && bytes.get(at) == Some(&quote) {
                at += 1;
            } else {
                return at;
            }
        }
    }
    text.len()
}

/// The end of a block scalar's text, its last line end left out. `header` is its `|` or `>`, `content` the first
/// character of its text.
pub(super) fn block_end(text: &str, header: usize, content: usize, value: &str) -> usize {
    let bytes = text.as_bytes();
    if value.bytes().all(|byte| byte == b'\n') || content <= header {
        return word_end(bytes, header);
    }
    let line_start = bytes[..content].iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
    let indent = content - line_start;
    let mut end = content;
    let mut at = line_start;
    while at < bytes.len() {
        let stop = line_end(bytes, at);
        let line = &bytes[at..stop];
        let margin = line.iter().take_while(|byte| **byte == b' ').count();
        if margin >= indent && line.len() > indent {
            if indent == 0 && matches!(line, [b'.', b'.', b'.'] | [b'.', b'.', b'.', b' ' | b'\t', ..]) {
                break;
            }
            end = stop;
        } else if margin < line.len() {
            break;
        }
        at = stop + 1;
        if bytes.get(stop) == Some(&b'\r') && bytes.get(at) == Some(&b'\n') {
            at += 1;
        }
    }
    end
}

/// The value of a block scalar without text that ends the file, which is marked at its head.
///
/// The parser counts the line end behind the head as text there, and nobody else does.
pub(super) fn empty_block(text: &str, header: usize) -> String {
    let keep = text[header..word_end(text.as_bytes(), header)].contains('+');
    let lines = text[header..].replace("\r\n", "\n").bytes().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    "\n".repeat(if keep { lines.saturating_sub(1) } else { 0 })
}

/// Whether a block scalar swallowed a line that separates documents: the parser does where the text is not indented.
pub(super) fn separator_in_block(text: &str, place: (usize, usize)) -> bool {
    text[place.0..place.1]
        .split(['\n', '\r'])
        .skip(1)
        .any(|line| line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])))
}

/// The nearest beginning of a character at or before an offset.
pub(super) fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_end_with_their_last_word() {
        assert_eq!(plain_end("a b c\nd", 2, "b"), 3);
        let text = "k: one\n\n   two\r\n  three # no\n";
        assert_eq!(&text[3..plain_end(text, 3, "one\ntwo three")], "one\n\n   two\r\n  three");
    }

    #[test]
    fn quotes_end_where_they_close() {
        assert_eq!(quoted_end("'it''s' x", 0), 7);
        assert_eq!(quoted_end(r#""a\"b\\" x"#, 0), 8);
        assert_eq!(quoted_end("'open", 0), 5);
    }

    #[test]
    fn block_scalars_end_with_their_text() {
        let text = "a: |\n  x\n\n   y\n\n# c\nb: 1\n";
        assert_eq!(&text[3..block_end(text, 3, 7, "x\n\n y\n")], "|\n  x\n\n   y");
        let empty = "a: |\nb: 1\n";
        assert_eq!(block_end(empty, 3, 5, ""), 4);
    }
}
