//! Which apps there are, and what each is once its base (`from:`) is merged in.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::release::Overlay;
use crate::diag::{Code, Diagnostic, Span, nearest};
use crate::merge::{Forest, Path, Ref, Step};
use crate::model::{App, AppName, Release, is_dns_label};
use crate::schema;
use crate::schema::kinds::Kinds;
use crate::source::Source;
use crate::source::docs::Docs;
use crate::yaml::{Doc, NodeId};

/// The file that makes a folder an app.
const FILE: &str = "app.yaml";

/// A catalog entry.
#[derive(Debug)]
pub struct AppDef {
    pub name: AppName,
    /// `catalog/<app>`.
    pub folder: String,
    /// From the binary, not from the repository.
    pub builtin: bool,
    /// The app whose chart, version, schema and values are shared.
    pub base: Option<Arc<AppDef>>,
    /// `app.yaml`, merged over the base's, as a release that overlays nothing.
    pub spec: Arc<Release>,
    pub(super) forest: Forest,
    pub(super) root: Ref,
}

impl AppDef {
    /// The place of a field in `app.yaml` (or of its nearest parent that is written there).
    pub fn span(&self, path: &[&str]) -> Span {
        let path = Path(path.iter().map(|key| Step::Key((*key).to_owned())).collect());
        self.forest.key_span_at(self.root, &path)
    }

    /// The document and node of a field, if it is written.
    pub fn node(&self, path: &Path) -> Option<(&Arc<Doc>, NodeId)> {
        let (layer, node) = self.forest.origin(self.forest.at(self.root, path)?);
        Some((self.forest.doc(layer), node))
    }

    /// Whether a field is written in `app.yaml` or its base's.
    pub fn has(&self, path: &[&str]) -> bool {
        let path = Path(path.iter().map(|key| Step::Key((*key).to_owned())).collect());
        self.forest.at(self.root, &path).is_some()
    }
}

/// The apps of a repository and of the binary, loaded when first asked for.
pub struct Catalog<'s> {
    docs: &'s Docs<'s>,
    kinds: &'s Kinds,
    loaded: FxHashMap<String, Option<Arc<AppDef>>>,
    /// The specs of releases whose entries set the same few fields of one app.
    pub(super) specs: FxHashMap<(AppName, Overlay), Arc<Release>>,
}

impl<'s> Catalog<'s> {
    pub fn new(docs: &'s Docs<'s>, kinds: &'s Kinds) -> Self {
        Self { docs, kinds, loaded: FxHashMap::default(), specs: FxHashMap::default() }
    }

    /// Every app that has a folder, in the repository or built in. Looked up for messages alone, so that what is made of
    /// one app does not depend on which others there are.
    pub fn names(&self) -> BTreeSet<String> {
        let files = self.docs.source.every("catalog", FILE);
        files.iter().filter_map(|path| Some(path.strip_prefix("catalog/")?.split_once('/')?.0.to_owned())).collect()
    }

    /// Whether there is an app of a name.
    fn has(&self, name: &str) -> bool {
        self.docs.exists(&format!("catalog/{name}/{FILE}"))
    }

    /// Loads an app. `used_at` is where it is named; findings say what is wrong with the name or the entry.
    pub fn load(&mut self, name: &str, used_at: Span, findings: &mut Vec<Diagnostic>) -> Option<Arc<AppDef>> {
        if let Some(loaded) = self.loaded.get(name) {
            return loaded.clone();
        }
        if !self.has(name) {
            findings.push(self.unknown(name, "or name the app with `app:`").at(used_at, "named here"));
            return None;
        }
        self.load_entry(name, false, findings)
    }

    /// Loads an app that somebody named on the command line.
    pub fn find(&mut self, name: &str, findings: &mut Vec<Diagnostic>) -> Option<Arc<AppDef>> {
        if !is_dns_label(name) || !self.has(name) {
            findings.push(self.unknown(name, "or name another one: docs/catalog.md lists them"));
            return None;
        }
        self.load_entry(name, false, findings)
    }

