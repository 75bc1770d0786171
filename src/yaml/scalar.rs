//! What a plain word means to Helm and Kubernetes (`sigs.k8s.io/yaml`, YAML 1.1 words), and where YAML 1.2 differs.

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Null,
    Bool(bool),
    Int,
    Float,
    Str,
    Map,
    Seq,
}
