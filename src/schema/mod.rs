//! JSON Schema: what a value may be, and trees read as types.
//!
//! `cost` bounds what a schema may ask for; `json` wraps the validator and says what it found as paths and words of ours;
//! `shape` answers for schemas of names and types alone; `instance` is what both read; `kinds` reads files as one of the
//! four kinds; `read` turns merged trees into typed structs; `infer` makes a schema from a chart's default values.

pub mod cost;
pub mod infer;
pub mod instance;
pub mod json;
pub mod kinds;
mod read;
pub mod shape;

pub use infer::{infer, infer_with_dependencies};
pub use read::read;
