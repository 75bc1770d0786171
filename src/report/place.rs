//! Lines and columns of spans, with the line starts of each file found once: a file with ten thousand findings must
//! not be read ten thousand times.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::diag::{FileId, Position, SourceFile, SourceMap, Span};

pub(super) struct Places<'m> {
    sources: &'m SourceMap,
    files: FxHashMap<FileId, Arc<Lined>>,
}

/// A file and where its lines begin.
pub(super) struct Lined {
    file: Arc<SourceFile>,
    starts: Vec<u32>,
}

/// A span as people count: from 1, columns in characters, the end exclusive.
pub(super) struct Place {
    pub(super) file: Arc<Lined>,
    pub(super) start: Position,
    pub(super) end: Position,
}

impl<'m> Places<'m> {
    pub(super) fn new(sources: &'m SourceMap) -> Self {
        Self { sources, files: FxHashMap::default() }
    }

    pub(super) fn file(&mut self, id: FileId) -> Arc<Lined> {
        let file = self.files.entry(id).or_insert_with(|| {
            let file = self.sources.file(id);
            let after = file.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1);
            let starts = std::iter::once(0).chain(after).collect();
            Arc::new(Lined { file, starts })
        });
        Arc::clone(file)
    }

    pub(super) fn place(&mut self, span: Span) -> Place {
        let file = self.file(span.file);
        let (start, end) = (file.position(span.start as usize), file.position(span.end.max(span.start) as usize));
        Place { file, start, end }
    }
}

impl Lined {
    pub(super) fn path(&self) -> &str {
        &self.file.path
    }

    pub(super) fn text(&self) -> &str {
        &self.file.text
    }

    /// The offset itself, or the next smaller one at which a character begins.
    pub(super) fn boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text().len());
        while !self.text().is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    pub(super) fn position(&self, offset: usize) -> Position {
        let offset = self.boundary(offset);
        let line = self.starts.partition_point(|start| *start as usize <= offset);
        let start = self.starts[line - 1] as usize;
        Position { line, column: self.text()[start..offset].chars().count() + 1 }
    }

    /// Bytes of a line (from 1) without its end.
    pub(super) fn line(&self, line: usize) -> Range<usize> {
        let start = self.starts[line - 1] as usize;
        let end = self.starts.get(line).map_or(self.text().len(), |next| *next as usize);
        start..start + self.text()[start..end].trim_end_matches(['\n', '\r']).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_as_the_source_map_does() {
        let sources = SourceMap::new();
        let text = "a: 1\r\n\n\tü: 漢字 x\nlast";
        let id = sources.add("f", text);
        let mut places = Places::new(&sources);
        for offset in 0..=text.len() + 3 {
            let span = Span::new(id, offset, offset);
            assert_eq!(places.place(span).start, sources.position(span), "{offset}");
        }
        let file = places.file(id);
        let lines: Vec<_> = (1..=4).map(|line| &text[file.line(line)]).collect();
        assert_eq!(lines, ["a: 1", "", "\tü: 漢字 x", "last"]);
    }
}
