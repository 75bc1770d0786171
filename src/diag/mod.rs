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

/// Joins sorted findings that say the same of the same place and differ only in whom it is said for (the text of the
/// first label): the first stays, the others become a note.
pub fn fold(findings: &mut Vec<Diagnostic>) {
    let same = |a: &Diagnostic, b: &Diagnostic| {
        (a.code, a.level, &a.message, a.span(), &a.help) == (b.code, b.level, &b.message, b.span(), &b.help)
            && a.span().is_some()
            && a.labels[0].text != b.labels[0].text
            && a.labels[1..] == b.labels[1..]
    };
    let mut folded: Vec<Diagnostic> = Vec::with_capacity(findings.len());
    let mut others: Vec<String> = Vec::new();
    let close = |folded: &mut Vec<Diagnostic>, others: &mut Vec<String>| {
        if let (Some(last), false) = (folded.last_mut(), others.is_empty()) {
            let shown = others.iter().take(4).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if others.len() > 4 { format!(" and {} more", others.len() - 4) } else { String::new() };
            last.notes.push(format!("the same {shown}{more}"));
            others.clear();
        }
    };
    for finding in findings.drain(..) {
        if folded.last().is_some_and(|last| same(last, &finding)) {
            others.extend(finding.labels.into_iter().next().map(|label| label.text));
        } else {
            close(&mut folded, &mut others);
            folded.push(finding);
        }
    }
    close(&mut folded, &mut others);
    *findings = folded;
}

/// The nearest of `known` to `word`, if one is near enough to be what was meant.
///
/// Near enough is a Jaro-Winkler similarity of at least 0.86, or one edit in a short word (from three letters on), or two
/// in a longer one.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(similarity, candidate)| {
            let edits = match word.chars().count() {
                0..=2 => 0,
                3..=4 => 1,
                _ => 2,
            };
            *similarity >= 0.86 || (edits > 0 && strsim::damerau_levenshtein(word, candidate) <= edits)
        })
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}
