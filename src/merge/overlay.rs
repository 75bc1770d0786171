//! The merge itself: one layer's node onto a base.

use rustc_hash::FxHashMap;

use super::{Forest, KeyRef, LayerId, MADE, Made, MadeEntry, Path, Ref, Shape, Step};
use crate::diag::{Code, Diagnostic};
use crate::yaml::{Kind, NodeId, Tag};

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
        let mut merge = Merge { forest: self, layer, path: Path::default(), findings };
        merge.node(base, node)
    }
}

struct Merge<'f> {
    forest: &'f mut Forest,
    layer: LayerId,
    path: Path,
    findings: &'f mut Vec<Diagnostic>,
}

impl Merge<'_> {
    fn node(&mut self, base: Option<Ref>, node: NodeId) -> Option<Ref> {
        let doc = self.forest.doc(self.layer);
        let kind = doc.kind(node);
        let tag = doc.tag(node).cloned();
        if tag == Some(Tag::Unset) {
            return None;
        }
        let Some(base) = base else { return Some(self.fresh(node)) };
        match (tag, self.forest.kind(base), kind) {
            (Some(Tag::Replace), _, _) => Some(self.fresh(node)),
            (Some(tag @ (Tag::Append | Tag::Prepend | Tag::Merge(_))), base_kind, Kind::Seq) => match base_kind {
                Kind::Seq => Some(self.lists(base, node, &tag)),
                Kind::Null => Some(self.fresh(node)),
                _ => {
                    self.tag_clash(base, node, &tag);
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
        let doc = self.forest.doc(self.layer);
        if !doc.tagged(node) {
            return Ref::of(self.layer, node);
        }
        match doc.kind(node) {
            Kind::Map => {
                let entries = doc.entries(node).to_vec();
                let mut made = Vec::with_capacity(entries.len());
                for entry in entries {
                    self.path.0.push(Step::Key(self.forest.doc(self.layer).text(entry.key).to_owned()));
                    if let Some(value) = self.node(None, entry.value) {
                        made.push(MadeEntry { key: KeyRef { layer: self.layer, node: entry.key }, value });
                    }
                    self.path.0.pop();
                }
                self.make_map(made, node)
            }
            Kind::Seq => {
                let items = doc.items(node).to_vec();
                let made = items.into_iter().filter_map(|item| self.node(None, item)).collect();
                self.make_seq(made, node)
            }
            _ => Ref::of(self.layer, node),
        }
    }

    fn maps(&mut self, base: Ref, node: NodeId) -> Ref {
        let mut entries: Vec<Option<MadeEntry>> =
            self.forest.entries(base).map(|(key, value)| Some(MadeEntry { key, value })).collect();
        let overlay = self.forest.doc(self.layer).entries(node).to_vec();
        let index: Option<FxHashMap<String, usize>> = (entries.len() * overlay.len() > HASH_FROM).then(|| {
            let keys = entries.iter().enumerate();
            keys.filter_map(|(at, entry)| Some((self.forest.key(entry.as_ref()?.key).to_owned(), at))).collect()
        });
        for entry in overlay {
            let doc = self.forest.doc(self.layer);
            let key = doc.text(entry.key);
            let found = match &index {
                Some(index) => index.get(key).copied(),
                None => {
                    let same = |have: &Option<MadeEntry>| have.is_some_and(|have| self.forest.key(have.key) == key);
                    entries.iter().position(same)
                }
            };
            let below = found.and_then(|at| entries[at]).map(|have| have.value);
            self.path.0.push(Step::Key(key.to_owned()));
            let merged = self.node(below, entry.value);
            self.path.0.pop();
            let merged = merged.map(|value| MadeEntry { key: KeyRef { layer: self.layer, node: entry.key }, value });
            match found {
                Some(at) => entries[at] = merged,
                None => entries.extend(merged.map(Some)),
            }
        }
        self.make_map(entries.into_iter().flatten().collect(), node)
    }

    fn lists(&mut self, base: Ref, node: NodeId, tag: &Tag) -> Ref {
        let base_items: Vec<Ref> = self.forest.items(base).collect();
        let own = self.forest.doc(self.layer).items(node).to_vec();
        let mut items;
        match tag {
            Tag::Merge(by) => {
                items = base_items;
                for item in own {
                    self.merge_item(&mut items, item, by);
                }
            }
            tag => {
                let fresh: Vec<Ref> = own.into_iter().map(|item| self.fresh(item)).collect();
                let (mut first, second) = if *tag == Tag::Append { (base_items, fresh) } else { (fresh, base_items) };
                first.extend(second);
                items = first;
            }
        }
        self.make_seq(items, node)
    }

    /// Merges one item of a `!merge:<by>` list into the item that has the same value under `by`, or appends it.
    fn merge_item(&mut self, items: &mut Vec<Ref>, item: NodeId, by: &str) {
        let doc = self.forest.doc(self.layer);
        let Some(id) = doc.get(item, by).map(|id| doc.text(id).to_owned()) else {
            let finding = Diagnostic::new(
                Code::MergeTag,
                format!("an entry of the `!merge:{by}` list `{}` has no `{by}`", self.path),
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

    fn make_map(&mut self, entries: Vec<MadeEntry>, node: NodeId) -> Ref {
        let forest = &mut *self.forest;
        let templated = entries.iter().any(|entry| forest.templated(entry.value));
        let shape = Shape::Map { first: forest.entries.len() as u32, len: entries.len() as u32 };
        forest.entries.extend(entries);
        self.make(shape, node, templated)
    }

    fn make_seq(&mut self, items: Vec<Ref>, node: NodeId) -> Ref {
        let forest = &mut *self.forest;
        let templated = items.iter().any(|item| forest.templated(*item));
        let shape = Shape::Seq { first: forest.items.len() as u32, len: items.len() as u32 };
        forest.items.extend(items);
        self.make(shape, node, templated)
    }

    fn make(&mut self, shape: Shape, node: NodeId, templated: bool) -> Ref {
        debug_assert!(self.forest.made.len() < MADE as usize);
        self.forest.made.push(Made { shape, origin: (self.layer, node), templated });
        Ref::made(self.forest.made.len() - 1)
    }

    fn type_clash(&mut self, base: Ref, node: NodeId) {
        let doc = self.forest.doc(self.layer);
        let message =
            format!("`{}` is {} here and {} below", self.path, noun(doc.kind(node)), noun(self.forest.kind(base)));
        let finding = Diagnostic::new(Code::MergeTypeClash, message)
            .at(doc.span(node), format!("{} here", noun(doc.kind(node))))
            .at(self.forest.span(base), format!("{} in a weaker layer", noun(self.forest.kind(base))))
            .help("write `!replace` before the value if it is meant to replace the whole of it");
        self.findings.push(finding);
    }

    fn tag_clash(&mut self, base: Ref, node: NodeId, tag: &Tag) {
        let doc = self.forest.doc(self.layer);
        let name = match tag {
            Tag::Append => "!append".to_owned(),
            Tag::Prepend => "!prepend".to_owned(),
            Tag::Merge(by) => format!("!merge:{by}"),
            Tag::Replace | Tag::Unset | Tag::Raw => String::new(),
        };
        let base_noun = noun(self.forest.kind(base));
        let finding = Diagnostic::new(
            Code::MergeTag,
            format!("`{name}` at `{}` needs a list below, this is {base_noun}", self.path),
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
