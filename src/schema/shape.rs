//! Schemas of key names and types alone, as `hlgen schema infer` writes them: read without a tree and answered in one walk.
//!
//! Compiling a schema costs more than checking ten releases with it, and most schemas of a catalog say nothing but
//! which keys there are. For those a [`Shape`] tells whether a value is surely right. Whatever it does not understand, and
//! every value that is wrong, goes to the validator, which alone finds the words. `tests` hold both against each other.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::instance::Instance;
use crate::merge::{Path, Step};

/// Parts that a schema may have here: each is at most three maps and lists, so that `cost` takes them too.
const PARTS_MAX: u64 = 60_000;

/// What a schema says.
#[derive(Debug)]
pub struct Shape {
    mark: Option<Value>,
    root: Part,
}

/// What a schema says of one node and those below.
#[derive(Debug, Default)]
struct Part {
    types: Types,
    properties: Members,
    rest: Rest,
    items: Option<Box<Part>>,
}

/// The words that a part may hold. `$schema` and `x-hlgen` are for the whole alone: a schema within the schema that is read
/// by other rules is none of ours.
#[derive(Debug, Clone, Copy)]
enum Word {
    Type,
    Properties,
    AdditionalProperties,
    Items,
    Draft,
    Mark,
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl Visitor<'_> for Words {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word of a schema")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Word, E> {
                Ok(match word {
                    "type" => Word::Type,
                    "properties" => Word::Properties,
                    "additionalProperties" => Word::AdditionalProperties,
                    "items" => Word::Items,
                    "$schema" => Word::Draft,
                    "x-hlgen" => Word::Mark,
                    _ => return Err(E::custom("another word")),
                })
            }
        }
        deserializer.deserialize_identifier(Words)
    }
}

/// Reads a part from a map alone.
struct PartOf<'w> {
    /// What stands at the top, where this is it.
    whole: Option<&'w mut Whole>,
}

#[derive(Default)]
struct Whole {
    draft: Option<String>,
    mark: Option<Value>,
}

impl<'de> Visitor<'de> for PartOf<'_> {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a schema")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Part, A::Error> {
        let mut part = Part::default();
        let mut seen = 0_u8;
        while let Some(word) = map.next_key::<Word>()? {
            // Of a word that is there twice the last one counts elsewhere.
            let bit = 1 << word as u8;
            if seen & bit != 0 {
                return Err(A::Error::custom("a word twice"));
            }
            seen |= bit;
            match (word, &mut self.whole) {
                (Word::Type, _) => part.types = map.next_value()?,
                (Word::Properties, _) => part.properties = map.next_value()?,
                (Word::AdditionalProperties, _) => part.rest = map.next_value()?,
                (Word::Items, _) => part.items = Some(map.next_value()?),
                (Word::Draft, Some(whole)) => whole.draft = Some(map.next_value()?),
                (Word::Mark, Some(whole)) => whole.mark = Some(map.next_value()?),
                (Word::Draft | Word::Mark, None) => return Err(A::Error::custom("a schema of its own")),
            }
        }
        Ok(part)
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PartOf { whole: None })
    }
}

/// Types that a node may have; all of them where a schema does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(2);
    pub(super) const NUMBER: Self = Self(4);
    pub(super) const STRING: Self = Self(8);
    pub(super) const ARRAY: Self = Self(16);
    pub(super) const OBJECT: Self = Self(32);
    const ALL: Self = Self(63);

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "number" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => return None,
        })
    }

    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl Default for Types {
    fn default() -> Self {
        Self::ALL
    }
}

impl<'de> Deserialize<'de> for Types {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Types;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names of types")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Types, E> {
                Types::named(name).ok_or_else(|| E::custom("another type"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Types, A::Error> {
                let mut types = Types(0);
                while let Some(Types(more)) = names.next_element::<Types>()? {
                    // A type that is named twice is an error to the validator.
                    if types.0 & more != 0 {
                        return Err(A::Error::custom("a type twice"));
                    }
                    types.0 |= more;
                }
                if types.0 == 0 { Err(A::Error::custom("no type")) } else { Ok(types) }
            }
        }
        deserializer.deserialize_any(Names)
    }
}

/// `properties`, in the order of their names.
#[derive(Debug, Default)]
struct Members(Box<[(Box<str>, Part)]>);

