//! Values of the releases of one app: layers merged once per shared prefix, templates compiled once per scalar,
//! evaluated per release and cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::{Layers, Plan, layers};
use crate::diag::{Code, Diagnostic, Span};
use crate::merge::{Forest, LayerId, Path, Ref, Step};
use crate::resolve::catalog::AppDef;
pub use crate::schema::instance::Results;
use crate::source::docs::Docs;
use crate::template::{self, Compiled, Files, Scope, TemplateError};
use crate::yaml::{Doc, Kind, NodeId, Tree, View, json_view, scalar_view};

/// A layer that a release has: its path and its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedLayer {
    pub path: String,
    pub id: LayerId,
    pub root: NodeId,
}

/// The merged values of a release, before templates are evaluated.
#[derive(Debug, Clone)]
pub struct Merged {
    /// `None` where no layer sets anything.
    pub root: Option<Ref>,
    pub layers: Vec<UsedLayer>,
    /// Nodes of all layers, aliases followed: at least as many as the merged tree has.
    pub nodes: u64,
}

/// Templates that one release's values, or one manifest, may hold.
const TEMPLATES_MAX: usize = 20_000;

/// Templates of one app that are kept compiled: each takes some 12 KB.
const COMPILED_MAX: usize = 2_000;

/// Bytes that the templates of one release's values, or of one manifest, may write together.
const RESULTS_MAX: usize = 4 << 20;

/// Nodes of all layers of a release, aliases followed.
const NODES_MAX: u64 = 250_000;

/// Works on all releases of one app, on one thread.
pub struct AppValues<'p> {
    plan: &'p Plan,
    docs: &'p Docs<'p>,
    pub forest: Forest,
    ids: FxHashMap<*const Doc, LayerId>,
    /// The merge of a layer over what was merged before it.
    merges: FxHashMap<(Option<Ref>, LayerId), Option<Ref>>,
    compiled: FxHashMap<(LayerId, NodeId), Result<Compiled<'p>, TemplateError>>,
    files: Option<Arc<dyn Files>>,
    /// With the layer of a cluster that comes up without Argo CD.
    bootstrap: bool,
    /// Files that only this app reads.
    own: Vec<String>,
}

impl<'p> AppValues<'p> {
    pub fn new(plan: &'p Plan, docs: &'p Docs<'p>, app: &AppDef) -> Self {
        Self {
            plan,
            docs,
            forest: Forest::new(),
            ids: FxHashMap::default(),
            merges: FxHashMap::default(),
            compiled: FxHashMap::default(),
            files: Some(app_files(docs, app)),
            bootstrap: false,
            own: Vec::new(),
        }
    }

    /// The same for a cluster that comes up without Argo CD: with `values.bootstrap.yaml` over everything else.
    #[must_use]
    pub fn for_bootstrap(self) -> Self {
        Self { bootstrap: true, ..self }
    }

    /// Merges the layers of a release. Findings come once for each pair of layers, however many releases share it.
    pub fn merge(&mut self, number: usize, findings: &mut Vec<Diagnostic>) -> Merged {
        let release = &self.plan.releases[number];
        let env = self.plan.env_of(release);
        let mut merged = Merged { root: None, layers: Vec::new(), nodes: 0 };
        let last = self.bootstrap.then(|| Layers::bootstrap(release)).into_iter().flatten();
        let is_base = self.plan.bases.contains(&release.app.name);
        let base = release.app.base.as_ref().map(|base| format!("{}/", base.folder));
        for layer in self.plan.layers.of(env, release).chain(last) {
            let found = self.docs.one(&layer.path);
            if layer.of_one_app && !is_base && base.as_ref().is_none_or(|base| !layer.path.starts_with(base)) {
                self.own.push(layer.path.clone());
            }
            let Some(doc) = found else { continue };
            let root = doc.root();
            let (id, new) = self.layer(&doc);
            if new && !layers::is_values(&doc, findings) || doc.kind(root) != Kind::Map {
                continue;
            }
            merged.nodes = merged.nodes.saturating_add(doc.weight());
            if merged.nodes > NODES_MAX {
                let message = format!("the values of {}/{} have more than {NODES_MAX} nodes", env.name, release.name);
                let finding = Diagnostic::new(Code::YamlLimit, message).at(doc.span(root), "with this file");
                findings.push(finding.help("repeat less through aliases"));
                break;
            }
            let key = (merged.root, id);
            merged.root = match self.merges.get(&key) {
                Some(known) => *known,
                None => {
                    let made = self.forest.overlay(merged.root, id, root, findings);
                    self.merges.insert(key, made);
                    made
                }
            };
            merged.layers.push(UsedLayer { path: layer.path, id, root });
        }
        merged
    }

