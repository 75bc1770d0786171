//! Merged values as the validator reads them, in place: nothing is copied for a tree that is right.
//!
//! What it sees is the tree as Helm validates it: maps lose their nulls, lists keep them with all that is below.
//! JSON is one more kind of node, so that a schema is compiled once for both.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;

use jsonschema::JsonType;
use jsonschema::json::{self, NodeIdentity};
use rustc_hash::FxHashMap;
use serde_json::{Map, Number, Value as Json};

use super::shape::Types;
use crate::merge::{Forest, Ref, scalar_json};
use crate::yaml::{Kind, scalar};

/// What templates gave, by the scalar they stand in.
pub type Results = FxHashMap<Ref, Json>;

/// Entries up to which a map is searched from its beginning.
const SEARCHED: usize = 32;

/// The representation's name for the validator.
#[derive(Debug)]
pub struct Values;

/// A node of merged values or of JSON.
#[derive(Debug, Clone)]
pub struct Instance<'t> {
    value: Value<'t>,
    id: Identity<'t>,
    /// Maps below leave out their nulls.
    stripped: bool,
}

#[derive(Debug, Clone, Copy)]
struct Tree<'t> {
    forest: &'t Forest,
    results: &'t Results,
}

#[derive(Debug, Clone, Copy)]
enum Identity<'t> {
    Merged(Ref),
    Json(&'t Json),
    Text(&'t str),
}

#[derive(Debug, Clone)]
enum Value<'t> {
    Null,
    Bool(bool),
    Number(Number),
    Text(&'t str),
    List(Source<'t>),
    Map(Source<'t>),
}

/// Where the children of a list or map are.
#[derive(Debug, Clone, Copy)]
enum Source<'t> {
    Merged(Tree<'t>, Ref),
    Items(&'t [Json]),
    Members(&'t Map<String, Json>),
}

impl<'t> Instance<'t> {
    /// A node of merged values, without the nulls in maps.
    pub fn merged(forest: &'t Forest, results: &'t Results, root: Ref) -> Self {
        Self::of_merged(Tree { forest, results }, root, true)
    }

    /// JSON as it is.
    pub fn json(value: &'t Json) -> Self {
        Self::of_json(value, false)
    }

    /// The JSON that is validated.
    pub fn into_json(self) -> Json {
        json::Node::to_value(&self).into_owned()
    }

    /// How many nodes it has, itself included.
    pub fn nodes(&self) -> u64 {
        let mut nodes = 1;
        match self.value {
            Value::List(Source::Merged(tree, node)) => {
                for item in tree.forest.items(node) {
                    nodes += Self::of_merged(tree, item, self.stripped).nodes();
                }
            }
            Value::List(Source::Items(items)) => {
                for item in items {
                    nodes += Self::of_json(item, self.stripped).nodes();
                }
            }
            Value::Map(source) => Self::each_member(source, self.stripped, |_, child| {
                nodes += child.nodes();
                false
            }),
            _ => {}
        }
        nodes
    }

    /// What it is, as one type.
    pub(super) fn types(&self) -> Types {
        match self.value {
            Value::Null => Types::NULL,
            Value::Bool(_) => Types::BOOLEAN,
            Value::Number(_) => Types::NUMBER,
            Value::Text(_) => Types::STRING,
            Value::List(_) => Types::ARRAY,
            Value::Map(_) => Types::OBJECT,
        }
    }

    /// Whether something holds of all items of a list; of anything else it does.
    pub(super) fn all_items(&self, holds: &mut dyn FnMut(&Self) -> bool) -> bool {
        match self.value {
            Value::List(Source::Merged(tree, node)) => {
                tree.forest.items(node).all(|item| holds(&Self::of_merged(tree, item, false)))
            }
            Value::List(Source::Items(items)) => items.iter().all(|item| holds(&Self::of_json(item, false))),
            _ => true,
        }
    }

    /// Whether something holds of all members of a map; of anything else it does.
    pub(super) fn all_members(&self, holds: &mut dyn FnMut(&str, &Self) -> bool) -> bool {
        let Value::Map(source) = self.value else { return true };
        let mut all = true;
        Self::each_member(source, self.stripped, |key, child| {
            all = holds(key, &child);
            !all
        });
        all
    }

    fn of_merged(tree: Tree<'t>, node: Ref, stripped: bool) -> Self {
        let Tree { forest, results } = tree;
        if !results.is_empty()
            && forest.templated(node)
            && let Some(result) = results.get(&node)
        {
            return Self::of_json(result, stripped);
        }
        let value = match forest.kind(node) {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(value),
            Kind::Str => Value::Text(forest.text(node)),
            kind @ (Kind::Int | Kind::Float) => match scalar_json(kind, forest.text(node)) {
                Json::Number(number) => Value::Number(number),
                _ => Value::Null,
            },
            Kind::Seq => Value::List(Source::Merged(tree, node)),
            Kind::Map => Value::Map(Source::Merged(tree, node)),
        };
        Self { value, id: Identity::Merged(node), stripped }
    }

    fn of_json(json: &'t Json, stripped: bool) -> Self {
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => Value::Number(number.clone()),
            Json::String(text) => Value::Text(text),
            Json::Array(items) => Value::List(Source::Items(items)),
            Json::Object(members) => Value::Map(Source::Members(members)),
        };
        Self { value, id: Identity::Json(json), stripped }
    }

    /// Whether a member is there for the validator: it is not where nulls are left out and it is one.
    fn is_kept(tree: Tree<'t>, node: Ref, stripped: bool) -> bool {
        let Tree { forest, results } = tree;
        let result = || if forest.templated(node) { results.get(&node) } else { None };
        !stripped
            || match forest.kind(node) {
                Kind::Null => false,
                // What JSON does not have is null.
                kind @ (Kind::Int | Kind::Float) => {
                    let text = forest.text(node);
                    scalar::is_plain_number(text) || !scalar_json(kind, text).is_null()
                }
                _ => result().is_none_or(|result| !result.is_null()),
            }
    }

    /// Shows a map's members until `each` has seen enough.
    fn each_member(source: Source<'t>, stripped: bool, mut each: impl FnMut(&'t str, Self) -> bool) {
        match source {
            Source::Merged(tree, node) => {
                for (key, child) in tree.forest.entries(node) {
                    if Self::is_kept(tree, child, stripped)
                        && each(tree.forest.key(key), Self::of_merged(tree, child, stripped))
                    {
                        return;
                    }
                }
            }
            Source::Members(members) => {
                for (key, child) in members {
                    if !(stripped && child.is_null()) && each(key, Self::of_json(child, stripped)) {
                        return;
                    }
                }
            }
            Source::Items(_) => {}
        }
    }
}

/// A map of an instance.
#[derive(Debug)]
pub struct Members<'t> {
    source: Source<'t>,
    stripped: bool,
    len: OnceCell<usize>,
    /// Made for the first search in a large map, so that a hostile one costs no square of its size.
    index: OnceCell<HashMap<&'t str, Instance<'t>>>,
}

/// A list of an instance.
#[derive(Debug)]
pub struct Items<'t>(Source<'t>);

impl json::Json for Values {
    type Node<'t> = Instance<'t>;
    type PreparedKey = String;
    type StringBuffer = String;

    const KEYS_PER_LOOKUP: usize = 2;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(buffer: &mut String, text: &str, f: impl FnOnce(Instance<'_>) -> T) -> T {
        buffer.clear();
        buffer.push_str(text);
        f(Instance { value: Value::Text(buffer), id: Identity::Text(buffer), stripped: false })
    }
}

impl<'t> json::Node<'t, Values> for Instance<'t> {
    type Object = Members<'t>;
    type Array = Items<'t>;
    type Number = Number;

    fn as_object(&self) -> Option<Members<'t>> {
        let Value::Map(source) = self.value else { return None };
        Some(Members { source, stripped: self.stripped, len: OnceCell::new(), index: OnceCell::new() })
    }

    fn as_array(&self) -> Option<Items<'t>> {
        if let Value::List(source) = self.value { Some(Items(source)) } else { None }
    }

    fn as_string(&self) -> Option<Cow<'t, str>> {
        if let Value::Text(text) = self.value { Some(Cow::Borrowed(text)) } else { None }
    }

    fn as_number(&self) -> Option<Number> {
        if let Value::Number(number) = &self.value { Some(number.clone()) } else { None }
    }

    fn as_boolean(&self) -> Option<bool> {
        if let Value::Bool(value) = self.value { Some(value) } else { None }
    }

    fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    fn is_number(&self) -> bool {
        matches!(self.value, Value::Number(_))
    }

    fn json_type(&self) -> JsonType {
        match self.value {
            Value::Null => JsonType::Null,
            Value::Bool(_) => JsonType::Boolean,
            Value::Number(_) => JsonType::Number,
            Value::Text(_) => JsonType::String,
            Value::List(_) => JsonType::Array,
            Value::Map(_) => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &Json) -> bool {
        match (&self.value, expected) {
            (Value::Text(text), expected) => expected.as_str() == Some(text),
            (_, Json::String(_)) => false,
            _ => json::cmp::equal(&self.to_value(), expected),
        }
    }

    fn to_value(&self) -> Cow<'t, Json> {
        if let (Identity::Json(json), false) = (self.id, self.stripped) {
            return Cow::Borrowed(json);
        }
        Cow::Owned(match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => Json::Number(number.clone()),
            Value::Text(text) => Json::String((*text).to_owned()),
            Value::List(source) => {
                let items = json::Array::elements(&Items(*source));
                Json::Array(items.map(|item| item.to_value().into_owned()).collect())
            }
            Value::Map(source) => {
                let mut map = Map::new();
                Self::each_member(*source, self.stripped, |key, child| {
                    map.insert(key.to_owned(), child.to_value().into_owned());
                    false
                });
                Json::Object(map)
            }
        })
    }

    /// A merged node can be met both inside and outside of a list (through an alias), with its nulls and without.
    fn identity(&self) -> Option<NodeIdentity> {
        let stripped = u32::from(self.stripped);
        Some(match self.id {
            Identity::Merged(node) => {
                let (layer, number) = node.numbers();
                NodeIdentity::tagged(number as usize, layer.wrapping_mul(4) + stripped)
            }
            Identity::Json(json) => NodeIdentity::tagged(std::ptr::from_ref(json) as usize, 2 + stripped),
            Identity::Text(text) => NodeIdentity::tagged(text.as_ptr() as usize, 3),
        })
    }
}

