//! What to write instead of a secret: its declaration, and the reference to the Secret that comes of it. On one line, since
//! not every report has room for more.

use crate::merge::{Path, Step};
use crate::secret::{is_password, kebab};
use crate::yaml::{Doc, NodeId};

/// The release that a file was looked at for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'o> {
    pub env: &'o str,
    pub release: &'o str,
}

/// What to write for a value at a path of a document, on one line. It holds names and nothing of the value.
pub(super) fn advice(doc: &Doc, path: &Path, origin: Option<Origin<'_>>) -> String {
    let keys: Vec<&str> =
        path.0.iter().filter_map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None }).collect();
    let root = doc.root();
    let release = origin.map_or("<release>", |origin| origin.release);
    let place = origin.map_or_else(
        || "at the release that needs it".to_owned(),
        |origin| format!("below `apps:` of environments/{}/environment.yaml", origin.env),
    );
    let declare = |name: &str, key: &str| {
        let source = source(release, key);
        format!("{place}: `{release}: {{ secrets: [{{ name: {name}, keys: {{ {key}: {{ {source} }} }} }}] }}`")
    };
    if text(doc, root, "kind") == "Secret" {
        let name = doc.get(root, "metadata").map(|metadata| text(doc, metadata, "name")).unwrap_or_default();
        let name = if name.is_empty() || name.contains("${{") { "<name>" } else { name };
        return format!("declare it {}; then remove this manifest", declare(name, keys.get(1).unwrap_or(&"password")));
    }
    if let [.., "keys", key, "literal"] = keys.as_slice() {
        return format!("a `literal` is no secret; write `{key}: {{ {} }}`", source(release, key));
    }
    let label = label(doc, path).or_else(|| flag(doc, path));
    let is_argument = matches!(path.0.last(), Some(Step::Index(_)));
    let key = kebab(label.as_deref().or(keys.last().copied()).unwrap_or("password"));
    let name = format!("{release}-credentials");
    let declaration = declare(&name, &key);
    let reference = format!("secretKeyRef: {{ name: \"${{{{ secret('{name}') }}}}\", key: {key} }}");
    match (is_argument, label) {
        (true, _) => {
            let variable = key.replace('-', "_").to_uppercase();
            format!(
                "declare it {declaration}; then write `$({variable})` here and `{{ name: {variable}, valueFrom: {{ {reference} }} }}` below the container's variables"
            )
        }
        (false, Some(_)) => format!("declare it {declaration}; then write here `valueFrom: {{ {reference} }}`"),
        (false, None) => format!(
            "declare it {declaration}; then write `existingSecret: ${{{{ secret('{name}') }}}}`, or however the chart calls it, {}",
            if origin.is_some() { "here" } else { "in its values" },
        ),
    }
}

/// How a key is made: a password can be made anew, what somebody else gave out has to be brought.
fn source(release: &str, key: &str) -> String {
    if is_password(key) { "generate: { length: 32 }".to_owned() } else { format!("provided: {release}/{key}") }
}

/// The name in `{ name: DB_PASSWORD, value: ... }`.
pub(super) fn label(doc: &Doc, path: &Path) -> Option<String> {
    let (last, map) = path.0.split_last()?;
    let name = text(doc, at(doc, map)?, "name");
    (*last == Step::Key("value".into()) && !name.is_empty()).then(|| name.to_owned())
}

/// The flag in front of an argument, or in it: `--token`.
fn flag(doc: &Doc, path: &Path) -> Option<String> {
    let (Step::Index(index), list) = path.0.split_last()? else { return None };
    let items = doc.items(at(doc, list)?);
    let flag =
        |item: &NodeId| doc.text(*item).split('=').next().filter(|flag| flag.starts_with('-')).map(str::to_owned);
    items.get(*index).and_then(flag).or_else(|| items.get(index.checked_sub(1)?).and_then(flag))
}

fn at(doc: &Doc, steps: &[Step]) -> Option<NodeId> {
    steps.iter().try_fold(doc.root(), |node, step| match step {
        Step::Key(key) => doc.get(node, key),
        Step::Index(index) => doc.items(node).get(*index).copied(),
    })
}

fn text<'d>(doc: &'d Doc, node: NodeId, key: &str) -> &'d str {
    doc.get(node, key).map(|node| doc.text(node)).unwrap_or_default()
}
