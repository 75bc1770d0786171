//! More entries in a map of a file that people keep, with every other byte left as it is: comments, order, indentation,
//! line ends, quotes.
//!
//! The text is never written anew from its tree. Where the entries go is found in the text (behind the last entry and the
//! comments that are indented like it, or in front of the closing bracket), and the result is read again: it has to be
//! the same tree with the new entries and nothing else. Where no place gives that, the file is not touched; so a text
//! that is stranger than what is foreseen here costs a refusal and never a mistake.

use std::fmt::Write as _;
use std::sync::Arc;

use super::doc::{Doc, Entry, NodeId};
use super::place::{quoted_end, word_end};
use super::scalar::{self, Kind};
use super::{Limits, parse};
use crate::diag::Level;

/// One `key: { ... }` to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    pub key: String,
    pub fields: Vec<NewField>,
}

/// A field of a new entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewField {
    /// A line above it, without its `#`.
    pub comment: Option<String>,
    pub key: String,
    pub value: NewValue,
}

/// What a new field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewValue {
    Text(String),
    /// Keys and texts, written in brackets.
    Map(Vec<(String, String)>),
}

/// Why nothing was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it holds something else than a map")]
    NotAMap,
    #[error("a key stands there already")]
    Exists,
    #[error("it is written in a way that cannot be extended without changing something else")]
    Unsure,
}

/// The text of a document's file with entries added to the map at a key of its root; a map that is empty, null or not
/// there is made.
///
/// # Errors
/// See [`Refusal`].
pub fn insert(doc: &Doc, key: &str, entries: &[NewEntry]) -> Result<String, Refusal> {
    let known = doc.get(doc.root(), key);
    match known.map(|node| doc.kind(node)) {
        None | Some(Kind::Null | Kind::Map) if doc.kind(doc.root()) == Kind::Map => {}
        _ => return Err(Refusal::NotAMap),
    }
    if entries.iter().any(|entry| known.is_some_and(|map| doc.get(map, &entry.key).is_some())) {
        return Err(Refusal::Exists);
    }
    let work = Work { doc, text: doc.file_text(), key, entries };
    let ways = work.ways();
    let tried = ways.into_iter().map(|edits| apply(work.text, edits));
    tried.into_iter().find(|text| work.is_right(text)).ok_or(Refusal::Unsure)
}

/// A piece of the text and what stands there afterwards.
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

impl Edit {
    fn at(start: usize, text: String) -> Self {
        Self { start, end: start, text }
    }
}

/// Applies edits that are sorted and do not touch.
fn apply(text: &str, edits: Vec<Edit>) -> String {
    let mut out = String::with_capacity(text.len() + edits.iter().map(|edit| edit.text.len()).sum::<usize>());
    let mut at = 0;
    for edit in edits {
        out.push_str(&text[at..edit.start]);
        out.push_str(&edit.text);
        at = edit.end;
    }
    out.push_str(&text[at..]);
    out
}

struct Work<'a> {
    doc: &'a Doc,
    text: &'a str,
    key: &'a str,
    entries: &'a [NewEntry],
}

