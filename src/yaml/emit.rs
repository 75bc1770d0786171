//! The emitter: any tree to YAML that YAML 1.1 and YAML 1.2 readers read back as what was meant.

/// What a node of a [`Tree`] is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum View<'t> {
    Null,
    Bool(bool),
    /// The canonical text of a number, written as it is.
    Number(&'t str),
    Str(&'t str),
    Map,
    Seq,
}

/// A tree that can be written. Walks are by callback, so that an implementation needs no index.
pub trait Tree {
    type Node: Copy;
    fn view(&self, node: Self::Node) -> View<'_>;
    /// Calls `each` for every entry of a map, in order.
    fn entries(&self, node: Self::Node, each: &mut dyn FnMut(&str, Self::Node));
    /// Calls `each` for every item of a list, in order.
    fn items(&self, node: Self::Node, each: &mut dyn FnMut(Self::Node));
}
/// TEMPORARY until merged.
pub fn emit_json(value: &serde_json::Value) -> String {
    value.to_string()
}
