//! Two JSON trees, path by path.
//!
//! Maps are compared by key. Entries of a list are matched by what names them (`name`, `key` or `id`, where all entries have
//! a different one), else as a sequence. What only one side has is told leaf by leaf, lists whole. Secrets are replaced
//! here, while the way to a value is known; a secret on either side hides both.

use std::fmt::Write as _;

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Map, Value as Json};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::changes::Shown;
use crate::merge::{Path, Step};
use crate::secret::{self, Known, Masker, Place};

/// Items of two lists, multiplied, up to which they are compared as a sequence; beyond that by position.
const SEQUENCE_MAX: usize = 250_000;

/// Nesting that is told apart; values are bounded by their parser far below.
const DEPTH_MAX: usize = 256;

/// One path that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Delta {
    /// For people: `hosts[name=web].port`.
    pub shown: String,
    /// Where it is in the base, and in the head; `None` where it is not there.
    pub base: Option<Path>,
    pub head: Option<Path>,
    pub before: Option<Shown>,
    pub after: Option<Shown>,
    pub note: Option<&'static str>,
}

/// Compares two trees; `None` is a tree that is not there.
pub fn compare(base: Option<&Json>, head: Option<&Json>, masker: &Masker, known: &Known) -> Vec<Delta> {
    let mut walk = Walk { masker, known, found: Vec::new() };
    let root = |tree: Option<&Json>| tree.map_or(Place::Open, Place::root);
    walk.any(Spot { value: base, place: root(base) }, Spot { value: head, place: root(head) }, &Way::default());
    walk.found
}

/// A value of one side and what is known of its place.
#[derive(Clone, Copy)]
struct Spot<'j> {
    value: Option<&'j Json>,
    place: Place,
}

impl<'j> Spot<'j> {
    const NONE: Self = Self { value: None, place: Place::Open };

    fn key(self, key: &str) -> Self {
        let Some(map) = self.value else { return Spot { value: None, ..self } };
        Spot { value: map.get(key), place: self.place.key(key, map) }
    }

    fn item(self, items: &'j [Json], at: usize) -> Self {
        Spot { value: items.get(at), place: self.place.item(at.checked_sub(1).map(|before| &items[before])) }
    }
}

/// The way to a place: as shown, and in each side.
#[derive(Debug, Clone, Default)]
struct Way {
    shown: String,
    base: Path,
    head: Path,
    depth: usize,
}

impl Way {
    fn key(&self, key: &str, shown: &str) -> Self {
        let mut way = self.clone();
        way.depth += 1;
        way.base.push_key(key);
        way.head.push_key(key);
        let step = Path(vec![Step::Key(shown.to_owned())]).to_string();
        if !way.shown.is_empty() && !step.starts_with('[') {
            way.shown.push('.');
        }
        way.shown.push_str(&step);
        way
    }

    fn item(&self, base: Option<usize>, head: Option<usize>, name: Option<(&str, &str)>) -> Self {
        let mut way = self.clone();
        way.depth += 1;
        way.base.0.push(Step::Index(base.unwrap_or(usize::MAX)));
        way.head.0.push(Step::Index(head.unwrap_or(usize::MAX)));
        // Writing to a `String` does not fail.
        _ = match name {
            Some((key, name)) => write!(way.shown, "[{key}={name}]"),
            None => write!(way.shown, "[{}]", head.or(base).unwrap_or_default()),
        };
        way
    }
}

struct Walk<'m> {
    masker: &'m Masker,
    known: &'m Known,
    found: Vec<Delta>,
}

