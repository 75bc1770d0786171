//! `schemas/` is what the types print; `make schemas` writes it anew.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "the test reads the files")]

use std::path::Path;

use hlgen::model::{KINDS, schema_of};
use hlgen::report::json_lines;
use serde_json::Value;

#[test]
fn the_schemas_are_in_step_with_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    for kind in KINDS {
        let written = std::fs::read_to_string(folder.join(format!("{kind}.schema.json"))).unwrap();
        assert!(written == json_lines(&schema_of(kind).unwrap()), "schemas/{kind}.schema.json: run `make schemas`");
    }
    let files = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, KINDS.len(), "a schema that no kind has");
}

#[test]
fn each_schema_is_one_that_editors_take() {
    for kind in KINDS {
        let schema = schema_of(kind).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{kind}");
        assert!(jsonschema::meta::is_valid(&schema), "{kind}");
        assert_eq!(schema["additionalProperties"], Value::Bool(false), "{kind}");
        assert!(schema["description"].is_string() && schema["$id"].is_string(), "{kind}");
    }
}
