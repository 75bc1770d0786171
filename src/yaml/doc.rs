//! One parsed document: nodes with positions, kinds and tags.

use std::sync::Arc;

use super::scalar::Kind;
use crate::diag::{FileId, Span};

/// A node's number in its [`Doc`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// One `key: value` of a map. The key is a scalar node; its `text` is the key as JSON has it (`on:` is `true`).
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub key: NodeId,
    pub value: NodeId,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
    /// Not a scalar.
    None,
}

/// What a merge tag asks for (DESIGN section 4); `Merge` carries the key that identifies list entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    Append,
    Prepend,
    Merge(String),
    Replace,
    Unset,
    Raw,
}

/// A piece of text: a range of the source, or of the doc's own buffer where the source does not hold it as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) start: u32,
    pub(super) len: u32,
    pub(super) owned: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Content {
    Scalar(Piece),
    /// Range of `entries`.
    Map {
        first: u32,
        len: u32,
    },
    /// Range of `items`.
    Seq {
        first: u32,
        len: u32,
    },
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) content: Content,
    /// Bytes of the source text.
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) kind: Kind,
    pub(super) style: Style,
    /// 0, or 1 + index into `tags`.
    pub(super) tag: u16,
    /// This scalar, or one below, holds `${{` and is not `!raw`.
    pub(super) templated: bool,
    /// This node, or one below, carries a merge tag.
    pub(super) tagged: bool,
}

/// A parsed document. Made by [`super::parse()`].
#[derive(Debug)]
pub struct Doc {
    pub(super) file: FileId,
    pub(super) text: Arc<str>,
    pub(super) buffer: String,
    pub(super) nodes: Vec<Node>,
    pub(super) entries: Vec<Entry>,
    pub(super) items: Vec<NodeId>,
    pub(super) tags: Vec<Tag>,
    pub(super) root: NodeId,
    pub(super) weight: u64,
}

impl Doc {
    /// A document that is one null, for empty files.
    pub fn null(file: FileId, text: Arc<str>) -> Self {
        let node = Node {
            content: Content::Scalar(Piece { start: 0, len: 0, owned: false }),
            start: 0,
            end: 0,
            kind: Kind::Null,
            style: Style::Plain,
            tag: 0,
            templated: false,
            tagged: false,
        };
        Self {
            file,
            text,
            buffer: String::new(),
            nodes: vec![node],
            entries: Vec::new(),
            items: Vec::new(),
            tags: Vec::new(),
            root: NodeId(0),
            weight: 1,
        }
    }

    pub fn root(&self) -> NodeId {
        self.root
    }

    pub fn file(&self) -> FileId {
        self.file
    }

    /// How many nodes a walk of the whole document meets, aliases followed.
    pub fn weight(&self) -> u64 {
        self.weight
    }

    /// How many nodes are kept, each once however many aliases refer to it.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    #[inline]
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// What the node is: a map, a list, or what its scalar means.
    #[inline]
    pub fn kind(&self, id: NodeId) -> Kind {
        self.node(id).kind
    }

    pub fn style(&self, id: NodeId) -> Style {
        self.node(id).style
    }

    /// A scalar's content after unquoting, unescaping and folding (for a plain scalar: its source text); for a key
    /// the key as JSON has it. Empty for maps and lists.
    #[inline]
    pub fn text(&self, id: NodeId) -> &str {
        match self.node(id).content {
            Content::Scalar(piece) => {
                let from: &str = if piece.owned { &self.buffer } else { &self.text };
                &from[piece.start as usize..(piece.start + piece.len) as usize]
            }
            Content::Map { .. } | Content::Seq { .. } => "",
        }
    }

    /// The source text under the node's span.
    pub fn source(&self, id: NodeId) -> &str {
        let node = self.node(id);
        &self.text[node.start as usize..node.end as usize]
    }

    /// If the scalar's content stands in the source as it is: the byte offset of its first character there. Lets an
    /// error inside the content be shown at its exact column.
    pub fn content_offset(&self, id: NodeId) -> Option<u32> {
        match self.node(id).content {
            Content::Scalar(piece) if !piece.owned => Some(piece.start),
            _ => None,
        }
    }

    /// Where the node stands. A map or list begins at its first key or item; an empty value has its key's span.
    pub fn span(&self, id: NodeId) -> Span {
        let node = self.node(id);
        Span { file: self.file, start: node.start, end: node.end }
    }

    pub fn tag(&self, id: NodeId) -> Option<&Tag> {
        match self.node(id).tag {
            0 => None,
            index => self.tags.get(index as usize - 1),
        }
    }

    /// Whether the scalar, or any below the node, holds a template (`${{`) and is not `!raw`.
    #[inline]
    pub fn templated(&self, id: NodeId) -> bool {
        self.node(id).templated
    }

    /// Whether the node, or one below, carries a merge tag.
    #[inline]
    pub fn tagged(&self, id: NodeId) -> bool {
        self.node(id).tagged
    }

    /// A map's entries in source order; empty for anything else.
    #[inline]
    pub fn entries(&self, id: NodeId) -> &[Entry] {
        match self.node(id).content {
            Content::Map { first, len } => &self.entries[first as usize..(first + len) as usize],
            _ => &[],
        }
    }

    /// A list's items; empty for anything else.
    #[inline]
    pub fn items(&self, id: NodeId) -> &[NodeId] {
        match self.node(id).content {
            Content::Seq { first, len } => &self.items[first as usize..(first + len) as usize],
            _ => &[],
        }
    }

    /// The entry of a key in a map.
    pub fn entry(&self, id: NodeId, key: &str) -> Option<Entry> {
        self.entries(id).iter().copied().find(|entry| self.text(entry.key) == key)
    }

    /// The value of a key in a map.
    pub fn get(&self, id: NodeId, key: &str) -> Option<NodeId> {
        self.entry(id, key).map(|entry| entry.value)
    }

    /// The source text of the whole file.
    pub fn file_text(&self) -> &Arc<str> {
        &self.text
    }
}
