//! What MiniJinja's operators could do without a bound, bounded before they are compiled.
//!
//! Fuel counts operators but not the size of what they work on: one `'x' * 100000000` takes 100 MB, and a loop over
//! `[[a, a], [a, a]]` doubles what it holds with every level. Filters can count what they are given; operators cannot be
//! replaced. So a text is looked at as tokens: `*` is written out such that it takes numbers only, operators that make
//! longer texts are few in one expression, and what a loop runs over repeats nothing.
//!
//! To write `a * b` out as `a *-1*-1*(- -(b))` looks odd and is exact: negation twice changes no number, while MiniJinja
//! refuses to repeat a text or a list a negative number of times and to negate it.

use std::ops::Range;

use super::TemplateError;
use crate::diag::Code;

/// Operators in one expression that join texts or cut them (`~`, `+`, `[a:b]`).
const JOINS_MAX: usize = 16;

/// What stands where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `${{ here }}`, and the conditions of blocks.
    Expression,
    /// `${{% for x in here %}}`
    Loop,
}

/// Pieces that are added to a text, each before the byte at its place.
pub(super) type Additions = Vec<(usize, &'static str)>;

const BEFORE: &str = "-1*-1*(- -(";
const BEHIND: &str = "))";

/// An open bracket.
struct Open {
    byte: u8,
    /// `a[..]` or `f(..)`: belongs to what stands before it.
    postfix: bool,
    /// It makes a list, a tuple or a map.
    literal: bool,
    /// A list, tuple or map stands in it.
    holds: bool,
}

/// Looks at an expression in a text; gives what has to be added so that `*` takes numbers only.
///
/// # Errors
/// `template/limit` for what would have no bound.
pub(super) fn guard(text: &str, range: Range<usize>, place: Place) -> Result<Additions, TemplateError> {
    let bytes = &text.as_bytes()[..range.end];
    let limit = |message: &str, at: usize| TemplateError::new(Code::TemplateLimit, message).at(at..at + 1);
    let mut additions = Additions::new();
    let mut open: Vec<Open> = Vec::new();
    let mut operand = false;
    let (mut joins, mut tilde, mut names) = (0, None, false);
    let mut at = range.start;
    while at < range.end {
        let byte = bytes[at];
        let literals = open.iter().filter(|bracket| bracket.literal).count();
        match byte {
            b'"' | b'\'' => {
                at = end_of_string(bytes, at);
                operand = true;
                continue;
            }
            b'(' | b'[' | b'{' => {
                let literal = !operand && byte != b'(';
                open.push(Open { byte, postfix: operand, literal, holds: false });
                operand = false;
            }
            b')' | b']' | b'}' => {
                if let Some(closed) = open.pop() {
                    let holds = closed.literal || closed.holds;
                    if closed.literal && closed.holds && place == Place::Loop {
                        return Err(limit("a loop runs over a list inside a list", at)
                            .help("put the data in `vars` or in the app's values"));
                    }
                    if let Some(parent) = open.last_mut() {
                        parent.holds |= holds && !closed.postfix;
                    }
                }
                operand = true;
            }
            b',' => {
                if let Some(bracket) = open.last_mut().filter(|bracket| bracket.byte == b'(' && !bracket.postfix) {
                    bracket.literal = true;
                }
                operand = false;
            }
            b'~' | b'+' => {
                joins += 1;
                if byte == b'~' {
                    tilde = Some(at);
                }
                if place == Place::Loop && literals > 0 {
                    return Err(limit("a loop runs over texts that are joined in place", at)
                        .help("put the data in `vars` or in the app's values"));
                }
                operand = false;
            }
            b':' => {
                joins += usize::from(open.last().is_some_and(|bracket| bracket.byte == b'[' && bracket.postfix));
                operand = false;
            }
            b'*' if bytes.get(at + 1) == Some(&b'*') => {
                at += 2;
                operand = false;
                continue;
            }
            b'*' => {
                if operand {
                    additions.push((at + 1, BEFORE));
                    additions.push((operand_end(text, at + 1, range.end), BEHIND));
                }
                operand = false;
            }
            _ if byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80 => {
                let end = word_end(bytes, at);
                let word = &text[at..end];
                let keyword = ["and", "or", "not", "in", "is", "if", "else"].contains(&word);
                let constant = byte.is_ascii_digit()
                    || ["true", "false", "none", "True", "False", "None"].contains(&word)
                    || keyword;
                names |= !constant && literals > 0;
                if word == "recursive" && place == Place::Loop {
                    return Err(limit("there are no recursive loops", at));
                }
                operand = !keyword;
                at = end;
                continue;
            }
            _ if byte.is_ascii_whitespace() => {}
            _ => operand = false,
        }
        if joins > JOINS_MAX {
            let message = format!("an expression has more than {JOINS_MAX} operators that join or cut texts");
            return Err(limit(&message, at).help("write text around several expressions: `${{ a }}-${{ b }}`"));
        }
        at += 1;
    }
    if let Some(at) = tilde.filter(|_| names) {
        return Err(limit("an expression with `~` makes a list or a map of names", at)
            .help("write text around several expressions: `${{ a }}-${{ b }}`"));
    }
    additions.sort_by_key(|(at, piece)| (*at, *piece == BEFORE));
    Ok(additions)
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != bytes[start] {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn word_end(bytes: &[u8], start: usize) -> usize {
    let word = |byte: &u8| *byte == b'_' || byte.is_ascii_alphanumeric() || *byte >= 0x80;
    start + bytes[start..].iter().take_while(|byte| word(byte)).count()
}

/// Where the right side of a `*` ends that begins at `start`: at the next operator that does not bind tighter.
fn operand_end(text: &str, start: usize, end: usize) -> usize {
    let bytes = &text.as_bytes()[..end];
    let (mut at, mut depth, mut begun) = (start, 0_usize, false);
    while at < end {
        let byte = bytes[at];
        match byte {
            b'"' | b'\'' => {
                at = end_of_string(bytes, at);
                begun = true;
                continue;
            }
            b'(' | b'[' | b'{' => {
                depth += 1;
                begun = true;
            }
            b')' | b']' | b'}' if depth == 0 => return at,
            b')' | b']' | b'}' => depth -= 1,
            _ if depth > 0 => {}
            b'*' if bytes.get(at + 1) == Some(&b'*') => {
                at += 2;
                begun = false;
                continue;
            }
            b'-' | b'+' if !begun => {}
            b',' | b':' | b'-' | b'+' | b'*' | b'/' | b'%' | b'~' | b'=' | b'!' | b'<' | b'>' => return at,
            _ if byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80 => {
                let end = word_end(bytes, at);
                if ["and", "or", "not", "in", "is", "if", "else"].contains(&&text[at..end]) {
                    return at;
                }
                begun = true;
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    end
}

/// A part of a text with the additions that fall into it.
pub(super) fn written_out(text: &str, range: Range<usize>, additions: &Additions) -> String {
    let mut out = String::with_capacity(range.len() + additions.len() * BEFORE.len());
    let mut from = range.start;
    for (at, piece) in additions {
        out.push_str(&text[from..*at]);
        out.push_str(piece);
        from = *at;
    }
    out.push_str(&text[from..range.end]);
    out
}

/// The place in the text of a place in what was written out from `start` on.
pub(super) fn place_before(written: usize, start: usize, additions: &Additions) -> usize {
    let mut added = 0;
    for (at, piece) in additions {
        let begins = at - start + added;
        if written <= begins {
            break;
        }
        if written < begins + piece.len() {
            return *at;
        }
        added += piece.len();
    }
    start + written - added
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let additions = guard(text, 0..text.len(), Place::Expression).unwrap();
        let out = written_out(text, 0..text.len(), &additions);
        let once = |(at, letter): &(usize, &str)| text.matches(letter).count() == 1 && text.is_char_boundary(*at);
        for (at, letter) in text.match_indices(|c: char| c.is_alphabetic()).filter(once) {
            let there = out.find(letter).unwrap();
            assert_eq!(place_before(there, 0, &additions), at, "{text}: {out}");
        }
        out
    }

    #[test]
    fn products_take_numbers_only() {
        assert_eq!(written("a * b + c"), "a *-1*-1*(- -( b ))+ c");
        assert_eq!(written("a * b | f(1) * c"), "a *-1*-1*(- -( b | f(1) ))*-1*-1*(- -( c))");
        assert_eq!(written("a * -b ** -2"), "a *-1*-1*(- -( -b ** -2))");
        assert_eq!(written("f(*a, **b) ** c"), "f(*a, **b) ** c");
        assert_eq!(written("(a * (b * c))[0]"), "(a *-1*-1*(- -( (b *-1*-1*(- -( c))))))[0]");
        assert_eq!(written("'a * b' + c"), "'a * b' + c");
        assert_eq!(written("a * b if c else d"), "a *-1*-1*(- -( b ))if c else d");
    }

    #[test]
    fn what_could_grow_is_refused() {
        let refused = |text: &str, place| guard(text, 0..text.len(), place).is_err();
        for text in ["[[a, a], [a]]", "[a + a]", "((a, a), 1)", "[(a, a)]", "{'x': [a]}", "x recursive"] {
            assert!(refused(text, Place::Loop), "{text}");
        }
        for text in
            ["['a', 'b']", "[values.a, values.b]", "a + b", "f([1], [2])", "a[0][1]", "(a or b)", "a | map('x')"]
        {
            assert!(!refused(text, Place::Loop), "{text}");
        }
        assert!(refused(&"a ~ ".repeat(17), Place::Expression));
        assert!(refused(&"a[1:] ".repeat(17), Place::Expression));
        assert!(!refused(&"a - ".repeat(99), Place::Expression));
        assert!(refused("[a, a] ~ ''", Place::Expression));
        assert!(!refused("{'a': 'b'}[x] ~ ['a', 1, true][0]", Place::Expression));
    }
}
