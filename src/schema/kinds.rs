//! Files against the schema of their kind.
//!
//! The fast path is serde: a file that deserialises strictly is right. Only a file that does not is validated, so that
//! every mistake in it is shown at its line.

use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;

use super::json::{Mismatch, Schema, Violation};
use crate::diag::{Code, Diagnostic, nearest};
use crate::merge::{Forest, Path, Ref, Step};
use crate::model::{self, API_VERSION};
use crate::yaml::{Doc, Kind};

/// The schemas of the kinds, compiled when first needed.
#[derive(Debug, Default)]
pub struct Kinds {
    project: OnceLock<Option<Schema>>,
    app: OnceLock<Option<Schema>>,
    environment: OnceLock<Option<Schema>>,
    profile: OnceLock<Option<Schema>>,
}

impl Kinds {
    /// Reads a document as a kind (`project`, `app`, `environment`, `profile`); findings say what does not fit.
    pub fn read<T: DeserializeOwned>(&self, doc: &Arc<Doc>, kind: &str, findings: &mut Vec<Diagnostic>) -> Option<T> {
        let mut forest = Forest::new();
        let layer = forest.add(Arc::clone(doc));
        let root = Ref::of(layer, doc.root());
        if !header(doc, kind, findings) {
            return None;
        }
        match super::read::<T>(&forest, root, &[]) {
            Ok(value) => Some(value),
            Err(reason) => {
                let before = findings.len();
                self.explain(&forest, root, kind, findings);
                if findings.len() == before {
                    let finding = Diagnostic::new(Code::KindField, reason);
                    findings.push(finding.at(forest.span(root), format!("in this {kind}")));
                }
                None
            }
        }
    }

    fn explain(&self, forest: &Forest, root: Ref, kind: &str, findings: &mut Vec<Diagnostic>) {
        let slot = match kind {
            "project" => &self.project,
            "app" => &self.app,
            "environment" => &self.environment,
            _ => &self.profile,
        };
        let schema = slot.get_or_init(|| model::schema_of(kind).and_then(|schema| Schema::compile(schema).ok()));
        let Some(schema) = schema else { return };
        let violations = schema.violations(&forest.to_json(root));
        for violation in violations.iter().filter(|violation| !is_left_empty(forest, root, violation)) {
            findings.push(finding(forest, root, violation));
        }
    }
}

/// Whether a violation is about a key without a value (`vars:` with all lines below it commented out) where a map or a
/// list belongs: that is as if the key were not there, for serde too.
fn is_left_empty(forest: &Forest, root: Ref, violation: &Violation) -> bool {
    let Mismatch::Value { demand, .. } = &violation.what else { return false };
    let empty = ["takes a map,", "takes a list,"].iter().any(|start| demand.starts_with(start));
    empty && forest.at(root, &violation.path).is_some_and(|node| forest.kind(node) == Kind::Null)
}

fn header(doc: &Doc, kind: &str, findings: &mut Vec<Diagnostic>) -> bool {
    let mut title = kind.to_owned();
    title[..1].make_ascii_uppercase();
    let root = doc.root();
    let header = format!("apiVersion: {API_VERSION}\nkind: {title}");
    if doc.kind(root) != Kind::Map {
        let finding = Diagnostic::new(Code::KindHeader, format!("this file is no {title}: it is not a map"));
        findings.push(finding.at(doc.span(root), "a map is expected").help(format!("begin it with\n{header}")));
        return false;
    }
    let mut right = true;
    for (key, expected) in [("apiVersion", API_VERSION), ("kind", title.as_str())] {
        match doc.get(root, key) {
            Some(value) if doc.text(value) == expected => {}
            Some(value) => {
                let finding = Diagnostic::new(Code::KindHeader, format!("`{key}` is not `{expected}`"));
                findings.push(finding.at(doc.span(value), format!("`{expected}` is expected in this file")));
                right = false;
            }
            None => {
                let finding = Diagnostic::new(Code::KindHeader, format!("`{key}` is missing"));
                let first = doc.entries(root).first().map_or(root, |entry| entry.key);
                let finding = finding.at(doc.span(first), format!("`{key}: {expected}` is expected above"));
                findings.push(finding.help(format!("begin the file with\n{header}")));
                right = false;
            }
        }
    }
    right
}

fn finding(forest: &Forest, root: Ref, violation: &Violation) -> Diagnostic {
    let path = &violation.path;
    match &violation.what {
        Mismatch::UnknownKey { key, known } => {
            let mut full = path.clone();
            full.0.push(Step::Key(key.clone()));
            if let ([Step::Key(map)], Err(reason)) = (path.0.as_slice(), key.parse::<model::ReleaseName>())
                && map == "apps"
            {
                return Diagnostic::new(Code::KindName, reason)
                    .at(forest.key_span_at(root, &full), "a release's name")
                    .help("`app:` below it says which app it is, so the name is free");
            }
            let finding = Diagnostic::new(Code::KindUnknownField, format!("there is no field `{full}`"))
                .at(forest.key_span_at(root, &full), "not a field of this kind");
            match nearest(key, known.iter().map(String::as_str)) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => {
                    let known: Vec<String> = known.iter().map(|key| format!("`{key}`")).collect();
                    finding.help(format!("known here: {}", known.join(", ")))
                }
            }
        }
        Mismatch::Missing { key } => {
            Diagnostic::new(Code::KindMissingField, format!("`{}` is missing", join(path, key)))
                .at(forest.key_span_at(root, path), format!("needs a `{key}`"))
        }
        Mismatch::Value { demand, choices } => {
            let (node, _) = forest.nearest(root, path);
            let pattern = demand.strip_prefix("does not match the pattern `").and_then(|rest| rest.strip_suffix('`'));
            let demand = pattern.and_then(model::pattern_in_words).unwrap_or(demand);
            let finding =
                Diagnostic::new(Code::KindField, format!("`{path}` {demand}")).at(forest.span(node), "this value");
            match nearest(forest.text(node), choices.iter().map(String::as_str)) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            }
        }
    }
}

pub(super) fn join(path: &Path, key: &str) -> Path {
    let mut path = path.clone();
    path.0.push(Step::Key(key.to_owned()));
    path
}