    /// Forgets the values files that only this app reads, once all its releases are done.
    pub fn finish(mut self) {
        // Releases in one environment ask for the same ones.
        self.own.sort_unstable();
        self.own.dedup();
        self.own.iter().for_each(|path| self.docs.forget(path));
    }

    /// A document as a layer, and whether it is new to the forest.
    pub fn layer(&mut self, doc: &Arc<Doc>) -> (LayerId, bool) {
        let key = Arc::as_ptr(doc);
        if let Some(id) = self.ids.get(&key) {
            return (*id, false);
        }
        let id = self.forest.add(Arc::clone(doc));
        self.ids.insert(key, id);
        (id, true)
    }

    /// What templates of a release on a cluster see.
    pub fn scope(&self, number: usize, cluster: usize) -> Scope {
        self.plan.scopes.of(&self.plan.bindings, &self.plan.releases, number, cluster, self.files.clone())
    }

    /// Evaluates all templates below a node. What fails is a finding and stays without a result.
    pub fn evaluate(&mut self, root: Ref, scope: &Arc<Scope>, place: &str, findings: &mut Vec<Diagnostic>) -> Results {
        let mut results = Results::default();
        if self.forest.templated(root) {
            let mut scalars = Vec::new();
            templated_scalars(&self.forest, root, &mut scalars);
            let mut size = 0;
            for (count, scalar) in scalars.into_iter().enumerate() {
                if self.docs.meter().exceeded().is_some() {
                    break;
                }
                if count >= TEMPLATES_MAX || size > RESULTS_MAX {
                    let what = if size > RESULTS_MAX { "write more than 4 MiB" } else { "are more than 20,000" };
                    let finding =
                        Diagnostic::new(Code::TemplateLimit, format!("the templates of {place} {what} in all"));
                    findings.push(
                        finding
                            .at(self.forest.span(scalar), "stopped here")
                            .help("move what is constant out of the templates"),
                    );
                    break;
                }
                if let Some(value) = self.evaluate_scalar(scalar, scope, place, findings) {
                    size += template::size(&value);
                    results.insert(scalar, value);
                }
            }
        }
        results
    }

    fn evaluate_scalar(
        &mut self,
        node: Ref,
        scope: &Arc<Scope>,
        place: &str,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Json> {
        let origin = self.forest.origin(node);
        let doc = self.forest.doc(origin.0);
        let text = doc.text(origin.1);
        let engine = &self.plan.engine;
        if self.compiled.len() >= COMPILED_MAX && !self.compiled.contains_key(&origin) {
            self.compiled.clear();
        }
        let compiled = self.compiled.entry(origin).or_insert_with(|| engine.compile(text));
        let result = match compiled {
            Ok(compiled) => engine.evaluate(compiled, text, scope),
            Err(error) => Err(error.clone()),
        };
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                findings.push(error.into_diagnostic(doc, origin.1, format!("for {place}")));
                None
            }
        }
    }

    /// Every layer's node at a path, weakest first.
    pub fn trace(&self, merged: &Merged, path: &Path) -> Vec<(LayerId, NodeId)> {
        let layers: Vec<(LayerId, NodeId)> = merged.layers.iter().map(|layer| (layer.id, layer.root)).collect();
        self.forest.trace(&layers, path)
    }
}

fn templated_scalars(forest: &Forest, node: Ref, found: &mut Vec<Ref>) {
    if !forest.templated(node) {
        return;
    }
    match forest.kind(node) {
        Kind::Map => forest.entries(node).for_each(|(_, value)| templated_scalars(forest, value, found)),
        Kind::Seq => forest.items(node).for_each(|item| templated_scalars(forest, item, found)),
        _ => found.push(node),
    }
}

