//! The line that did it: of all places that have a part in a value, the one that differs between the two sides.

use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use super::changes::Place;
use super::made::AppSide;
use super::{Side, text};
use crate::diag::{SourceMap, Span};
use crate::merge::Path;
use crate::plan::explain::read_spans;
use crate::template::reads;
use crate::yaml::{Kind, Tag};

/// The lines of each file that the other side does not have, worked out when asked for.
pub(super) struct Causes<'a> {
    base: Side<'a>,
    head: Side<'a>,
    lines: Mutex<LinesByFile>,
}

/// By side (whether the base's) and file.
type LinesByFile = FxHashMap<(bool, Arc<str>), Arc<Lines>>;

enum Lines {
    All,
    These(FxHashSet<usize>),
}

impl<'a> Causes<'a> {
    pub(super) fn new(base: Side<'a>, head: Side<'a>) -> Self {
        Self { base, head, lines: Mutex::default() }
    }

    /// The place to show for a change whose value comes from `head` in the head and from `base` in the base, the most likely
    /// place first; and whether it is one of the base.
    pub(super) fn pick(&self, base: &[Span], head: &[Span]) -> (Option<Place>, bool) {
        if let Some(place) = head.iter().find_map(|span| self.changed(false, *span)) {
            return (Some(place), false);
        }
        if let Some(place) = base.iter().find_map(|span| self.changed(true, *span)) {
            return (Some(place), true);
        }
        match (head.first(), base.first()) {
            (Some(span), _) => (Some(place(self.head.docs.sources, *span)), false),
            (None, Some(span)) => (Some(place(self.base.docs.sources, *span)), true),
            (None, None) => (None, false),
        }
    }

    /// The first line of a span that the other side does not have.
    fn changed(&self, in_base: bool, span: Span) -> Option<Place> {
        let (own, other) = if in_base { (&self.base, &self.head) } else { (&self.head, &self.base) };
        let file = own.docs.sources.file(span.file);
        let lines = {
            let mut known = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let lines = known.entry((in_base, Arc::clone(&file.path))).or_insert_with(|| {
                let same = own.docs.source.content_id(&file.path);
                if same.is_some() && same == other.docs.source.content_id(&file.path)
                    || file.path.starts_with("builtin:")
                {
                    return Arc::new(Lines::These(FxHashSet::default()));
                }
                let there = other.docs.source.read(&file.path).ok().flatten().unwrap_or_default();
                let there = String::from_utf8_lossy(&there);
                let lines = text::own_lines(&file.text, &there);
                Arc::new(lines.map_or(Lines::All, |lines| Lines::These(lines.into_iter().collect())))
            });
            Arc::clone(lines)
        };
        let start = file.position(span.start);
        let end = file.position(span.end.saturating_sub(1).max(span.start)).line;
        let hit = (start.line..=end).find(|line| match &*lines {
            Lines::All => true,
            Lines::These(lines) => lines.contains(line),
        })?;
        let column = if hit == start.line { start.column } else { 1 };
        Some(Place { file: file.path.to_string(), line: hit, column })
    }
}

/// A span for people.
pub(super) fn place(sources: &SourceMap, span: Span) -> Place {
    let file = sources.file(span.file);
    let position = file.position(span.start);
    Place { file: file.path.to_string(), line: position.line, column: position.column }
}

/// Everything that has a part in a value: where it is written (its key where there is one), what its template reads, what
/// unsets it.
pub(super) fn of_value(side: &mut AppSide<'_>, number: usize, path: &Path) -> Vec<Span> {
    let plan = side.plan;
    let merged = side.merged(number).clone();
    let Some(root) = merged.root else { return Vec::new() };
    let forest = &side.values.forest;
    let (node, depth) = forest.nearest(root, path);
    let mut spans = Vec::new();
    let templated = forest.kind(node) == Kind::Str && forest.templated(node);
    if depth == path.0.len() || templated {
        spans.push(forest.span(node));
    }
    if templated {
        for name in reads(forest.text(node)) {
            spans.extend(read_spans(plan, number, &name));
        }
    }
    let trace = side.values.trace(&merged, path);
    if let Some((layer, node)) = trace.last() {
        let doc = forest.doc(*layer);
        if doc.tag(*node) == Some(&Tag::Unset) {
            spans.push(doc.span(*node));
        }
    }
    spans
}
