//! Schemas inferred from the default values of real charts.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests read files that lie beside the repository")]

mod support;

use std::sync::Arc;

use hlgen::diag::FileId;
use hlgen::schema::infer;
use hlgen::yaml::{Doc, Kind, Limits, NodeId, parse};
use serde_json::Value;

fn to_json(doc: &Doc, node: NodeId) -> Value {
    match doc.kind(node) {
        Kind::Null => Value::Null,
        Kind::Bool(value) => value.into(),
        kind @ (Kind::Int | Kind::Float) => {
            serde_json::from_str(&hlgen::yaml::scalar::canonical_number(doc.text(node), kind)).unwrap()
        }
        Kind::Str => doc.text(node).into(),
        Kind::Seq => doc.items(node).iter().map(|item| to_json(doc, *item)).collect(),
        Kind::Map => {
            let entries = doc.entries(node).iter();
            Value::Object(entries.map(|entry| (doc.text(entry.key).into(), to_json(doc, entry.value))).collect())
        }
    }
}

#[test]
fn defaults_match_the_schema_inferred_from_them() {
    let Some(charts) = support::shared("charts") else { return };
    for chart in std::fs::read_dir(charts).unwrap() {
        let path = chart.unwrap().path().join("values.yaml");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let text: Arc<str> = text.into();
        let docs = parse(&text, FileId(0), &Limits::default(), &mut Vec::new());
        let schema = infer(&docs[0], "chart", "1.0.0");
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let mut values = to_json(&docs[0], docs[0].root());
        let errors: Vec<String> =
            validator.iter_errors(&values).map(|error| format!("{error} at {}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        if let (Value::Object(map), Some(Value::Bool(false))) = (&mut values, schema.get("additionalProperties")) {
            map.insert("aKeyThatNobodyHas".into(), Value::Null);
            assert!(!validator.is_valid(&values), "{}", path.display());
        }
    }
}