impl Work<'_> {
    /// Ways to write it, the best first.
    fn ways(&self) -> Vec<Vec<Edit>> {
        let doc = self.doc;
        let Some(entry) = doc.entry(doc.root(), self.key) else { return self.without_key() };
        let (key_start, key_end) = (doc.span(entry.key).start as usize, doc.span(entry.key).end as usize);
        let column = self.column(key_start);
        let bound = self.next_key(key_start);
        if doc.kind(entry.value) == Kind::Null {
            // A null that is written (`~`) has to go.
            let span = doc.span(entry.value);
            let written = !doc.text(entry.value).is_empty() && span.start as usize > key_end;
            let gone = written.then_some((span.start as usize, span.end as usize));
            return self.lines_before(bound, column, column + 2, 2, gone);
        }
        let Some(start) = self.value_start(key_end) else { return Vec::new() };
        match self.text.as_bytes().get(start) {
            Some(b'{') => {
                let Some(bracket) = bracket(self.text, start) else { return Vec::new() };
                let mut ways = Vec::new();
                if self.is_blank(start + 1, bracket.close) {
                    let before = self.text[..start].trim_end_matches([' ', '\t']).len();
                    let gone = Some((before, bracket.close + 1));
                    ways = self.lines_before(bound, column, column + 2, 2, gone);
                }
                ways.extend(self.in_brackets(&bracket, column + 2, |indent, eol| flow(self.entries, indent, eol)));
                ways
            }
            Some(b'*') | None => Vec::new(),
            Some(_) => {
                let own = self.column(start);
                let step = own.saturating_sub(column).max(1);
                self.lines_before(bound, own.saturating_sub(1), own, step, None)
            }
        }
    }

    /// The key itself is added too.
    fn without_key(&self) -> Vec<Vec<Edit>> {
        let root = self.doc.span(self.doc.root()).start as usize;
        let before = self.text[..root].trim_start_matches('\u{feff}');
        let open = before.rfind('{').map(|at| self.text[..root].len() - before.len() + at);
        let in_brackets = open.filter(|at| self.is_blank(at + 1, root));
        if let Some(bracket) = in_brackets.and_then(|open| bracket(self.text, open)) {
            return self.in_brackets(&bracket, 2, |indent, eol| {
                format!("{}: {{ {} }}", word(self.key), flow(self.entries, indent + 2, eol))
            });
        }
        let (column, eol) = (self.column(root), self.eol());
        let text = format!("{}{}:{eol}{}", " ".repeat(column), word(self.key), block(self.entries, column + 2, 2, eol));
        self.behind_lines(self.text.len(), column, None, &text)
    }

    /// Entries as lines of their own, in front of `bound` but behind what is indented deeper than `above`; a range of the
    /// text may have to go.
    fn lines_before(
        &self,
        bound: usize,
        above: usize,
        indent: usize,
        step: usize,
        gone: Option<(usize, usize)>,
    ) -> Vec<Vec<Edit>> {
        let text = block(self.entries, indent, step, self.eol());
        self.behind_lines(bound, above + 1, gone, &text)
    }

    /// Lines in front of `bound`: behind the last line that is content, or a comment indented by `margin` or more; or,
    /// where blank lines belong to a text that ends there, right at the bound.
    fn behind_lines(&self, bound: usize, margin: usize, gone: Option<(usize, usize)>, text: &str) -> Vec<Vec<Edit>> {
        let lines: Vec<(usize, usize)> = lines(self.text).take_while(|(start, _)| *start < bound).collect();
        let last = lines.iter().rposition(|(start, end)| {
            let line = self.text[*start..*end].trim_end_matches(['\r', '\n']).trim_start_matches('\u{feff}');
            let content = line.trim_start_matches([' ', '\t']);
            let is_end = line.starts_with("...") || line.starts_with("---");
            let indent = line.len() - content.len();
            !content.is_empty() && !is_end && (!content.starts_with('#') || indent >= margin)
        });
        let behind = last.map_or(0, |at| lines[at].1);
        let mut places = vec![behind];
        places.extend((bound > behind).then_some(bound));
        let way = |at: usize| {
            let unfinished = at > 0 && !self.text[..at].ends_with(['\n', '\r']);
            let line = if unfinished { format!("{}{text}", self.eol()) } else { text.to_owned() };
            let removed = gone.map(|(start, end)| Edit { start, end, text: String::new() });
            removed.into_iter().chain([Edit::at(at, line)]).collect()
        };
        places.into_iter().map(way).collect()
    }

    /// In front of a closing bracket: on lines of their own where it has one, else behind what is there.
    fn in_brackets(&self, bracket: &Bracket, indent: usize, write: impl Fn(usize, &str) -> String) -> Vec<Vec<Edit>> {
        let eol = self.eol();
        let line = self.text[..bracket.close].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        let comma = if bracket.wants_comma { "," } else { "" };
        let mut ways = Vec::new();
        if line >= bracket.content && self.is_blank(line, bracket.close) {
            let first = lines(self.text).map(|(start, _)| start).find(|start| *start > bracket.open);
            let first = first.filter(|start| *start < line);
            let indent = first.map_or(indent, |start| self.indent_of(start)).max(1);
            let trailing = if !bracket.wants_comma && bracket.content > bracket.open + 1 { "," } else { "" };
            let text = format!("{}{}{trailing}{eol}", " ".repeat(indent), write(indent, eol));
            let mut edits = Vec::new();
            edits.extend(bracket.wants_comma.then(|| Edit::at(bracket.content, comma.to_owned())));
            edits.push(Edit::at(line, text));
            ways.push(edits);
        }
        let margin = " ".repeat(indent);
        let text = format!("{comma}{eol}{margin}{}", write(indent, eol));
        ways.push(vec![Edit::at(bracket.content, text)]);
        ways
    }

    /// The first line end of the file, or the usual one.
    fn eol(&self) -> &'static str {
        match self.text.find(['\n', '\r']) {
            Some(at) if self.text[at..].starts_with("\r\n") => "\r\n",
            Some(at) if self.text[at..].starts_with('\r') => "\r",
            _ => "\n",
        }
    }

    /// How far a place is from the beginning of its line.
    fn column(&self, at: usize) -> usize {
        let line = self.text[..at].rfind(['\n', '\r']).map_or(0, |at| at + 1);
        self.text[line..at].trim_start_matches('\u{feff}').len()
    }

    fn indent_of(&self, line: usize) -> usize {
        self.text[line..].bytes().take_while(|byte| *byte == b' ').count()
    }

    fn is_blank(&self, from: usize, to: usize) -> bool {
        self.text[from..to].bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
    }

    /// The beginning of the line of the root's key behind a place, or the end of the text.
    fn next_key(&self, key: usize) -> usize {
        let starts = self.doc.entries(self.doc.root()).iter().map(|entry| self.doc.span(entry.key).start as usize);
        let next = starts.filter(|start| *start > key).min();
        next.map_or(self.text.len(), |at| self.text[..at].rfind(['\n', '\r']).map_or(0, |at| at + 1))
    }

    /// The first character of the value behind a key, its anchor and its tag.
    fn value_start(&self, key_end: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = key_end + self.text[key_end..].find(':')? + 1;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => at += 1,
                b'#' => at += self.text[at..].find(['\n', '\r'])?,
                b'&' | b'!' => at = word_end(bytes, at),
                _ => return Some(at),
            }
        }
        None
    }

    /// Whether a text is this document with the entries and nothing else.
    fn is_right(&self, text: &str) -> bool {
        let text: Arc<str> = text.into();
        let mut findings = Vec::new();
        let docs = parse(&text, self.doc.file(), &Limits::default(), &mut findings);
        let [after] = docs.as_slice() else { return false };
        if findings.iter().any(|finding| finding.level == Level::Error) {
            return false;
        }
        let (before, after_root) = (self.doc.entries(self.doc.root()), after.entries(after.root()));
        let there = before.iter().any(|entry| self.doc.text(entry.key) == self.key);
        if after_root.len() != before.len() + usize::from(!there) {
            return false;
        }
        let alike = before.iter().zip(after_root).all(|(own, other)| {
            same(self.doc, own.key, after, other.key)
                && (self.doc.text(own.key) == self.key || same(self.doc, own.value, after, other.value))
        });
        let Some(map) = after.get(after.root(), self.key) else { return false };
        let old = self.doc.get(self.doc.root(), self.key);
        let old_entries = old.map(|old| self.doc.entries(old)).unwrap_or_default();
        let kept = old.is_none_or(|old| self.doc.kind(old) == Kind::Null || self.doc.tag(old) == after.tag(map));
        let now = after.entries(map);
        let (kept_now, new) = now.split_at(old_entries.len().min(now.len()));
        alike
            && kept
            && new.len() == self.entries.len()
            && old_entries.iter().zip(kept_now).all(|(own, other)| {
                same(self.doc, own.key, after, other.key) && same(self.doc, own.value, after, other.value)
            })
            && self.entries.iter().zip(new).all(|(wanted, entry)| is_entry(after, *entry, wanted))
    }
}

