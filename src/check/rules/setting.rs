//! The values that an app's `paths:` lead to: what they are, where they are set, and where a person would set them.

use serde_json::Value as Json;

use super::Subject;
use crate::check::values::coalesce;
use crate::diag::{Code, Diagnostic, Span};
use crate::merge::Path;
use crate::model::ValuePaths;
use crate::plan::values::{Evaluated, Node};

/// A value of the release, over the chart's default where that is known.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub path: Path,
    /// Null where it is set to null, or where nobody sets it and no default is known.
    pub value: Json,
}

impl Subject<'_> {
    /// For each path of a name in the app's `paths:` what it leads to; at least one setting for each path, which is null
    /// where there is none. Nothing where the app has no such path.
    pub(super) fn settings(&self, name: &str) -> Vec<(Path, Vec<Setting>)> {
        let paths = self.release().spec.paths.get(name).map(ValuePaths::as_slice).unwrap_or_default();
        // A path that cannot be read is a finding of its own.
        let paths = paths.iter().filter_map(|path| Path::parse(path).ok());
        paths.map(|path| (path.clone(), self.at(&path))).collect()
    }

    fn at(&self, pattern: &Path) -> Vec<Setting> {
        let tree = self.tree();
        let set = self.merged.root.map(|root| tree.each(tree.resolve(root), pattern)).unwrap_or_default();
        let defaults = self.schema.and_then(|schema| schema.defaults()).map(Node::Result);
        let defaults = defaults.map(|defaults| tree.each(defaults, pattern)).unwrap_or_default();
        let default = |path: &Path| defaults.iter().find(|(known, _)| known == path).map(|(_, node)| tree.json(*node));
        let mut settings: Vec<Setting> = Vec::new();
        for (path, node) in set {
            let value = tree.json(node);
            let value = match default(&path) {
                Some(default) if !value.is_null() => coalesce(&default, value),
                _ => value,
            };
            settings.push(Setting { path, value });
        }
        for (path, node) in &defaults {
            if !settings.iter().any(|setting| setting.path == *path) {
                settings.push(Setting { path: path.clone(), value: tree.json(*node) });
            }
        }
        if settings.is_empty() {
            settings.push(Setting { path: pattern.clone(), value: Json::Null });
        }
        settings
    }

    /// The scalar beside a value: the `protocol` of `ports.web.nodePort`.
    pub(super) fn beside(&self, path: &Path, key: &str) -> Option<Json> {
        let mut path = Path(path.0.split_last()?.1.to_vec());
        path.push_key(key);
        let tree = self.tree();
        tree.at(self.merged.root?, &path).map(|node| tree.json(node))
    }

    fn tree(&self) -> Evaluated<'_> {
        Evaluated { forest: &self.values.forest, results: self.results }
    }

    /// Where a value is set, and whether a template made it; `None` where no layer sets it.
    pub(super) fn place(&self, path: &Path) -> Option<(Span, bool)> {
        let (forest, root) = (&self.values.forest, self.merged.root?);
        let (node, depth) = forest.nearest(root, path);
        let templated = self.results.contains_key(&node);
        (templated || depth == path.0.len()).then(|| (forest.span(node), templated))
    }

    /// A finding about the value at a path of `paths.<name>`: at the line that sets it. Where no file of the project's
    /// own sets it, at the release's entry in its environment, which is the line that can be edited.
    pub(super) fn finding(&self, code: Code, message: String, name: &str, path: &Path) -> Diagnostic {
        let finding = Diagnostic::new(code, message);
        let env = self.plan.env_of(self.release());
        let entry = || self.release().entry_span(env);
        match self.place(path) {
            Some((span, true)) if !self.is_builtin(span) => {
                finding.at(span, format!("{}, from this template", self.label()))
            }
            Some((span, false)) if !self.is_builtin(span) => finding.at(span, self.label()),
            Some((span, _)) => finding.at(entry(), self.label()).at(span, "set here"),
            None => {
                let paths = self.release().span(env, &["paths", name]);
                finding.at(entry(), self.label()).at(paths, "not set at this path")
            }
        }
    }

    /// Whether a place is in the built-in catalog, where nobody can answer a finding.
    pub(super) fn is_builtin(&self, span: Span) -> bool {
        self.docs.sources.file(span.file).path.starts_with("builtin:")
    }
}
