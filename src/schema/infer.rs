//! A JSON Schema from a chart's default values, for charts that ship none.
//!
//! It knows names and types, nothing else, and is meant to find the typing mistake in a key that Helm ignores in
//! silence. A check that cries wolf is switched off, so wherever defaults do not tell the whole structure it stays open:
//! empty maps and lists, null, maps that Kubernetes defines (`securityContext`, `resources`), maps whose keys are data
//! (labels, environment variables, configuration files), maps keyed by names of the user's choosing, and values of
//! subcharts. Keys that the defaults hold only as comments (`# key:` in line with their neighbours) are known keys too,
//! and so are `nameOverride` and `fullnameOverride`.

use serde_json::{Map, Value, json};

use crate::yaml::{Doc, Kind, NodeId};

/// The schema of the values of `chart` in `version`, whose defaults are `doc`.
pub fn infer(doc: &Doc, chart: &str, version: &str) -> Value {
    infer_with_dependencies(doc, chart, version, &[])
}

/// As [`infer`], with the names (or aliases) of the chart's dependencies: what stands below them belongs to other charts.
pub fn infer_with_dependencies(doc: &Doc, chart: &str, version: &str, dependencies: &[&str]) -> Value {
    let inference = Inference { doc, dependencies, comments: commented_keys(doc.file_text()) };
    let mut schema = match doc.kind(doc.root()) {
        Kind::Map => inference.map(doc.root(), 0, doc.file_text().len(), Openness::Closed, true),
        _ => types(&["object"]),
    };
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("global".into(), types(&["object"]));
        // The helpers that `helm create` writes read both, and many charts do not list them.
        for name in ["nameOverride", "fullnameOverride"] {
            properties.entry(name).or_insert_with(|| json!({}));
        }
    }
    let mut root = Map::new();
    root.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("x-hlgen".into(), json!({ "chart": chart, "version": version, "inferred": true }));
    if let Value::Object(schema) = schema {
        root.extend(schema);
    }
    Value::Object(root)
}

struct Inference<'a> {
    doc: &'a Doc,
    dependencies: &'a [&'a str],
    comments: Vec<CommentedKey<'a>>,
}

/// A line `# key: ...` of the defaults.
struct CommentedKey<'a> {
    /// Where its `#` stands.
    offset: usize,
    column: usize,
    key: &'a str,
}

/// What a map's keys are.
#[derive(Clone, Copy, PartialEq)]
enum Openness {
    /// Structure: only the keys that the defaults show.
    Closed,
    /// The defaults show a part of the structure, here and below.
    Open,
    /// Data: anything goes.
    Data,
}

