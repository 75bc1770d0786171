//! Events → [`Doc`]: the stack of open maps and lists, aliases and their bounds.
//!
//! What a scalar, a tag or a key means is in `meaning`, how a map is closed (duplicate keys, `<<`) in `mapping`.

use std::collections::HashMap;
use std::sync::Arc;

use yaml_rust2::parser::{Event, Tag as RawTag};
use yaml_rust2::scanner::{Marker, TScalarStyle};

use super::doc::{Content, Entry, Node, Piece};
use super::flow::next_bracket;
use super::place::{
    Lead, Places, Want, block_end, empty_block, lead, plain_end, quoted_end, separator_in_block, stands_at, word_end,
};
use super::{Doc, Kind, Limits, NodeId, Style, Tag, syntax};
use crate::diag::{Code, Diagnostic, FileId, Level, Span};

/// Parsing cannot go on; a finding says why.
pub(super) struct Stop;

/// Findings of one level that one file may have; a hostile one could have millions.
const MOST_FINDINGS: usize = 1000;
/// Distinct tags of one document.
const MOST_TAGS: usize = 1000;

pub(super) struct Builder<'a> {
    pub(super) text: &'a str,
    pub(super) file: FileId,
    pub(super) limits: &'a Limits,
    pub(super) places: Places<'a>,
    findings: &'a mut Vec<Diagnostic>,
    /// Findings so far by level, and those left out.
    reported: [usize; 3],
    left_out: usize,
    has_tabs: bool,
    /// The end of the last token.
    cursor: usize,
    docs: Vec<Doc>,
    /// Nodes of the documents that are complete.
    all_nodes: u64,
    pub(super) doc: Doc,
    /// One for each node of `doc`.
    pub(super) shapes: Vec<Shape>,
    frames: Vec<Frame>,
    pub(super) slots: Vec<Slot>,
    items: Vec<NodeId>,
    anchors: HashMap<usize, Anchor>,
    /// Entries that `<<` made the builder look at.
    pub(super) merge_work: u64,
}

/// What following all aliases below a node would meet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) weight: u64,
    pub(super) height: u32,
}

#[derive(Clone, Copy)]
enum Anchor {
    Done(NodeId),
    /// Its map or list is still open.
    Open,
}

/// An entry of an open map.
pub(super) enum Slot {
    Entry(Entry),
    /// `<<`: its key, its value and where the value stands.
    Merge {
        key: NodeId,
        value: NodeId,
        place: (usize, usize),
    },
}

/// What an open map waits for.
#[derive(Clone, Copy)]
enum Awaits {
    Key,
    Value(NodeId),
    MergeValue(NodeId),
    /// The value of a key that cannot be one.
    Nothing,
}

