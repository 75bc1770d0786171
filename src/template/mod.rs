//! Templates inside scalars: `${{ expression }}`, evaluated by MiniJinja with delimiters that leave Helm's, Prometheus'
//! and Grafana's braces alone (DESIGN section 5).
//!
//! A scalar that is exactly one expression keeps the type of its result; text with expressions in it becomes text;
//! text with blocks (`${{% if %}}`) goes through MiniJinja as a whole. Everything is pure and bounded: fuel for the
//! steps, a cap for every string that is made and for all that filters handle (`work`), operators that cannot multiply
//! (`guard`), and no statement that could make text grow exponentially (`set`, `macro`, `include` do not exist here).

mod engine;
mod functions;
mod guard;
mod scope;
mod split;
mod work;

use std::ops::Range;

use crate::diag::{Code, Diagnostic, Span};
use crate::yaml::{Doc, NodeId};

pub use engine::{Compiled, Engine, size};
pub(crate) use functions::glob;
pub use minijinja::Value;
pub use scope::{Capabilities, Files, Scope};
pub use split::reads;

/// The beginning of everything that is evaluated.
pub const OPEN: &str = "${{";

/// Bytes one scalar may become.
pub const OUTPUT_LIMIT: usize = 1024 * 1024;

/// Bytes one expression may have.
pub const EXPRESSION_LIMIT: usize = 1024;

/// Steps one scalar may take.
pub const FUEL: u64 = 50_000;

/// Why a template could not be evaluated, with the bytes of the scalar's content it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    pub code: Code,
    pub message: String,
    pub range: Option<Range<usize>>,
    pub help: Option<String>,
}

impl TemplateError {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), range: None, help: None }
    }

    fn at(mut self, range: Range<usize>) -> Self {
        self.range = Some(range);
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The finding, placed at the exact column where the scalar's content stands in the source as it is.
    pub fn into_diagnostic(self, doc: &Doc, node: NodeId, label: impl Into<String>) -> Diagnostic {
        let span = self.place(doc, node);
        let mut finding = Diagnostic::new(self.code, self.message).at(span, label);
        finding.help = self.help;
        finding
    }

    fn place(&self, doc: &Doc, node: NodeId) -> Span {
        let whole = doc.span(node);
        let Some(range) = self.range.clone() else { return whole };
        if let Some(offset) = doc.content_offset(node) {
            let start = offset as usize + range.start;
            return Span::new(whole.file, start, (offset as usize + range.end).max(start + 1));
        }
        // Escapes, folding and indentation move text about; the expression itself usually stands there unchanged.
        let source = doc.source(node);
        let wanted = doc.text(node).get(range).unwrap_or_default();
        let mut hits = source.match_indices(wanted);
        match (wanted.is_empty(), hits.next(), hits.next()) {
            (false, Some((at, _)), None) => whole.slice(at, at + wanted.len()),
            _ => whole,
        }
    }
}

/// Data as a template sees it.
pub fn value_of(data: impl serde::Serialize) -> Value {
    Value::from(minijinja::value::Serde(data))
}
