//! Checks: the kinds, values against JSON Schemas, and what projects and comments say of findings.

pub mod allow;
pub mod files;
pub mod kinds;
pub mod output;
pub mod schema;
pub mod severity;
pub mod values;