impl Inference<'_> {
    /// The schema of a map that reaches from `start` to `end` in the text, comments around its entries included.
    fn map(&self, node: NodeId, start: usize, end: usize, openness: Openness, root: bool) -> Value {
        let entries = self.doc.entries(node);
        if openness == Openness::Data || entries.is_empty() {
            return types(&["object"]);
        }
        let openness = if self.keys_are_data(node) { Openness::Open } else { openness };
        let mut properties = Map::new();
        for (at, entry) in entries.iter().enumerate() {
            let key = self.doc.text(entry.key);
            let next = entries.get(at + 1).map_or(end, |next| self.doc.span(next.key).start as usize);
            let own = self.doc.span(entry.key).end as usize;
            let below = if root && (key.contains('-') || self.dependencies.contains(&key)) {
                Openness::Data
            } else {
                below(key, openness)
            };
            let schema = self.value(key, entry.value, own, next, below);
            properties.insert(key.into(), schema);
        }
        if openness == Openness::Closed {
            let column = self.column(entries.first().map_or(0, |entry| self.doc.span(entry.key).start as usize));
            let from = self.comments.partition_point(|comment| comment.offset < start);
            for comment in self.comments[from..].iter().take_while(|comment| comment.offset < end) {
                if comment.column == column {
                    properties.entry(comment.key).or_insert_with(|| json!({}));
                }
            }
        }
        let mut schema = types(&["object"]);
        schema["properties"] = Value::Object(properties);
        if openness == Openness::Closed {
            schema["additionalProperties"] = false.into();
        }
        schema
    }

    fn value(&self, key: &str, node: NodeId, start: usize, end: usize, openness: Openness) -> Value {
        let text = self.doc.text(node);
        match self.doc.kind(node) {
            Kind::Null => json!({}),
            Kind::Bool(_) => types(&["boolean"]),
            // A port may be a name, a count a percentage, a size a quantity.
            Kind::Int | Kind::Float => types(&["number", "string"]),
            Kind::Str if is_version_key(key) => types(&["string"]),
            // A dash stands for "as elsewhere" of any type, where HashiCorp's charts would be empty.
            Kind::Str if text == "-" => json!({}),
            // An empty text stands for "not set" of any type; a block of text is often taken as the map it spells.
            Kind::Str if text.is_empty() => json!({}),
            Kind::Str if text.contains('\n') => types(&["string", "object", "array"]),
            Kind::Str if matches!(text, "true" | "false") => types(&["string", "boolean"]),
            Kind::Str if is_quantity(text) => types(&["string", "number"]),
            Kind::Str => types(&["string"]),
            Kind::Seq if is_extra(key) => types(&["array", "object", "string"]),
            Kind::Seq => types(&["array"]),
            Kind::Map if self.doc.entries(node).is_empty() && is_extra(key) => types(&["object", "array", "string"]),
            Kind::Map => self.map(node, start, end, openness, false),
        }
    }

    /// Whether a map's keys are names or file names, not structure.
    fn keys_are_data(&self, node: NodeId) -> bool {
        let entries = self.doc.entries(node);
        if entries.iter().any(|entry| self.doc.text(entry.key).contains(['.', '/', ' '])) {
            return true;
        }
        if let [entry] = entries {
            let key = self.doc.text(entry.key);
            return matches!(key, "main" | "default" | "example") && self.doc.kind(entry.value) == Kind::Map;
        }
        // Several maps of one shape: a map of things by their names.
        let keys = |node: NodeId| -> Vec<&str> {
            self.doc.entries(node).iter().map(|entry| self.doc.text(entry.key)).collect()
        };
        let first = entries.first().map(|entry| keys(entry.value)).unwrap_or_default();
        !first.is_empty()
            && entries.iter().all(|entry| {
                let other = keys(entry.value);
                let shared = other.iter().filter(|key| first.contains(key)).count();
                shared * 2 > first.len().max(other.len())
            })
    }

    fn column(&self, offset: usize) -> usize {
        let line = self.doc.file_text()[..offset].rfind('\n').map_or(0, |end| end + 1);
        offset - line
    }
}

/// How open a map below `key` is.
fn below(key: &str, around: Openness) -> Openness {
    /// Names, or ends of names, of maps whose keys are data.
    const DATA: &[&str] = &[
        "labels",
        "annotations",
        "nodeselector",
        "matchlabels",
        "selector",
        "env",
        "envs",
        "environment",
        "envvars",
        "variables",
        "config",
        "configs",
        "configmap",
        "configmaps",
        "configuration",
        "data",
        "secret",
        "secrets",
        "settings",
        "options",
        "params",
        "parameters",
        "args",
        "headers",
        "files",
        "ini",
        "toml",
        "yaml",
        "yml",
        "json",
        "rules",
        "dashboards",
        "plugins",
        "extraobjects",
        "files",
        "templates",
    ];
    /// Names, or ends of names, of maps that Kubernetes defines and charts pass on.
    const KUBERNETES: &[&str] = &[
        "securitycontext",
        "resources",
        "limits",
        "requests",
        "affinity",
        "strategy",
        "rollingupdate",
        "probe",
        "lifecycle",
        "dnsconfig",
        "poddisruptionbudget",
        "pdb",
        "autoscaling",
        "hpa",
        "behavior",
        "spec",
        "volume",
        "persistence",
        "capabilities",
        "template",
        "valuefrom",
        "emptydir",
        "hostpath",
        "networkpolicy",
    ];
    if around == Openness::Data || key.contains(['.', '/']) {
        return Openness::Data;
    }
    let name = key.to_ascii_lowercase();
    if DATA.iter().any(|end| name.ends_with(end)) || is_extra(key) {
        Openness::Data
    } else if KUBERNETES.iter().any(|end| name.ends_with(end)) {
        Openness::Open
    } else {
        around
    }
}

/// Keys for what a chart did not foresee; charts take lists, maps and templated text there.
fn is_extra(key: &str) -> bool {
    let name = key.to_ascii_lowercase();
    name.starts_with("extra") || name.starts_with("additional") || name == "env"
}