/// Whether two nodes mean the same and are written with the same words.
fn same(one: &Doc, a: NodeId, other: &Doc, b: NodeId) -> bool {
    one.kind(a) == other.kind(b)
        && one.style(a) == other.style(b)
        && one.tag(a) == other.tag(b)
        && one.text(a) == other.text(b)
        && one.items(a).len() == other.items(b).len()
        && one.entries(a).len() == other.entries(b).len()
        && one.items(a).iter().zip(other.items(b)).all(|(a, b)| same(one, *a, other, *b))
        && one
            .entries(a)
            .iter()
            .zip(other.entries(b))
            .all(|(a, b)| same(one, a.key, other, b.key) && same(one, a.value, other, b.value))
}

/// Whether an entry is the one that was to be added.
fn is_entry(doc: &Doc, entry: Entry, wanted: &NewEntry) -> bool {
    let is_text = |node: NodeId, text: &str| doc.kind(node) == Kind::Str && doc.text(node) == text;
    let fields = doc.entries(entry.value);
    doc.text(entry.key) == wanted.key
        && doc.kind(entry.value) == Kind::Map
        && fields.len() == wanted.fields.len()
        && fields.iter().zip(&wanted.fields).all(|(field, wanted)| {
            let value = match &wanted.value {
                NewValue::Text(text) => is_text(field.value, text),
                NewValue::Map(map) => {
                    let entries = doc.entries(field.value);
                    entries.len() == map.len()
                        && entries
                            .iter()
                            .zip(map)
                            .all(|(entry, (key, text))| doc.text(entry.key) == key && is_text(entry.value, text))
                }
            };
            doc.text(field.key) == wanted.key && value
        })
}

