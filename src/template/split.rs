//! Where the expressions are in a scalar's text.

use std::collections::BTreeSet;
use std::ops::Range;

use minijinja::Environment;

use super::{OPEN, TemplateError};
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
    /// Blocks, comments or whitespace control: MiniJinja takes the text as a whole.
    Blocks,
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
    while let Some(found) = text[at..].find(OPEN) {
        let open = at + found;
        let inner = open + OPEN.len();
        if matches!(bytes.get(inner), Some(b'%' | b'#' | b'-' | b'+')) {
            blocks = true;
            if bytes[inner] == b'%' {
                check_statement(text, inner + 1)?;
            }
            at = inner + 1;
            continue;
        }
        let Some(close) = end_of_expression(bytes, inner) else {
            return Err(TemplateError::new(Code::TemplateSyntax, "the expression does not end: `}}` is missing")
                .at(open..text.len())
                .help("a literal `${{` is written `${{ '${{' }}`, or the value is marked `!raw`"));
        };
        if bytes[close - 1] == b'-' {
            blocks = true;
        }
        if open > at {
            pieces.push(Piece::Text(at..open));
        }
        pieces.push(Piece::Expression(inner..close));
        at = close + 2;
    }
    if blocks {
        return Ok(Split::Blocks);
    }
    if at < text.len() {
        pieces.push(Piece::Text(at..text.len()));
    }
    Ok(match pieces.as_slice() {
        [Piece::Expression(range)] => Split::Whole(range.clone()),
        _ => Split::Pieces(pieces),
    })
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

/// The offset of the `}}` that ends an expression beginning at `at`.
fn end_of_expression(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while *bytes.get(at)? != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'(' | b'[' | b'{' => depth += 1,
            b'}' if depth == 0 => return (bytes.get(at + 1) == Some(&b'}')).then_some(at),
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
        Ok(Split::Blocks) => {
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
        assert_eq!(split("${{% if a %}}x${{% endif %}}").unwrap(), Split::Blocks);
        assert_eq!(split("{{ helm }} $${x}").unwrap(), Split::Pieces(vec![Piece::Text(0..16)]));
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(split("a ${{ b").unwrap_err().message.contains("does not end"));
        assert!(split("a ${{ 'b }}").unwrap_err().message.contains("does not end"));
        let error = split("${{% set x = 1 %}}").unwrap_err();
        assert_eq!((error.message.as_str(), error.range), ("there is no statement `set`", Some(5..8)));
    }

    #[test]
    fn names() {
        assert_eq!(reads("${{ vars.a }}-${{ cap.ingress.className }}"), ["cap.ingress.className", "vars.a"]);
        assert_eq!(reads("${{% for x in vars.list %}}${{ x }}${{% endfor %}}"), ["vars.list"]);
    }
}
