//! Layers → one tree that borrows from them.
//!
//! A [`Forest`] holds the documents of all layers and the few nodes that merging makes. A [`Ref`] names a node of a
//! layer or a made one; what only one layer sets is never copied, so merging costs what the overlay touches, and a
//! merged prefix of layers serves as the base of several overlays. A winner's place is in its `Ref`; what it
//! overrode is found on demand by walking the same path in the weaker layers ([`Forest::trace`]).
//!
//! The rules are Helm's (`helm -f a -f b`): maps merge deeply, lists and scalars replace, `null` replaces and stays.
//! The tags of DESIGN section 4 (`!append`, `!prepend`, `!merge:<key>`, `!replace`, `!unset`) ask for something else.

pub(crate) mod overlay;
mod path;

use std::sync::Arc;

pub use path::{Path, Step};

use crate::diag::Span;
use crate::yaml::{Doc, Entry, Kind, NodeId, Tree, View, scalar, scalar_view};

/// A layer's number in its [`Forest`], weakest first in the order of adding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayerId(pub u32);

/// A node of a forest: of a layer, or made by merging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ref {
    layer: u32,
    node: u32,
}

const MADE: u32 = u32::MAX;

impl Ref {
    pub fn of(layer: LayerId, node: NodeId) -> Self {
        Self { layer: layer.0, node: node.0 }
    }

    /// What tells it from all other nodes of its forest; the first number is that of a layer, or beyond all layers.
    pub fn numbers(self) -> (u32, u32) {
        (self.layer, self.node)
    }

    fn made(index: usize) -> Self {
        Self { layer: MADE, node: index as u32 }
    }
}

/// A key: the scalar node of the strongest layer that has it.
#[derive(Debug, Clone, Copy)]
pub struct KeyRef {
    layer: LayerId,
    node: NodeId,
}

#[derive(Debug, Clone, Copy)]
struct MadeEntry {
    key: KeyRef,
    value: Ref,
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    Map { first: u32, len: u32 },
    Seq { first: u32, len: u32 },
}

/// A node that merging made; `origin` is the strongest layer's node, which gives it its place.
#[derive(Debug, Clone, Copy)]
struct Made {
    shape: Shape,
    origin: (LayerId, NodeId),
    templated: bool,
}

/// Layers and what merging them made.
#[derive(Debug, Default)]
pub struct Forest {
    docs: Vec<Arc<Doc>>,
    made: Vec<Made>,
    entries: Vec<MadeEntry>,
    items: Vec<Ref>,
}

impl Forest {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a document as a layer; it does not take part until it is merged.
    pub fn add(&mut self, doc: Arc<Doc>) -> LayerId {
        self.docs.push(doc);
        LayerId(self.docs.len() as u32 - 1)
    }

    pub fn doc(&self, layer: LayerId) -> &Arc<Doc> {
        &self.docs[layer.0 as usize]
    }

    /// All layers, weakest first.
    pub fn layers(&self) -> impl Iterator<Item = LayerId> + use<> {
        (0..self.docs.len() as u32).map(LayerId)
    }

    #[inline]
    fn made_node(&self, node: Ref) -> Option<&Made> {
        (node.layer == MADE).then(|| &self.made[node.node as usize])
    }

    /// The layer's node that gives a node its place.
    pub fn origin(&self, node: Ref) -> (LayerId, NodeId) {
        self.made_node(node).map_or((LayerId(node.layer), NodeId(node.node)), |made| made.origin)
    }

    pub fn span(&self, node: Ref) -> Span {
        let (layer, id) = self.origin(node);
        self.doc(layer).span(id)
    }

    #[inline]
    pub fn kind(&self, node: Ref) -> Kind {
        match self.made_node(node) {
            Some(Made { shape: Shape::Map { .. }, .. }) => Kind::Map,
            Some(Made { shape: Shape::Seq { .. }, .. }) => Kind::Seq,
            None => self.docs[node.layer as usize].kind(NodeId(node.node)),
        }
    }

    /// A scalar's content; empty for maps and lists.
    #[inline]
    pub fn text(&self, node: Ref) -> &str {
        if node.layer == MADE { "" } else { self.docs[node.layer as usize].text(NodeId(node.node)) }
    }

    /// Whether the node, or one below, holds a template.
    #[inline]
    pub fn templated(&self, node: Ref) -> bool {
        match self.made_node(node) {
            Some(made) => made.templated,
            None => self.docs[node.layer as usize].templated(NodeId(node.node)),
        }
    }

    #[inline]
    pub fn key(&self, key: KeyRef) -> &str {
        self.docs[key.layer.0 as usize].text(key.node)
    }

    pub fn key_span(&self, key: KeyRef) -> Span {
        self.doc(key.layer).span(key.node)
    }

