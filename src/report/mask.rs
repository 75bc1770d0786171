//! Findings without secrets: the source lines that frames show, and the values that messages repeat.
//!
//! A value that a message repeats may have been set in another file than the one the finding points at (a template reads
//! a variable), so the secrets of all files that were read count.

use std::ops::Range;

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
    // Where a secret was found, the whole of it is one, whatever the rest of this makes of its line.
    let mut places: FxHashMap<FileId, Vec<Range<usize>>> = FxHashMap::default();
    for span in findings.iter().filter(|finding| finding.code.is_on_a_secret()).filter_map(Diagnostic::span) {
        places.entry(span.file).or_default().push(span.start as usize..span.end as usize);
    }
    for id in sources.ids() {
        let text = &sources.file(id).text;
        let mut found = source::ranges(text);
        if let Some(places) = places.get(&id) {
            found =
                source::joined(found.into_iter().chain(places.iter().flat_map(|place| lines(text, place))).collect());
        }
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
        // What is said of a secret is made of names alone, and names often hold the word that is somebody's password.
        if finding.code.is_on_a_secret() {
            return finding;
        }
        finding.message = scrub(&finding.message);
        finding.labels.iter_mut().for_each(|label| label.text = scrub(&label.text));
        finding.notes.iter_mut().for_each(|note| *note = scrub(note));
        finding.help = finding.help.as_deref().map(scrub);
        finding
    });
    Some((findings.collect(), sources.with_texts(|id, text| Some(source::masked(text, ranges.get(&id)?)))))
}

/// A place line by line, without the line ends.
fn lines(text: &str, place: &Range<usize>) -> Vec<Range<usize>> {
    let mut start = place.start;
    let pieces = text[place.clone()].split_inclusive('\n').map(|line| {
        let begin = start + line.len() - line.trim_start().len();
        let range = begin..start + line.trim_end().len();
        start += line.len();
        range
    });
    pieces.filter(|range| range.start < range.end).collect()
}

/// A message without anything that it quotes.
fn without_quoted(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces.map(|(number, piece)| if number % 2 == 0 { piece.to_owned() } else { format!("`{MASK}`") }).collect()
}
