//! The four kinds people write (DESIGN section 3) as typed structs, and the names in them as own types.
//!
//! Reading goes through one pipeline: a merged tree (`merge`) is deserialised strictly; where that fails, `schema::kinds`
//! validates the single files against the JSON Schemas printed from these same types, so that every mistake is shown
//! at its line. The doc comments below are the descriptions in those schemas.

mod app;
mod backup;
mod environment;
mod kubernetes;
mod name;
mod port;
mod profile;
mod project;
mod quantity;
mod schema;

pub use app::*;
pub use backup::*;
pub use environment::*;
pub use kubernetes::KubernetesVersion;
pub use name::*;
pub use port::*;
pub use profile::*;
pub use project::*;
pub use quantity::{Amount, Quantity, QuantityError};
pub use schema::{KINDS, schema_of};

/// The `apiVersion` of every file.
pub const API_VERSION: &str = "hlgen.dev/v1";

/// Free-form data whose strings may hold templates.
pub type Json = serde_json::Value;

/// An ordered map from names to free-form data.
pub type JsonMap = indexmap::IndexMap<String, Json>;

/// What a pattern of the kinds' schemas asks for, in words.
pub fn pattern_in_words(pattern: &str) -> Option<&'static str> {
    match pattern {
        quantity::PATTERN => Some("takes a quantity such as `500m`, `1.5` or `2Gi`"),
        kubernetes::PATTERN => Some("takes a minor version of Kubernetes such as `1.34`"),
        _ => None,
    }
}
