//! Closing a map: duplicate keys, and `<<`.
//!
//! YAML's merge key says that a map's own keys win, wherever they stand. go-yaml v2, and so Helm, lets the later one of
//! the two win; where that makes a difference the map is read as YAML says, and a warning asks to put `<<` first, which
//! everybody reads alike.

use std::collections::{HashMap, HashSet};

use super::build::{Builder, Slot, Stop};
use super::doc::{Content, Entry};
use super::{Doc, Kind, NodeId};
use crate::diag::{Code, Diagnostic, Level};

/// What a closed map adds to its frame because of `<<`, and its entries.
pub(super) struct Closed {
    pub(super) content: Content,
    pub(super) weight: u64,
    pub(super) height: u32,
    pub(super) templated: bool,
    pub(super) tagged: bool,
}

/// A map of this many entries is searched, a larger one indexed.
const SEARCHED: usize = 16;

/// The entries of a map that is being closed, by key.
struct Keys {
    entries: Vec<(Entry, bool)>,
    index: HashMap<Box<str>, usize>,
}

impl Keys {
    fn find(&self, doc: &Doc, key: &str) -> Option<usize> {
        if self.index.is_empty() {
            return self.entries.iter().position(|(entry, _)| doc.text(entry.key) == key);
        }
        self.index.get(key).copied()
    }

    fn push(&mut self, doc: &Doc, entry: Entry, merged: bool) {
        self.entries.push((entry, merged));
        if self.entries.len() > SEARCHED {
            let known = self.index.len();
            for (at, (entry, _)) in self.entries.iter().enumerate().skip(known) {
                self.index.insert(doc.text(entry.key).into(), at);
            }
        }
    }
}

