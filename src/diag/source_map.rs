//! The files a run has read, by number.
//!
//! Files are added while they are read, from several threads; their numbers are therefore not stable between runs and
//! are never shown or sorted by. `path` is what people see: relative to the repository, with `/`, and
//! `builtin:catalog/...` for what is embedded in the binary.

use std::sync::{Arc, RwLock};

use super::{FileId, Span};

/// A file's name and text.
#[derive(Debug)]
pub struct SourceFile {
    pub path: Arc<str>,
    pub text: Arc<str>,
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

#[derive(Debug, Default)]
pub struct SourceMap {
    files: RwLock<Vec<Arc<SourceFile>>>,
}

impl SourceMap {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file and gives its number.
    pub fn add(&self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let mut files = self.files.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        files.push(Arc::new(SourceFile { path: path.into(), text: text.into() }));
        FileId(files.len() as u32 - 1)
    }

    /// The same files under the same numbers, with other texts where `text` gives one.
    #[must_use]
    pub fn with_texts(&self, text: impl Fn(FileId, &str) -> Option<String>) -> Self {
        let files = self.files.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let files = files.iter().enumerate().map(|(number, file)| match text(FileId(number as u32), &file.text) {
            Some(text) => Arc::new(SourceFile { path: Arc::clone(&file.path), text: text.into() }),
            None => Arc::clone(file),
        });
        Self { files: RwLock::new(files.collect()) }
    }

    /// The numbers of all files.
    pub fn ids(&self) -> Vec<FileId> {
        let files = self.files.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        (0..files.len() as u32).map(FileId).collect()
    }

    /// The file of a number this map gave.
    pub fn file(&self, id: FileId) -> Arc<SourceFile> {
        let files = self.files.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(&files[id.0 as usize])
    }

    /// Where a span begins.
    pub fn position(&self, span: Span) -> Position {
        self.file(span.file).position(span.start)
    }

    /// `path:line:column` of a span's beginning.
    pub fn place(&self, span: Span) -> String {
        let file = self.file(span.file);
        let Position { line, column } = file.position(span.start);
        format!("{}:{line}:{column}", file.path)
    }
}

impl SourceFile {
    /// Line and column of a byte offset (offsets past the end count as the end).
    pub fn position(&self, offset: u32) -> Position {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}
