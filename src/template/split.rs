//! Where the expressions are in a scalar's text.

use std::collections::BTreeSet;
use std::ops::Range;

use minijinja::Environment;

use super::guard::{Additions, Place, guard};
use super::{EXPRESSION_LIMIT, OPEN, TemplateError};
use crate::diag::Code;

/// A piece of a scalar's text, as byte ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Range<usize>),
    /// The expression between the delimiters.
    Expression(Range<usize>),
}

/// How a scalar has to be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Split {
    /// Exactly one expression.
    Whole(Range<usize>),
    Pieces(Vec<Piece>),
    /// Blocks, comments or whitespace control: MiniJinja takes the text as a whole, with these additions.
    Blocks(Additions),
}

/// The statements that exist. Others (`set`, `macro`, `include`) could make text grow without bound or read files.
const STATEMENTS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];

/// Finds the expressions of a text. Braces inside an expression balance (`{'a': {}}`) and strings may hold anything,
/// as in MiniJinja's own lexer.
pub(super) fn split(text: &str) -> Result<Split, TemplateError> {
    let bytes = text.as_bytes();
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut blocks = false;
    let mut additions = Additions::new();
    while let Some(found) = text[at..].find(OPEN) {
        let open = at + found;
        let inner = open + OPEN.len();
        // Comments and blocks are skipped as MiniJinja skips them: what one of them holds begins nothing.
        if bytes.get(inner) == Some(&b'#') {
            let Some(end) = text[inner + 1..].find("#}}") else { return Err(unended(text, open, "comment", "#}}")) };
            blocks = true;
            at = inner + 1 + end + 3;
            continue;
        }
        if bytes.get(inner) == Some(&b'%') {
            check_statement(text, inner + 1)?;
            let Some(close) = end_of(bytes, inner + 1, b"%}}") else {
                return Err(unended(text, open, "block", "%}}"));
            };
            check_length(inner..close)?;
            additions.extend(guard_statement(text, inner + 1..close)?);
            blocks = true;
            at = close + 3;
            continue;
        }
        blocks |= matches!(bytes.get(inner), Some(b'-' | b'+'));
        let Some(close) = end_of(bytes, inner, b"}}") else {
            return Err(unended(text, open, "expression", "}}")
                .help("a literal `${{` is written `${{ '${{' }}`, or the value is marked `!raw`"));
        };
        check_length(inner..close)?;
        if bytes[close - 1] == b'-' {
            blocks = true;
        }
        if open > at {
            pieces.push(Piece::Text(at..open));
        }
        additions.extend(guard(text, inner..close, Place::Expression)?);
        pieces.push(Piece::Expression(inner..close));
        at = close + 2;
    }
    if blocks {
        return Ok(Split::Blocks(additions));
    }
    if at < text.len() {
        pieces.push(Piece::Text(at..text.len()));
    }
    Ok(match pieces.as_slice() {
        [Piece::Expression(range)] => Split::Whole(range.clone()),
        _ => Split::Pieces(pieces),
    })
}

fn unended(text: &str, open: usize, what: &str, end: &str) -> TemplateError {
    TemplateError::new(Code::TemplateSyntax, format!("the {what} does not end: `{end}` is missing"))
        .at(open..text.len())
}

/// MiniJinja recurses into chains of operators and filters, so their length is bounded before it sees them.
pub(super) fn check_length(range: Range<usize>) -> Result<(), TemplateError> {
    if range.len() <= EXPRESSION_LIMIT {
        return Ok(());
    }
    let message = format!("an expression is longer than {EXPRESSION_LIMIT} bytes");
    Err(TemplateError::new(Code::TemplateLimit, message).at(range).help("split it, or move its data to `vars`"))
}

fn check_statement(text: &str, at: usize) -> Result<(), TemplateError> {
    let rest = text[at..].trim_start_matches(['-', '+']).trim_start();
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let word = &rest[..end];
    if STATEMENTS.contains(&word) {
        return Ok(());
    }
    let start = text.len() - rest.len();
    Err(TemplateError::new(Code::TemplateSyntax, format!("there is no statement `{word}`"))
        .at(start..start + end.max(1))
        .help("blocks may use `if`, `elif`, `else`, `endif`, `for` and `endfor`"))
}

