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
/// TEMPORARY until merged.
#[derive(Debug)]
pub struct DecodeProblem;
impl DecodeProblem {
    pub fn finding(&self, _file: FileId) -> Diagnostic {
        Diagnostic::new(crate::diag::Code::FileEncoding, "")
    }
}
pub fn decode(bytes: &[u8], _limits: &Limits) -> Result<String, DecodeProblem> {
    String::from_utf8(bytes.to_vec()).map_err(|_| DecodeProblem)
}
impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 20, depth: 64, nodes: 1_000_000 }
    }
}
