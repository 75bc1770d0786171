//! YAML as people write it: text → [`Doc`] with positions (`parse`, and `simple` without the parser where that is
//! enough), what a plain word means (`scalar`), text again (`emit`), and more text in the same file (`insert`).
//!
//! A `Doc` is one document in three flat arrays that refer to each other by number. Scalars are ranges of the source
//! text wherever the text can be used as it stands, so a leaf costs about fifty bytes and a parsed file about three
//! times its size. An alias is a second reference to the anchor's node, never a copy; [`Doc::weight`] says how many
//! nodes a walk would meet.

mod build;
mod decode;
pub mod doc;
pub mod emit;
mod flow;
pub mod insert;
mod mapping;
mod meaning;
pub mod parse;
mod place;
pub mod scalar;
mod serialize;
mod simple;
mod syntax;

pub use decode::decode;
pub use doc::{Doc, Entry, NodeId, Style, Tag};
pub use emit::{
    Behind, JsonTree, Tree, View, emit, emit_dash, emit_json, emit_key, emit_scalar, emit_value, json_view, scalar_view,
};
pub use parse::{Limits, parse};
pub use scalar::Kind;
pub use serialize::{SerializeError, emit_object};