    fn unknown(&self, name: &str, or: &str) -> Diagnostic {
        let finding = Diagnostic::new(Code::RefUnknownApp, format!("there is no app `{name}` in the catalog"));
        match nearest(name, self.names().iter().map(String::as_str)) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help(format!("add `catalog/{name}/app.yaml`, {or}")),
        }
    }

    /// Loads every app of the repository's own catalog, so that mistakes in unused ones are found too.
    pub fn load_own(&mut self, findings: &mut Vec<Diagnostic>) {
        for name in self.names() {
            let path = format!("catalog/{name}/app.yaml");
            if !is_builtin(self.docs.source, &path) {
                self.load_entry(&name, false, findings);
            }
        }
    }

    /// Whether the repository has a file.
    pub fn has_file(&self, path: &str) -> bool {
        self.docs.source.read(path).is_ok_and(|found| found.is_some())
    }

    /// The apps that provide a capability, by reading the whole catalog; for the help of a finding.
    pub fn providers(&mut self, capability: &str) -> Vec<String> {
        let mut ignored = Vec::new();
        self.names()
            .into_iter()
            .filter(|name| {
                self.load_entry(name, false, &mut ignored).is_some_and(|app| app.spec.provides.contains_key(capability))
            })
            .collect()
    }

    fn load_entry(&mut self, name: &str, as_base: bool, findings: &mut Vec<Diagnostic>) -> Option<Arc<AppDef>> {
        if let Some(loaded) = self.loaded.get(name) {
            return loaded.clone();
        }
        // A base that refers to itself finds this and stops.
        self.loaded.insert(name.to_owned(), None);
        let app = self.read(name, as_base, findings).map(Arc::new);
        self.loaded.insert(name.to_owned(), app.clone());
        app
    }

    fn read(&mut self, name: &str, as_base: bool, findings: &mut Vec<Diagnostic>) -> Option<AppDef> {
        let folder = format!("catalog/{name}");
        let path = format!("{folder}/app.yaml");
        let doc = self.docs.one(&path)?;
        let own: App = self.kinds.read(&doc, "app", findings)?;
        let mut forest = Forest::new();
        let layer = forest.add(Arc::clone(&doc));
        let own_root = Ref::of(layer, doc.root());
        let app_name: AppName = match name.parse() {
            Ok(name) => name,
            Err(reason) => {
                findings.push(Diagnostic::new(Code::KindName, reason).at(forest.span(own_root), "the folder's name"));
                return None;
            }
        };
        let mut base = None;
        let mut root = own_root;
        if let Some(from) = &own.from {
            let at = forest.key_span_at(own_root, &Path(vec![Step::Key("from".into())]));
            base = self.base(name, from, as_base, at, findings);
            let base_app = base.as_ref()?;
            let base_doc = Arc::clone(base_app.forest.doc(base_app.forest.origin(base_app.root).0));
            let mut merged = Forest::new();
            let under = merged.add(base_doc);
            let under = Ref::of(under, merged.doc(under).root());
            let over = merged.add(Arc::clone(&doc));
            root = merged.overlay(Some(under), over, doc.root(), findings)?;
            forest = merged;
        }
        let spec = match schema::read::<Release>(&forest, root, &["apiVersion", "kind"]) {
            Ok(spec) => spec,
            Err(reason) => {
                findings.push(Diagnostic::new(Code::KindField, reason).at(forest.span(root), "in this app"));
                return None;
            }
        };
        let builtin = is_builtin(self.docs.source, &path);
        Some(AppDef { name: app_name, folder, builtin, base, spec: Arc::new(spec), forest, root })
    }

    fn base(
        &mut self,
        name: &str,
        from: &AppName,
        as_base: bool,
        at: Span,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Arc<AppDef>> {
        let refuse = |findings: &mut Vec<Diagnostic>, reason: String| {
            findings.push(Diagnostic::new(Code::RefFrom, reason).at(at, "taken as the base here"));
            None
        };
        if as_base || from.as_str() == name {
            return refuse(findings, format!("`{name}` is itself a base (`from:`), bases have no base of their own"));
        }
        if !self.has(from.as_str()) {
            return self.load(from.as_str(), at, findings);
        }
        let base = self.load_entry(from.as_str(), true, findings)?;
        if base.base.is_some() {
            return refuse(findings, format!("`{from}` has a base itself, bases have no base of their own"));
        }
        Some(base)
    }
}

fn is_builtin(source: &dyn Source, path: &str) -> bool {
    source.display(path).starts_with("builtin:")
}
