//! Environments: the profiles of their dimensions merged, and their own file on top.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use serde::de::DeserializeOwned;

use super::view::View;
use crate::diag::{Code, Diagnostic, Span, nearest};
use crate::merge::{Forest, KeyRef, LayerId, Path, Ref, Step};
use crate::model::{
    CapabilityChoice, Dimension, EnvName, Environment, JsonMap, Profile, Project, ReleaseName, Rival, Secret, SecretKey,
};
use crate::schema;
use crate::schema::kinds::Kinds;
use crate::source::docs::Docs;
use crate::source::is_plain_path;
use crate::yaml::{Doc, Kind, NodeId};

/// Folders below `environments/` that are no environments.
pub const RESERVED: &[&str] = &["all", "profiles", "schemas"];

/// Values that no dimension may have: `values.bootstrap.yaml` and the like mean something else.
pub const RESERVED_VALUES: &[&str] = &["bootstrap", "schema", "defaults"];

/// An environment with its profiles.
#[derive(Debug)]
pub struct EnvModel {
    pub name: EnvName,
    /// Without its `apps`: a release is its entry merged over its app, and all entries as types would only take memory.
    pub spec: Environment,
    /// The names of all entries below `apps`, in their order.
    pub releases: Vec<ReleaseName>,
    /// What the platform brings.
    pub provides: JsonMap,
    pub rivals: IndexMap<String, Rival>,
    /// The dimensions in the project's order with this environment's values.
    pub dimensions: Vec<(String, String)>,
    pub(super) forest: Forest,
    pub(super) root: Ref,
    /// Every release's entry: its key, its merged node, and the node of each layer that has one, weakest first.
    entries: FxHashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    key: KeyRef,
    node: Ref,
    layers: Vec<(LayerId, NodeId)>,
}

impl EnvModel {
    /// The place of a field (or of its nearest parent that is written somewhere).
    pub fn span(&self, path: &[&str]) -> Span {
        self.forest.key_span_at(self.root, &keys(path))
    }

    /// The value's place of a field.
    pub fn value_span(&self, path: &[&str]) -> Span {
        self.forest.span(self.forest.nearest(self.root, &keys(path)).0)
    }

    /// The document and node of a field, if it is written.
    pub fn node(&self, path: &Path) -> Option<(&Arc<Doc>, NodeId)> {
        let (layer, node) = self.forest.origin(self.forest.at(self.root, path)?);
        Some((self.forest.doc(layer), node))
    }

    /// The keys written in a release's entry.
    pub fn entry_keys(&self, release: &str) -> impl Iterator<Item = &str> {
        let entry = self.entries.get(release);
        entry.into_iter().flat_map(|entry| self.forest.entries(entry.node)).map(|(key, _)| self.forest.key(key))
    }