/// Keys whose value must not become a number (`1.10` would be `1.1`).
fn is_version_key(key: &str) -> bool {
    let name = key.to_ascii_lowercase();
    matches!(name.as_str(), "tag" | "version" | "digest" | "appversion") || name.ends_with("imagetag")
}

/// A number with at most a unit behind it: `100m`, `10Gi`, `30s`, `50%`, `80`.
fn is_quantity(text: &str) -> bool {
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit());
    let unit = unit.strip_prefix('.').map_or(unit, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    unit.len() < text.len() && unit.chars().all(|character| character.is_ascii_alphabetic() || character == '%')
}

/// A type list; null is always in it, because it deletes a default in Helm.
fn types(names: &[&str]) -> Value {
    let names: Vec<&str> = names.iter().copied().chain(["null"]).collect();
    json!({ "type": names })
}

fn commented_keys(text: &str) -> Vec<CommentedKey<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let column = line.len() - line.trim_start_matches(' ').len();
        if let Some(comment) = line[column..].strip_prefix('#') {
            let comment = comment.strip_prefix(' ').unwrap_or(comment);
            let word = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
            let key = &comment[..comment.find(|character| !word(character)).unwrap_or(comment.len())];
            let rest = comment[key.len()..].strip_prefix(':');
            if !key.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\n', '\r'])) {
                found.push(CommentedKey { offset: start + column, column, key });
            }
        }
        start += line.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceMap;
    use crate::yaml::{Limits, parse};
    use std::sync::Arc;

    fn inferred(text: &str) -> Value {
        let text: Arc<str> = text.into();
        let file = SourceMap::new().add("values.yaml", Arc::clone(&text));
        let docs = parse(&text, file, &Limits::default(), &mut Vec::new());
        infer_with_dependencies(&docs[0], "web", "1.2.3", &["cache"])
    }

    fn accepts(schema: &Value, values: &Value) -> bool {
        jsonschema::draft202012::new(schema).unwrap().is_valid(values)
    }

    const DEFAULTS: &str = "\
replicas: 1
image:
  repository: web
  tag: ''
  # digest: sha256:...
  pullPolicy: Always
podAnnotations: {}
tolerations: []
priority: ~
size: 10Gi
ingress:
  enabled: false
  className: ''
  annotations:
    a: b
securityContext:
  runAsUser: 1000
config:
  app.ini:
    key: value
workers:
  one: { threads: 1, queue: a }
  two: { threads: 2, queue: b }
cache:
  enabled: true
kube-state-metrics:
  enabled: true
# commented:
#   inner: 1
";

    #[test]
    fn the_root_says_what_it_is() {
        let schema = inferred(DEFAULTS);
        assert_eq!(schema["x-hlgen"], json!({ "chart": "web", "version": "1.2.3", "inferred": true }));
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(inferred("{}\n").get("additionalProperties"), None);
    }

    #[test]
    fn unknown_keys_and_wrong_types_are_refused() {
        let schema = inferred(DEFAULTS);
        for values in [
            json!({ "replica": 2 }),
            json!({ "replicas": true }),
            json!({ "image": { "tags": "1" } }),
            json!({ "image": { "tag": 1.1 } }),
            json!({ "image": "web" }),
            json!({ "ingress": { "enabled": "yes" } }),
            json!({ "ingress": { "host": "x" } }),
            json!({ "tolerations": { "a": "b" } }),
        ] {
            assert!(!accepts(&schema, &values), "{values}");
        }
    }

    #[test]
    fn what_charts_take_is_accepted() {
        let schema = inferred(DEFAULTS);
        for values in [
            json!({}),
            json!({ "replicas": null, "image": null }),
            json!({ "replicas": "50%" }),
            json!({ "image": { "digest": "sha256:0" } }),
            json!({ "podAnnotations": { "x/y": "z" } }),
            json!({ "priority": { "any": ["thing"] } }),
            json!({ "size": 10 }),
            json!({ "ingress": { "className": 1, "annotations": { "c": "d" } } }),
            json!({ "securityContext": { "fsGroup": 1 } }),
            json!({ "config": { "other.ini": {}, "app.ini": { "more": 1 } } }),
            json!({ "workers": { "three": { "threads": 3 } } }),
            json!({ "cache": { "auth": { "password": "x" } }, "kube-state-metrics": { "replicas": 2 } }),
            json!({ "commented": { "inner": 2 } }),
            json!({ "global": { "anything": true } }),
        ] {
            assert!(accepts(&schema, &values), "{values}");
        }
    }
}
