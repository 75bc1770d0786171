//! Checks: the kinds, values against JSON Schemas, and what projects and comments say of findings.

pub mod allow;
pub mod kinds;
pub mod schema;
pub mod severity;
pub mod values;