    /// The merged entry of a release as a type; `None` where it is empty or there is none.
    ///
    /// # Errors
    /// What does not fit, where layers that are right by themselves give something else together.
    pub(super) fn entry<T: DeserializeOwned>(&self, release: &str) -> Result<Option<T>, String> {
        match self.entries.get(release) {
            Some(entry) if self.forest.kind(entry.node) != Kind::Null => {
                schema::read(&self.forest, entry.node, &[]).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Where the environment names a release, if it does.
    pub fn entry_span(&self, release: &str) -> Option<Span> {
        self.entries.get(release).map(|entry| self.forest.key_span(entry.key))
    }

    /// Every layer's entry of a release, weakest first.
    pub(super) fn entry_layers(&self, release: &str) -> Vec<(Arc<Doc>, NodeId)> {
        let layers = self.entries.get(release).map(|entry| entry.layers.as_slice()).unwrap_or_default();
        layers.iter().map(|(layer, node)| (Arc::clone(self.forest.doc(*layer)), *node)).collect()
    }

    pub fn dimension(&self, name: &str) -> Option<&str> {
        self.dimensions.iter().find(|(dimension, _)| dimension == name).map(|(_, value)| value.as_str())
    }
}

fn keys(path: &[&str]) -> Path {
    Path(path.iter().map(|key| Step::Key((*key).to_owned())).collect())
}

/// The project's dimensions, weakest first: by default `provider`, `stage`.
pub fn dimensions(project: &Project) -> Vec<Dimension> {
    project
        .dimensions
        .clone()
        .unwrap_or_else(|| vec![Dimension::Name("provider".into()), Dimension::Name("stage".into())])
}

/// Loads the environments of a repository, sorted by the paths of their files; of a part of it only those that are asked
/// for and exist, and those whose capabilities or secrets they use.
pub fn load(
    docs: &Docs<'_>,
    kinds: &Kinds,
    project: &Project,
    view: &View,
    findings: &mut Vec<Diagnostic>,
) -> Vec<EnvModel> {
    let file = |name: &str| format!("environments/{name}/{FILE}");
    let mut waiting: BTreeSet<String> = match view {
        View::Everything => docs.source.every("environments", FILE).into_iter().collect(),
        View::Environments(names) => names.iter().map(|name| file(name)).collect(),
    };
    let dimensions = dimensions(project);
    let mut seen = waiting.clone();
    let mut environments = Vec::new();
    while let Some(path) = waiting.pop_first() {
        let Some(name) = name_of(&path) else { continue };
        let Some(environment) = load_one(docs, kinds, name, &path, &dimensions, findings) else { continue };
        let used = environment.spec.capabilities.values().filter_map(|choice| match choice {
            CapabilityChoice::Environment(other) => Some(other.environment.clone()),
            _ => None,
        });
        let used = used.chain(secrets_of(&environment)).map(|name| file(name.as_str()));
        waiting.extend(used.filter(|path| !view.is_everything() && seen.insert(path.clone())));
        environments.push((path, environment));
    }
    environments.sort_by(|one, other| one.0.cmp(&other.0));
    environments.into_iter().map(|(_, environment)| environment).collect()
}

/// The environments whose secrets the entries of an environment name.
fn secrets_of(environment: &EnvModel) -> Vec<EnvName> {
    #[derive(serde::Deserialize)]
    struct Declared {
        secrets: Vec<Secret>,
    }
    let declaring =
        environment.releases.iter().filter(|name| environment.entry_keys(name.as_str()).any(|key| key == "secrets"));
    // What cannot be read is said where the release is made.
    let declared = declaring.filter_map(|name| environment.entry::<Declared>(name.as_str()).ok().flatten());
    let keys = declared.flat_map(|declared| declared.secrets).flat_map(|secret| secret.keys.into_values());
    let named = keys.filter_map(|key| match key {
        SecretKey::From(from) => from.environment,
        _ => None,
    });
    named.collect()
}

/// The file that makes a folder an environment.
pub const FILE: &str = "environment.yaml";

/// The environment whose file this is.
pub fn name_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix("environments/")?.strip_suffix(FILE)?.strip_suffix('/')?;
    (!name.contains('/')).then_some(name)
}

fn load_one(
    docs: &Docs<'_>,
    kinds: &Kinds,
    name: &str,
    path: &str,
    dimensions: &[Dimension],
    findings: &mut Vec<Diagnostic>,
) -> Option<EnvModel> {
    let doc = docs.one(path)?;
    let name: EnvName = match name.parse() {
        Ok(parsed) if !RESERVED.contains(&name) => parsed,
        Ok(_) => {
            let finding = Diagnostic::new(Code::KindName, format!("`{name}` is reserved and cannot be an environment"));
            findings.push(finding.at(doc.span(doc.root()), "the folder's name").help("rename the folder"));
            return None;
        }
        Err(reason) => {
            findings.push(Diagnostic::new(Code::KindName, reason).at(doc.span(doc.root()), "the folder's name"));
            return None;
        }
    };
    let own: Environment = kinds.read(&doc, "environment", findings)?;
    let values = dimension_values(&doc, &own, dimensions, findings);
    let mut forest = Forest::new();
    let mut root = None;
    let mut broken = false;
    for (dimension, value) in &values {
        let before = findings.len();
        for profile in profile_paths(docs, dimension, value, &doc, findings) {
            let Some(layer_doc) = docs.one(&profile) else {
                broken = true;
                continue;
            };
            if kinds.read::<Profile>(&layer_doc, "profile", findings).is_none() {
                broken = true;
                continue;
            }
            let node = layer_doc.root();
            let layer = forest.add(layer_doc);
            root = forest.overlay(root, layer, node, findings);
        }
        // Without its profile nothing that is said of the environment would be worth reading.
        broken |= findings[before..].iter().any(|finding| finding.code == Code::RefUnknownProfile);
    }
    if broken {
        return None;
    }
    let own_root = doc.root();
    let layer = forest.add(doc);
    let root = forest.overlay(root, layer, own_root, findings)?;
    let fail = |reason: String| Diagnostic::new(Code::KindField, reason).at(forest.span(root), "in this environment");
    let releases = match forest.get(root, "apps") {
        Some(apps) => forest.entries(apps).map(|(key, _)| forest.key(key).parse()).collect::<Result<Vec<_>, String>>(),
        None => Ok(Vec::new()),
    };
    let spec = schema::read::<Environment>(&forest, root, &["apps", "provides", "rivals", "description"]);
    let (spec, releases) = match spec.and_then(|spec| Ok((spec, releases?))) {
        Ok(read) => read,
        Err(reason) => {
            findings.push(fail(reason));
            return None;
        }
    };
    let mut provides: JsonMap = sub(&forest, root, "provides");
    let rivals: IndexMap<String, Rival> = sub(&forest, root, "rivals");
    // A rival that was switched off is not there to provide anything.
    provides.retain(|capability, _| !rivals.get(capability).is_some_and(|rival| is_off(rival, &spec.vars)));
    let entries = index_entries(&forest, root);
    Some(EnvModel { name, spec, releases, provides, rivals, dimensions: values, forest, root, entries })
}

fn index_entries(forest: &Forest, root: Ref) -> FxHashMap<String, Entry> {
    let Some(apps) = forest.get(root, "apps") else { return FxHashMap::default() };
    let entries = forest.entries(apps);
    let mut index: FxHashMap<String, Entry> =
        entries.map(|(key, node)| (forest.key(key).to_owned(), Entry { key, node, layers: Vec::new() })).collect();
    for layer in forest.layers() {
        let doc = forest.doc(layer);
        let Some(apps) = doc.get(doc.root(), "apps") else { continue };
        for entry in doc.entries(apps) {
            if let Some(known) = index.get_mut(doc.text(entry.key)) {
                known.layers.push((layer, entry.value));
            }
        }
    }
    index
}

/// Whether the variable that speaks for a rival says that it is off.
pub(super) fn is_off(rival: &Rival, vars: &JsonMap) -> bool {
    rival
        .off_when
        .as_ref()
        .and_then(|name| vars.get(name))
        .is_some_and(|value| value == &serde_json::Value::Bool(false))
}

fn sub<T: DeserializeOwned + Default>(forest: &Forest, root: Ref, key: &str) -> T {
    forest.get(root, key).and_then(|node| schema::read(forest, node, &[]).ok()).unwrap_or_default()
}

fn dimension_values(
    doc: &Doc,
    own: &Environment,
    dimensions: &[Dimension],
    findings: &mut Vec<Diagnostic>,
) -> Vec<(String, String)> {
    let root = doc.root();
    let place = |key: &str, inner: Option<&str>| {
        let found = match inner {
            Some(inner) => doc.get(root, key).and_then(|map| doc.get(map, inner)),
            None => doc.get(root, key),
        };
        doc.span(found.unwrap_or(root))
    };
    for key in own.dimensions.keys() {
        if !dimensions.iter().any(|dimension| dimension.name() == key) || key == "stage" || key == "provider" {
            let finding = Diagnostic::new(Code::RefUnknownProfile, format!("the project has no dimension `{key}`"))
                .at(place("dimensions", Some(key)), "set here")
                .help("list it in `dimensions:` of hlgen.yaml; `stage` and `provider` are keys of their own");
            findings.push(finding);
        }
    }
    let mut values = Vec::new();
    for dimension in dimensions {
        let name = dimension.name();
        let (value, span) = match name {
            "stage" => (Some(&own.stage), place("stage", None)),
            "provider" => (Some(&own.provider), place("provider", None)),
            _ => (own.dimensions.get(name), place("dimensions", Some(name))),
        };
        let Some(value) = value else { continue };
        if let Dimension::Values { values: allowed, .. } = dimension
            && !allowed.contains(value)
        {
            let finding = Diagnostic::new(Code::RefUnknownProfile, format!("`{value}` is no {name} of this project"))
                .at(span, format!("known: {}", allowed.join(", ")));
            findings.push(match nearest(value, allowed.iter().map(String::as_str)) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help(format!("add it to the values of `{name}` in hlgen.yaml")),
            });
        }
        if RESERVED_VALUES.contains(&value.as_str()) {
            let finding = Diagnostic::new(Code::KindName, format!("`{value}` is reserved and cannot be a {name}"));
            findings.push(finding.at(span, "used here").help("choose another word"));
            continue;
        }
        values.push((name.to_owned(), value.clone()));
    }
    values
}

/// The profiles of a dimension's value: the built-in one, then the repository's.
fn profile_paths(
    docs: &Docs<'_>,
    dimension: &str,
    value: &str,
    doc: &Doc,
    findings: &mut Vec<Diagnostic>,
) -> Vec<String> {
    let folder = format!("environments/profiles/{dimension}");
    let file = format!("{folder}/{value}.yaml");
    let mut paths = Vec::new();
    // What stands there and cannot be read is a finding of its own.
    let exists = |path: &str| is_plain_path(&file) && !matches!(docs.source.read(path), Ok(None));
    // In a repository whose profile is the built-in one (hlgen's own) it is merged once.
    paths.extend(Some(format!("builtin:{file}")).filter(|path| exists(path)));
    paths.extend(Some(file.clone()).filter(|path| exists(path)));
    let key_given = doc.get(doc.root(), dimension).or_else(|| {
        let map = doc.get(doc.root(), "dimensions")?;
        doc.get(map, dimension)
    });
    if paths.is_empty() && (dimension == "provider" || dimension == "stage") {
        let own_files = docs.source.list(&folder);
        let built_in = docs.source.list(&format!("builtin:{folder}"));
        let known: BTreeSet<&str> = own_files
            .iter()
            .chain(&built_in)
            .filter_map(|path| path.rsplit('/').next()?.strip_suffix(".yaml"))
            .collect();
        let span = doc.span(key_given.unwrap_or_else(|| doc.root()));
        let finding = Diagnostic::new(Code::RefUnknownProfile, format!("there is no {dimension} `{value}`"))
            .at(span, format!("known: {}", known.iter().copied().collect::<Vec<_>>().join(", ")));
        findings.push(match nearest(value, known.iter().copied()) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help(format!("add `{file}` with what this {dimension} brings")),
        });
    }
    paths
}
