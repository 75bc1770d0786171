//! Checks of the plan and of what would be written: values against JSON Schemas, output against the rules of Argo CD, files
//! nobody reads; and what projects and comments say of findings.

pub mod allow;
pub mod files;
pub mod output;
pub mod rename;
pub mod severity;
pub mod values;
