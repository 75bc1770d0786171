//! Brackets that close at the indentation of their key:
//!
//! ```yaml
//! hosts: [
//!   a,
//! ]
//! ```
//!
//! Everybody writes this and libyaml, so Helm, reads it; YAML 1.2 and yaml-rust2 refuse it. Inside brackets a line end
//! next to an indicator is nothing but white space, so it may become a space without moving anything: where the parser
//! complains, the lines of that one pair of brackets are joined in a copy of the text, and the copy is parsed again.

/// Joins the lines between the bracket at `open` and its partner, in a copy of `text` that has the same length.
/// `false` if there is no partner or nothing to join.
pub(super) fn join(text: &str, copy: &mut [u8], open: usize) -> bool {
    let bytes = text.as_bytes();
    let mut joined = Vec::new();
    let mut depth = 0usize;
    // The last byte that is neither white space nor comment, and the line ends since.
    let mut before = b'[';
    let mut breaks: Vec<usize> = Vec::new();
    let mut at = open;
    while let Some(byte) = bytes.get(at).copied() {
        let blank = at > open && matches!(bytes[at - 1], b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b'{' | b':');
        let begin = at;
        match byte {
            b' ' | b'\t' => {
                at += 1;
                continue;
            }
            b'\n' | b'\r' => {
                breaks.push(at);
                at += 1;
                continue;
            }
            b'#' if blank => {
                let end =
                    bytes[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r')).map_or(bytes.len(), |n| at + n);
                breaks.extend(at..end);
                at = end;
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'\'' | b'"' if blank => at = super::place::quoted_end(text, at) - 1,
            _ => {}
        }
        if matches!(before, b',' | b'[' | b'{' | b':') || matches!(byte, b',' | b']' | b'}') {
            joined.append(&mut breaks);
        }
        breaks.clear();
        at = at.max(begin) + 1;
        before = bytes[at - 1];
        if depth == 0 {
            let changed = !joined.is_empty();
            for at in joined {
                copy[at] = b' ';
            }
            return changed;
        }
    }
    false
}

/// The first bracket behind a token, if nothing but white space, comments, indicators, tags and anchors is before it.
pub(super) fn next_bracket(text: &str, from: usize, to: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < to {
        match bytes[at] {
            b'[' | b'{' => return Some(at),
            b'#' => at = bytes[at..to].iter().position(|byte| matches!(byte, b'\n' | b'\r')).map_or(to, |n| at + n),
            b'!' | b'&' => at = super::place::word_end(bytes, at).max(at + 1),
            b' ' | b'\t' | b'\r' | b'\n' | b'-' | b':' | b'?' | b',' => at += 1,
            _ => {
                // The parser may not have told of a key yet; a plain one is known by its colon.
                let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
                let end = bytes[at..to].iter().position(|byte| !word(byte)).map_or(to, |n| at + n);
                if end == at || bytes.get(end) != Some(&b':') || bytes.get(end + 1) != Some(&b' ') {
                    return None;
                }
                at = end;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> Option<String> {
        let mut copy = text.as_bytes().to_vec();
        join(text, &mut copy, text.find(['[', '{']).unwrap()).then(|| String::from_utf8(copy).unwrap())
    }

    #[test]
    fn only_line_ends_next_to_indicators_are_joined() {
        assert_eq!(joined("a: [\n x, # c\n y\n]\nb: 1\n").as_deref(), Some("a: [  x,      y ]\nb: 1\n"));
        assert_eq!(joined("a: [x\n y\n]").as_deref(), Some("a: [x\n y ]"));
        assert_eq!(joined("a: ['x\n y]', {\n}]").as_deref(), Some("a: ['x\n y]', { }]"));
        assert_eq!(joined("a: [it's, b#c\n]").as_deref(), Some("a: [it's, b#c ]"));
        assert_eq!(joined("a: [x]\n"), None);
        assert_eq!(joined("a: [\n"), None);
    }

    #[test]
    fn a_bracket_is_found_behind_its_key_only() {
        assert_eq!(next_bracket("k: # c [\n  [x]", 1, 14), Some(11));
        assert_eq!(next_bracket("- !raw {x", 0, 9), Some(7));
        assert_eq!(next_bracket("x\n&k key: {", 1, 11), Some(10));
        assert_eq!(next_bracket("k: a [", 1, 6), None);
    }
}
