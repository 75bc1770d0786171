//! Whether an edit did what it was meant to do, by reading the result.

use std::sync::Arc;

use super::{NewEntry, NewValue};
use crate::diag::Level;
use crate::yaml::doc::{Doc, Entry, NodeId};
use crate::yaml::scalar::Kind;
use crate::yaml::{Limits, parse};

/// Whether a text is a document with the entries and nothing else.
pub(super) fn is_extended(doc: &Doc, text: &str, key: &str, entries: &[NewEntry]) -> bool {
    let text: Arc<str> = text.into();
    let mut findings = Vec::new();
    let docs = parse(&text, doc.file(), &Limits::default(), &mut findings);
    let [after] = docs.as_slice() else { return false };
    if findings.iter().any(|finding| finding.level == Level::Error) {
        return false;
    }
    let (before, after_root) = (doc.entries(doc.root()), after.entries(after.root()));
    let there = before.iter().any(|entry| doc.text(entry.key) == key);
    if after_root.len() != before.len() + usize::from(!there) {
        return false;
    }
    let alike = before.iter().zip(after_root).all(|(own, other)| {
        same(doc, own.key, after, other.key) && (doc.text(own.key) == key || same(doc, own.value, after, other.value))
    });
    let Some(map) = after.get(after.root(), key) else { return false };
    let old = doc.get(doc.root(), key);
    let old_entries = old.map(|old| doc.entries(old)).unwrap_or_default();
    let kept = old.is_none_or(|old| doc.kind(old) == Kind::Null || doc.tag(old) == after.tag(map));
    let now = after.entries(map);
    let (kept_now, new) = now.split_at(old_entries.len().min(now.len()));
    alike
        && kept
        && new.len() == entries.len()
        && old_entries
            .iter()
            .zip(kept_now)
            .all(|(own, other)| same(doc, own.key, after, other.key) && same(doc, own.value, after, other.value))
        && entries.iter().zip(new).all(|(wanted, entry)| is_entry(after, *entry, wanted))
}

/// Whether two nodes mean the same and are written with the same words.
fn same(one: &Doc, a: NodeId, other: &Doc, b: NodeId) -> bool {
    one.kind(a) == other.kind(b)
        && one.style(a) == other.style(b)
        && one.tag(a) == other.tag(b)
        && one.text(a) == other.text(b)
        && one.items(a).len() == other.items(b).len()
        && one.entries(a).len() == other.entries(b).len()
        && one.items(a).iter().zip(other.items(b)).all(|(a, b)| same(one, *a, other, *b))
        && one
            .entries(a)
            .iter()
            .zip(other.entries(b))
            .all(|(a, b)| same(one, a.key, other, b.key) && same(one, a.value, other, b.value))
}

/// Whether an entry is the one that was to be added.
fn is_entry(doc: &Doc, entry: Entry, wanted: &NewEntry) -> bool {
    let is_text = |node: NodeId, text: &str| doc.kind(node) == Kind::Str && doc.text(node) == text;
    let fields = doc.entries(entry.value);
    doc.text(entry.key) == wanted.key
        && doc.kind(entry.value) == Kind::Map
        && fields.len() == wanted.fields.len()
        && fields.iter().zip(&wanted.fields).all(|(field, wanted)| {
            let value = match &wanted.value {
                NewValue::Text(text) => is_text(field.value, text),
                NewValue::Map(map) => {
                    let entries = doc.entries(field.value);
                    entries.len() == map.len()
                        && entries
                            .iter()
                            .zip(map)
                            .all(|(entry, (key, text))| doc.text(entry.key) == key && is_text(entry.value, text))
                }
            };
            doc.text(field.key) == wanted.key && value
        })
}
