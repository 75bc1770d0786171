//! `secrets/plaintext` and `secrets/entropy`: secrets in files that everybody with the repository can read.
//!
//! Files are looked at and not what is rendered: a password that a stronger layer overrides is committed all the same,
//! and each file is walked once however many releases share it. Only what templates make of it is judged for each release
//! on each cluster. The value is in no message; `report` hides the place of these findings whatever it looks like.

mod advice;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value as Json;

use super::Subject;
use crate::diag::{Code, Diagnostic};
use crate::merge::{LayerId, Path, Ref, Step};
use crate::plan::Plan;
use crate::secret::{self, Plain, Spot, is_public, reads_one};
use crate::source::docs::Docs;
use crate::template::reads;
use crate::yaml::{Doc, Kind, NodeId};
use advice::Origin;

/// A scalar whose text a template makes.
#[derive(Debug)]
struct Pending {
    node: NodeId,
    spot: Spot,
    path: Path,
}

/// What was looked at, for the releases of one app.
#[derive(Debug, Default)]
pub(super) struct Seen {
    layers: FxHashMap<LayerId, Vec<Pending>>,
    manifests: FxHashMap<*const Doc, Vec<Pending>>,
}

impl Seen {
    /// Checks the values and the manifests of a release on a cluster.
    pub(super) fn check(&mut self, subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
        let (plan, release) = (subject.plan, subject.release());
        let origin = Origin { env: plan.env_of(release).name.as_str(), release: release.name.as_str() };
        let forest = &subject.values.forest;
        for layer in &subject.merged.layers {
            let doc = forest.doc(layer.id);
            let pending = self.layers.entry(layer.id).or_insert_with(|| {
                let mut walk = Walk { doc, origin: Some(origin), findings: &mut *findings, pending: Vec::new() };
                walk.values();
                walk.pending
            });
            for waiting in pending {
                if let Some(result) = subject.results.get(&Ref::of(layer.id, waiting.node)) {
                    made(doc, waiting, result, origin, findings);
                }
            }
        }
        for object in subject.files.iter().flat_map(|file| &file.objects) {
            // What a trait makes holds references alone.
            let Some(doc) = object.doc() else { continue };
            let pending = self.manifests.entry(Arc::as_ptr(doc)).or_insert_with(|| {
                let mut walk = Walk { doc, origin: Some(origin), findings: &mut *findings, pending: Vec::new() };
                walk.object();
                walk.pending
            });
            for waiting in pending {
                if let Some(result) = waiting.path.find(&object.value) {
                    made(doc, waiting, result, origin, findings);
                }
            }
        }
    }
}

/// Checks the files that say what there is: the project, environments, profiles and the apps in use.
pub(super) fn check_plan(plan: &Plan, docs: &Docs<'_>, findings: &mut Vec<Diagnostic>) {
    let mut files: FxHashSet<String> = FxHashSet::default();
    let mut look = |path: String| {
        let Some(doc) = (!files.contains(&path)).then(|| docs.one(&path)).flatten() else { return };
        let mut walk = Walk { doc: &doc, origin: None, findings: &mut *findings, pending: Vec::new() };
        walk.file();
        files.insert(path);
    };
    look("hlgen.yaml".into());
    for env in &plan.environments {
        look(format!("environments/{}/environment.yaml", env.name));
        for (dimension, value) in &env.dimensions {
            look(format!("environments/profiles/{dimension}/{value}.yaml"));
        }
    }
    for release in &plan.releases {
        look(format!("{}/app.yaml", release.app.folder));
        if let Some(base) = &release.app.base {
            look(format!("{}/app.yaml", base.folder));
        }
    }
}

/// Judges what a template made. One that reads a name of a secret only follows from where that is set, and one that asks
/// for the name of a Secret refers to it.
fn made(doc: &Doc, waiting: &Pending, result: &Json, origin: Origin<'_>, findings: &mut Vec<Diagnostic>) {
    fn judge(spot: Spot, result: &Json) -> Option<Plain> {
        match result {
            Json::String(text) => spot.text(text),
            Json::Number(_) => spot.number(),
            Json::Array(items) => items.iter().enumerate().find_map(|(at, item)| {
                let before = at.checked_sub(1).and_then(|at| items[at].as_str());
                judge(spot.item(before), item)
            }),
            Json::Object(map) => map.iter().find_map(|(key, value)| {
                judge(spot.key(key, &|field| Some(map.get(field)?.as_str().unwrap_or_default())), value)
            }),
            Json::Null | Json::Bool(_) => None,
        }
    }
    let Some(why) = judge(waiting.spot, result) else { return };
    let text = doc.text(waiting.node);
    let follows = why != Plain::Random && reads(text).iter().any(|read| reads_one(read));
    if follows || text.contains("secret(") || is_harmless(why, &waiting.path) {
        return;
    }
    let found = Found { path: &waiting.path, why, templated: true };
    findings.push(found.finding(doc, waiting.node, Some(origin)));
}

/// Whether a text is only random, where a key says that it is public.
fn is_harmless(why: Plain, path: &Path) -> bool {
    let public = |step: &Step| matches!(step, Step::Key(key) if is_public(key));
    why == Plain::Random && path.0.iter().any(public)
}

/// What is wrong with a scalar.
struct Found<'f> {
    path: &'f Path,
    why: Plain,
    templated: bool,
}

