//! The merge itself: one layer's node onto a base.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Forest, KeyRef, LayerId, MADE, Made, MadeEntry, Path, Ref, Shape, Step};
use crate::diag::{Code, Diagnostic};
use crate::yaml::{Doc, Kind, NodeId, Tag};

/// From how many comparisons on a hash map finds keys faster than looking through the list.
const HASH_FROM: usize = 256;

impl Forest {
    /// Merges a layer's node over `base`. Gives `None` where nothing is left (`!unset`).
    ///
    /// Findings: `merge/type-clash` where a map meets a scalar or list without `!replace`, `merge/tag` where a tag does
    /// not fit what it stands on. The overlay wins in both cases, so that later checks see what was meant.
    pub fn overlay(
        &mut self,
        base: Option<Ref>,
        layer: LayerId,
        node: NodeId,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Ref> {
        let doc = Arc::clone(self.doc(layer));
        let (path, open) = (Vec::new(), Vec::new());
        let mut merge = Merge { forest: self, layer, doc: &doc, path, open, findings };
        merge.node(base, node)
    }
}

struct Merge<'f> {
    forest: &'f mut Forest,
    layer: LayerId,
    /// The layer's document.
    doc: &'f Doc,
    /// The keys that lead here.
    path: Vec<NodeId>,
    /// Entries of the maps that are being made, one map's behind the other's.
    open: Vec<MadeEntry>,
    findings: &'f mut Vec<Diagnostic>,
}

