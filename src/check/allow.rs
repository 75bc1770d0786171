//! Comments that answer a finding where it stands: `# hlgen: allow CODE[, CODE] -- reason`.
//!
//! At the end of a line the comment covers that line; on a line of its own it covers the next line that is no comment.
//! If that line opens a block scalar (`|`, `>`), all lines of the scalar are covered. The reason is required: whoever
//! reads the line later needs it, and a comment without one does not count. Comments are looked for in the text and
//! not in the YAML, whose parser drops them; a look-alike inside a block scalar therefore counts as well.

use std::ops::Range;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::severity::{Pattern, is_fixed, unknown_code};
use crate::diag::{Code, Diagnostic, FileId, Level, SourceMap, Span};

const MARK: &str = "hlgen: allow";

/// One code that one comment allows.
#[derive(Debug)]
struct Allow<'a> {
    pattern: Pattern<'a>,
    /// The code in the comment.
    word: Span,
    /// Bytes of the file it covers.
    covers: Range<usize>,
    used: bool,
}

/// Drops the findings that a comment on their first place allows, and adds findings about the comments themselves:
/// unknown codes, no reason, codes that cannot be allowed.
///
/// Only files with findings are looked at, and those in `complete`: the files that were checked completely, in which a
/// comment that answers nothing is a note (`allow/unused`).
pub fn apply(findings: &mut Vec<Diagnostic>, sources: &SourceMap, complete: &[FileId]) {
    let mut files: Vec<FileId> = findings.iter().filter_map(|finding| finding.span().map(|span| span.file)).collect();
    files.extend(complete);
    files.sort_unstable();
    files.dedup();
    let complete: FxHashSet<FileId> = complete.iter().copied().collect();

    let texts: Vec<(FileId, Arc<str>)> = files
        .into_iter()
        .map(|id| (id, Arc::clone(&sources.file(id).text)))
        .filter(|(_, text)| text.contains(MARK))
        .collect();
    let mut about = Vec::new();
    let mut allows: FxHashMap<FileId, Vec<Allow<'_>>> =
        texts.iter().map(|(id, text)| (*id, comments(*id, text, &mut about))).collect();

    findings.retain(|finding| {
        let Some(span) = finding.span() else { return true };
        let Some(allows) = allows.get_mut(&span.file) else { return true };
        if is_fixed(finding.code) && finding.level == Level::Error {
            return true;
        }
        let mut keep = true;
        for allow in allows {
            if allow.covers.contains(&(span.start as usize)) && allow.pattern.matches(finding.code) {
                allow.used = true;
                keep = false;
            }
        }
        keep
    });
    findings.append(&mut about);
    for (id, _) in texts.iter().filter(|(id, _)| complete.contains(id)) {
        for allow in allows.get(id).into_iter().flatten().filter(|allow| !allow.used) {
            let finding = Diagnostic::new(Code::AllowUnused, "this comment allows something that is not found here");
            findings.push(finding.at(allow.word, "").help("remove it"));
        }
    }
}

/// The comments of a file that count, one entry per code; findings about all of them.
fn comments<'t>(file: FileId, text: &'t str, findings: &mut Vec<Diagnostic>) -> Vec<Allow<'t>> {
    let mut allows = Vec::new();
    let mut lines = Lines::new(text);
    while let Some(line) = lines.next_with_mark() {
        let Some((hash, rest)) = comment(text, line.clone()) else { continue };
        let whole = Span::new(file, hash, line.end);
        let (codes, reason) = text[rest..line.end].split_once("--").unwrap_or((&text[rest..line.end], ""));
        if reason.trim().is_empty() {
            let finding = Diagnostic::new(Code::AllowInvalid, "a comment that allows a finding needs a reason");
            findings
                .push(finding.at(whole, "does not count").help("write `# hlgen: allow CODE -- why this is fine here`"));
            continue;
        }
        let covers = covered(text, line, hash);
        let mut at = rest;
        for piece in codes.split(',') {
            let word = piece.trim();
            let start = at + (piece.len() - piece.trim_start().len());
            let span = Span::new(file, start, start + word.len());
            at += piece.len() + 1;
            match Pattern::parse(word) {
                Err(near) => findings.push(unknown_code(word, near, Some(span))),
                Ok(pattern) if pattern.is_fixed() => {
                    let message = format!("`{word}` cannot be allowed: it means that something could not be computed");
                    let finding = Diagnostic::new(Code::AllowInvalid, message);
                    findings.push(finding.at(span, "does not count").help("correct what is found instead"));
                }
                Ok(pattern) => allows.push(Allow { pattern, word: span, covers: covers.clone(), used: false }),
            }
        }
    }
    allows
}

