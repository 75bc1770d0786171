//! More entries in a map of a file that people keep, with every other byte left as it is: comments, order, indentation,
//! line ends, quotes.
//!
//! The text is never written anew from its tree. Where the entries go is found in the text (behind the last entry and the
//! comments that are indented like it, or in front of the closing bracket), and the result is read again: it has to be
//! the same tree with the new entries and nothing else. Where no place gives that, the file is not touched; so a text
//! that is stranger than what is foreseen here costs a refusal and never a mistake.

mod check;
mod place;
mod text;

use super::doc::Doc;
use super::scalar::Kind;
pub use text::block_lines;

/// One `key: { ... }` to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    pub key: String,
    pub fields: Vec<NewField>,
}

/// A field of a new entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewField {
    /// A line above it, without its `#`.
    pub comment: Option<String>,
    pub key: String,
    pub value: NewValue,
}

/// What a new field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewValue {
    Text(String),
    /// Keys and texts, written in brackets.
    Map(Vec<(String, String)>),
}

/// Why nothing was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it holds something else than a map")]
    NotAMap,
    #[error("a key stands there already")]
    Exists,
    #[error("it is written in a way that cannot be extended without changing something else")]
    Unsure,
}

/// The text of a document's file with entries added to the map at a key of its root; a map that is empty, null or not
/// there is made.
///
/// # Errors
/// See [`Refusal`].
pub fn insert(doc: &Doc, key: &str, entries: &[NewEntry]) -> Result<String, Refusal> {
    let known = doc.get(doc.root(), key);
    match known.map(|node| doc.kind(node)) {
        None | Some(Kind::Null | Kind::Map) if doc.kind(doc.root()) == Kind::Map => {}
        _ => return Err(Refusal::NotAMap),
    }
    if entries.iter().any(|entry| known.is_some_and(|map| doc.get(map, &entry.key).is_some())) {
        return Err(Refusal::Exists);
    }
    let mut ways = place::ways(doc, key, entries).into_iter();
    ways.find(|text| check::is_extended(doc, text, key, entries)).ok_or(Refusal::Unsure)
}

#[cfg(test)]
mod tests;