/// The expression of a statement: what a loop runs over, or a condition. A loop's own condition counts as the former.
fn guard_statement(text: &str, range: Range<usize>) -> Result<Additions, TemplateError> {
    let inner = &text[range.clone()];
    let is_loop = inner.trim_start_matches(['-', '+']).trim_start().starts_with("for");
    match inner.find(" in ").filter(|_| is_loop) {
        Some(at) => guard(text, range.start + at + 4..range.end, Place::Loop),
        None if is_loop => guard(text, range, Place::Loop),
        None => guard(text, range, Place::Expression),
    }
}

/// The offset of the `end` that closes an expression or a block whose inside begins at `at`.
fn end_of(bytes: &[u8], mut at: usize, end: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    while at < bytes.len() {
        if depth == 0 && bytes[at..].starts_with(end) {
            return Some(at);
        }
        match bytes[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while *bytes.get(at)? != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'(' | b'[' | b'{' => depth += 1,
            b'}' if depth == 0 => return None,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The names that a scalar's templates read (`vars.replicas`, `cap.ingress.className`), sorted.
pub fn reads(text: &str) -> Vec<String> {
    let environment = Environment::empty();
    let mut names = BTreeSet::new();
    match split(text) {
        Ok(Split::Whole(range)) => collect(&environment, &text[range], &mut names),
        Ok(Split::Pieces(pieces)) => {
            for piece in pieces {
                if let Piece::Expression(range) = piece {
                    collect(&environment, &text[range], &mut names);
                }
            }
        }
        Ok(Split::Blocks(_)) => {
            let mut environment = Environment::empty();
            environment.set_syntax(super::engine::syntax());
            if let Ok(template) = environment.template_from_str(text) {
                names.extend(template.undeclared_variables(true));
            }
        }
        Err(_) => {}
    }
    names.into_iter().collect()
}

fn collect(environment: &Environment<'_>, expression: &str, names: &mut BTreeSet<String>) {
    if let Ok(expression) = environment.compile_expression(expression) {
        names.extend(expression.undeclared_variables(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_expressions() {
        assert_eq!(split("${{ a }}").unwrap(), Split::Whole(3..6));
        assert_eq!(
            split("x-${{ a }}-${{b}}").unwrap(),
            Split::Pieces(vec![
                Piece::Text(0..2),
                Piece::Expression(5..8),
                Piece::Text(10..11),
                Piece::Expression(14..15)
            ])
        );
        assert_eq!(split("${{ {'a': {'b': '}}'}}['a'] }}").unwrap(), Split::Whole(3..28));
        assert_eq!(split("${{% if a %}}x${{% endif %}}").unwrap(), Split::Blocks(vec![]));
        assert_eq!(split("{{ helm }} $${x}").unwrap(), Split::Pieces(vec![Piece::Text(0..16)]));
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(split("a ${{ b").unwrap_err().message.contains("does not end"));
        assert!(split("a ${{ 'b }}").unwrap_err().message.contains("does not end"));
        let error = split("${{% set x = 1 %}}").unwrap_err();
        assert_eq!((error.message.as_str(), error.range), ("there is no statement `set`", Some(5..8)));
        assert!(split("a ${{# b").unwrap_err().message.contains("comment does not end"));
        assert!(split("a ${{% if '%}}' ").unwrap_err().message.contains("block does not end"));
    }

    #[test]
    fn statements_cannot_hide() {
        for text in [
            "${{# ${{ ' #}}${{% set x = 1 %}} ' }}",
            "${{- \"${{ '\" }}${{% set x = 1 %}} ' }}",
            "${{% if \"${{ '\" %}}${{% set x = 1 %}}${{% endif %}} ' }}",
        ] {
            assert!(split(text).is_err_and(|error| error.message.contains("no statement `set`")), "{text}");
        }
        assert_eq!(split("${{- '${{% set x = 1 %}}' }}").unwrap(), Split::Blocks(vec![]));
    }

    #[test]
    fn chains_are_bounded() {
        for chain in ["not ", "- ", "1 + ", "1 if 1 else "] {
            let text = format!("${{{{ {}1 }}}}", chain.repeat(5000));
            assert_eq!(split(&text).unwrap_err().code, Code::TemplateLimit);
            let text = format!("${{{{% if {}1 %}}}}x${{{{% endif %}}}}", chain.repeat(5000));
            assert_eq!(split(&text).unwrap_err().code, Code::TemplateLimit);
        }
    }

    #[test]
    fn names() {
        assert_eq!(reads("${{ vars.a }}-${{ cap.ingress.className }}"), ["cap.ingress.className", "vars.a"]);
        assert_eq!(reads("${{% for x in vars.list %}}${{ x }}${{% endfor %}}"), ["vars.list"]);
    }
}
