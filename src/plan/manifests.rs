//! Extra manifests of a release: the app's files and the environment's, evaluated document by document.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Plan;
use super::values::{AppValues, Evaluated};
use crate::diag::{Code, Diagnostic, Span};
use crate::merge::{Path, Ref, Step};
use crate::model::ManifestEntry;
use crate::source::docs::Docs;
use crate::template::{OPEN, Scope, value_of};
use crate::yaml::{Doc, Kind, NodeId};

/// Objects a release may have on a cluster: `each` multiplies documents.
const OBJECT_LIMIT: usize = 10_000;

/// One file of manifests.
#[derive(Debug, Clone)]
pub struct ManifestFile {
    /// Path below the release's `manifests/`.
    pub path: String,
    pub objects: Vec<Object>,
}

/// One Kubernetes object and where it was written.
#[derive(Debug, Clone)]
pub struct Object {
    pub value: Json,
    origin: Origin,
}

/// Where an object was written.
#[derive(Debug, Clone)]
enum Origin {
    Doc(Arc<Doc>),
    /// By a field that asks for it.
    Field(Span),
}

impl Object {
    /// An object that a field at `span` asks for.
    pub fn made(value: Json, span: Span) -> Self {
        Self { value, origin: Origin::Field(span) }
    }

    /// Every template in it with what came of it.
    pub fn templates(&self) -> Vec<(&str, &Json)> {
        fn walk<'o>(doc: &'o Doc, node: NodeId, value: &'o Json, found: &mut Vec<(&'o str, &'o Json)>) {
            if !doc.templated(node) {
                return;
            }
            match doc.kind(node) {
                Kind::Map => {
                    for entry in doc.entries(node) {
                        if let Some(value) = value.get(doc.text(entry.key)) {
                            walk(doc, entry.value, value, found);
                        }
                    }
                }
                Kind::Seq => {
                    for (item, value) in doc.items(node).iter().zip(value.as_array().into_iter().flatten()) {
                        walk(doc, *item, value, found);
                    }
                }
                _ => found.push((doc.text(node), value)),
            }
        }
        let mut found = Vec::new();
        if let Origin::Doc(doc) = &self.origin {
            walk(doc, doc.root(), &self.value, &mut found);
        }
        found
    }

    /// The document it was written in, unless a field asks for it.
    pub fn doc(&self) -> Option<&Arc<Doc>> {
        match &self.origin {
            Origin::Doc(doc) => Some(doc),
            Origin::Field(_) => None,
        }
    }

    /// The place of the value at a path, or of the nearest one above it.
    pub fn value_span(&self, path: &Path) -> Span {
        let Some(doc) = self.doc() else { return self.span(&[]) };
        let mut node = doc.root();
        for step in &path.0 {
            let next = match step {
                Step::Key(key) => doc.get(node, key),
                Step::Index(index) => doc.items(node).get(*index).copied(),
            };
            let Some(next) = next else { break };
            node = next;
        }
        doc.span(node)
    }

    /// The place of a field, or of its nearest parent that is written; of the object's first key without one.
    pub fn span(&self, path: &[&str]) -> Span {
        let doc = match &self.origin {
            Origin::Doc(doc) => doc,
            Origin::Field(span) => return *span,
        };
        let root = doc.root();
        let mut span = doc.entries(root).first().map_or_else(|| doc.span(root), |entry| doc.span(entry.key));
        let mut node = root;
        for key in path {
            let Some(entry) = doc.entry(node, key) else { break };
            span = doc.span(entry.key);
            node = entry.value;
        }
        span
    }
}

/// Where a manifest comes from and under which conditions.
#[derive(Debug)]
struct Wanted {
    /// Path in the repository.
    source: String,
    entry: Option<ManifestEntry>,
}

