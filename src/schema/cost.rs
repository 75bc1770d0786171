//! What validating with a schema may cost, known before it is compiled.
//!
//! A few lines of `allOf` that refer to each other double the work with every step, and a recursive one with every level
//! of the value. The cost of a schema is how many of its parts are applied on the way to one node of a value: parts that
//! apply to the same node add up, parts for different nodes do not. It is worked out level by level, so recursion is
//! no different from nesting. Patterns are linear (`PatternOptions::regex`), but compiled they take memory.

use rustc_hash::FxHashMap;
use serde_json::Value;

/// Levels of a value that are looked at: as many as YAML may have.
const LEVELS: usize = 64;

/// The most parts that may be applied to one node, with those above it.
const COST_MAX: u64 = 20_000;

/// Nodes of a schema.
const NODES_MAX: usize = 200_000;

/// Patterns of a schema.
const PATTERNS_MAX: usize = 256;

/// What is known of a schema's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Maps and lists of the schema itself.
    pub nodes: u64,
    /// Parts that are applied on the way to a node of a value.
    pub steps: u64,
}

/// One part of a schema: which parts it applies to the same node, and which to nodes below.
#[derive(Debug, Default)]
struct Part {
    here: Vec<usize>,
    /// Of these one is applied to an item.
    items: Vec<usize>,
    /// Of these all may be applied to an item.
    contains: Vec<usize>,
    /// Of these one is applied to a property,
    named: Vec<usize>,
    /// and of these all.
    patterns: Vec<usize>,
    /// Applied to properties that are in neither.
    rest: Vec<usize>,
}

/// Works out the cost of a schema.
///
/// # Errors
/// Why the schema is too large to be used.
pub fn cost(document: &Value) -> Result<Cost, String> {
    let (mut nodes, mut patterns) = (0, 0);
    count(document, &mut nodes, &mut patterns);
    if nodes > NODES_MAX {
        return Err(format!("it has more than {NODES_MAX} parts"));
    }
    if patterns > PATTERNS_MAX {
        return Err(format!("it has more than {PATTERNS_MAX} patterns"));
    }
    let mut parts = Parts { document, anchors: anchors(document), known: FxHashMap::default(), all: Vec::new() };
    parts.add(document);
    let parts = parts.all;
    let mut below = vec![1; parts.len()];
    for _ in 0..LEVELS {
        let mut level =
            Level { parts: &parts, below: &below, known: vec![None; parts.len()], open: vec![false; parts.len()] };
        let next: Vec<u64> = (0..parts.len()).map(|part| level.total(part)).collect();
        if next.first().is_some_and(|root| *root > COST_MAX) {
            return Err(format!(
                "its parts refer to each other so often that one value may take more than {COST_MAX} steps"
            ));
        }
        if next == below {
            break;
        }
        below = next;
    }
    Ok(Cost { nodes: nodes as u64, steps: below.first().copied().unwrap_or(1) })
}

fn count(value: &Value, nodes: &mut usize, patterns: &mut usize) {
    match value {
        Value::Object(map) => {
            *nodes += 1 + map.len();
            *patterns += usize::from(map.get("pattern").is_some_and(Value::is_string));
            *patterns += map.get("patternProperties").and_then(Value::as_object).map_or(0, serde_json::Map::len);
            map.values().for_each(|value| count(value, nodes, patterns));
        }
        Value::Array(items) => {
            *nodes += 1 + items.len();
            items.iter().for_each(|item| count(item, nodes, patterns));
        }
        _ => {}
    }
}