impl Walk<'_> {
    /// A name as it may be shown.
    fn shown<'t>(&self, name: &'t str) -> &'t str {
        if self.known.is_in(name) { secret::MASK } else { secret::shown(name) }
    }

    /// Whether anything at a spot must not be shown.
    fn hides(&self, spot: Spot<'_>) -> bool {
        spot.value.is_some_and(|value| spot.place.hides_any(value) || self.known.is_in_any(value))
    }

    fn any(&mut self, base: Spot<'_>, head: Spot<'_>, way: &Way) {
        match (base.value, head.value) {
            (None, None) => {}
            (Some(b), Some(h)) if b == h => {}
            _ if way.depth > DEPTH_MAX => self.leaf(base, head, way, None),
            (Some(Json::Object(b)), Some(Json::Object(h))) => self.maps(base, head, b, h, way),
            (Some(Json::Object(b)), None) if !b.is_empty() => self.maps(base, head, b, &Map::new(), way),
            (None, Some(Json::Object(h))) if !h.is_empty() => self.maps(base, head, &Map::new(), h, way),
            (Some(Json::Array(b)), Some(Json::Array(h))) => self.lists(base, head, b, h, way),
            (Some(Json::Array(b)), None) if self.hides(base) => {
                self.lists(base, head, b, &[], way);
            }
            (None, Some(Json::Array(h))) if self.hides(head) => {
                self.lists(base, head, &[], h, way);
            }
            _ => self.leaf(base, head, way, None),
        }
    }

    fn maps(&mut self, base: Spot<'_>, head: Spot<'_>, b: &Map<String, Json>, h: &Map<String, Json>, way: &Way) {
        let gone = b.keys().filter(|key| !h.contains_key(*key));
        for key in h.keys().chain(gone) {
            self.any(base.key(key), head.key(key), &way.key(key, self.shown(key)));
        }
    }

    fn lists<'j>(&mut self, base: Spot<'j>, head: Spot<'j>, b: &'j [Json], h: &'j [Json], way: &Way) {
        if let Some(key) = identity(b, h) {
            return self.named(base, head, b, h, key, way);
        }
        for (from, to) in aligned(b, h) {
            let one = from.map_or(Spot::NONE, |at| base.item(b, at));
            let two = to.map_or(Spot::NONE, |at| head.item(h, at));
            self.item(one, two, &way.item(from, to, None));
        }
    }

    fn named<'j>(&mut self, base: Spot<'j>, head: Spot<'j>, b: &'j [Json], h: &'j [Json], key: &str, way: &Way) {
        let name = |item: &Json| item.get(key).map(plain).unwrap_or_default();
        let places = |items: &[Json]| -> FxHashMap<String, usize> {
            items.iter().enumerate().map(|(at, item)| (name(item), at)).collect()
        };
        let (in_base, in_head) = (places(b), places(h));
        for (at, item) in h.iter().enumerate() {
            let name = name(item);
            let from = in_base.get(&name).copied();
            let one = from.map_or(Spot::NONE, |from| base.item(b, from));
            self.item(one, head.item(h, at), &way.item(from, Some(at), Some((key, self.shown(&name)))));
        }
        for (at, item) in b.iter().enumerate() {
            let name = name(item);
            if !in_head.contains_key(&name) {
                self.item(base.item(b, at), Spot::NONE, &way.item(Some(at), None, Some((key, self.shown(&name)))));
            }
        }
        let common = |items: &[Json], other: &FxHashMap<String, usize>| -> Vec<Json> {
            let names = items.iter().map(name).filter(|name| other.contains_key(name));
            names.map(|name| Json::from(self.shown(&name))).collect()
        };
        let (before, after) = (common(b, &in_head), common(h, &in_base));
        if before != after {
            self.found.push(Delta {
                shown: way.shown.clone(),
                base: Some(way.base.clone()),
                head: Some(way.head.clone()),
                before: Some(Shown::Value(before.into())),
                after: Some(Shown::Value(after.into())),
                note: Some("the order changed"),
            });
        }
    }

    /// An item that only one side has is told whole, unless a part of it is secret.
    fn item(&mut self, base: Spot<'_>, head: Spot<'_>, way: &Way) {
        let alone = base.value.is_none() || head.value.is_none();
        if alone && !self.hides(base) && !self.hides(head) {
            self.leaf(base, head, way, None);
        } else {
            self.any(base, head, way);
        }
    }

    fn leaf(&mut self, base: Spot<'_>, head: Spot<'_>, way: &Way, note: Option<&'static str>) {
        let secret = self.hides(base) || self.hides(head);
        let shown = |spot: Spot<'_>| {
            spot.value.map(|value| {
                if secret { Shown::Secret(self.masker.digest(&bytes(value))) } else { Shown::Value(value.clone()) }
            })
        };
        self.found.push(Delta {
            shown: way.shown.clone(),
            base: base.value.map(|_| way.base.clone()),
            head: head.value.map(|_| way.head.clone()),
            before: shown(base),
            after: shown(head),
            note,
        });
    }
}