impl Builder<'_> {
    /// Turns the slots from `base` on into the entries of a map that stands at `place`.
    pub(super) fn close_map(&mut self, base: usize, place: (usize, usize)) -> Result<Closed, Stop> {
        if let Some(content) = self.close_plain_map(base) {
            return Ok(Closed { content, weight: 0, height: 0, templated: false, tagged: false });
        }
        let slots: Vec<Slot> = self.slots.drain(base..).collect();
        let mut keys = Keys { entries: Vec::with_capacity(slots.len()), index: HashMap::new() };
        let mut closed = Closed {
            content: Content::Map { first: 0, len: 0 },
            weight: 0,
            height: 0,
            templated: false,
            tagged: false,
        };
        let mut first_merge = None;
        for slot in slots {
            match slot {
                Slot::Entry(entry) => match keys.find(&self.doc, self.doc.text(entry.key)) {
                    Some(at) if keys.entries[at].1 => keys.entries[at] = (entry, false),
                    Some(at) => {
                        self.duplicate(keys.entries[at].0.key, entry.key);
                        keys.entries[at].0.value = entry.value;
                    }
                    None => keys.push(&self.doc, entry, false),
                },
                Slot::Merge { key, value, place } => {
                    match first_merge {
                        Some(first) => self.duplicate(first, key),
                        None => first_merge = Some(key),
                    }
                    for source in self.merge_sources(value, place) {
                        self.merge_entries(source, key, place, &mut keys, &mut closed)?;
                    }
                }
            }
        }
        if closed.weight > self.limits.nodes {
            self.count_merge_work(usize::MAX, place)?;
        }
        let first = self.doc.entries.len() as u32;
        self.doc.entries.extend(keys.entries.iter().map(|(entry, _)| *entry));
        closed.content = Content::Map { first, len: keys.entries.len() as u32 };
        Ok(closed)
    }

    /// The same for a map without `<<` and without a key that stands twice.
    fn close_plain_map(&mut self, base: usize) -> Option<Content> {
        let slots = &self.slots[base..];
        let key = |slot: &Slot| match slot {
            Slot::Entry(entry) => Some(self.doc.text(entry.key)),
            Slot::Merge { .. } => None,
        };
        let mut known: HashSet<&str> = HashSet::new();
        for (at, slot) in slots.iter().enumerate() {
            let own = key(slot)?;
            let few = slots.len() <= SEARCHED;
            let twice = if few { slots[..at].iter().any(|other| key(other) == Some(own)) } else { !known.insert(own) };
            if twice {
                return None;
            }
        }
        let first = self.doc.entries.len() as u32;
        let entries = self.slots.drain(base..).filter_map(|slot| match slot {
            Slot::Entry(entry) => Some(entry),
            Slot::Merge { .. } => None,
        });
        self.doc.entries.extend(entries);
        Some(Content::Map { first, len: self.doc.entries.len() as u32 - first })
    }

    fn duplicate(&mut self, first: NodeId, second: NodeId) {
        let key = self.doc.text(second).to_owned();
        let finding = Diagnostic::new(Code::YamlDuplicateKey, format!("the key `{key}` stands twice in this map"))
            .at(self.doc.span(second), "again")
            .at(self.doc.span(first), "first here")
            .help("keep one of the two; Helm would take the last");
        self.report(finding);
    }

    /// The maps that the value of `<<` refers to.
    fn merge_sources(&mut self, value: NodeId, place: (usize, usize)) -> Vec<NodeId> {
        // An alias stands elsewhere than what it names. go-yaml takes no alias of a list.
        let alias = self.doc.span(value) != self.span(place);
        match self.doc.kind(value) {
            Kind::Map => vec![value],
            Kind::Seq if !alias => {
                let items = self.doc.items(value).to_vec();
                let (maps, others): (Vec<_>, Vec<_>) =
                    items.iter().partition(|item| self.doc.kind(**item) == Kind::Map);
                for item in others {
                    self.bad_merge(self.doc.span(item), "an item of `<<` is no map");
                }
                maps
            }
            _ => {
                self.bad_merge(self.span(place), "`<<` does not refer to a map");
                Vec::new()
            }
        }
    }

    fn bad_merge(&mut self, span: crate::diag::Span, message: &str) {
        let finding = Diagnostic::new(Code::YamlMergeKey, message)
            .at(span, "not a map")
            .help("write `<<: *name` or `<<: [*name, *other]`, or `'<<'` if the key itself is meant");
        self.report(finding);
    }

    fn merge_entries(
        &mut self,
        source: NodeId,
        merge_key: NodeId,
        place: (usize, usize),
        keys: &mut Keys,
        closed: &mut Closed,
    ) -> Result<(), Stop> {
        let entries = self.doc.entries(source).to_vec();
        self.count_merge_work(entries.len() + 1, place)?;
        let mut warned = false;
        for entry in entries {
            let found = keys.find(&self.doc, self.doc.text(entry.key));
            if let Some(at) = found {
                let (own, merged) = keys.entries[at];
                if !merged && !warned && !self.same_scalar(own.value, entry.value) {
                    warned = true;
                    self.late_merge(own, merge_key);
                }
                continue;
            }
            keys.push(&self.doc, entry, true);
            let (node, shape) = (self.doc.node(entry.value), self.shapes[entry.value.0 as usize]);
            closed.weight = closed.weight.saturating_add(shape.weight);
            closed.height = closed.height.max(shape.height.saturating_add(1));
            closed.templated |= node.templated;
            closed.tagged |= node.tagged;
        }
        Ok(())
    }

    fn same_scalar(&self, one: NodeId, other: NodeId) -> bool {
        let scalar = !matches!(self.doc.kind(one), Kind::Map | Kind::Seq);
        one == other
            || (scalar && self.doc.kind(one) == self.doc.kind(other) && self.doc.text(one) == self.doc.text(other))
    }

    fn late_merge(&mut self, own: Entry, merge_key: NodeId) {
        let key = self.doc.text(own.key).to_owned();
        let finding = Diagnostic::new(Code::YamlMergeKey, format!("`<<` stands behind `{key}`, which it also holds"))
            .level(Level::Warning)
            .at(self.doc.span(merge_key), "Helm takes the value from here")
            .at(self.doc.span(own.key), "YAML, and so hlgen, takes this one")
            .help("put `<<` first in its map: then everybody takes the map's own value");
        self.report(finding);
    }
}
