//! JSON Schemas (2020-12) of the four kinds, printed from the types.

use schemars::generate::SchemaSettings;

use super::{App, Environment, Profile, Project};

/// The kinds that have a schema, by the name used on the command line and in `schemas/`.
pub const KINDS: &[&str] = &["project", "app", "environment", "profile"];

/// The JSON Schema of a kind.
pub fn schema_of(kind: &str) -> Option<serde_json::Value> {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let schema = match kind {
        "project" => generator.into_root_schema_for::<Project>(),
        "app" => generator.into_root_schema_for::<App>(),
        "environment" => generator.into_root_schema_for::<Environment>(),
        "profile" => generator.into_root_schema_for::<Profile>(),
        _ => return None,
    };
    let mut value = schema.to_value();
    if let Some(object) = value.as_object_mut() {
        object.insert("$id".into(), format!("https://hlgen.dev/schemas/v1/{kind}.schema.json").into());
    }
    Some(value)
}
