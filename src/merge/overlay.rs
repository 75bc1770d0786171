//! The merge itself: one layer's node onto a base.

use std::collections::HashMap;
use std::sync::Arc;

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
        let index: Option<HashMap<String, usize>> = (known * overlay.len() > HASH_FROM).then(|| {
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
        if !gone.is_empty() {
            gone.sort_unstable();
            let (mut at, mut gone) = (from, gone.into_iter().peekable());
            let kept = self.open.split_off(from).into_iter().filter(|_| {
                let stays = gone.next_if_eq(&at).is_none();
                at += 1;
                stays
            });
            self.open.extend(kept);
        }
        self.make_map(from, node)
    }

    fn lists(&mut self, base: Ref, node: NodeId, tag: &Tag) -> Ref {
        let base_items: Vec<Ref> = self.forest.items(base).collect();
        let own = self.doc.items(node);
        let items = match tag {
            Tag::Merge(by) => self.merged_items(base_items, own, by),
            tag => {
                let fresh: Vec<Ref> = own.iter().map(|item| self.fresh(*item)).collect();
                let (mut first, second) = if *tag == Tag::Append { (base_items, fresh) } else { (fresh, base_items) };
                first.extend(second);
                first
            }
        };
        self.make_seq(&items, node)
    }

    /// The items of a `!merge:<by>` list over those of a base.
    fn merged_items(&mut self, base: Vec<Ref>, own: &[NodeId], by: &str) -> Vec<Ref> {
        let mut items: Vec<Option<Ref>> = base.into_iter().map(Some).collect();
        // By the value under `by`, the first of several.
        let mut index: Option<HashMap<String, usize>> = None;
        if (items.len() + own.len()) * own.len() > HASH_FROM {
            let mut made = HashMap::new();
            for (at, id) in items.iter().enumerate().filter_map(|(at, item)| Some((at, self.id((*item)?, by)?))) {
                made.entry(id.to_owned()).or_insert(at);
            }
            index = Some(made);
        }
        for item in own {
            self.merge_item(&mut items, &mut index, *item, by);
        }
        items.into_iter().flatten().collect()
    }

    /// What tells an item of a list from the others.
    fn id(&self, item: Ref, by: &str) -> Option<&str> {
        self.forest.get(item, by).map(|value| self.forest.text(value))
    }

    /// Merges one item of a `!merge:<by>` list into the item that has the same value under `by`, or appends it.
    fn merge_item(
        &mut self,
        items: &mut Vec<Option<Ref>>,
        index: &mut Option<HashMap<String, usize>>,
        item: NodeId,
        by: &str,
    ) {
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
        let found = match index {
            Some(index) => index.get(id).copied(),
            None => items.iter().position(|have| have.is_some_and(|have| self.id(have, by) == Some(id))),
        };
        let below = found.and_then(|at| items[at]);
        let merged = self.node(below, item);
        match found {
            Some(at) => items[at] = merged,
            None => items.extend(merged.map(Some)),
        }
        match (found, merged) {
            // There may be another one of that name.
            (Some(_), None) => *index = None,
            (None, Some(_)) => {
                index.as_mut().map(|index| index.insert(id.to_owned(), items.len() - 1));
            }
            _ => {}
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::diag::SourceMap;
    use crate::yaml;

    /// The merge of some layers.
    fn merged(layers: &[&str]) -> Json {
        let (sources, mut findings, mut forest) = (SourceMap::new(), Vec::new(), Forest::new());
        let mut root = None;
        for text in layers {
            let (file, text) =
                yaml::decode(text.as_bytes(), "a.yaml", &sources, &yaml::Limits::default(), &mut findings).unwrap();
            let doc = yaml::parse(&text, file, &yaml::Limits::default(), &mut findings).remove(0);
            let node = doc.root();
            let layer = forest.add(Arc::new(doc));
            root = forest.overlay(root, layer, node, &mut findings);
        }
        assert_eq!(findings, []);
        forest.to_json(root.unwrap())
    }

    /// From a size on keys are looked for with an index; the result is that of a small map.
    #[test]
    fn keys_are_found_and_removed_at_any_size() {
        for size in [4, 400] {
            let (mut base, mut over, mut expected) = (String::new(), String::new(), serde_json::Map::new());
            for key in 0..size {
                writeln!(base, "k{key}: {{ a: {key}, b: 0 }}").unwrap();
                match key % 4 {
                    0 => writeln!(over, "k{key}: !unset").unwrap(),
                    1 => writeln!(over, "k{key}: {{ a: !unset , b: 1, c: 2 }}").unwrap(),
                    2 => writeln!(over, "n{key}: x").unwrap(),
                    _ => {}
                }
                match key % 4 {
                    0 => None,
                    1 => expected.insert(format!("k{key}"), json!({ "b": 1, "c": 2 })),
                    _ => expected.insert(format!("k{key}"), json!({ "a": key, "b": 0 })),
                };
            }
            (0..size).filter(|key| key % 4 == 2).for_each(|key| _ = expected.insert(format!("n{key}"), json!("x")));
            let over = over.replace("{ a: !unset , b: 1, c: 2 }", "\n  a: !unset\n  b: 1\n  c: 2");
            let found = merged(&[&base, &over]);
            assert_eq!(found, Json::Object(expected.clone()));
            assert!(found.as_object().unwrap().keys().eq(expected.keys()), "in their order");
        }
    }

    /// Each name twice, over a list that holds none.
    #[test]
    fn items_of_a_name_are_one_over_an_empty_list() {
        for names in [2, 200] {
            let mut over = "l: !merge:name\n".to_owned();
            for key in ["a", "b"] {
                (0..names).for_each(|item| writeln!(over, "  - {{ name: i{item}, {key}: x }}").unwrap());
            }
            let expected: Vec<Json> =
                (0..names).map(|item| json!({ "name": format!("i{item}"), "a": "x", "b": "x" })).collect();
            assert_eq!(merged(&["l: []\n", &over]), json!({ "l": expected }));
        }
    }

    /// The same of the items of a list.
    #[test]
    fn items_are_found_at_any_size() {
        for size in [3, 300] {
            let (mut base, mut over, mut expected) = ("l:\n".to_owned(), "l: !merge:name\n".to_owned(), Vec::new());
            for item in 0..size {
                writeln!(base, "  - {{ name: i{item}, a: {item} }}\n  - {{ name: i{item}, a: twice }}\n  - alone")
                    .unwrap();
                writeln!(
                    over,
                    "  - {{ name: i{item}, b: 1 }}\n  - {{ name: n{item}, b: 2 }}\n  - {{ name: n{item}, c: 3 }}"
                )
                .unwrap();
                expected.push(json!({ "name": format!("i{item}"), "a": item, "b": 1 }));
                expected.push(json!({ "name": format!("i{item}"), "a": "twice" }));
                expected.push(json!("alone"));
            }
            expected.extend((0..size).map(|item| json!({ "name": format!("n{item}"), "b": 2, "c": 3 })));
            assert_eq!(merged(&[&base, &over]), json!({ "l": expected }));
        }
    }
}
