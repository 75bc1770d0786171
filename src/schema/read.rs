//! Merged trees → typed structs.

use serde::de::DeserializeOwned;
use serde_yaml::Value;

use crate::merge::{Forest, Ref};
use crate::yaml::{Kind, scalar};

/// Reads a node as a type, without the keys in `skip`.
///
/// # Errors
/// What serde says about the first thing that does not fit; `check::kinds` finds all of them with their places.
pub fn read<T: DeserializeOwned>(forest: &Forest, node: Ref, skip: &[&str]) -> Result<T, String> {
    let value = match forest.kind(node) {
        Kind::Map => map(forest, node, skip),
        _ => to_value(forest, node),
    };
    // Enums are written as maps with one key, as in JSON, not as YAML tags.
    serde_yaml::with::singleton_map_recursive::deserialize(value).map_err(|error: serde_yaml::Error| error.to_string())
}

fn to_value(forest: &Forest, node: Ref) -> Value {
    match forest.kind(node) {
        Kind::Null => Value::Null,
        Kind::Bool(value) => Value::Bool(value),
        Kind::Str => Value::String(forest.text(node).to_owned()),
        kind @ (Kind::Int | Kind::Float) => {
            let text = scalar::canonical_number(forest.text(node), kind);
            if let Ok(number) = text.parse::<i64>() {
                number.into()
            } else if let Ok(number) = text.parse::<u64>() {
                number.into()
            } else {
                text.parse::<f64>().map_or(Value::Null, Value::from)
            }
        }
        Kind::Seq => Value::Sequence(forest.items(node).map(|item| to_value(forest, item)).collect()),
        Kind::Map => map(forest, node, &[]),
    }
}

fn map(forest: &Forest, node: Ref, skip: &[&str]) -> Value {
    let entries = forest.entries(node).filter(|(key, _)| !skip.contains(&forest.key(*key)));
    let entries = entries.map(|(key, value)| (Value::String(forest.key(key).to_owned()), to_value(forest, value)));
    Value::Mapping(entries.collect())
}