/// Parts that have a name of their own: `$id`, `$anchor`, `$dynamicAnchor`.
fn anchors(document: &Value) -> FxHashMap<String, &Value> {
    fn walk<'d>(value: &'d Value, found: &mut FxHashMap<String, &'d Value>) {
        match value {
            Value::Object(map) => {
                for key in ["$anchor", "$dynamicAnchor"] {
                    if let Some(Value::String(name)) = map.get(key) {
                        found.insert(format!("#{name}"), value);
                    }
                }
                for key in ["$id", "id"] {
                    if let Some(Value::String(name)) = map.get(key) {
                        found.insert(name.trim_end_matches('#').to_owned(), value);
                    }
                }
                map.values().for_each(|value| walk(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut found = FxHashMap::default();
    walk(document, &mut found);
    found
}

struct Parts<'d> {
    document: &'d Value,
    anchors: FxHashMap<String, &'d Value>,
    known: FxHashMap<*const Value, usize>,
    all: Vec<Part>,
}

impl<'d> Parts<'d> {
    /// The number of a part; those it refers to are added after it.
    fn add(&mut self, root: &'d Value) -> usize {
        let first = self.number(root);
        let mut open = vec![root];
        while let Some(value) = open.pop() {
            let number = self.number(value);
            let mut part = Part::default();
            for (way, below) in self.below(value) {
                let new = !self.known.contains_key(&std::ptr::from_ref(below));
                let below_number = self.number(below);
                match way {
                    Way::Here => part.here.push(below_number),
                    Way::Items => part.items.push(below_number),
                    Way::Contains => part.contains.push(below_number),
                    Way::Named => part.named.push(below_number),
                    Way::Patterns => part.patterns.push(below_number),
                    Way::Rest => part.rest.push(below_number),
                }
                if new {
                    open.push(below);
                }
            }
            self.all[number] = part;
        }
        first
    }

    fn number(&mut self, value: &'d Value) -> usize {
        let next = self.all.len();
        let number = *self.known.entry(std::ptr::from_ref(value)).or_insert(next);
        if number == next {
            self.all.push(Part::default());
        }
        number
    }

    fn below(&self, value: &'d Value) -> Vec<(Way, &'d Value)> {
        let Value::Object(map) = value else { return Vec::new() };
        let mut found = Vec::new();
        for (key, value) in map {
            let way = match key.as_str() {
                "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else" | "dependentSchemas" | "dependencies" => {
                    Way::Here
                }
                "items" | "prefixItems" | "additionalItems" | "unevaluatedItems" => Way::Items,
                "contains" => Way::Contains,
                "properties" => Way::Named,
                "patternProperties" | "propertyNames" => Way::Patterns,
                "additionalProperties" | "unevaluatedProperties" => Way::Rest,
                "$ref" | "$dynamicRef" | "$recursiveRef" => {
                    found.extend(value.as_str().and_then(|name| self.target(name)).map(|target| (Way::Here, target)));
                    continue;
                }
                _ => continue,
            };
            match (key.as_str(), value) {
                (_, Value::Array(items)) => found.extend(items.iter().map(|item| (way, item))),
                ("properties" | "patternProperties" | "dependentSchemas" | "dependencies", Value::Object(map)) => {
                    found.extend(map.values().map(|value| (way, value)));
                }
                _ => found.push((way, value)),
            }
        }
        found
    }

    fn target(&self, name: &str) -> Option<&'d Value> {
        let (base, fragment) = name.split_once('#').unwrap_or((name, ""));
        let document = if base.is_empty() { self.document } else { self.anchors.get(base).copied()? };
        if fragment.is_empty() {
            return Some(document);
        }
        let by_name = || self.anchors.get(&format!("#{fragment}")).copied();
        if fragment.starts_with('/') { document.pointer(&decoded(fragment)) } else { by_name() }
    }
}

/// `%25` and the like in a reference.
fn decoded(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[derive(Clone, Copy)]
enum Way {
    Here,
    Items,
    Contains,
    Named,
    Patterns,
    Rest,
}

/// Costs for values of one more level than those in `below`.
struct Level<'p> {
    parts: &'p [Part],
    below: &'p [u64],
    known: Vec<Option<Sum>>,
    open: Vec<bool>,
}

/// What is applied to a node itself, to an item and to a property of it.
#[derive(Clone, Copy, Default)]
struct Sum {
    here: u64,
    item: u64,
    property: u64,
}

impl Level<'_> {
    fn total(&mut self, part: usize) -> u64 {
        let sum = self.sum(part);
        sum.here.saturating_add(sum.item.max(sum.property))
    }

    /// Without recursion, since references make chains of any length.
    fn sum(&mut self, root: usize) -> Sum {
        let mut stack = vec![(root, 0)];
        while let Some((part, next)) = stack.pop() {
            if self.known[part].is_some() {
                continue;
            }
            self.open[part] = true;
            match self.parts[part].here.get(next) {
                Some(below) => {
                    stack.push((part, next + 1));
                    // A part that leads back to itself at the same node is applied once.
                    if self.known[*below].is_none() && !self.open[*below] {
                        stack.push((*below, 0));
                    }
                }
                None => {
                    self.open[part] = false;
                    self.known[part] = Some(self.own(part));
                }
            }
        }
        self.known[root].unwrap_or_default()
    }

    fn own(&self, part: usize) -> Sum {
        let all = |parts: &[usize]| parts.iter().map(|part| self.below[*part]).fold(0, u64::saturating_add);
        let one = |parts: &[usize]| parts.iter().map(|part| self.below[*part]).max().unwrap_or(0);
        let Part { here, items, contains, named, patterns, rest } = &self.parts[part];
        let mut sum = Sum {
            here: 1,
            item: one(items).saturating_add(all(contains)),
            property: one(named).saturating_add(all(patterns)).max(one(rest)),
        };
        for part in here {
            let Sum { here, item, property } = self.known[*part].unwrap_or_default();
            sum.here = sum.here.saturating_add(here);
            sum.item = sum.item.saturating_add(item);
            sum.property = sum.property.saturating_add(property);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `levels` parts, each applying the next twice.
    fn doubling(levels: usize, way: &str) -> Value {
        let mut parts = serde_json::Map::new();
        for level in 0..levels {
            let next = json!({ "$ref": format!("#/$defs/a{}", level + 1) });
            parts.insert(format!("a{level}"), json!({ way: [next.clone(), next] }));
        }
        parts.insert(format!("a{levels}"), json!({ "type": "object" }));
        json!({ "$ref": "#/$defs/a0", "$defs": parts })
    }

    #[test]
    fn what_doubles_is_refused() {
        for way in ["allOf", "anyOf", "oneOf"] {
            assert!(cost(&doubling(8, way)).is_ok());
            assert!(cost(&doubling(60, way)).is_err());
            let node = json!({ "$ref": "#/$defs/n" });
            let recursive = json!({ "properties": { "a": { way: [node.clone(), node] } } });
            assert!(cost(&json!({ "$ref": "#/$defs/n", "$defs": { "n": recursive } })).is_err(), "{way}");
        }
        let node = json!({ "$ref": "#node" });
        let recursive = json!({ "$anchor": "node", "patternProperties": { "a": node.clone(), "b": node } });
        assert!(cost(&recursive).is_err());
    }

    #[test]
    fn what_is_large_or_recursive_is_not() {
        let wide: serde_json::Map<_, _> = (0..5000).map(|n| (format!("k{n}"), json!({ "type": "string" }))).collect();
        assert_eq!(cost(&json!({ "properties": wide })).unwrap().steps, 2);
        // Kubernetes' own schema of schemas refers to itself from a dozen properties, each of which is looked at once.
        let node = json!({ "$ref": "#" });
        let own = json!({
            "properties": { "not": node, "items": node, "allOf": { "items": node }, "anyOf": { "items": node },
                "properties": { "additionalProperties": node } },
        });
        assert!(cost(&own).is_ok());
        let itself = json!({ "$ref": "#/$defs/x", "$defs": { "x": { "allOf": [{ "$ref": "#/$defs/x" }] } } });
        assert!(cost(&itself).is_ok());
        assert!(cost(&json!(true)).is_ok());
    }

    #[test]
    fn patterns_are_few() {
        let with = |count: usize| json!({ "allOf": (0..count).map(|n| json!({ "pattern": format!("a{n}") })).collect::<Vec<_>>() });
        assert!(cost(&with(256)).is_ok());
        assert!(cost(&with(257)).is_err());
    }
}