/// A merged tree with its templates' results: what is written, validated and compared.
#[derive(Debug, Clone, Copy)]
pub struct Evaluated<'t> {
    pub forest: &'t Forest,
    pub results: &'t Results,
}

/// A node of an evaluated tree: of the merged tree, or inside a template's result.
#[derive(Debug, Clone, Copy)]
pub enum Node<'t> {
    Merged(Ref),
    Result(&'t Json),
}

impl<'t> Evaluated<'t> {
    /// A node of the merged tree, or what its template gave.
    pub fn resolve(&self, node: Ref) -> Node<'t> {
        if self.results.is_empty() || !self.forest.templated(node) {
            return Node::Merged(node);
        }
        self.results.get(&node).map_or(Node::Merged(node), Node::Result)
    }

    /// The tree below a node as JSON.
    pub fn to_json(&self, node: Ref) -> Json {
        match self.resolve(node) {
            Node::Result(value) => value.clone(),
            Node::Merged(node) if self.results.is_empty() || !self.forest.templated(node) => self.forest.to_json(node),
            Node::Merged(node) => match self.forest.kind(node) {
                Kind::Map => Json::Object(
                    self.forest
                        .entries(node)
                        .map(|(key, value)| (self.forest.key(key).to_owned(), self.to_json(value)))
                        .collect(),
                ),
                Kind::Seq => Json::Array(self.forest.items(node).map(|item| self.to_json(item)).collect()),
                _ => self.forest.to_json(node),
            },
        }
    }

    /// The node at a path, which may lead into a template's result.
    pub fn at(&self, root: Ref, path: &Path) -> Option<Node<'t>> {
        path.0.iter().try_fold(self.resolve(root), |node, step| self.child(node, step))
    }

    fn child(&self, node: Node<'t>, step: &Step) -> Option<Node<'t>> {
        match (node, step) {
            (Node::Merged(node), Step::Key(key)) => self.forest.get(node, key).map(|node| self.resolve(node)),
            (Node::Merged(node), Step::Index(index)) => self.forest.item(node, *index).map(|node| self.resolve(node)),
            (Node::Result(value), Step::Key(key)) => value.get(key).map(Node::Result),
            (Node::Result(value), Step::Index(index)) => value.get(index).map(Node::Result),
        }
    }

    /// Every node that a path leads to, with its own path, in the order of the tree. A step `*` stands for each entry of a
    /// map and each item of a list.
    pub fn each(&self, root: Node<'t>, pattern: &Path) -> Vec<(Path, Node<'t>)> {
        let mut found = vec![(Path::default(), root)];
        for step in &pattern.0 {
            let next = found.into_iter().flat_map(|(path, node)| {
                let steps = if step.is_any() { self.steps(node) } else { vec![step.clone()] };
                steps.into_iter().filter_map(move |step| {
                    let child = self.child(node, &step)?;
                    let mut path = path.clone();
                    path.0.push(step);
                    Some((path, child))
                })
            });
            found = next.collect();
        }
        found
    }

    /// The steps to all children of a node.
    fn steps(&self, node: Node<'t>) -> Vec<Step> {
        let keys = |keys: &mut dyn Iterator<Item = &str>| keys.map(|key| Step::Key(key.to_owned())).collect::<Vec<_>>();
        match node {
            Node::Merged(node) if self.forest.kind(node) == Kind::Map => {
                keys(&mut self.forest.entries(node).map(|(key, _)| self.forest.key(key)))
            }
            Node::Merged(node) => (0..self.forest.items(node).count()).map(Step::Index).collect(),
            Node::Result(Json::Object(map)) => keys(&mut map.keys().map(String::as_str)),
            Node::Result(Json::Array(items)) => (0..items.len()).map(Step::Index).collect(),
            Node::Result(_) => Vec::new(),
        }
    }

    /// A node of the tree as JSON.
    pub fn json(&self, node: Node<'t>) -> Json {
        match node {
            Node::Merged(node) => self.to_json(node),
            Node::Result(value) => value.clone(),
        }
    }
}

