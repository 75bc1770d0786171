//! Where new entries go in a text, and what that makes of it.

use super::NewEntry;
use super::text::{block, flow, word};
use crate::yaml::doc::Doc;
use crate::yaml::place::{quoted_end, word_end};
use crate::yaml::scalar::Kind;

/// What the text becomes in each of the ways in which the entries could be written, the best first. None of them is
/// sure to be right.
pub(super) fn ways(doc: &Doc, key: &str, entries: &[NewEntry]) -> Vec<String> {
    let work = Work { doc, text: doc.file_text(), key, entries };
    work.ways().into_iter().map(|edits| apply(work.text, edits)).collect()
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
