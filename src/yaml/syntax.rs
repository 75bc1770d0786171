//! What the YAML parser complains about, in words that say what to do.

use super::place::{floor, word_end};
use crate::diag::{Code, Diagnostic, FileId, Span};

/// The finding for a text that the parser refuses at a byte offset.
pub(super) fn finding(text: &str, file: FileId, at: usize, said: &str) -> Diagnostic {
    let at = floor(text, at);
    let here = Span::new(file, at, character_end(text, at));
    let note = format!("the parser said: {said}");
    if said.contains("unknown anchor") {
        let name = &text[at..word_end(text.as_bytes(), at).max(at)];
        return Diagnostic::new(Code::YamlAlias, format!("`{name}` names no anchor in this document"))
            .at(Span::new(file, at, at + name.len()), "no such anchor before this place")
            .help(format!("write `&{}` before the value it should repeat", name.trim_start_matches('*')));
    }
    if said.contains("recursion limit") {
        return Diagnostic::new(Code::YamlLimit, "the brackets are nested too deeply")
            .at(here, "one too many")
            .note(note);
    }
    if let Some(tab) = tab_of(text, at, said) {
        return self::tab(file, tab).note(note);
    }
    let (message, label, help) = words(said);
    let mut finding = Diagnostic::new(Code::YamlSyntax, message).at(here, label).note(note);
    let line = &text[text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
    if line.contains("{{") || text[at..].starts_with("{{") {
        finding = finding.help("put quotes around text that begins with `{{`");
    } else if !help.is_empty() {
        finding = finding.help(help);
    }
    finding
}

/// The finding for a tab that stands where only spaces may.
pub(super) fn tab(file: FileId, at: usize) -> Diagnostic {
    Diagnostic::new(Code::YamlTab, "a tab stands where YAML wants spaces")
        .at(Span::new(file, at, at + 1), "tab")
        .help("indent with spaces")
}

/// The tab that an error is about: the parser names one, or the line's indentation holds one.
fn tab_of(text: &str, at: usize, said: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let line = bytes[..at].iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1);
    let in_margin = |line: usize| {
        let margin = bytes[line..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        bytes[line..line + margin].iter().position(|byte| *byte == b'\t').map(|tab| line + tab)
    };
    if let Some(tab) = in_margin(line) {
        return Some(tab);
    }
    if !said.contains("tab") && !said.contains("valid YAML whitespace") {
        return None;
    }
    // The mark may be at the beginning of a scalar whose later line begins with the tab, or right behind the tab.
    let later = text[at..].match_indices('\n').find_map(|(end, _)| in_margin(at + end + 1));
    let before = bytes[line..at].iter().rposition(|byte| *byte == b'\t').map(|tab| line + tab);
    before.or(later)
}

fn character_end(text: &str, at: usize) -> usize {
    match text[at..].chars().next() {
        Some(character) if character != '\n' && character != '\r' => at + character.len_utf8(),
        _ => at,
    }
}

/// Message, label and help for what the parser says.
fn words(said: &str) -> (&'static str, &'static str, &'static str) {
    const TABLE: &[(&str, &str, &str, &str)] = &[
        (
            "mapping values are not allowed",
            "a second `: ` in one value, or a key that is indented further than its neighbours",
            "this colon",
            "put the text in quotes, or indent the key like the others of its map",
        ),
        (
            "simple key expect",
            "this is no `key: value`, or the key is longer than 1024 characters",
            "a colon is missing before this place",
            "write `key: value`; text that goes on from the line before must be indented further than its key",
        ),
        (
            "did not find expected key",
            "the map ends here, but the line is not a key of any map around it",
            "not a key",
            "indent the line like the keys it belongs to",
        ),
        (
            "did not find expected '-' indicator",
            "the list ends here, but the line is not an item of it",
            "not an item",
            "begin the line with `- `, or indent it like the item it belongs to",
        ),
        (
            "sequence entries are not allowed",
            "a list item cannot begin here",
            "this `-`",
            "begin the list on a line of its own, or put the text in quotes",
        ),
        ("only valid inside a block", "`- ` cannot stand inside brackets", "this `-`", "separate the items by commas"),
        (
            "unexpected end of stream",
            "a quote is opened and never closed",
            "opened here",
            "close it; a `'` inside single quotes is written `''`",
        ),
        (
            "unexpected document indicator",
            "a quote is opened and never closed before the next document",
            "opened here",
            "close it; a `'` inside single quotes is written `''`",
        ),
        (
            "trailing content after",
            "text goes on after a closing quote",
            "behind the quote",
            "put the quotes around the whole text",
        ),
        (
            "unknown escape character",
            "an unknown escape in double quotes",
            "in this text",
            "write `\\\\` for a backslash, or use single quotes, which know no escapes",
        ),
        (
            "hexadecimal number",
            "an escape in double quotes lacks its hexadecimal digits",
            "in this text",
            "write `\\xNN`, `\\uNNNN` or `\\UNNNNNNNN`",
        ),
        ("Unicode character escape", "an escape in double quotes names no character", "in this text", ""),
        ("unexpected character", "a plain text cannot begin with this character", "here", "put the text in quotes"),
        (
            "flow mapping, did not find expected",
            "the braces are not closed, or a comma is missing",
            "a `,` or `}` is missing before this place",
            "put the text in quotes if the braces belong to it",
        ),
        (
            "flow sequence, expected",
            "the brackets are not closed, or a comma is missing",
            "a `,` or `]` is missing before this place",
            "put the text in quotes if the brackets belong to it",
        ),
        (
            "block scalar, did not find expected comment or line break",
            "text stands behind `|` or `>`",
            "this block",
            "begin the text on the next line, or put it in quotes",
        ),
        (
            "wrongly indented line in block scalar",
            "a line is indented less than the first one of its text",
            "here",
            "indent all lines of the text at least as far as the first",
        ),
        ("indentation indicator equal to 0", "a block of text cannot have the indentation 0", "this block", ""),
        (
            "alphabetic or numeric",
            "`&` and `*` begin an anchor or an alias, and a name must follow",
            "here",
            "put the text in quotes",
        ),
        (
            "did not find expected whitespace or line break",
            "a tag is not followed by a space",
            "this tag",
            "put the text in quotes if it should begin with `!`",
        ),
        (
            "handle wasn't declared",
            "the tag's handle is not declared",
            "this tag",
            "put the text in quotes if it should begin with `!`",
        ),
        (
            "comments must be separated",
            "a comment must have a space before its `#`",
            "this `#`",
            "put a space before it, or the text in quotes",
        ),
        (
            "document start",
            "text stands behind the end of the document",
            "not part of any document",
            "separate documents by `---`, or indent the line like the rest",
        ),
        ("invalid content after document end", "text stands behind `...`", "here", "begin a new document with `---`"),
        (
            "indentation in quoted scalar",
            "a line of a quoted text is indented less than what it belongs to",
            "this text",
            "indent all of its lines further than its key, or use a block of text (`|`)",
        ),
        ("indentation", "the line is indented less than what it belongs to", "here", "indent it like its neighbours"),
        ("node content", "a value is missing", "before this place", "put the text in quotes, or write `null`"),
        ("illegal placement of ':'", "a key inside brackets must stand on one line with its colon", "this colon", ""),
        (
            "directive",
            "a line that begins with `%` is no directive that YAML knows",
            "this line",
            "put the text in quotes",
        ),
    ];
    let known = TABLE.iter().find(|(needle, ..)| said.contains(needle));
    known.map_or(("the text is not YAML", "here", ""), |(_, message, label, help)| (message, label, help))
}
