//! Line differences of long texts, as data; `report` draws them.
//!
//! Bounded by size and without a time limit, so that the result is the same on every machine.

use similar::{Algorithm, ChangeTag, TextDiff};

/// Bytes and lines of both texts beyond which they are only counted.
const BYTES_MAX: usize = 256 << 10;
const LINES_MAX: usize = 4_000;

/// Bytes of a line up to which the changed part of it is marked.
const INLINE_MAX: usize = 400;

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Stands in both; a few around each change are kept.
    Same(String),
    /// Pieces, each with whether it is what changed within the line.
    Removed(Vec<(bool, String)>),
    Added(Vec<(bool, String)>),
    /// Unchanged lines that are left out.
    Skipped,
}

/// The difference of two texts, or `None` where they are too large to be shown line by line.
pub fn lines(before: &str, after: &str) -> Option<Vec<Line>> {
    let count = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
    if before.len() + after.len() > BYTES_MAX || count(before) + count(after) > LINES_MAX {
        return None;
    }
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_lines(before, after);
    let inline = before.lines().chain(after.lines()).all(|line| line.len() <= INLINE_MAX);
    let mut out = Vec::new();
    for (number, group) in diff.grouped_ops(2).iter().enumerate() {
        if number > 0 {
            out.push(Line::Skipped);
        }
        for op in group {
            if inline {
                for change in diff.iter_inline_changes_deadline(op, None) {
                    let pieces: Vec<(bool, String)> = change
                        .iter_strings_lossy()
                        .map(|(marked, text)| (marked, text.trim_end_matches(['\n', '\r']).to_owned()))
                        .filter(|(_, text)| !text.is_empty())
                        .collect();
                    out.push(line(change.tag(), pieces));
                }
            } else {
                for change in diff.iter_changes(op) {
                    let text = change.value().trim_end_matches(['\n', '\r']).to_owned();
                    out.push(line(change.tag(), vec![(false, text)]));
                }
            }
        }
    }
    Some(out)
}

fn line(tag: ChangeTag, pieces: Vec<(bool, String)>) -> Line {
    match tag {
        ChangeTag::Equal => Line::Same(pieces.into_iter().map(|(_, text)| text).collect()),
        ChangeTag::Delete => Line::Removed(pieces),
        ChangeTag::Insert => Line::Added(pieces),
    }
}

/// The lines of `one` (from 1) that `other` does not have at that place; `None` where the texts are too large to tell.
pub fn own_lines(one: &str, other: &str) -> Option<Vec<usize>> {
    if one.len() + other.len() > BYTES_MAX * 4 {
        return None;
    }
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_lines(other, one);
    let own = diff.iter_all_changes().filter(|change| change.tag() == ChangeTag::Insert);
    Some(own.filter_map(|change| change.new_index().map(|index| index + 1)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_what_changed_within_a_line() {
        let found = lines("a\nport = 80\nb\n", "a\nport = 8080\nb\n").unwrap();
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(found[0], Line::Same("a".into()));
        assert!(
            matches!(&found[1], Line::Removed(pieces) if pieces.iter().any(|(marked, text)| *marked && text.contains("80")))
        );
        assert_eq!(own_lines("a\nx\nb\n", "a\nb\n"), Some(vec![2]));
        assert_eq!(lines(&"x\n".repeat(LINES_MAX + 1), "y"), None);
    }
}
