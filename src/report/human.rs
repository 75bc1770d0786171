//! Frames for people: the message, the lines in question with what is to be said about them, notes and help.
//!
//! annotate-snippets draws them. It gets an excerpt and not the file: it looks at every line it is given, and a file
//! may have four megabytes, or all of them on one line. The excerpt holds only marked lines and what lies shortly
//! between them, long lines are cut around the mark, and what a terminal would obey is replaced. The head of an excerpt
//! (`path:line:column`) would then be that of the excerpt, and there is no way to give another one: a name of our own
//! goes in and is replaced in the result.

use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Group, Level as Frame, Origin, Padding, Renderer, Snippet,
};

use super::place::{Lined, Places};
use super::text::{is_hostile, lines, one_line};
use super::{Count, Options};
use crate::diag::{Diagnostic, Level};

/// Lines between two marks that are shown in one excerpt (as `...` if more than one).
const NEAR: usize = 6;
/// Characters of a line beyond which it is cut, and what is kept before and after the beginning of the mark.
const LONG: usize = 200;
const BEFORE: usize = 50;
const AFTER: usize = 110;
/// Places of one finding that are shown.
const MOST: usize = 12;
/// Stands around the number of a head; a private character, which `text` lets through nowhere.
const HEAD: char = '\u{f8ff}';

pub(super) fn render(findings: &[Diagnostic], places: &mut Places<'_>, count: Count, options: Options) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let renderer = if options.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(options.width.max(40));
    let mut out = String::new();
    for finding in findings {
        let mut heads = Vec::new();
        let frame = renderer.render(&[group(finding, places, &mut heads)]);
        for line in fill_in(&frame, &heads).lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out.push('\n');
    }
    out.push_str(&count.to_string());
    out.push('\n');
    out
}

/// Puts the heads of excerpts in place of their names: `HEAD number HEAD :line:column`.
fn fill_in(frame: &str, heads: &[String]) -> String {
    let mut out = String::with_capacity(frame.len() + 64);
    let mut pieces = frame.split(HEAD);
    out.push_str(pieces.next().unwrap_or_default());
    while let (Some(number), Some(rest)) = (pieces.next(), pieces.next()) {
        out.push_str(number.parse().ok().and_then(|number: usize| heads.get(number)).map_or("", String::as_str));
        out.push_str(rest.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit()));
    }
    out
}

/// A finding as a frame; `heads` gets what each excerpt's head has to say.
fn group<'a>(finding: &'a Diagnostic, places: &mut Places<'_>, heads: &mut Vec<String>) -> Group<'a> {
    let level = match finding.level {
        Level::Error => Frame::ERROR,
        Level::Warning => Frame::WARNING,
        Level::Note => Frame::NOTE,
    };
    let title = level.primary_title(one_line(&finding.message)).id(finding.code.info().name);
    let mut group = Group::with_title(title);

    let shown = finding.labels.len().min(MOST);
    let marks = finding.labels[..shown].iter().enumerate().map(|(number, label)| {
        let place = places.place(label.span);
        let line = place.file.line(place.start.line);
        let start = place.file.boundary(label.span.start as usize).min(line.end);
        // What goes over several lines is marked on its first.
        let end = place.file.boundary(label.span.end as usize).clamp(start, line.end);
        let kind = if number == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        Mark {
            file: place.file,
            line: place.start.line,
            column: place.start.column,
            bytes: start..end,
            kind,
            text: &label.text,
        }
    });
    let has_more = !finding.notes.is_empty() || finding.help.is_some() || shown < finding.labels.len();
    for marks in excerpts(marks.collect()) {
        group = group.element(draw(&marks, heads));
    }
    if has_more && shown > 0 {
        group = group.element(Padding);
    }
    if shown < finding.labels.len() {
        group = group.element(Frame::NOTE.message(format!("and {} more places", finding.labels.len() - shown)));
    }
    group = group.elements(finding.notes.iter().map(|note| Frame::NOTE.message(lines(note))));
    group.elements(finding.help.iter().map(|help| Frame::HELP.message(lines(help))))
}

/// A label with its place worked out.
struct Mark<'a> {
    file: Arc<Lined>,
    line: usize,
    column: usize,
    bytes: Range<usize>,
    kind: AnnotationKind,
    text: &'a str,
}