impl Found<'_> {
    fn finding(&self, doc: &Doc, node: NodeId, origin: Option<Origin<'_>>) -> Diagnostic {
        let path = match advice::label(doc, self.path) {
            Some(label) => format!("{}` of `{}", shown(self.path), secret::shown(&label)),
            None => shown(self.path),
        };
        let (code, message) = match self.why {
            Plain::Named => (Code::SecretsPlaintext, format!("`{path}` is a secret in plain text")),
            Plain::Shaped(what) => (Code::SecretsPlaintext, format!("`{path}` holds {what} in plain text")),
            Plain::Random => (Code::SecretsEntropy, format!("`{path}` looks random, as a secret does")),
        };
        let label = if self.templated { "this template makes it" } else { "this value" };
        let finding = Diagnostic::new(code, message).at(doc.span(node), label);
        match self.why {
            Plain::Random => finding.help(
                "if it is a secret, declare it below `secrets:` and refer to it; if not, say so: `# hlgen: allow secrets/entropy -- why`",
            ),
            _ => finding
                .note("whoever reads the repository, or its history, has it: change it where it is valid")
                .help(advice::advice(doc, self.path, origin)),
        }
    }
}

/// A path whose keys may be shown.
fn shown(path: &Path) -> String {
    let steps = path.0.iter().map(|step| match step {
        Step::Key(key) => Step::Key(secret::shown(key).to_owned()),
        index @ Step::Index(_) => index.clone(),
    });
    Path(steps.collect()).to_string()
}

/// A step on the way of a walk.
#[derive(Debug, Clone, Copy)]
enum At<'w> {
    Key(&'w str),
    Index(usize),
}

/// The way as it is named in findings.
fn path_of(way: &[At<'_>]) -> Path {
    let steps = way.iter().map(|at| match at {
        At::Key(key) => Step::Key((*key).to_owned()),
        At::Index(index) => Step::Index(*index),
    });
    Path(steps.collect())
}

/// A walk through one document.
struct Walk<'w> {
    doc: &'w Doc,
    origin: Option<Origin<'w>>,
    findings: &'w mut Vec<Diagnostic>,
    pending: Vec<Pending>,
}

impl<'w> Walk<'w> {
    fn values(&mut self) {
        self.node(self.doc.root(), Spot::root(None), &mut Vec::new());
    }

    fn object(&mut self) {
        let kind = self.doc.get(self.doc.root(), "kind").map(|kind| self.doc.text(kind));
        self.node(self.doc.root(), Spot::root(kind), &mut Vec::new());
    }

    /// One of the four kinds, whose `secrets:` say how secrets are made and hold none.
    fn file(&mut self) {
        let doc = self.doc;
        for entry in doc.entries(doc.root()) {
            let key = doc.text(entry.key);
            let mut path = vec![At::Key(key)];
            match key {
                "secrets" => self.declared(entry.value, &mut path),
                "apps" => {
                    for release in doc.entries(entry.value) {
                        path.push(At::Key(doc.text(release.key)));
                        for field in doc.entries(release.value) {
                            path.push(At::Key(doc.text(field.key)));
                            if doc.text(field.key) == "secrets" {
                                self.declared(field.value, &mut path);
                            } else {
                                self.below(release.value, field.key, field.value, Spot::root(None), &mut path);
                            }
                            path.pop();
                        }
                        path.pop();
                    }
                }
                _ => self.below(doc.root(), entry.key, entry.value, Spot::root(None), &mut path),
            }
        }
    }

    /// `secrets:` of an app or a release: a `literal` is a text that is no secret.
    fn declared(&mut self, list: NodeId, path: &mut Vec<At<'w>>) {
        let doc = self.doc;
        for (index, item) in doc.items(list).iter().enumerate() {
            for key in doc.get(*item, "keys").map(|keys| doc.entries(keys)).unwrap_or_default() {
                let Some(literal) = doc.get(key.value, "literal") else { continue };
                let name = doc.text(key.key);
                let spot = Spot::root(None).key(name, &|_| None);
                let depth = path.len();
                path.extend([At::Index(index), At::Key("keys"), At::Key(name), At::Key("literal")]);
                self.node(literal, spot, path);
                path.truncate(depth);
            }
        }
    }

    fn below(&mut self, map: NodeId, key: NodeId, value: NodeId, spot: Spot, path: &mut Vec<At<'w>>) {
        let doc = self.doc;
        let text_of = |field: &str| doc.get(map, field).map(|node| doc.text(node));
        let spot = spot.key(doc.text(key), &text_of);
        self.node(value, spot, path);
    }

    fn node(&mut self, node: NodeId, spot: Spot, path: &mut Vec<At<'w>>) {
        let doc = self.doc;
        match doc.kind(node) {
            Kind::Map => {
                for entry in doc.entries(node) {
                    path.push(At::Key(doc.text(entry.key)));
                    self.below(node, entry.key, entry.value, spot, path);
                    path.pop();
                }
            }
            Kind::Seq => {
                let items = doc.items(node);
                for (index, item) in items.iter().enumerate() {
                    let before = index.checked_sub(1).map(|at| items[at]);
                    let before = before.filter(|node| doc.kind(*node) == Kind::Str).map(|node| doc.text(node));
                    path.push(At::Index(index));
                    self.node(*item, spot.item(before), path);
                    path.pop();
                }
            }
            Kind::Str if doc.templated(node) => self.pending.push(Pending { node, spot, path: path_of(path) }),
            Kind::Str => self.found(node, spot.text(doc.text(node)), path),
            Kind::Int | Kind::Float => self.found(node, spot.number(), path),
            Kind::Null | Kind::Bool(_) => {}
        }
    }

    fn found(&mut self, node: NodeId, why: Option<Plain>, way: &[At<'w>]) {
        let Some(why) = why else { return };
        let path = path_of(way);
        if !is_harmless(why, &path) {
            let found = Found { path: &path, why, templated: false };
            self.findings.push(found.finding(self.doc, node, self.origin));
        }
    }
}