/// The lines of a text that may hold a comment.
struct Lines<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes of the next line with the mark, without its end.
    fn next_with_mark(&mut self) -> Option<Range<usize>> {
        let found = self.at + self.text[self.at..].find(MARK)?;
        let start = self.text[..found].rfind('\n').map_or(0, |at| at + 1);
        let line = start..line_end(self.text, found);
        self.at = (line.end + 1).min(self.text.len());
        Some(line.start..line.start + self.text[line].trim_end().len())
    }
}

/// The end of the line an offset is on, before its `\n`.
fn line_end(text: &str, offset: usize) -> usize {
    text[offset..].find('\n').map_or(text.len(), |at| offset + at)
}

/// Where a line's comment begins and where its codes do, if the line has such a comment.
fn comment(text: &str, line: Range<usize>) -> Option<(usize, usize)> {
    let content = &text[line.clone()];
    content.match_indices(MARK).find_map(|(at, _)| {
        let before = &content[..at];
        let hash = before.trim_end().strip_suffix('#')?.len();
        let begins = hash == 0 || content[..hash].ends_with([' ', '\t']);
        let rest = &content[at + MARK.len()..];
        let ends = rest.is_empty() || rest.starts_with([' ', '\t']);
        (begins && ends).then_some((line.start + hash, line.end - rest.len()))
    })
}

/// The bytes that a comment covers: its line or, where it stands alone, the next line that is no comment, with the
/// block scalar that begins there.
fn covered(text: &str, line: Range<usize>, hash: usize) -> Range<usize> {
    let mut start = line.start;
    let mut code_end = hash;
    if text[line.start..hash].trim().is_empty() {
        loop {
            let end = line_end(text, start);
            if end >= text.len() {
                return text.len()..text.len();
            }
            start = end + 1;
            code_end = line_end(text, start);
            if !text[start..code_end].trim_start().starts_with('#') {
                break;
            }
        }
    }
    let end = line_end(text, start);
    let code = strip_comment(&text[start..code_end]);
    match block_indent(code) {
        Some(indent) => start..block_end(text, end, indent),
        None => start..end + 1,
    }
}

/// A line without the comment at its end (quotes are not looked into: what matters is how the line ends).
fn strip_comment(line: &str) -> &str {
    line.find(" #").map_or(line, |at| &line[..at]).trim_end()
}

/// If a line opens a block scalar: the column whose lines belong to the parent again.
fn block_indent(line: &str) -> Option<usize> {
    let last = line.split([' ', '\t']).next_back()?;
    let mut rest = last.strip_prefix(['|', '>'])?.chars();
    if !rest.all(|c| matches!(c, '+' | '-' | '1'..='9')) || last.len() > 3 {
        return None;
    }
    let mut indent = line.len() - line.trim_start_matches(' ').len();
    while let Some(rest) = line[indent..].strip_prefix('-').filter(|rest| rest.starts_with(' ')) {
        let inner = rest.trim_start_matches(' ');
        let step = 1 + rest.len() - inner.len();
        // `- |` ends where the list goes on, `- key: |` where the map does.
        let is_key = inner.contains(": ") || inner.starts_with("- ");
        if !is_key {
            break;
        }
        indent += step;
    }
    Some(indent)
}