impl Mark<'_> {
    /// Whether the line has to be cut. Bytes stand for characters here, so some lines are cut a little early.
    fn is_long(&self) -> bool {
        self.file.line(self.line).len() > LONG
    }
}

/// Marks that are drawn together: in one file, near each other, none on a line that is cut. The excerpt of the first
/// label comes first.
fn excerpts(marks: Vec<Mark<'_>>) -> Vec<Vec<Mark<'_>>> {
    let mut excerpts: Vec<Vec<Mark<'_>>> = Vec::new();
    for mark in marks {
        let near = |group: &&mut Vec<Mark<'_>>| {
            group.iter().any(|other| {
                Arc::ptr_eq(&other.file, &mark.file)
                    && other.line.abs_diff(mark.line) <= NEAR
                    && !other.is_long()
                    && !mark.is_long()
            })
        };
        match excerpts.iter_mut().find(near) {
            Some(group) => group.push(mark),
            None => excerpts.push(vec![mark]),
        }
    }
    excerpts
}

/// An excerpt for marks of one file (at least one).
fn draw<'a>(marks: &[Mark<'a>], heads: &mut Vec<String>) -> Element<'a> {
    let Some(head) = marks.first() else { return Padding.into() };
    let path = one_line(head.file.path());
    if head.file.text().is_empty() {
        return Origin::path(path.into_owned()).into();
    }
    heads.push(format!("{path}:{}:{}", head.line, head.column));
    let first = marks.iter().map(|mark| mark.line).min().unwrap_or(head.line);
    let last = marks.iter().map(|mark| mark.line).max().unwrap_or(head.line);
    let mut text = String::new();
    let mut annotations: Vec<(usize, Annotation<'a>)> = Vec::new();
    for number in first..=last {
        let line = head.file.line(number);
        let here: Vec<(usize, &Mark<'a>)> = marks.iter().enumerate().filter(|(_, mark)| mark.line == number).collect();
        let window = window(&head.file, line.clone(), here.first().map_or(line.start, |(_, mark)| mark.bytes.start));
        let mut copy = Copy { text: &mut text, file: &head.file, from: window.start };
        if window.start > line.start {
            copy.text.push_str("...");
        }
        // Positions in the copy of all edges of marks on this line, in order.
        let mut edges: Vec<usize> = here.iter().flat_map(|(_, mark)| [mark.bytes.start, mark.bytes.end]).collect();
        edges.sort_unstable();
        edges.dedup();
        let at: Vec<usize> = edges.iter().map(|edge| copy.up_to((*edge).min(window.end))).collect();
        copy.up_to(window.end);
        for (order, mark) in here {
            let of = |edge: usize| edges.binary_search(&edge).map_or(0, |found| at[found]);
            let span = mark.kind.span(of(mark.bytes.start)..of(mark.bytes.end));
            let label = (!mark.text.is_empty()).then(|| one_line(mark.text));
            annotations.push((
                order,
                match label {
                    Some(label) => span.label(label),
                    None => span,
                },
            ));
        }
        if window.end < line.end {
            text.push_str("...");
        }
        text.push('\n');
    }
    annotations.sort_by_key(|(order, _)| *order);
    let annotations = annotations.into_iter().map(|(_, annotation)| annotation);
    let name = format!("{HEAD}{}{HEAD}", heads.len() - 1);
    Snippet::source(text).path(name).line_start(first).annotations(annotations).into()
}

/// The part of a line that is shown: all of it, or what lies around a mark.
fn window(file: &Lined, line: Range<usize>, mark: usize) -> Range<usize> {
    if line.len() <= LONG {
        return line;
    }
    let text = file.text();
    let start =
        text[line.start..mark].char_indices().rev().nth(BEFORE - 1).map_or(line.start, |(at, _)| line.start + at);
    let end = text[mark..line.end].char_indices().nth(AFTER).map_or(line.end, |(at, _)| mark + at);
    start..end
}

/// A harmless copy of a piece of source.
struct Copy<'t> {
    text: &'t mut String,
    file: &'t Lined,
    from: usize,
}

impl Copy<'_> {
    /// Copies up to an offset of the file and gives the offset in the copy.
    fn up_to(&mut self, to: usize) -> usize {
        for c in self.file.text()[self.from..to].chars() {
            match c {
                '\t' => self.text.push_str("    "),
                c if is_hostile(c) => self.text.push('\u{fffd}'),
                c => self.text.push(c),
            }
        }
        self.from = to;
        self.text.len()
    }
}
