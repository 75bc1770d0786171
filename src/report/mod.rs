//! Findings as text, in the form somebody asked for. Nothing here decides anything: the list is shown as it comes,
//! sorted and levelled by those who made it.
//!
//! Messages, paths and source lines hold what other people wrote. Every format lets them through only in a form that
//! cannot steer a terminal, forge a line of its own or break out of its field (see `text`).

pub mod bootstrap;
pub mod comment;
pub mod diff;
pub mod explain;
mod github;
mod human;
mod json;
mod mask;
mod place;
pub mod rules;
mod sarif;
mod short;
mod text;

use std::collections::BTreeSet;

use self::place::Places;
pub use self::text::one_line;
use crate::diag::{Diagnostic, Level, SourceMap};

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Frames with the lines in question, for people.
    #[default]
    Human,
    /// One line each, for editors and logs.
    Short,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands that GitHub turns into annotations.
    Github,
}

impl Format {
    pub const ALL: &'static [Self] = &[Self::Human, Self::Short, Self::Json, Self::Sarif, Self::Github];

    /// The name used by `--format`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Short => "short",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.as_str() == name)
    }
}

/// What the place where the text goes can show. Only `human` looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { color: false, width: 120 }
    }
}

/// How many findings there are of each level, and in how many files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub errors: usize,
    pub warnings: usize,
    pub notes: usize,
    /// Files that a finding's first place is in.
    pub files: usize,
}

impl Count {
    pub fn of(findings: &[Diagnostic], sources: &SourceMap) -> Self {
        let mut count = Self::default();
        let mut files = BTreeSet::new();
        for finding in findings {
            match finding.level {
                Level::Error => count.errors += 1,
                Level::Warning => count.warnings += 1,
                Level::Note => count.notes += 1,
            }
            files.extend(finding.span().map(|span| span.file));
        }
        // A file may have been read twice; people see its path.
        count.files = files.into_iter().map(|file| sources.file(file).path.clone()).collect::<BTreeSet<_>>().len();
        count
    }
}

/// `3 errors, 1 warning in 2 files`; empty when nothing was found.
impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let many = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
        let levels = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")];
        let parts: Vec<_> = levels.iter().filter(|(n, _)| *n > 0).map(|(n, word)| many(*n, word)).collect();
        f.write_str(&parts.join(", "))?;
        if self.files > 0 {
            write!(f, " in {}", many(self.files, "file"))?;
        }
        Ok(())
    }
}

/// The findings as text that ends with a line end; empty where a format says nothing about nothing. What is secret in the
/// files, or looks like it, is in no format.
pub fn render(format: Format, findings: &[Diagnostic], sources: &SourceMap, options: Options) -> String {
    let masked = mask::masked(findings, sources);
    let (findings, sources) = masked.as_ref().map_or((findings, sources), |(findings, sources)| (findings, sources));
    let mut places = Places::new(sources);
    match format {
        Format::Human => human::render(findings, &mut places, Count::of(findings, sources), options),
        Format::Short => short::render(findings, &mut places),
        Format::Json => json::render(findings, &mut places, Count::of(findings, sources)),
        Format::Sarif => sarif::render(findings, &mut places),
        Format::Github => github::render(findings, &mut places),
    }
}

/// JSON for files that people read and compare: what fits on a line stands on one, the rest a key (or item) a line. Ends
/// with a line end.
pub fn json_lines(value: &serde_json::Value) -> String {
    fn write(value: &serde_json::Value, indent: usize, out: &mut String) {
        use serde_json::Value;
        let compact = value.to_string();
        let items: Vec<(Option<&String>, &Value)> = match value {
            Value::Object(map) if compact.len() + indent > LINE => {
                map.iter().map(|(key, value)| (Some(key), value)).collect()
            }
            Value::Array(items) if compact.len() + indent > LINE => items.iter().map(|item| (None, item)).collect(),
            _ => {
                out.push_str(&compact);
                return;
            }
        };
        out.push(if value.is_object() { '{' } else { '[' });
        for (number, (key, item)) in items.into_iter().enumerate() {
            out.push_str(if number > 0 { ",\n" } else { "\n" });
            out.extend(std::iter::repeat_n(' ', indent + 2));
            if let Some(key) = key {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(": ");
            }
            write(item, indent + 2, out);
        }
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
        out.push(if value.is_object() { '}' } else { ']' });
    }
    const LINE: usize = 110;
    let mut out = String::new();
    write(value, 0, &mut out);
    out.push('\n');
    out
}