/// The end of a block scalar: before the first line that has content and no deeper indent than the parent.
fn block_end(text: &str, opening_end: usize, indent: usize) -> usize {
    let mut end = opening_end;
    while end < text.len() {
        let start = end + 1;
        let next = line_end(text, start.min(text.len()));
        let line = &text[start.min(text.len())..next];
        let content = line.trim_start_matches(' ');
        if !content.trim().is_empty() && line.len() - content.len() <= indent {
            return start;
        }
        end = next;
    }
    text.len() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts a `values/unknown-key` finding on every `SECRET` of a text and gives the lines of those that remain, and
    /// the findings about the comments.
    fn run(text: &str) -> (Vec<usize>, Vec<String>) {
        run_with(text, Code::ValuesUnknownKey, false)
    }

    fn run_with(text: &str, code: Code, complete: bool) -> (Vec<usize>, Vec<String>) {
        let sources = SourceMap::new();
        let file = sources.add("f.yaml", text);
        let mut findings: Vec<_> = text
            .match_indices("SECRET")
            .map(|(at, word)| Diagnostic::new(code, "x").at(Span::new(file, at, at + word.len()), ""))
            .collect();
        apply(&mut findings, &sources, if complete { &[FileId(0)] } else { &[] });
        crate::diag::sort(&mut findings, &sources);
        let (own, about): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| finding.code == code && finding.message == "x");
        let lines = own.iter().map(|finding| sources.position(finding.span().unwrap()).line).collect();
        (
            lines,
            about
                .iter()
                .map(|finding| {
                    format!("{} {}: {}", sources.place(finding.span().unwrap()), finding.code, finding.message)
                })
                .collect(),
        )
    }

    #[test]
    fn at_the_end_of_the_line() {
        let (left, about) = run("a: SECRET # hlgen: allow values/unknown-key -- made up\nb: SECRET\n");
        assert_eq!((left, about), (vec![2], vec![]));
        let (left, _) = run("a: SECRET # hlgen: allow values/* -- made up\r\nb: SECRET\r\n");
        assert_eq!(left, [2]);
    }

    #[test]
    fn on_the_line_above() {
        let (left, _) = run("# hlgen: allow values/unknown-key -- made up\n# renovate: x\na: SECRET\nb: SECRET\n");
        assert_eq!(left, [4]);
        let (left, _) = run("x:\n  # hlgen: allow values/unknown-key -- made up\n\n  a: SECRET\n");
        assert_eq!(left, [4], "an empty line stands between");
        let (left, _) = run("a: SECRET\n# hlgen: allow values/unknown-key -- last line");
        assert_eq!(left, [1]);
    }

    #[test]
    fn with_the_block_scalar_that_begins_there() {
        for opening in ["a: |", "a: >-", "a: |2+", "a: !raw |", "a: &x |"] {
            let text = format!(
                "m:\n  {opening} # hlgen: allow values/unknown-key -- x\n    SECRET\n\n      SECRET\n  b: SECRET\n"
            );
            assert_eq!(run(&text).0, [6], "{opening}");
            let text = format!(
                "m:\n  # hlgen: allow values/unknown-key -- x\n  {opening}\n    SECRET\n\n      SECRET\n  b: SECRET\n"
            );
            assert_eq!(run(&text).0, [7], "{opening}");
        }
        let text = "l:\n  - a: | # hlgen: allow values/unknown-key -- x\n      SECRET\n    b: SECRET\n  - | # hlgen: allow values/unknown-key -- x\n   SECRET\n  - SECRET\n";
        assert_eq!(run(text).0, [4, 7]);
        assert_eq!(run("a: x|y # hlgen: allow values/unknown-key -- x\n  SECRET\n").0, [2], "no block scalar");
        assert_eq!(run("a: | # hlgen: allow values/unknown-key -- x\n  SECRET").0, Vec::<usize>::new());
    }

    #[test]
    fn several_codes_and_only_those() {
        let (left, _) = run("a: SECRET # hlgen: allow out/size,values/unknown-key -- x\n");
        assert!(left.is_empty());
        let (left, _) = run("a: SECRET # hlgen: allow out/size -- x\n");
        assert_eq!(left, [1]);
    }

    #[test]
    fn a_reason_is_required() {
        for comment in ["# hlgen: allow values/unknown-key", "# hlgen: allow values/unknown-key --  ", "# hlgen: allow"]
        {
            let (left, about) = run(&format!("a: SECRET {comment}\n"));
            assert_eq!(left, [1]);
            assert_eq!(about, ["f.yaml:1:11 allow/invalid: a comment that allows a finding needs a reason"]);
        }
    }

    #[test]
    fn unknown_codes_are_found_at_their_place() {
        let (left, about) = run("a: SECRET # hlgen: allow out/size, secret/plaintext -- x\n");
        assert_eq!(
            (left, about),
            (vec![1], vec!["f.yaml:1:36 ref/unknown-code: unknown finding code `secret/plaintext`".to_owned()])
        );
    }

    #[test]
    fn what_is_broken_cannot_be_allowed() {
        let (left, about) = run_with("a: SECRET # hlgen: allow yaml/syntax -- x\n", Code::YamlSyntax, true);
        assert_eq!((left, about.len()), (vec![1], 1));
        let (left, _) = run_with("a: SECRET # hlgen: allow yaml/* -- x\n", Code::YamlSyntax, false);
        assert_eq!(left, [1]);
        let (left, _) = run_with("a: SECRET # hlgen: allow yaml/* -- x\n", Code::YamlAmbiguousScalar, false);
        assert!(left.is_empty());
    }

    #[test]
    fn a_comment_that_answers_nothing_is_a_note_where_all_was_checked() {
        let text = "a: SECRET # hlgen: allow values/unknown-key, out/size -- x\n";
        assert_eq!(run(text).1, Vec::<String>::new());
        let (_, about) = run_with(text, Code::ValuesUnknownKey, true);
        assert_eq!(about, ["f.yaml:1:46 allow/unused: this comment allows something that is not found here"]);
    }

    #[test]
    fn look_alikes_are_left_alone() {
        for text in
            ["a: x# hlgen: allow y -- z\n", "hlgen: allow x\n", "a: '# hlgen: allowed -- x'\n", "# hlgen: allows x\n"]
        {
            assert_eq!(run_with(text, Code::ValuesUnknownKey, true).1, Vec::<String>::new(), "{text}");
        }
    }
}