impl<'t> json::Object<'t, Values> for Members<'t> {
    type Node = Instance<'t>;
    type MemberName = &'t str;
    type MembersIter = std::vec::IntoIter<(&'t str, Instance<'t>)>;

    fn len(&self) -> usize {
        let stripped = self.stripped;
        *self.len.get_or_init(|| match self.source {
            Source::Merged(tree, node) => {
                tree.forest.entries(node).filter(|(_, child)| Instance::is_kept(tree, *child, stripped)).count()
            }
            Source::Members(members) => members.values().filter(|child| !(stripped && child.is_null())).count(),
            Source::Items(_) => 0,
        })
    }

    fn get(&self, wanted: &String) -> Option<Instance<'t>> {
        if let Source::Members(members) = self.source {
            let child = members.get(wanted).map(|child| Instance::of_json(child, self.stripped))?;
            return (!(self.stripped && json::Node::is_null(&child))).then_some(child);
        }
        if self.len() > SEARCHED {
            let index = self.index.get_or_init(|| self.members().collect());
            return index.get(wanted.as_str()).cloned();
        }
        let Source::Merged(tree, node) = self.source else { return None };
        let child = tree.forest.get(node, wanted)?;
        Instance::is_kept(tree, child, self.stripped).then(|| Instance::of_merged(tree, child, self.stripped))
    }

    fn members(&self) -> Self::MembersIter {
        let mut members = Vec::with_capacity(json::Object::len(self));
        Instance::each_member(self.source, self.stripped, |key, child| {
            members.push((key, child));
            false
        });
        members.into_iter()
    }
}