impl Merge<'_> {
    /// The keys that lead here, for people.
    fn path(&self) -> Path {
        Path(self.path.iter().map(|key| Step::Key(self.doc.text(*key).to_owned())).collect())
    }

    fn node(&mut self, base: Option<Ref>, node: NodeId) -> Option<Ref> {
        let doc = self.doc;
        let kind = doc.kind(node);
        let tag = doc.tag(node);
        if tag == Some(&Tag::Unset) {
            return None;
        }
        let Some(base) = base else { return Some(self.fresh(node)) };
        match (tag, self.forest.kind(base), kind) {
            (Some(Tag::Replace), _, _) => Some(self.fresh(node)),
            (Some(tag @ (Tag::Append | Tag::Prepend | Tag::Merge(_))), base_kind, Kind::Seq) => match base_kind {
                Kind::Seq => Some(self.lists(base, node, tag)),
                Kind::Null => Some(self.fresh(node)),
                _ => {
                    self.tag_clash(base, node, tag);
                    Some(self.fresh(node))
                }
            },
            (_, Kind::Map, Kind::Map) => Some(self.maps(base, node)),
            (_, Kind::Map, other) if other != Kind::Null && !self.opaque(Ref::of(self.layer, node)) => {
                self.type_clash(base, node);
                Some(self.fresh(node))
            }
            (_, other, Kind::Map) if other != Kind::Null && !self.opaque(base) => {
                self.type_clash(base, node);
                Some(self.fresh(node))
            }
            _ => Some(self.fresh(node)),
        }
    }

    /// A scalar that is a template is opaque until it is evaluated.
    fn opaque(&self, node: Ref) -> bool {
        self.forest.kind(node) == Kind::Str && self.forest.templated(node)
    }

    /// A node of the layer with nothing below it: itself, unless tags further down ask for work.
    fn fresh(&mut self, node: NodeId) -> Ref {
        let doc = self.doc;
        if !doc.tagged(node) {
            return Ref::of(self.layer, node);
        }
        match doc.kind(node) {
            Kind::Map => {
                let from = self.open.len();
                for entry in doc.entries(node) {
                    self.path.push(entry.key);
                    if let Some(value) = self.node(None, entry.value) {
                        self.open.push(MadeEntry { key: KeyRef { layer: self.layer, node: entry.key }, value });
                    }
                    self.path.pop();
                }
                self.make_map(from, node)
            }
            Kind::Seq => {
                let made: Vec<Ref> = doc.items(node).iter().filter_map(|item| self.node(None, *item)).collect();
                self.make_seq(&made, node)
            }
            _ => Ref::of(self.layer, node),
        }
    }

    fn maps(&mut self, base: Ref, node: NodeId) -> Ref {
        let from = self.open.len();
        self.open.extend(self.forest.entries(base).map(|(key, value)| MadeEntry { key, value }));
        let known = self.open.len() - from;
        let overlay = self.doc.entries(node);
        let index: Option<FxHashMap<String, usize>> = (known * overlay.len() > HASH_FROM).then(|| {
            let keys = self.open.iter().enumerate().skip(from);
            keys.map(|(at, entry)| (self.forest.key(entry.key).to_owned(), at)).collect()
        });
        let mut gone = Vec::new();
        for entry in overlay {
            let key = self.doc.text(entry.key);
            // The overlay has each of its keys once, so what it adds need not be looked through.
            let found = match &index {
                Some(index) => index.get(key).copied(),
                None => {
                    let same = |have: &MadeEntry| self.forest.key(have.key) == key;
                    self.open[from..from + known].iter().position(same).map(|at| from + at)
                }
            };
            let below = found.map(|at| self.open[at].value);
            self.path.push(entry.key);
            let merged = self.node(below, entry.value);
            self.path.pop();
            let merged = merged.map(|value| MadeEntry { key: KeyRef { layer: self.layer, node: entry.key }, value });
            match (found, merged) {
                (Some(at), Some(merged)) => self.open[at] = merged,
                (Some(at), None) => gone.push(at),
                (None, merged) => self.open.extend(merged),
            }
        }
        gone.sort_unstable();
        for at in gone.into_iter().rev() {
            self.open.remove(at);
        }
        self.make_map(from, node)
    }

    fn lists(&mut self, base: Ref, node: NodeId, tag: &Tag) -> Ref {
        let base_items: Vec<Ref> = self.forest.items(base).collect();
        let own = self.doc.items(node);
        let mut items;
        match tag {
            Tag::Merge(by) => {
                items = base_items;
                for item in own {
                    self.merge_item(&mut items, *item, by);
                }
            }
            tag => {
                let fresh: Vec<Ref> = own.iter().map(|item| self.fresh(*item)).collect();
                let (mut first, second) = if *tag == Tag::Append { (base_items, fresh) } else { (fresh, base_items) };
                first.extend(second);
                items = first;
            }
        }
        self.make_seq(&items, node)
    }

    /// Merges one item of a `!merge:<by>` list into the item that has the same value under `by`, or appends it.
    fn merge_item(&mut self, items: &mut Vec<Ref>, item: NodeId, by: &str) {
        let doc = self.doc;
        let Some(id) = doc.get(item, by).map(|id| doc.text(id)) else {
            let finding = Diagnostic::new(
                Code::MergeTag,
                format!("an entry of the `!merge:{by}` list `{}` has no `{by}`", self.path()),
            );
            let help = format!("give the entry a `{by}`, or write `!append` to add it as it is");
            self.findings.push(finding.at(doc.span(item), format!("`{by}` is missing here")).help(help));
            return;
        };
        let same = |have: &Ref| self.forest.get(*have, by).is_some_and(|value| self.forest.text(value) == id);
        match items.iter().position(same) {
            Some(at) => match self.node(Some(items[at]), item) {
                Some(merged) => items[at] = merged,
                None => {
                    items.remove(at);
                }
            },
            None => items.extend(self.node(None, item)),
        }
    }

    /// A map of the entries that are open from a place on.
    fn make_map(&mut self, from: usize, node: NodeId) -> Ref {
        let forest = &mut *self.forest;
        let entries = &self.open[from..];
        let templated = entries.iter().any(|entry| forest.templated(entry.value));
        let shape = Shape::Map { first: forest.entries.len() as u32, len: entries.len() as u32 };
        forest.entries.extend_from_slice(entries);
        self.open.truncate(from);
        self.make(shape, node, templated)
    }

    fn make_seq(&mut self, items: &[Ref], node: NodeId) -> Ref {
        let forest = &mut *self.forest;
        let templated = items.iter().any(|item| forest.templated(*item));
        let shape = Shape::Seq { first: forest.items.len() as u32, len: items.len() as u32 };
        forest.items.extend_from_slice(items);
        self.make(shape, node, templated)
    }

    fn make(&mut self, shape: Shape, node: NodeId, templated: bool) -> Ref {
        debug_assert!(self.forest.made.len() < MADE as usize);
        self.forest.made.push(Made { shape, origin: (self.layer, node), templated });
        Ref::made(self.forest.made.len() - 1)
    }

    fn type_clash(&mut self, base: Ref, node: NodeId) {
        let doc = self.doc;
        let message =
            format!("`{}` is {} here and {} below", self.path(), noun(doc.kind(node)), noun(self.forest.kind(base)));
        let finding = Diagnostic::new(Code::MergeTypeClash, message)
            .at(doc.span(node), format!("{} here", noun(doc.kind(node))))
            .at(self.forest.span(base), format!("{} in a weaker layer", noun(self.forest.kind(base))))
            .help("write `!replace` before the value if it is meant to replace the whole of it");
        self.findings.push(finding);
    }

    fn tag_clash(&mut self, base: Ref, node: NodeId, tag: &Tag) {
        let doc = self.doc;
        let name = match tag {
            Tag::Append => "!append".to_owned(),
            Tag::Prepend => "!prepend".to_owned(),
            Tag::Merge(by) => format!("!merge:{by}"),
            Tag::Replace | Tag::Unset | Tag::Raw => String::new(),
        };
        let base_noun = noun(self.forest.kind(base));
        let finding = Diagnostic::new(
            Code::MergeTag,
            format!("`{name}` at `{}` needs a list below, this is {base_noun}", self.path()),
        )
        .at(doc.span(node), "the list that should be joined")
        .at(self.forest.span(base), format!("{base_noun} in a weaker layer"))
        .help("leave the tag out to replace what is below");
        self.findings.push(finding);
    }
}

/// What people call a kind.
pub(crate) fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool(_) => "a boolean",
        Kind::Int => "an integer",
        Kind::Float => "a number",
        Kind::Str => "a string",
        Kind::Map => "a map",
        Kind::Seq => "a list",
    }
}
