//! Text → documents.
use super::Doc;
use crate::diag::{Diagnostic, FileId};
use std::sync::Arc;

/// Bounds on what one file may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of text.
    pub bytes: usize,
    /// Nesting of maps and lists.
    pub depth: usize,
    /// Nodes of one document, aliases followed.
    pub nodes: u64,
}

/// Parses all documents of a file; findings are added to `findings`.
pub fn parse(text: &Arc<str>, file: FileId, limits: &Limits, findings: &mut Vec<Diagnostic>) -> Vec<Doc> {
    let _ = (text, file, limits, findings);
    Vec::new()
}
