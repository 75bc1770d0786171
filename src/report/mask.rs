//! Findings without secrets: the source lines that frames show, and the values that messages repeat.
//!
//! A value that a message repeats may have been set in another file than the one the finding points at (a template reads
//! a variable), so the secrets of all files that were read count.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diag::{Diagnostic, FileId, SourceMap};
use crate::secret::{MASK, source};

/// Findings times secrets up to which each message is searched for each secret. A repository beyond that is made to be: its
/// messages then show nothing that they quote.
const WORK_MAX: usize = 20_000_000;

/// The findings and the files as they may be shown; `None` where there is nothing to show.
pub(super) fn masked(findings: &[Diagnostic], sources: &SourceMap) -> Option<(Vec<Diagnostic>, SourceMap)> {
    if findings.is_empty() {
        return None;
    }
    let files: FxHashSet<FileId> =
        findings.iter().flat_map(|finding| &finding.labels).map(|label| label.span.file).collect();
    let mut secrets: Vec<String> = Vec::new();
    let mut ranges = FxHashMap::default();
    for id in sources.ids() {
        let text = &sources.file(id).text;
        let found = source::ranges(text);
        secrets.extend(source::texts(text, &found));
        if files.contains(&id) && !found.is_empty() {
            ranges.insert(id, found);
        }
    }
    secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    secrets.dedup();
    let mut secrets = secrets.as_slice();
    let all = findings.len().saturating_mul(secrets.len()) > WORK_MAX;
    if all {
        secrets = &[];
    }
    let scrub = |text: &str| {
        let text = source::scrub(text, secrets);
        if all { without_quoted(&text) } else { text }
    };
    let findings = findings.iter().map(|finding| {
        let mut finding = finding.clone();
        finding.message = scrub(&finding.message);
        finding.labels.iter_mut().for_each(|label| label.text = scrub(&label.text));
        finding.notes.iter_mut().for_each(|note| *note = scrub(note));
        finding.help = finding.help.as_deref().map(scrub);
        finding
    });
    Some((findings.collect(), sources.with_texts(|id, text| Some(source::masked(text, ranges.get(&id)?)))))
}

/// A message without anything that it quotes.
fn without_quoted(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces.map(|(number, piece)| if number % 2 == 0 { piece.to_owned() } else { format!("`{MASK}`") }).collect()
}
