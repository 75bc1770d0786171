//! Merged trees → typed structs, read where they are.
//!
//! An enum is written as in JSON: a word, or a map with one key. What serde says of a tree that does not fit is its own
//! and only the first; `check::kinds` finds all of it with places.

use serde::de::value::{BorrowedStrDeserializer, Error};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess};
use serde::de::{Unexpected, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::merge::{Forest, KeyRef, Ref};
use crate::yaml::{Kind, scalar};

/// Reads a node as a type, without the keys in `skip`.
///
/// # Errors
/// What serde says about the first thing that does not fit.
pub fn read<T: DeserializeOwned>(forest: &Forest, node: Ref, skip: &[&str]) -> Result<T, String> {
    T::deserialize(At { forest, node, skip }).map_err(|error| error.to_string())
}

/// A node of a forest.
#[derive(Clone, Copy)]
struct At<'f> {
    forest: &'f Forest,
    node: Ref,
    /// Keys that are as if they were not there.
    skip: &'f [&'f str],
}

impl<'f> At<'f> {
    fn below(self, node: Ref) -> Self {
        Self { node, skip: &[], ..self }
    }

    fn entries(self) -> impl Iterator<Item = (KeyRef, Ref)> + 'f {
        let entries = self.forest.entries(self.node);
        entries.filter(move |(key, _)| self.skip.is_empty() || !self.skip.contains(&self.forest.key(*key)))
    }

    fn number<V: Visitor<'f>>(self, kind: Kind, visitor: V) -> Result<V::Value, Error> {
        let text = scalar::canonical_number(self.forest.text(self.node), kind);
        if let Ok(number) = text.parse::<u64>() {
            visitor.visit_u64(number)
        } else if let Ok(number) = text.parse::<i64>() {
            visitor.visit_i64(number)
        } else {
            match text.parse::<f64>() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => visitor.visit_unit(),
            }
        }
    }
}

impl<'f> Deserializer<'f> for At<'f> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'f>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.forest.kind(self.node) {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(value),
            Kind::Str => visitor.visit_borrowed_str(self.forest.text(self.node)),
            kind @ (Kind::Int | Kind::Float) => self.number(kind, visitor),
            Kind::Seq => visitor.visit_seq(Items { at: self, items: self.forest.items(self.node) }),
            Kind::Map => visitor.visit_map(Entries { at: self, rest: self.entries(), value: None }),
        }
    }

    fn deserialize_option<V: Visitor<'f>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.forest.kind(self.node) == Kind::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'f>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'f>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.forest.kind(self.node) {
            Kind::Str => {
                let word = BorrowedStrDeserializer::<Error>::new(self.forest.text(self.node));
                word.deserialize_enum(name, variants, visitor)
            }
            Kind::Map => {
                let mut entries = self.entries();
                match (entries.next(), entries.next()) {
                    (Some((key, value)), None) => visitor.visit_enum(Variant { at: self.below(value), key }),
                    _ => Err(Error::custom("a word or a map with one key was expected")),
                }
            }
            _ => Err(Error::custom("a word or a map with one key was expected")),
        }
    }

    /// A key without a value is as if the list were empty.
    fn deserialize_seq<V: Visitor<'f>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.forest.kind(self.node) {
            Kind::Null => visitor.visit_seq(Items { at: self, items: std::iter::empty() }),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'f>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'f>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    /// A key without a value is as if the map were empty.
    fn deserialize_map<V: Visitor<'f>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.forest.kind(self.node) {
            Kind::Null => visitor.visit_map(Entries { at: self, rest: std::iter::empty(), value: None }),
            // A struct would take its fields from a list.
            Kind::Seq => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'f>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'f>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <W: Visitor<'f>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        identifier
    }
}

struct Items<'f, I> {
    at: At<'f>,
    items: I,
}

impl<'f, I: Iterator<Item = Ref>> SeqAccess<'f> for Items<'f, I> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'f>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.items.next().map(|item| seed.deserialize(self.at.below(item))).transpose()
    }
}

struct Entries<'f, I> {
    at: At<'f>,
    rest: I,
    value: Option<Ref>,
}

impl<'f, I: Iterator<Item = (KeyRef, Ref)>> MapAccess<'f> for Entries<'f, I> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'f>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(BorrowedStrDeserializer::new(self.at.forest.key(key))).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'f>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let value = self.value.take().ok_or_else(|| Error::custom("a value without a key"))?;
        seed.deserialize(self.at.below(value))
    }
}

/// A variant with its content, written as a map with one key.
struct Variant<'f> {
    at: At<'f>,
    key: KeyRef,
}

impl<'f> EnumAccess<'f> for Variant<'f> {
    type Error = Error;
    type Variant = Content<'f>;

    fn variant_seed<T: DeserializeSeed<'f>>(self, seed: T) -> Result<(T::Value, Content<'f>), Error> {
        let key = BorrowedStrDeserializer::<Error>::new(self.at.forest.key(self.key));
        Ok((seed.deserialize(key)?, Content(self.at)))
    }
}

