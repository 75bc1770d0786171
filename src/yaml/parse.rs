//! Text → documents: the parser's events, taken one by one onto an own stack.
//!
//! yaml-rust2's `load` recurses and could exhaust the stack on hostile depth, and its events know neither duplicate keys
//! nor `<<`; so events are pulled and all of that is done in `build`. What is not simple (`simple`) is checked for what
//! YAML does not allow before the parser sees it: the parser takes a NUL for the end of the file and would silently lose
//! the rest.

use std::cell::Cell;
use std::sync::Arc;

use yaml_rust2::parser::{Event, Parser};

use super::build::Builder;
use super::decode::too_large;
use super::{Doc, flow, simple, syntax};
use crate::diag::{Code, Diagnostic, FileId, Span};

/// Bounds on what one file may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Nesting of maps and lists.
    pub depth: usize,
    /// Nodes of one document, and of all of them together, aliases followed.
    pub nodes: u64,
    /// Bytes of one scalar, keys included.
    pub scalar: usize,
}

impl Default for Limits {
    /// 4 MiB, 64 levels, 250,000 nodes (the largest bundles of CRDs have a tenth of that), 1 MiB.
    fn default() -> Self {
        Self { bytes: 4 << 20, depth: 64, nodes: 250_000, scalar: 1 << 20 }
    }
}

/// Parses all documents of a file; findings are added to `findings`.
///
/// An empty file, or one with nothing but comments, is one document that is null. At a syntax error, or where a limit is
/// passed, parsing ends: the documents before are given, the broken one is not, so the list may then be empty. All other
/// findings leave a document that can be worked with: of two equal keys the last one counts, as it does for Helm; an
/// alias that cannot be followed is null; an entry whose key cannot be one is left out.
pub fn parse(text: &Arc<str>, file: FileId, limits: &Limits, findings: &mut Vec<Diagnostic>) -> Vec<Doc> {
    if text.len() > limits.bytes || u32::try_from(text.len()).is_err() {
        findings.push(too_large(file, text.len(), limits));
        return Vec::new();
    }
    let base = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    // What is not allowed is not simple.
    if let Some(docs) = simple(text, file, limits, findings) {
        return docs;
    }
    if let Some(finding) = forbidden(text, base, file) {
        findings.push(finding);
        return Vec::new();
    }
    parsed(text, base, file, limits, findings)
}

/// All documents of any text, by way of the parser.
fn parsed(text: &Arc<str>, base: usize, file: FileId, limits: &Limits, findings: &mut Vec<Diagnostic>) -> Vec<Doc> {
    // The parser reads a copy only where the text itself has brackets that it refuses (see `flow`).
    let mut copy: Option<String> = None;
    let mut work = 0;
    let known = findings.len();
    loop {
        let readable = copy.as_deref().unwrap_or(text);
        match attempt(text, readable, base, file, limits, findings) {
            Ok(docs) => return docs,
            Err(Refused { docs, at, bracket }) => {
                work += at + text.len() / 16;
                let again = bracket.filter(|_| work <= text.len().saturating_mul(4).max(limits.bytes));
                let mut bytes = readable.as_bytes().to_vec();
                let joined = again.is_some_and(|bracket| flow::join(readable, &mut bytes, bracket));
                let Some(joined) = joined.then(|| String::from_utf8(bytes).ok()).flatten() else { return docs };
                findings.truncate(known);
                copy = Some(joined);
            }
        }
    }
}

/// The one document of a text that needs no parser.
fn simple(text: &Arc<str>, file: FileId, limits: &Limits, findings: &mut Vec<Diagnostic>) -> Option<Vec<Doc>> {
    if !simple::may_be_simple(text) {
        return None;
    }
    let known = findings.len();
    let mut builder = Builder::new(text, text, 0, file, limits, findings);
    if simple::feed(text, &mut builder).is_ok() {
        return Some(builder.finish(true));
    }
    findings.truncate(known);
    None
}

/// The text was refused.
struct Refused {
    docs: Vec<Doc>,
    at: usize,
    /// The outermost bracket around the place, if indentation inside of it is all that is wrong.
    bracket: Option<usize>,
}