    /// Entries of a map, in order of first appearance; empty for anything else.
    pub fn entries(&self, node: Ref) -> impl Iterator<Item = (KeyRef, Ref)> + '_ {
        let (made, plain): (&[MadeEntry], &[Entry]) = match self.made_node(node) {
            Some(Made { shape: Shape::Map { first, len }, .. }) => {
                (&self.entries[*first as usize..(*first + *len) as usize], &[])
            }
            Some(_) => (&[], &[]),
            None => (&[], self.docs[node.layer as usize].entries(NodeId(node.node))),
        };
        let layer = LayerId(node.layer);
        let plain = plain.iter().map(move |entry| (KeyRef { layer, node: entry.key }, Ref::of(layer, entry.value)));
        made.iter().map(|entry| (entry.key, entry.value)).chain(plain)
    }

    /// Items of a list; empty for anything else.
    pub fn items(&self, node: Ref) -> impl Iterator<Item = Ref> + '_ {
        let (made, plain) = self.list(node);
        made.iter().copied().chain(plain.iter().map(move |item| Ref::of(LayerId(node.layer), *item)))
    }

    /// An item of a list by its number.
    pub fn item(&self, node: Ref, index: usize) -> Option<Ref> {
        let (made, plain) = self.list(node);
        made.get(index).copied().or_else(|| plain.get(index).map(|item| Ref::of(LayerId(node.layer), *item)))
    }

    /// The items of a list that merging made, or of one of a layer: one of the two is empty.
    fn list(&self, node: Ref) -> (&[Ref], &[NodeId]) {
        match self.made_node(node) {
            Some(Made { shape: Shape::Seq { first, len }, .. }) => {
                (&self.items[*first as usize..(*first + *len) as usize], &[])
            }
            Some(_) => (&[], &[]),
            None => (&[], self.docs[node.layer as usize].items(NodeId(node.node))),
        }
    }

    /// Entry of a key in a map.
    pub fn entry(&self, node: Ref, key: &str) -> Option<(KeyRef, Ref)> {
        self.entries(node).find(|(entry, _)| self.key(*entry) == key)
    }

    pub fn get(&self, node: Ref, key: &str) -> Option<Ref> {
        self.entry(node, key).map(|(_, value)| value)
    }

    /// The node at a path.
    pub fn at(&self, root: Ref, path: &Path) -> Option<Ref> {
        path.0.iter().try_fold(root, |node, step| match step {
            Step::Key(key) => self.get(node, key),
            Step::Index(index) => self.item(node, *index),
        })
    }

    /// The node nearest to a path that exists, and how many steps lead there.
    pub fn nearest(&self, root: Ref, path: &Path) -> (Ref, usize) {
        let mut node = root;
        for (depth, step) in path.0.iter().enumerate() {
            let next = match step {
                Step::Key(key) => self.get(node, key),
                Step::Index(index) => self.item(node, *index),
            };
            match next {
                Some(next) => node = next,
                None => return (node, depth),
            }
        }
        (node, path.0.len())
    }

    /// Every layer's node at a path, weakest first, among `layers` (root nodes of layers in their order).
    pub fn trace(&self, layers: &[(LayerId, NodeId)], path: &Path) -> Vec<(LayerId, NodeId)> {
        layers
            .iter()
            .filter_map(|(layer, root)| {
                let doc = self.doc(*layer);
                let found = path.0.iter().try_fold(*root, |node, step| match step {
                    Step::Key(key) => doc.get(node, key),
                    Step::Index(index) => doc.items(node).get(*index).copied(),
                })?;
                Some((*layer, found))
            })
            .collect()
    }
}

/// A forest as a tree to write; templates come out as their source text.
impl Tree for Forest {
    type Node = Ref;

    fn view(&self, node: Ref) -> View<'_> {
        scalar_view(self.kind(node), self.text(node))
    }

    fn entries(&self, node: Ref, each: &mut dyn FnMut(&str, Ref)) {
        for (key, value) in self.entries(node) {
            each(self.key(key), value);
        }
    }

    fn items(&self, node: Ref, each: &mut dyn FnMut(Ref)) {
        for item in self.items(node) {
            each(item);
        }
    }
}

/// The JSON value of a scalar.
pub fn scalar_json(kind: Kind, text: &str) -> serde_json::Value {
    match kind {
        Kind::Null | Kind::Map | Kind::Seq => serde_json::Value::Null,
        Kind::Bool(value) => value.into(),
        Kind::Str => text.into(),
        Kind::Int | Kind::Float => {
            let text = scalar::canonical_number(text, kind);
            text.parse::<serde_json::Number>().map_or(serde_json::Value::Null, serde_json::Value::Number)
        }
    }
}

impl Forest {
    /// A node as JSON; templates come out as their source text.
    pub fn to_json(&self, node: Ref) -> serde_json::Value {
        match self.kind(node) {
            Kind::Map => serde_json::Value::Object(
                self.entries(node).map(|(key, value)| (self.key(key).to_owned(), self.to_json(value))).collect(),
            ),
            Kind::Seq => serde_json::Value::Array(self.items(node).map(|item| self.to_json(item)).collect()),
            kind => scalar_json(kind, self.text(node)),
        }
    }
}

impl Forest {
    /// The span of the key that leads to a path's last step; of the node itself where that is a list item or the root.
    /// Falls back to the nearest node that exists.
    pub fn key_span_at(&self, root: Ref, path: &Path) -> Span {
        let Some((Step::Key(last), parent)) = path.0.split_last() else {
            return self.span(self.nearest(root, path).0);
        };
        let parent = Path(parent.to_vec());
        let (node, _) = self.nearest(root, &parent);
        match self.entry(node, last) {
            Some((key, _)) => self.key_span(key),
            None if parent.is_empty() => self.span(node),
            None => self.key_span_at(root, &parent),
        }
    }
}