impl AppValues<'_> {
    /// Whether a release may have manifests at all.
    pub fn has_manifests(&self, plan: &Plan, docs: &Docs<'_>, number: usize) -> bool {
        !wanted(plan, docs, number).is_empty()
    }

    /// The manifests of a release on a cluster. `scope` has the values.
    pub fn manifests(
        &mut self,
        plan: &Plan,
        docs: &Docs<'_>,
        number: usize,
        scope: &Scope,
        place: &str,
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<ManifestFile> {
        let mut files = Vec::new();
        let mut room = OBJECT_LIMIT;
        for (path, wanted) in wanted(plan, docs, number) {
            let release = &plan.releases[number];
            let entry_span = || release.span(plan.env_of(release), &["manifests"]);
            let Some(parsed) = docs.all(&wanted.source) else {
                if docs.source.read(&wanted.source).is_ok_and(|found| found.is_none()) {
                    let message = format!("there is no manifest `{}`", wanted.source);
                    let finding = Diagnostic::new(Code::FileMissing, message).at(entry_span(), "listed here");
                    findings
                        .push(finding.help("a path counts from the app's folder, for example `manifests/rule.yaml`"));
                }
                continue;
            };
            let mut objects = Vec::new();
            for item in Self::items(plan, &wanted, scope, entry_span, findings) {
                let scope = Arc::new(Scope { item, ..scope.clone() });
                for doc in parsed.iter() {
                    if room == 0 {
                        let message = format!("`{}` makes more than {OBJECT_LIMIT} objects", wanted.source);
                        let finding = Diagnostic::new(Code::TemplateLimit, message).at(entry_span(), "in this list");
                        findings.push(finding.help("shorten the list of `each`, or split the app"));
                        return Vec::new();
                    }
                    room -= 1;
                    objects.extend(self.object(doc, &scope, place, findings));
                }
            }
            if !objects.is_empty() {
                files.push(ManifestFile { path, objects });
            }
        }
        files
    }

    /// The items of `each` (one without a value where there is no `each`), or none where `when` says no.
    fn items(
        plan: &Plan,
        wanted: &Wanted,
        scope: &Scope,
        at: impl Fn() -> Span,
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<Option<crate::template::Value>> {
        let scope = Arc::new(scope.clone());
        let mut evaluate = |expression: &str, field: &str| {
            let compiled = plan.engine.compile_expression(expression);
            match compiled.and_then(|compiled| plan.engine.evaluate(&compiled, expression, &scope)) {
                Ok(value) => Some(value),
                Err(error) => {
                    let mut finding =
                        Diagnostic::new(error.code, format!("`{field}: {expression}`: {}", error.message))
                            .at(at(), "in this list");
                    finding.help = error.help;
                    findings.push(finding);
                    None
                }
            }
        };
        let entry = wanted.entry.as_ref();
        if let Some(when) = entry.and_then(|entry| entry.when.as_deref()) {
            match evaluate(when, "when") {
                Some(Json::Null | Json::Bool(false)) | None => return Vec::new(),
                Some(_) => {}
            }
        }
        let Some(each) = entry.and_then(|entry| entry.each.as_deref()) else { return vec![None] };
        match evaluate(each, "each") {
            Some(Json::Array(items)) => items.into_iter().map(|item| Some(value_of(&item))).collect(),
            Some(_) => {
                let finding = Diagnostic::new(Code::TemplateFailed, format!("`each: {each}` gives no list"));
                findings.push(finding.at(at(), "in this list"));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn object(
        &mut self,
        doc: &Arc<Doc>,
        scope: &Arc<Scope>,
        place: &str,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Object> {
        if doc.kind(doc.root()) == Kind::Null {
            return None;
        }
        let (layer, new) = self.layer(doc);
        let root = Ref::of(layer, doc.root());
        if new {
            foreign_templates(doc, findings);
        }
        let before = findings.len();
        let results = self.evaluate(root, scope, place, findings);
        if findings.len() > before {
            return None;
        }
        let value = Evaluated { forest: &self.forest, results: &results }.to_json(root);
        Some(Object { value, origin: Origin::Doc(Arc::clone(doc)) })
    }
}

/// The manifests a release may have, by their path below `manifests/`: the app's, then the environment's, which
/// replace those of the same name.
fn wanted(plan: &Plan, docs: &Docs<'_>, number: usize) -> BTreeMap<String, Wanted> {
    let release = &plan.releases[number];
    let mut wanted = BTreeMap::new();
    let folder = format!("{}/", release.app.folder);
    let below = |path: &str| path.strip_prefix("manifests/").unwrap_or(path).to_owned();
    match &release.spec.manifests {
        Some(entries) => {
            for entry in entries {
                let source = format!("{folder}{}", entry.path);
                wanted.insert(below(&entry.path), Wanted { source, entry: Some(entry.clone()) });
            }
        }
        None => {
            for source in docs.source.list(&format!("{folder}manifests")).into_iter().filter(|path| is_yaml(path)) {
                let path = below(source.strip_prefix(&folder).unwrap_or(&source));
                wanted.insert(path, Wanted { source, entry: None });
            }
        }
    }
    let own = format!("environments/{}/manifests/{}/", plan.env_of(release).name, release.app.name);
    for source in docs.source.list(own.trim_end_matches('/')).into_iter().filter(|path| is_yaml(path)) {
        let path = source.strip_prefix(&own).unwrap_or(&source).to_owned();
        // A replaced file keeps the conditions of the one it replaces.
        let entry = wanted.remove(&path).and_then(|replaced| replaced.entry);
        wanted.insert(path, Wanted { source, entry });
    }
    wanted
}

fn is_yaml(path: &str) -> bool {
    [".yaml", ".yml"].iter().any(|ending| path.ends_with(ending))
}

/// Text that looks like Helm's templates does nothing in a manifest of hlgen's.
fn foreign_templates(doc: &Doc, findings: &mut Vec<Diagnostic>) {
    const HELM: &[&str] = &[".Values", ".Release", ".Chart", "include ", "template ", "toYaml ", "tpl "];
    let text = doc.file_text();
    for (at, _) in text.match_indices("{{") {
        if text[..at].ends_with('$') && text[at - 1..].starts_with(OPEN) {
            continue;
        }
        let inner = text[at + 2..].trim_start_matches('-').trim_start();
        if HELM.iter().any(|word| inner.starts_with(word)) {
            let end = text[at..].find("}}").map_or(at + 2, |end| at + end + 2);
            let finding =
                Diagnostic::new(Code::TemplateForeign, "this looks like a Helm template, which nobody evaluates here")
                    .at(Span::new(doc.file(), at, end), "stays as it is");
            findings.push(finding.help("in manifests of hlgen's, templates are written `${{ ... }}`"));
        }
    }
}