impl<'t> json::Array<'t, Values> for Items<'t> {
    type Node = Instance<'t>;
    type ElementsIter = std::vec::IntoIter<Instance<'t>>;

    fn len(&self) -> usize {
        match self.0 {
            Source::Merged(tree, node) => tree.forest.items(node).count(),
            Source::Items(items) => items.len(),
            Source::Members(_) => 0,
        }
    }

    fn elements(&self) -> Self::ElementsIter {
        let items: Vec<Instance<'t>> = match self.0 {
            Source::Merged(tree, node) => {
                tree.forest.items(node).map(|item| Instance::of_merged(tree, item, false)).collect()
            }
            Source::Items(items) => items.iter().map(|item| Instance::of_json(item, false)).collect(),
            Source::Members(_) => Vec::new(),
        };
        items.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::diag::SourceMap;
    use crate::schema::json::Schema;
    use crate::yaml;

    fn with_tree<T>(text: &str, result: &Json, f: impl FnOnce(&Forest, &Results, Ref) -> T) -> T {
        let (sources, mut findings) = (SourceMap::new(), Vec::new());
        let (file, text) =
            yaml::decode(text.as_bytes(), "a.yaml", &sources, &yaml::Limits::default(), &mut findings).unwrap();
        let doc = yaml::parse(&text, file, &yaml::Limits::default(), &mut findings).remove(0);
        let (root, mut forest) = (doc.root(), Forest::new());
        let layer = forest.add(std::sync::Arc::new(doc));
        let root = Ref::of(layer, root);
        let mut results = Results::default();
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            open.extend(forest.entries(node).map(|(_, child)| child));
            open.extend(forest.items(node));
            if forest.kind(node) == Kind::Str && forest.templated(node) {
                results.insert(node, result.clone());
            }
        }
        f(&forest, &results, root)
    }

    /// What is validated, said in another way: JSON first, then the nulls in maps taken out.
    fn expected(forest: &Forest, results: &Results, node: Ref) -> Json {
        fn whole(forest: &Forest, results: &Results, node: Ref) -> Json {
            match (results.get(&node), forest.kind(node)) {
                (Some(result), _) => result.clone(),
                (None, Kind::Map) => {
                    let entries = forest.entries(node);
                    entries.map(|(key, child)| (forest.key(key).to_owned(), whole(forest, results, child))).collect()
                }
                (None, Kind::Seq) => forest.items(node).map(|item| whole(forest, results, item)).collect(),
                (None, _) => forest.to_json(node),
            }
        }
        fn stripped(value: Json) -> Json {
            match value {
                Json::Object(map) => {
                    let kept = map.into_iter().filter(|(_, child)| !child.is_null());
                    kept.map(|(key, child)| (key, stripped(child))).collect()
                }
                other => other,
            }
        }
        stripped(whole(forest, results, node))
    }

    fn trees() -> impl Strategy<Value = Json> {
        let key = prop_oneof![Just("a"), Just("b"), Just("c"), Just("long key")].prop_map(str::to_owned);
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (-3_i64..3).prop_map(Json::from),
            Just(json!(1.5)),
            Just(json!(u64::MAX)),
            Just(json!("${{ x }}")),
            "[a-c]{0,3}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 60, 6, move |inner| {
            let list = proptest::collection::vec(inner.clone(), 0..5).prop_map(Json::from);
            let map = proptest::collection::vec((key.clone(), inner), 0..5);
            prop_oneof![list, map.prop_map(|entries| Json::Object(entries.into_iter().collect()))]
        })
    }

    fn schemas() -> Vec<Json> {
        let recursive = json!({ "$ref": "#/$defs/any", "$defs": { "any": { "anyOf": [
            { "type": ["string", "null", "integer"] },
            { "type": "array", "items": { "$ref": "#/$defs/any" }, "uniqueItems": true },
            { "type": "object", "additionalProperties": { "$ref": "#/$defs/any" }, "maxProperties": 3 },
        ] } } });
        vec![
            recursive,
            json!({ "properties": { "a": { "type": "object" }, "b": { "const": 1 } }, "required": ["a"] }),
            json!({ "patternProperties": { "^l": false }, "propertyNames": { "maxLength": 3 }, "minProperties": 1 }),
            json!({ "additionalProperties": { "enum": [null, 1, "a", [1], { "a": 1 }, 1.5] } }),
            json!({ "not": { "type": "object" }, "items": { "type": "number", "multipleOf": 1.5 }, "minItems": 1 }),
            json!({ "properties": { "a": true }, "unevaluatedProperties": { "type": "boolean" }, "contains": true }),
        ]
    }

    proptest! {
        #[test]
        fn reads_in_place_what_its_json_says(tree in trees(), result in trees()) {
            let text = yaml::emit_json(&tree);
            with_tree(&text, &result, |forest, results, root| {
                let expected = expected(forest, results, root);
                let instance = Instance::merged(forest, results, root);
                assert_eq!(instance.clone().into_json(), expected);
                for document in schemas() {
                    let plain = jsonschema::options().build(&document).unwrap();
                    let schema = Schema::compile(document).unwrap();
                    assert_eq!(schema.is_valid(instance.clone()), plain.is_valid(&expected), "{}", schema.document());
                    assert_eq!(schema.is_valid(Instance::json(&expected)), plain.is_valid(&expected));
                    assert_eq!(schema.violations(&expected).is_empty(), plain.is_valid(&expected));
                }
            });
        }
    }

    #[test]
    fn what_json_does_not_have_is_not_there() {
        with_tree("a: !!float .inf\nb: 1\n", &Json::Null, |forest, results, root| {
            let instance = Instance::merged(forest, results, root);
            assert_eq!(instance.clone().into_json(), json!({ "b": 1 }));
            for document in [
                json!({ "maxProperties": 1 }),
                json!({ "not": { "required": ["a"] } }),
                json!({ "properties": { "a": { "type": "number" } } }),
            ] {
                assert!(Schema::compile(document).unwrap().is_valid(instance.clone()));
            }
        });
    }

    #[test]
    fn large_maps_and_what_stands_in_two_places() {
        let mut text = "list: [&x { gone: null }]\nmap: *x\n".to_owned();
        text.extend((0..100).map(|number| format!("k{number}: {number}\n")));
        with_tree(&text, &Json::Null, |forest, results, root| {
            let instance = Instance::merged(forest, results, root);
            assert_eq!(instance.clone().into_json(), expected(forest, results, root));
            let both = json!({ "$ref": "#/$defs/r", "$defs": { "r": {
                "properties": {
                    "list": { "items": { "$ref": "#/$defs/two" } },
                    "map": { "not": { "$ref": "#/$defs/two" } },
                    "k99": { "const": 99 },
                },
                "required": ["k0", "k1", "k2", "k99", "map"],
            }, "two": { "required": ["gone"] } } });
            assert!(Schema::compile(both).unwrap().is_valid(instance));
        });
    }
}