fn bytes(value: &Json) -> Vec<u8> {
    match value {
        Json::String(text) => text.as_bytes().to_vec(),
        other => other.to_string().into_bytes(),
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The key that names every entry of both lists, each entry of a list differently.
fn identity(base: &[Json], head: &[Json]) -> Option<&'static str> {
    if base.is_empty() && head.is_empty() {
        return None;
    }
    ["name", "key", "id"].into_iter().find(|key| {
        [base, head].into_iter().all(|items| {
            let mut seen = FxHashSet::default();
            items.iter().all(|item| {
                let name = item.as_object().and_then(|map| map.get(*key));
                name.is_some_and(|name| (name.is_string() || name.is_number()) && seen.insert(plain(name)))
            })
        })
    })
}

/// Which items of two lists belong together.
fn aligned(base: &[Json], head: &[Json]) -> Vec<(Option<usize>, Option<usize>)> {
    let pairs = |from: std::ops::Range<usize>, to: std::ops::Range<usize>| {
        let longest = from.len().max(to.len());
        let at = |range: &std::ops::Range<usize>, number: usize| {
            Some(range.start + number).filter(|place| range.contains(place))
        };
        (0..longest).map(move |number| (at(&from, number), at(&to, number))).collect::<Vec<_>>()
    };
    if base.len().saturating_mul(head.len()) > SEQUENCE_MAX {
        return pairs(0..base.len(), 0..head.len());
    }
    // Keys in another order are no difference.
    let text = |items: &[Json]| -> Vec<String> { items.iter().map(canonical).collect() };
    let (old, new) = (text(base), text(head));
    let mut found = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        match op {
            DiffOp::Equal { .. } => {}
            DiffOp::Delete { old_index, old_len, .. } => {
                found.extend((old_index..old_index + old_len).map(|at| (Some(at), None)));
            }
            DiffOp::Insert { new_index, new_len, .. } => {
                found.extend((new_index..new_index + new_len).map(|at| (None, Some(at))));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                found.extend(pairs(old_index..old_index + old_len, new_index..new_index + new_len));
            }
        }
    }
    found
}

fn canonical(value: &Json) -> String {
    fn sorted(value: &Json) -> Json {
        match value {
            Json::Object(map) => {
                let mut entries: Vec<(&String, &Json)> = map.iter().collect();
                entries.sort_by_key(|(key, _)| *key);
                Json::Object(entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect())
            }
            Json::Array(items) => items.iter().map(sorted).collect(),
            other => other.clone(),
        }
    }
    sorted(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(base: &Json, head: &Json) -> Vec<String> {
        let masker = Masker::new([7; 32]);
        let text = |shown: &Option<Shown>| match shown {
            None => "-".to_owned(),
            Some(Shown::Value(value)) => value.to_string(),
            Some(Shown::Secret(_)) => "secret".to_owned(),
        };
        let deltas = compare(Some(base), Some(head), &masker, &Known::default());
        deltas
            .iter()
            .map(|delta| format!("{}: {} > {}", delta.shown, text(&delta.before), text(&delta.after)))
            .collect()
    }

    #[test]
    fn maps_by_key_and_lists_by_name() {
        let base =
            json!({ "a": 1, "b": { "c": "x" }, "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }] });
        let head = json!({ "b": { "c": "y", "d": {} }, "env": [{ "name": "B", "value": "3" }, { "name": "C", "value": "4" }], "a": 1 });
        assert_eq!(
            told(&base, &head),
            [
                "b.c: \"x\" > \"y\"",
                "b.d: - > {}",
                "env[name=B].value: \"2\" > \"3\"",
                "env[name=C]: - > {\"name\":\"C\",\"value\":\"4\"}",
                "env[name=A]: {\"name\":\"A\",\"value\":\"1\"} > -",
            ]
        );
        assert_eq!(told(&json!({ "a": 1, "b": 2 }), &json!({ "b": 2, "a": 1 })), Vec::<String>::new());
    }

    #[test]
    fn lists_without_names_as_sequences() {
        assert_eq!(told(&json!(["a", "b", "c"]), &json!(["a", "x", "b", "c"])), ["[1]: - > \"x\""]);
        assert_eq!(told(&json!(["a", "b"]), &json!(["b"])), ["[0]: \"a\" > -"]);
        assert_eq!(told(&json!([{ "p": 1 }, { "p": 2 }]), &json!([{ "p": 1 }, { "p": 3 }])), ["[1].p: 2 > 3"]);
        let order = (json!([{ "name": "a" }, { "name": "b" }]), json!([{ "name": "b" }, { "name": "a" }]));
        assert_eq!(told(&order.0, &order.1), [": [\"a\",\"b\"] > [\"b\",\"a\"]"]);
    }

    #[test]
    fn a_secret_on_either_side_hides_both() {
        assert_eq!(told(&json!({ "password": "a" }), &json!({ "password": "b" })), ["password: secret > secret"]);
        assert_eq!(told(&json!({ "url": "http://h" }), &json!({ "url": "http://u:p@h" })), ["url: secret > secret"]);
        assert_eq!(
            told(&json!({ "args": [] }), &json!({ "args": ["--token", "abc"] })),
            ["args[0]: - > \"--token\"", "args[1]: - > secret"]
        );
        assert_eq!(
            told(
                &json!({ "kind": "Secret", "data": { "a": "x" } }),
                &json!({ "kind": "Secret", "data": { "b": "x" } })
            ),
            ["data.b: - > secret", "data.a: secret > -"]
        );
    }
}