fn attempt(
    text: &Arc<str>,
    readable: &str,
    base: usize,
    file: FileId,
    limits: &Limits,
    findings: &mut Vec<Diagnostic>,
) -> Result<Vec<Doc>, Refused> {
    let mut builder = Builder::new(text, readable, base, file, limits, findings);
    line_breaks(text, file, &mut builder);
    let (marks, stopped) = (Cell::new(0), Cell::new(false));
    let mut parser = Parser::new(Watched { chars: readable[base..].chars(), marks: &marks, stopped: &stopped });
    loop {
        let token = parser.next_token();
        marks.set(0);
        if stopped.get() {
            builder.report(
                Diagnostic::new(Code::YamlLimit, format!("brackets hold more than {MARKS_MAX} marks such as `,`"))
                    .at(Span::new(file, base, base), "this file")
                    .help("write lists and maps without brackets, or split the file"),
            );
            return Ok(builder.finish(false));
        }
        match token {
            Ok((Event::StreamEnd, _)) => return Ok(builder.finish(true)),
            Ok((event, mark)) => {
                if builder.event(event, &mark).is_err() {
                    return Ok(builder.finish(false));
                }
            }
            Err(error) => {
                let at = builder.places.byte(error.marker());
                let bracket =
                    if error.info().starts_with("invalid indentation") { builder.bracket_around(at) } else { None };
                builder.report(syntax::finding(text, file, at, error.info()));
                return Err(Refused { docs: builder.finish(false), at, bracket });
            }
        }
    }
}

/// Marks (brackets, commas, colons) that may stand in brackets before the parser knows what the brackets are: until it
/// has seen whether a `:` makes them a key, it keeps some 150 bytes for each. Texts may hold as many.
const MARKS_MAX: usize = 250_000;

/// The characters of a text, until the parser has read too far ahead.
struct Watched<'a> {
    chars: std::str::Chars<'a>,
    /// Marks since the last event.
    marks: &'a Cell<usize>,
    stopped: &'a Cell<bool>,
}

impl Iterator for Watched<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let next = self.chars.next()?;
        if matches!(next, '[' | ']' | '{' | '}' | ',' | ':') {
            self.marks.set(self.marks.get() + 1);
            if self.marks.get() > MARKS_MAX {
                self.stopped.set(true);
            }
        }
        (!self.stopped.get()).then_some(next)
    }
}

/// The first character that may not stand in YAML at all.
fn forbidden(text: &str, base: usize, file: FileId) -> Option<Diagnostic> {
    let control = |byte: u8| (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7f;
    let ascii = text.bytes().position(control);
    let wide = if text.is_ascii() {
        None
    } else {
        text[base..]
            .char_indices()
            .find(|(_, character)| {
                matches!(character, '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
            })
            .map(|(at, _)| base + at)
    };
    let at = [ascii, wide].into_iter().flatten().min()?;
    let character = text[at..].chars().next()?;
    let code = u32::from(character);
    Some(
        Diagnostic::new(Code::YamlSyntax, format!("the character U+{code:04X} is not allowed in YAML"))
            .at(Span::new(file, at, at + character.len_utf8()), "this character")
            .help(format!("delete it, or write `\\u{code:04x}` in double quotes if it is meant")),
    )
}

/// Warns of characters that end a line for YAML 1.1 (so for Helm) and are text for YAML 1.2 and hlgen.
fn line_breaks(text: &str, file: FileId, builder: &mut Builder<'_>) {
    if text.is_ascii() {
        return;
    }
    for (at, found) in text.match_indices(['\u{85}', '\u{2028}', '\u{2029}']) {
        let code = found.chars().next().map_or(0, u32::from);
        builder.report(
            Diagnostic::new(
                Code::YamlAmbiguousScalar,
                format!("the character U+{code:04X} ends the line for Helm and Kubernetes, but is text to YAML 1.2"),
            )
            .at(Span::new(file, at, at + found.len()), "cannot be seen")
            .help(format!("delete it, or write `\\u{code:04x}` in double quotes if it is meant")),
        );
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