#[expect(clippy::struct_excessive_bools, reason = "independent facts about one open node")]
struct Frame {
    node: NodeId,
    map: bool,
    /// Where its part of `slots` or `items` begins.
    base: usize,
    awaits: Awaits,
    /// Written with brackets: where the opening one is.
    bracket: Option<usize>,
    /// `!raw` stands on it or above.
    raw: bool,
    anchor: usize,
    /// First key or item, and the end of the last value.
    start: Option<usize>,
    end: usize,
    shape: Shape,
    templated: bool,
    tagged: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        text: &'a Arc<str>,
        readable: &'a str,
        base: usize,
        file: FileId,
        limits: &'a Limits,
        findings: &'a mut Vec<Diagnostic>,
    ) -> Self {
        Self {
            text,
            file,
            limits,
            places: Places::new(readable, base),
            findings,
            reported: [0; 3],
            left_out: 0,
            has_tabs: text.contains('\t'),
            cursor: base,
            docs: Vec::new(),
            doc: empty(file, text),
            shapes: Vec::new(),
            frames: Vec::new(),
            slots: Vec::new(),
            items: Vec::new(),
            anchors: HashMap::new(),
            merge_work: 0,
            all_nodes: 0,
        }
    }

    /// Makes room for so many nodes, as far as a text may promise them.
    pub(super) fn expect_nodes(&mut self, nodes: usize) {
        let nodes = nodes.min(1000);
        self.doc.nodes.reserve(nodes);
        self.shapes.reserve(nodes);
        self.doc.entries.reserve(nodes / 2);
    }

    pub(super) fn span(&self, place: (usize, usize)) -> Span {
        Span::new(self.file, place.0, place.1)
    }

    /// The outermost bracket that is open at a place behind the last token.
    pub(super) fn bracket_around(&self, at: usize) -> Option<usize> {
        let open = self.frames.iter().find_map(|frame| frame.bracket);
        open.or_else(|| next_bracket(self.text, self.cursor, at))
    }

    /// Adds a finding, unless there are too many of its level already.
    pub(super) fn report(&mut self, finding: Diagnostic) {
        let count = &mut self.reported[finding.level as usize];
        if *count == MOST_FINDINGS {
            self.left_out += 1;
            return;
        }
        *count += 1;
        self.findings.push(finding);
    }

    /// All documents, or those that were complete when parsing had to stop.
    pub(super) fn finish(mut self, complete: bool) -> Vec<Doc> {
        if complete {
            self.check_tabs(self.text.len());
            if self.docs.is_empty() {
                self.docs.push(Doc::null(self.file, Arc::clone(&self.doc.text)));
            }
        }
        if self.left_out > 0 {
            let text = format!("{} more findings in this file are not shown", self.left_out);
            self.findings.push(
                Diagnostic::new(Code::YamlLimit, text).level(Level::Note).at(Span::new(self.file, 0, 0), "this file"),
            );
        }
        self.docs
    }

    pub(super) fn event(&mut self, event: Event, mark: &Marker) -> Result<(), Stop> {
        let at = self.places.byte(mark);
        match event {
            Event::DocumentStart => {
                // Without a `---` the mark is that of the content, which may begin with one below a `|`.
                let explicit = mark.col() == 0 && at >= self.cursor && self.text[at..].starts_with("---");
                if explicit && lead(self.text, self.cursor, at, Want::Header).header.is_none() {
                    self.check_tabs(at);
                    self.cursor = at + 3;
                }
            }
            Event::DocumentEnd => {
                if mark.col() == 0 && at >= self.cursor && self.text[at..].starts_with("...") {
                    self.check_tabs(at);
                    self.cursor = at + 3;
                }
                self.close_document(at)?;
            }
            Event::Scalar(value, style, anchor, tag) => self.scalar(&value, style, anchor, tag.as_ref(), at)?,
            Event::Alias(anchor) => self.alias(anchor, at)?,
            Event::MappingStart(anchor, tag) => self.open(true, anchor, tag.as_ref(), at)?,
            Event::SequenceStart(anchor, tag) => self.open(false, anchor, tag.as_ref(), at)?,
            Event::MappingEnd | Event::SequenceEnd => self.close(at)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
        }
        Ok(())
    }

    pub(super) fn close_document(&mut self, at: usize) -> Result<(), Stop> {
        self.doc.weight = self.shapes.get(self.doc.root.0 as usize).map_or(1, |shape| shape.weight);
        let next = empty(self.file, &self.doc.text);
        let mut doc = std::mem::replace(&mut self.doc, next);
        // A long text promised more.
        if doc.nodes.capacity() > 2 * doc.nodes.len() + 16 {
            doc.nodes.shrink_to_fit();
            doc.entries.shrink_to_fit();
        }
        if doc.nodes.is_empty() {
            doc = Doc::null(self.file, Arc::clone(&doc.text));
        }
        // An empty document costs more than its nodes.
        self.all_nodes = self.all_nodes.saturating_add(doc.weight).saturating_add(8);
        self.docs.push(doc);
        self.shapes.clear();
        self.frames.clear();
        self.slots.clear();
        self.items.clear();
        self.anchors.clear();
        self.merge_work = 0;
        if self.all_nodes > self.limits.nodes.saturating_add(8) {
            let text = format!("the documents of this file expand to more than {} nodes", self.limits.nodes);
            let at = at.min(self.text.len());
            let finding = Diagnostic::new(Code::YamlLimit, text).at(self.span((at, at)), "passes the limit");
            self.report(finding.help("split the file"));
            return Err(Stop);
        }
        Ok(())
    }

    /// Reports tabs that indent a line between the last token and this place. Inside brackets they are allowed, in the
    /// text of scalars they are no concern of YAML.
    fn check_tabs(&mut self, to: usize) {
        if !self.has_tabs || self.cursor >= to || self.frames.iter().any(|frame| frame.bracket.is_some()) {
            return;
        }
        let bytes = self.text.as_bytes();
        // The first line of the region counts only if the last token ended with a line; `- ` and `? ` are indentation.
        let mut margin = bytes[..self.cursor]
            .iter()
            .rev()
            .take_while(|byte| !matches!(byte, b'\n' | b'\r'))
            .all(|byte| *byte == b' ');
        let mut found = Vec::new();
        for at in self.cursor..to {
            match bytes[at] {
                b'\n' | b'\r' => margin = true,
                b' ' => {}
                // A blank line with blanks before its tab means nothing to anybody.
                b'\t' if margin => {
                    let first = at == 0 || matches!(bytes[at - 1], b'\n' | b'\r');
                    let rest = bytes[at..to].iter().position(|byte| !matches!(byte, b' ' | b'\t'));
                    let blank = rest.is_some_and(|rest| matches!(bytes[at + rest], b'\n' | b'\r' | b'#'));
                    if first || !blank {
                        found.push(at);
                    }
                    margin = false;
                }
                b'-' | b'?' if matches!(bytes.get(at + 1), Some(b' ' | b'\t' | b'\n' | b'\r')) => margin = true,
                _ => margin = false,
            }
        }
        for at in found {
            self.report(syntax::tab(self.file, at));
        }
    }

    fn too_many_nodes(&mut self, place: (usize, usize)) -> Stop {
        let finding =
            Diagnostic::new(Code::YamlLimit, format!("the document expands to more than {} nodes", self.limits.nodes))
                .at(self.span(place), "passes the limit")
                .help("repeat less through aliases and `<<`, or split the file");
        self.report(finding);
        Stop
    }

    fn too_deep(&mut self, place: (usize, usize)) -> Stop {
        let text = format!("maps and lists are nested more than {} deep", self.limits.depth);
        let finding = Diagnostic::new(Code::YamlLimit, text)
            .at(self.span(place), "one level too many")
            .help("nest less, or put the inner part into a block of text");
        self.report(finding);
        Stop
    }

    /// Adds a node to the document.
    pub(super) fn push(&mut self, node: Node, shape: Shape) -> NodeId {
        self.doc.nodes.push(node);
        self.shapes.push(shape);
        NodeId(self.doc.nodes.len() as u32 - 1)
    }

    /// The number of a tag in the document.
    pub(super) fn tag_index(&mut self, tag: Tag, place: (usize, usize)) -> Result<u16, Stop> {
        if let Some(index) = self.doc.tags.iter().position(|known| *known == tag) {
            return Ok(index as u16 + 1);
        }
        if self.doc.tags.len() == MOST_TAGS {
            let text = format!("the document has more than {MOST_TAGS} different tags");
            let finding = Diagnostic::new(Code::YamlLimit, text).at(self.span(place), "one too many");
            self.report(finding);
            return Err(Stop);
        }
        self.doc.tags.push(tag);
        Ok(self.doc.tags.len() as u16)
    }

    /// A piece of text: a range of the source if it stands there, else a copy.
    pub(super) fn piece(&mut self, value: &str, candidate: usize) -> Piece {
        let len = value.len() as u32;
        if stands_at(self.text, candidate, value) {
            return Piece { start: candidate as u32, len, owned: false };
        }
        let start = self.doc.buffer.len() as u32;
        self.doc.buffer.push_str(value);
        Piece { start, len, owned: true }
    }

    pub(super) fn scalar(
        &mut self,
        value: &str,
        style: TScalarStyle,
        anchor: usize,
        tag: Option<&RawTag>,
        mark: usize,
    ) -> Result<(), Stop> {
        let from = self.cursor;
        let empty = style == TScalarStyle::Plain && value.is_empty();
        let block = matches!(style, TScalarStyle::Literal | TScalarStyle::Folded);
        let found = match (block, tag.is_some() || empty) {
            (true, _) => lead(self.text, from, self.text.len(), Want::Header),
            (false, true) => lead(self.text, from, mark, Want::All),
            (false, false) => Lead::default(),
        };
        let corrected = found.header.filter(|header| *header == mark).map(|header| empty_block(self.text, header));
        let mut value = corrected.as_deref().unwrap_or(value);
        // What the span is, and where the content would stand if it stands there as it is.
        let (place, content, style) = match style {
            TScalarStyle::Plain if empty => (self.place_of_nothing(mark, tag, &found), mark, Style::Plain),
            TScalarStyle::Plain => ((mark, plain_end(self.text, mark, value)), mark, Style::Plain),
            TScalarStyle::SingleQuoted => ((mark, quoted_end(self.text, mark)), mark + 1, Style::SingleQuoted),
            TScalarStyle::DoubleQuoted => ((mark, quoted_end(self.text, mark)), mark + 1, Style::DoubleQuoted),
            TScalarStyle::Literal | TScalarStyle::Folded => {
                let header = found.header.unwrap_or(mark);
                let end = block_end(self.text, header, mark, value);
                // At the end of a file without a last line end, libyaml (so Helm) adds none to the text.
                if end == self.text.len() && end > header {
                    value = value.strip_suffix('\n').unwrap_or(value);
                }
                let style = if style == TScalarStyle::Literal { Style::Literal } else { Style::Folded };
                ((header, end.max(header)), mark, style)
            }
        };
        if empty {
            self.cursor = self.cursor.max(place.1);
            if let Some((_, end)) = found.tag.filter(|_| tag.is_some()) {
                self.cursor = self.cursor.max(end);
            }
        } else {
            self.check_tabs(place.0);
            self.cursor = place.1;
        }
        if block && value.contains("---") && separator_in_block(self.text, place) {
            let text = "a text without indentation holds `---`, which ends the document for every other reader";
            let finding = Diagnostic::new(Code::YamlSyntax, text)
                .at(self.span((place.0, place.0 + 1)), "this text")
                .help("indent the text");
            self.report(finding);
            return Err(Stop);
        }
        if value.len() > self.limits.scalar {
            let text = format!("a text has {} bytes; {} are allowed", value.len(), self.limits.scalar);
            let finding = Diagnostic::new(Code::YamlLimit, text)
                .at(self.span((place.0, place.0 + 1)), "begins here")
                .help("Kubernetes takes no object that large; keep the text elsewhere");
            self.report(finding);
            return Err(Stop);
        }
        let tag_place = found.tag.unwrap_or(place);
        let meaning = self.scalar_meaning(value, style, tag.map(|tag| (tag, tag_place)), place)?;
        let raw = meaning.raw || self.frames.last().is_some_and(|frame| frame.raw);
        let content = self.piece(value, content);
        let node = Node {
            content: Content::Scalar(content),
            start: place.0 as u32,
            end: place.1 as u32,
            kind: meaning.kind,
            style,
            tag: meaning.tag,
            templated: !raw && holds_template(value),
            tagged: meaning.tag != 0,
        };
        // A long text counts by its length, so that aliases cannot multiply one into gigabytes.
        let id = self.push(node, Shape { weight: 1 + value.len() as u64 / 64, height: 0 });
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor::Done(id));
        }
        self.attach(id, place, Attached { shared: anchor != 0, plain: meaning.untagged && style == Style::Plain, raw })
    }

    /// The span of an empty value: its key's, its item's dash, or its tag.
    fn place_of_nothing(&self, mark: usize, tag: Option<&RawTag>, found: &Lead) -> (usize, usize) {
        let nothing = (mark, mark);
        match self.frames.last() {
            Some(Frame { map: true, awaits: Awaits::Value(key) | Awaits::MergeValue(key), .. }) => {
                let key = self.doc.node(*key);
                (key.start as usize, key.end as usize)
            }
            Some(Frame { map: false, bracket: None, .. }) => found.dash.map_or(nothing, |dash| (dash, dash + 1)),
            _ if tag.is_some() => found.tag.unwrap_or(nothing),
            _ => nothing,
        }
    }

    pub(super) fn alias(&mut self, anchor: usize, at: usize) -> Result<(), Stop> {
        self.check_tabs(at);
        let place = (at, word_end(self.text.as_bytes(), at + 1));
        self.cursor = place.1;
        let target = match self.anchors.get(&anchor) {
            Some(Anchor::Done(id)) => *id,
            other => {
                let name = &self.text[place.0..place.1];
                let (message, label) = match other {
                    Some(_) => (format!("`{name}` stands inside the very value it names"), "would contain itself"),
                    None => (format!("`{name}` names no anchor in this document"), "anchors end with their document"),
                };
                let finding =
                    Diagnostic::new(Code::YamlAlias, message).at(self.span(place), label).help("write the value out");
                self.report(finding);
                let node = Node {
                    content: Content::Scalar(Piece { start: at as u32, len: 0, owned: false }),
                    start: place.0 as u32,
                    end: place.1 as u32,
                    kind: Kind::Null,
                    style: Style::Plain,
                    tag: 0,
                    templated: false,
                    tagged: false,
                };
                self.push(node, Shape { weight: 1, height: 0 })
            }
        };
        if self.frames.len() + self.shapes[target.0 as usize].height as usize > self.limits.depth {
            return Err(self.too_deep(place));
        }
        let raw = self.frames.last().is_some_and(|frame| frame.raw);
        self.attach(target, place, Attached { shared: true, plain: false, raw })
    }

    pub(super) fn open(&mut self, map: bool, anchor: usize, tag: Option<&RawTag>, mark: usize) -> Result<(), Stop> {
        let bytes = self.text.as_bytes();
        let bracket = matches!((map, bytes.get(mark)), (true, Some(b'{')) | (false, Some(b'['))).then_some(mark);
        if bracket.is_some() {
            self.check_tabs(mark);
        }
        let found = tag.and_then(|_| lead(self.text, self.cursor, self.text.len(), Want::Tag).tag);
        let place = found.unwrap_or((mark, mark + usize::from(bracket.is_some())));
        if let Some((_, end)) = found {
            self.check_tabs(place.0);
            self.cursor = self.cursor.max(end);
        }
        if self.frames.len() == self.limits.depth {
            return Err(self.too_deep((mark, mark)));
        }
        let (tag, raw) = self.collection_tag(map, tag.map(|tag| (tag, place)))?;
        let node = Node {
            content: if map { Content::Map { first: 0, len: 0 } } else { Content::Seq { first: 0, len: 0 } },
            start: mark as u32,
            end: mark as u32,
            kind: if map { Kind::Map } else { Kind::Seq },
            style: Style::None,
            tag,
            templated: false,
            tagged: tag != 0,
        };
        let node = self.push(node, Shape { weight: 1, height: 1 });
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor::Open);
        }
        let raw = raw || self.frames.last().is_some_and(|frame| frame.raw);
        self.frames.push(Frame {
            node,
            map,
            base: if map { self.slots.len() } else { self.items.len() },
            awaits: Awaits::Key,
            bracket,
            raw,
            anchor,
            start: None,
            end: 0,
            shape: Shape { weight: 1, height: 1 },
            templated: false,
            tagged: tag != 0,
        });
        // A bracket is behind us only if it is the next thing; an implicit pair inside brackets has none of its own.
        if let Some(at) = bracket.filter(|at| *at >= self.cursor) {
            self.cursor = at + 1;
        }
        Ok(())
    }

    pub(super) fn close(&mut self, mark: usize) -> Result<(), Stop> {
        let Some(mut frame) = self.frames.pop() else { return Ok(()) };
        let closed = frame.bracket.is_some() && matches!(self.text.as_bytes().get(mark), Some(b']' | b'}'));
        if closed {
            self.cursor = self.cursor.max(mark + 1);
        }
        let place = match (frame.start, frame.bracket) {
            (Some(start), _) => (start, frame.end.max(start)),
            (None, Some(bracket)) => (bracket, if closed { mark + 1 } else { bracket + 1 }),
            (None, None) => (mark, mark),
        };
        let content = if frame.map {
            let closed = self.close_map(frame.base, place)?;
            frame.shape.weight = frame.shape.weight.saturating_add(closed.weight);
            frame.shape.height = frame.shape.height.max(closed.height);
            frame.templated |= closed.templated;
            frame.tagged |= closed.tagged;
            closed.content
        } else {
            let first = self.doc.items.len() as u32;
            self.doc.items.extend(self.items.drain(frame.base..));
            Content::Seq { first, len: self.doc.items.len() as u32 - first }
        };
        if self.frames.len() + frame.shape.height as usize > self.limits.depth {
            return Err(self.too_deep(place));
        }
        let node = &mut self.doc.nodes[frame.node.0 as usize];
        node.content = content;
        node.start = place.0 as u32;
        node.end = place.1 as u32;
        node.templated = frame.templated;
        node.tagged = frame.tagged;
        self.shapes[frame.node.0 as usize] = frame.shape;
        if frame.anchor != 0 {
            self.anchors.insert(frame.anchor, Anchor::Done(frame.node));
        }
        let raw = self.frames.last().is_some_and(|frame| frame.raw);
        self.attach(frame.node, place, Attached { shared: true, plain: false, raw })
    }

    /// Gives a finished node to the map or list it stands in, or makes it the root.
    fn attach(&mut self, id: NodeId, place: (usize, usize), how: Attached) -> Result<(), Stop> {
        let shape = self.shapes[id.0 as usize];
        let Some(depth) = self.frames.len().checked_sub(1) else {
            self.doc.root = id;
            if how.plain {
                self.check_value(id, place);
            }
            if shape.weight > self.limits.nodes {
                return Err(self.too_many_nodes(place));
            }
            return Ok(());
        };
        let node = self.doc.node(id);
        let (templated, tagged, tag) = (node.templated, node.tagged, node.tag);
        let frame = &mut self.frames[depth];
        frame.start.get_or_insert(place.0);
        frame.end = frame.end.max(place.1);
        let (map, awaits) = (frame.map, frame.awaits);
        if map && matches!(awaits, Awaits::Key) {
            let raw = frame.raw || how.raw;
            let awaits = match self.key(id, place, how.shared, how.plain, raw) {
                Some((key, true)) => Awaits::MergeValue(key),
                Some((key, false)) => Awaits::Value(key),
                None => Awaits::Nothing,
            };
            self.frames[depth].awaits = awaits;
            return Ok(());
        }
        if map && !matches!(awaits, Awaits::Value(_)) {
            self.frames[depth].awaits = Awaits::Key;
            if let Awaits::MergeValue(key) = awaits {
                self.slots.push(Slot::Merge { key, value: id, place });
            }
            return Ok(());
        }
        if how.plain {
            self.check_value(id, place);
        }
        let frame = &mut self.frames[depth];
        frame.shape.weight = frame.shape.weight.saturating_add(shape.weight);
        frame.shape.height = frame.shape.height.max(shape.height.saturating_add(1));
        frame.templated |= templated;
        frame.tagged |= tagged;
        frame.awaits = Awaits::Key;
        let weight = frame.shape.weight;
        if let Awaits::Value(key) = awaits.for_map(map) {
            self.slots.push(Slot::Entry(Entry { key, value: id }));
        } else {
            self.items.push(id);
            if tag != 0 {
                self.check_item_tag(id, place);
            }
        }
        if weight > self.limits.nodes || self.doc.nodes.len() as u64 > self.limits.nodes.saturating_mul(2) {
            return Err(self.too_many_nodes(place));
        }
        Ok(())
    }

    /// Stops where `<<` was made to look at more entries than a document may have.
    pub(super) fn count_merge_work(&mut self, entries: usize, place: (usize, usize)) -> Result<(), Stop> {
        self.merge_work = self.merge_work.saturating_add(entries as u64);
        if self.merge_work > self.limits.nodes {
            return Err(self.too_many_nodes(place));
        }
        Ok(())
    }
}

impl Awaits {
    fn for_map(self, map: bool) -> Self {
        if map { self } else { Self::Nothing }
    }
}

/// How a node comes to its place.
#[derive(Clone, Copy)]
struct Attached {
    /// It has an anchor or is an alias, so others may refer to it.
    shared: bool,
    /// An untagged plain scalar.
    plain: bool,
    raw: bool,
}

/// Whether a text holds the beginning of a template. Few hold its first letter.
pub(super) fn holds_template(text: &str) -> bool {
    text.as_bytes().contains(&b'$') && text.contains("${{")
}

fn empty(file: FileId, text: &Arc<str>) -> Doc {
    Doc {
        file,
        text: Arc::clone(text),
        buffer: String::new(),
        nodes: Vec::new(),
        entries: Vec::new(),
        items: Vec::new(),
        tags: Vec::new(),
        root: NodeId(0),
        weight: 1,
    }
}