/// The evaluated values of a release on a cluster, read by path.
#[derive(Debug, Clone, Copy)]
pub struct Values<'t> {
    tree: Evaluated<'t>,
    root: Ref,
}

impl<'t> Values<'t> {
    /// None where no layer sets anything.
    pub fn new(forest: &'t Forest, merged: &Merged, results: &'t Results) -> Option<Self> {
        Some(Self { tree: Evaluated { forest, results }, root: merged.root? })
    }

    /// What is at a path, and where it was set (a place inside of a template's result has none).
    pub fn at(&self, path: &Path) -> Option<(Json, Option<Span>)> {
        match self.tree.at(self.root, path)? {
            Node::Merged(node) => Some((self.tree.to_json(node), Some(self.tree.forest.span(node)))),
            Node::Result(value) => {
                let span = self.tree.forest.at(self.root, path).map(|node| self.tree.forest.span(node));
                Some((value.clone(), span))
            }
        }
    }
}

/// Removes nulls from maps.
pub fn without_nulls(value: Json) -> Json {
    match value {
        Json::Object(map) => Json::Object(
            map.into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, without_nulls(value)))
                .collect(),
        ),
        other => other,
    }
}

impl<'t> Tree for Evaluated<'t> {
    type Node = Node<'t>;

    fn view(&self, node: Node<'t>) -> View<'_> {
        match node {
            Node::Merged(node) => scalar_view(self.forest.kind(node), self.forest.text(node)),
            Node::Result(value) => json_view(value),
        }
    }

    fn entries(&self, node: Node<'t>, each: &mut dyn FnMut(&str, Node<'t>)) {
        match node {
            Node::Merged(node) => {
                for (key, value) in self.forest.entries(node) {
                    each(self.forest.key(key), self.resolve(value));
                }
            }
            Node::Result(Json::Object(map)) => map.iter().for_each(|(key, value)| each(key, Node::Result(value))),
            Node::Result(_) => {}
        }
    }

    fn items(&self, node: Node<'t>, each: &mut dyn FnMut(Node<'t>)) {
        match node {
            Node::Merged(node) => self.forest.items(node).for_each(|item| each(self.resolve(item))),
            Node::Result(Json::Array(items)) => items.iter().for_each(|item| each(Node::Result(item))),
            Node::Result(_) => {}
        }
    }
}

/// The files that a template can read: what lies in the app's folder besides what hlgen itself reads there.
///
/// They are read before anybody asks, because a template's function cannot borrow the repository; what is no text or lies
/// beyond the bounds is only missed when a template asks for it.
#[derive(Debug)]
struct AppFiles(BTreeMap<String, Option<String>>);

/// Bytes of an app's files that are kept for templates.
const FILES_MAX: usize = 8 << 20;

/// Bytes of one of them: a scalar can become no longer.
const FILE_MAX: usize = template::OUTPUT_LIMIT;

/// Files of an app that templates can see.
const FILES_COUNT_MAX: usize = 2_000;

impl Files for AppFiles {
    fn read(&self, path: &str) -> Option<String> {
        self.0.get(path).cloned().flatten()
    }

    fn list(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

fn app_files(docs: &Docs<'_>, app: &AppDef) -> Arc<dyn Files> {
    let prefix = format!("{}/", app.folder);
    let mut files = BTreeMap::new();
    let mut kept = 0;
    for path in docs.source.list(&app.folder) {
        let Some(name) = path.strip_prefix(&prefix) else { continue };
        let own =
            name == "app.yaml" || name == "README.md" || name.starts_with("values.") || name.starts_with("manifests/");
        if own || files.len() >= FILES_COUNT_MAX {
            continue;
        }
        let bytes = if kept < FILES_MAX { docs.source.read(&path).ok().flatten() } else { None };
        let text =
            bytes.filter(|bytes| bytes.len() <= FILE_MAX).and_then(|bytes| String::from_utf8(bytes.into_owned()).ok());
        kept += text.as_ref().map_or(0, String::len);
        files.insert(name.to_owned(), text);
    }
    Arc::new(AppFiles(files))
}
