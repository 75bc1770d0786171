//! Checks of the plan and of what would be written: values against JSON Schemas, output against the rules of Argo CD, habits
//! that are probably not meant (`rules`), files nobody reads; and what projects and comments say of findings.

pub mod allow;
pub mod files;
pub mod output;
pub mod rename;
pub mod rules;
pub mod severity;
pub mod values;