struct Content<'f>(At<'f>);

impl<'f> VariantAccess<'f> for Content<'f> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0.forest.kind(self.0.node) {
            Kind::Null => Ok(()),
            _ => Err(Error::custom("a word was expected")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'f>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'f>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'f>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde::Deserialize;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::diag::SourceMap;
    use crate::model::{App, Environment, Profile, Project};
    use crate::yaml::{self, Limits};

    fn with<T>(text: &str, f: impl Fn(&Forest, Ref) -> T) -> Vec<T> {
        let (sources, limits, mut findings) = (SourceMap::new(), Limits::default(), Vec::new());
        let Some((file, text)) = yaml::decode(text.as_bytes(), "x.yaml", &sources, &limits, &mut findings) else {
            return Vec::new();
        };
        let docs = yaml::parse(&text, file, &limits, &mut findings);
        let read = docs.into_iter().map(|doc| {
            let (root, mut forest) = (doc.root(), Forest::new());
            let layer = forest.add(Arc::new(doc));
            f(&forest, Ref::of(layer, root))
        });
        read.collect()
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Choice {
        Word,
        Text(String),
        Fields { a: Option<i8> },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u16),
        Choice(Choice),
        Any(Json),
    }

    #[test]
    fn enums_are_words_or_maps_with_one_key() {
        let text = "- word\n- text: x\n- fields: { a: -1 }\n- fields: { a: ~ }\n- 80\n- [1.5, 18446744073709551615, -3]\n- ~\n";
        let read = with(text, |forest, root| read::<Vec<Either>>(forest, root, &[]));
        let expected = vec![
            Either::Choice(Choice::Word),
            Either::Choice(Choice::Text("x".into())),
            Either::Choice(Choice::Fields { a: Some(-1) }),
            Either::Choice(Choice::Fields { a: None }),
            Either::Number(80),
            Either::Any(json!([1.5, u64::MAX, -3])),
            Either::Any(json!(null)),
        ];
        assert_eq!(read, [Ok(expected)]);
        for text in ["text: x\nword: ~\n", "{}\n", "other\n", "[word]\n", "text\n", "word: 1\n"] {
            assert!(with(text, |forest, root| super::read::<Choice>(forest, root, &[]))[0].is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_without_a_value_is_empty() {
        let text =
            "apiVersion: a\nkind: b\nname: x\ngit: { repoURL: https://git.example.com/a.git }\nvars:\nrepositories:\n";
        let read = with(text, |forest, root| read::<Project>(forest, root, &[]));
        let Ok(project) = &read[0] else { panic!("{read:?}") };
        assert!(project.vars.is_empty());
        assert_eq!(with("~\n", |forest, root| super::read::<Vec<u8>>(forest, root, &[])), [Ok(Vec::new())]);
    }

    #[test]
    fn keys_that_are_left_out() {
        let text = "a: 1\nb: { a: 2 }\n";
        let read = with(text, |forest, root| read::<Json>(forest, root, &["a"]));
        assert_eq!(read, [Ok(json!({ "b": { "a": 2 } }))]);
    }

    /// Every file of this repository, read by `serde_yaml` besides, where that sees the same tree.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test reads")]
    fn files_are_read_as_by_serde_yaml() {
        fn same<T: DeserializeOwned + serde::Serialize>(path: &str, text: &str) -> usize {
            let Ok(other) = serde_yaml::from_str::<serde_yaml::Value>(text) else { return 0 };
            let shown = |read: Option<T>| read.map(|read| serde_json::to_value(read).unwrap());
            let both = with(text, |forest, root| {
                let same = serde_json::to_value(&other).is_ok_and(|other| forest.to_json(root) == other);
                let expected = serde_yaml::with::singleton_map_recursive::deserialize(other.clone()).ok();
                same.then(|| (shown(read(forest, root, &[]).ok()), shown(expected)))
            });
            let both: Vec<_> = both.into_iter().flatten().collect();
            both.iter().for_each(|(read, expected)| assert_eq!(read, expected, "{path}"));
            both.iter().filter(|(read, _)| read.is_some()).count()
        }
        let mut count = 0;
        for folder in ["catalog", "environments", "tests/cases"] {
            let root = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
            for entry in walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok) {
                let path = entry.path().display().to_string();
                let Some(text) = path.ends_with(".yaml").then(|| std::fs::read_to_string(&path).ok()).flatten() else {
                    continue;
                };
                count += same::<App>(&path, &text)
                    + same::<Environment>(&path, &text)
                    + same::<Profile>(&path, &text)
                    + same::<Project>(&path, &text)
                    + same::<Json>(&path, &text);
            }
        }
        assert!(count > 1000, "{count} were read");
    }
}