impl Members {
    fn get(&self, key: &str) -> Option<&Part> {
        let at = self.0.binary_search_by(|(name, _)| (**name).cmp(key)).ok()?;
        Some(&self.0[at].1)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of schemas")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(entry) = map.next_entry::<Box<str>, Part>()? {
                    members.push(entry);
                }
                members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
                // Of a key that is there twice the last one counts elsewhere.
                let twice = members.windows(2).any(|pair| pair[0].0 == pair[1].0);
                if twice { Err(A::Error::custom("a key twice")) } else { Ok(Members(members.into())) }
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// `additionalProperties`.
#[derive(Debug, Default)]
enum Rest {
    #[default]
    Open,
    Closed,
    Part(Box<Part>),
}

impl<'de> Deserialize<'de> for Rest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Rest;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or a schema")
            }

            fn visit_bool<E: serde::de::Error>(self, open: bool) -> Result<Rest, E> {
                Ok(if open { Rest::Open } else { Rest::Closed })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rest, A::Error> {
                Ok(Rest::Part(Box::new(PartOf { whole: None }.visit_map(map)?)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Shape {
    /// Reads a schema that says nothing but names and types. `None` for every other text, JSON or not.
    pub fn read(text: &[u8]) -> Option<Self> {
        let mut whole = Whole::default();
        let mut reader = serde_json::Deserializer::from_slice(text);
        let root = reader.deserialize_map(PartOf { whole: Some(&mut whole) }).ok()?;
        reader.end().ok()?;
        let known = [
            "https://json-schema.org/draft/2020-12/schema",
            "https://json-schema.org/draft/2019-09/schema",
            "http://json-schema.org/draft-07/schema#",
        ];
        let draft = whole.draft.as_deref().is_none_or(|draft| known.contains(&draft));
        let scalars = |mark: &Map<String, Value>| mark.values().all(|value| !value.is_object() && !value.is_array());
        let mark = whole.mark.as_ref().is_none_or(|mark| mark.as_object().is_some_and(scalars));
        let shape = Self { mark: whole.mark, root };
        (draft && mark && shape.parts() <= PARTS_MAX).then_some(shape)
    }

    /// `x-hlgen` of the schema.
    pub fn mark(&self) -> Option<&Value> {
        self.mark.as_ref()
    }

    /// Whether the schema names what a path leads to.
    pub fn names(&self, path: &Path) -> bool {
        let found = path.0.iter().try_fold(&self.root, |part, step| match step {
            Step::Key(key) => part.properties.get(key),
            Step::Index(_) => part.items.as_deref(),
        });
        found.is_some()
    }

    /// Whether a value surely matches. One that does not may match all the same.
    pub fn accepts(&self, value: &Instance<'_>) -> bool {
        self.root.accepts(value)
    }

    /// How many schemas it is made of, itself included. To a node of a value one of them is applied.
    pub fn parts(&self) -> u64 {
        self.root.parts()
    }
}

impl Part {
    fn accepts(&self, value: &Instance<'_>) -> bool {
        self.types.has(value.types())
            && value.all_items(&mut |item| self.items.as_ref().is_none_or(|part| part.accepts(item)))
            && value.all_members(&mut |key, member| match (self.properties.get(key), &self.rest) {
                (Some(part), _) => part.accepts(member),
                (None, Rest::Open) => true,
                (None, Rest::Closed) => false,
                (None, Rest::Part(part)) => part.accepts(member),
            })
    }

    fn parts(&self) -> u64 {
        let rest = match &self.rest {
            Rest::Part(part) => Some(&**part),
            Rest::Open | Rest::Closed => None,
        };
        let below = self.properties.0.iter().map(|(_, part)| part).chain(rest).chain(self.items.as_deref());
        1 + below.map(Self::parts).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::json::Schema;
    use proptest::prelude::*;
    use serde_json::json;

    fn schema() -> impl Strategy<Value = Value> {
        let names = || prop::sample::subsequence(vec!["null", "boolean", "number", "string", "array", "object"], 1..=3);
        let leaf = prop_oneof![Just(json!({})), names().prop_map(|names| json!({ "type": names }))];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            let members = prop::collection::btree_map("[a-d]", inner.clone(), 0..4);
            let rest = prop_oneof![
                Just(None),
                Just(Some(json!(true))),
                Just(Some(json!(false))),
                inner.clone().prop_map(Some)
            ];
            (prop::option::of(names()), members, rest, prop::option::of(inner)).prop_map(
                |(types, members, rest, items)| {
                    let mut schema = json!({ "properties": members });
                    types.into_iter().for_each(|types| schema["type"] = json!(types));
                    rest.into_iter().for_each(|rest| schema["additionalProperties"] = rest);
                    items.into_iter().for_each(|items| schema["items"] = items);
                    schema
                },
            )
        })
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(json!(null)), Just(json!(true)), Just(json!(1)), Just(json!(1.5)), Just(json!("x")),];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-e]", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// The validator is the judge: a shape says the same of every schema that it reads.
        #[test]
        fn it_is_right(schema in schema(), values in prop::collection::vec(value(), 4)) {
            let shape = Shape::read(schema.to_string().as_bytes()).expect("names and types alone");
            let compiled = Schema::compile(schema).expect("a schema");
            for value in values {
                let instance = Instance::json(&value);
                prop_assert_eq!(shape.accepts(&instance), compiled.is_valid(instance), "{}", value);
            }
        }
    }

    #[test]
    fn other_schemas_are_left_to_the_validator() {
        for text in [
            r#"{ "type": "integer" }"#,
            r#"{ "type": ["string", "string"] }"#,
            r#"{ "type": [] }"#,
            r#"{ "type": 5 }"#,
            r#"{ "enum": [1] }"#,
            r##"{ "properties": { "a": { "$ref": "#" } } }"##,
            r#"{ "properties": { "a": {}, "a": { "type": "string" } } }"#,
            r#"{ "properties": { "a": { "$schema": "http://json-schema.org/draft-04/schema#" } } }"#,
            r#"{ "$schema": "http://json-schema.org/draft-04/schema#" }"#,
            r#"{ "properties": { "a": true } }"#,
            r#"{ "properties": { "a": { "x-hlgen": {} } } }"#,
            r#"{ "x-hlgen": { "inferred": [] } }"#,
            r#"{ "items": [{}] }"#,
            r#"{ "items": null }"#,
            r#"{ "$schema": null }"#,
            r#"{ "type": "string", "type": "null" }"#,
            "{} {}",
            "[]",
            "{",
            "",
        ] {
            assert!(Shape::read(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Shape::read(br#"{ "additionalProperties": { "type": "string" } }"#).is_some());
    }

    #[test]
    fn names_follow_a_path() {
        let shape = Shape::read(br#"{ "properties": { "a": { "items": { "properties": { "b": {} } } } } }"#).unwrap();
        assert!(shape.names(&Path::parse("a[0].b").unwrap()));
        assert!(!shape.names(&Path::parse("a[0].c").unwrap()));
    }
}