/// Entries as lines below a key at the beginning of its line, for those who have to write them by hand.
pub fn block_lines(entries: &[NewEntry]) -> String {
    block(entries, 2, 2, "\n")
}

/// Entries as lines.
fn block(entries: &[NewEntry], indent: usize, step: usize, eol: &str) -> String {
    let (margin, inner) = (" ".repeat(indent), " ".repeat(indent + step));
    let mut out = String::new();
    for entry in entries {
        let empty = if entry.fields.is_empty() { " {}" } else { "" };
        let _ = write!(out, "{margin}{}:{empty}{eol}", word(&entry.key));
        for field in &entry.fields {
            if let Some(comment) = &field.comment {
                let _ = write!(out, "{inner}# {comment}{eol}");
            }
            let _ = write!(out, "{inner}{}: {}{eol}", word(&field.key), value(&field.value));
        }
    }
    out
}

/// Entries between brackets, without the brackets. One with comments takes lines of its own, whose last ends with its
/// bracket.
fn flow(entries: &[NewEntry], indent: usize, eol: &str) -> String {
    let (margin, inner) = (" ".repeat(indent), " ".repeat(indent + 2));
    let one = |entry: &NewEntry| {
        let fields = entry.fields.iter().map(|field| format!("{}: {}", word(&field.key), value(&field.value)));
        if entry.fields.iter().all(|field| field.comment.is_none()) {
            let fields = fields.collect::<Vec<_>>().join(", ");
            let inside = if fields.is_empty() { fields } else { format!(" {fields} ") };
            return format!("{}: {{{inside}}}", word(&entry.key));
        }
        let lines = entry.fields.iter().zip(fields).map(|(field, text)| match &field.comment {
            Some(comment) => format!("{inner}# {comment}{eol}{inner}{text}"),
            None => format!("{inner}{text}"),
        });
        format!("{}: {{{eol}{} }}", word(&entry.key), lines.collect::<Vec<_>>().join(&format!(",{eol}")))
    };
    entries.iter().map(one).collect::<Vec<_>>().join(&format!(",{eol}{margin}"))
}

fn value(value: &NewValue) -> String {
    match value {
        NewValue::Text(text) => word(text),
        NewValue::Map(map) => {
            let fields: Vec<String> = map.iter().map(|(key, text)| format!("{}: {}", word(key), word(text))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

/// A text as a scalar, bare where it is one word that everybody reads as a text.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '+' | '-');
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins
        && text.chars().all(plain)
        && scalar::plain(text) == Kind::Str
        && scalar::reads_differently(text).is_none()
    {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// A pair of brackets: where they stand, where what is inside ends, and whether a comma is needed behind it.
struct Bracket {
    open: usize,
    content: usize,
    close: usize,
    wants_comma: bool,
}

/// The partner of the bracket at `open`.
fn bracket(text: &str, open: usize) -> Option<Bracket> {
    let bytes = text.as_bytes();
    let (mut depth, mut at, mut content) = (0usize, open, open + 1);
    while let Some(byte) = bytes.get(at).copied() {
        let fresh = at > open && matches!(bytes[at - 1], b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b'{' | b':');
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'#' if fresh => {
                at += text[at..].find(['\n', '\r'])?;
                continue;
            }
            b'\'' | b'"' if fresh => at = quoted_end(text, at) - 1,
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth == 1 => {
                let wants_comma = content > open + 1 && bytes[content - 1] != b',';
                return Some(Bracket { open, content, close: at, wants_comma });
            }
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
        content = at;
    }
    None
}

/// The lines of a text with their ends, as ranges.
fn lines(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        if start >= bytes.len() {
            return None;
        }
        let end =
            bytes[start..].iter().position(|byte| matches!(byte, b'\n' | b'\r')).map_or(bytes.len(), |n| start + n);
        at = match bytes.get(end..) {
            Some([b'\r', b'\n', ..]) => end + 2,
            Some([_, ..]) => end + 1,
            _ => end,
        };
        Some((start, at))
    })
}

#[cfg(test)]
#[path = "insert_tests.rs"]
mod tests;
