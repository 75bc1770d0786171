//! Findings as data: what is wrong, where, why, and what to do about it.
//!
//! This module depends on nothing else in the crate. A check builds a [`Diagnostic`]; only `report` turns it into
//! text. Positions are byte ranges into a file of the [`SourceMap`]; lines and columns are worked out when shown, so
//! that a run without findings pays nothing for them.

mod code;
mod source_map;

pub use code::{Code, CodeInfo};
pub use source_map::{Position, SourceFile, SourceMap};

/// A file known to a [`SourceMap`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A range of bytes in a file; `end` is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Self { file, start: start as u32, end: end.max(start) as u32 }
    }

    /// A part of this span: `start` and `end` count bytes from its beginning and are cut to its length.
    #[must_use]
    pub fn slice(self, start: usize, end: usize) -> Self {
        let len = (self.end - self.start) as usize;
        let (start, end) = (start.min(len), end.min(len));
        Self::new(self.file, self.start as usize + start, self.start as usize + end.max(start))
    }
}

/// How much a finding weighs. `Error` makes a run fail, the others do not unless `--deny-warnings` asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    Note,
    Warning,
    Error,
}

impl Level {
    /// The word used in every report: `error`, `warning`, `note`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A place that matters to a finding and what is to be said there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub text: String,
}

/// One finding. The first label is the place a person has to go to; a finding about the whole run has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub level: Level,
    pub message: String,
    pub labels: Vec<Label>,
    pub notes: Vec<String>,
    pub help: Option<String>,
}

impl Diagnostic {
    /// A finding with the code's own level and no place yet.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            level: code.info().level,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// Adds a place. The first one added is where a person has to go.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// The place to go to, if there is one.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// Sorts findings by file, line, column, code and message, and drops exact repetitions, so that every run shows the
/// same list whatever the number of threads.
pub fn sort(findings: &mut Vec<Diagnostic>, sources: &SourceMap) {
    findings.sort_by_cached_key(|finding| {
        let place = finding.span().map(|span| (sources.file(span.file).path.clone(), span.start, span.end));
        (place, finding.code.info().name, finding.message.clone())
    });
    findings.dedup();
}

/// The nearest of `known` to `word`, if one is near enough to be what was meant.
///
/// Uses Jaro-Winkler similarity (at least 0.8) or an edit distance of at most two for short words.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(similarity, candidate)| {
            *similarity >= 0.86 || (word.len() > 3 && strsim::damerau_levenshtein(word, candidate) <= 2)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}
