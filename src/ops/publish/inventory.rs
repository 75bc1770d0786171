//! The Applications that a set of rendered files stands for: what a branch has, and what it is to get.
//!
//! The branch is somebody else's state, so there is no plan of it; its ApplicationSets are read back and expanded as
//! Argo CD would. Both sides go the same way, so that a difference is a difference.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::argocd::expand::expand;
use crate::argocd::types::{Application, ApplicationSet};
use crate::diag::FileId;
use crate::io::git::commit::Files;
use crate::merge::{Forest, Ref};
use crate::render::NAMESPACES;
use crate::schema::read;
use crate::yaml::{self, Limits};

/// A release in an environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReleaseId {
    pub environment: String,
    pub release: String,
}

impl std::fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.environment, self.release)
    }
}

/// An Application as far as it says what a release is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub id: ReleaseId,
    pub cluster: String,
    pub app: String,
    pub version: String,
    pub application: Application,
}

impl Entry {
    /// What is installed where, whatever it is called: the same app in the same namespace, or a chart under the same
    /// name of Helm's, which is the same objects. A common chart alone says nothing, since many apps share one.
    pub(super) fn is_same_thing(&self, other: &Self) -> bool {
        let (spec, others) = (&self.application.spec, &other.application.spec);
        let is_same_place = self.cluster == other.cluster && spec.destination.namespace == others.destination.namespace;
        let helm_name = |entry: &Self| {
            let mut sources = entry.application.spec.all_sources();
            sources.find_map(|source| Some(source.helm.as_ref()?.release_name.clone())).filter(|name| !name.is_empty())
        };
        is_same_place && (self.app == other.app || helm_name(self).is_some_and(|name| helm_name(other) == Some(name)))
    }
}

/// All Applications, by instance and name.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    pub entries: BTreeMap<(String, String), Entry>,
    /// Files that cannot be read back; whoever edited them by hand broke them.
    pub unreadable: Vec<String>,
}

/// Whether a rendered file is an `ApplicationSet`.
pub(super) fn is_set(path: &str) -> bool {
    matches!(path.split('/').collect::<Vec<_>>().as_slice(), ["argocd", _, "applicationsets", _])
}

/// Reads the ApplicationSets among `files`.
pub(super) fn inventory(files: &Files) -> Inventory {
    let mut all = Inventory::default();
    for (path, content) in files.iter().filter(|(path, _)| is_set(path)) {
        let instance = path.split('/').nth(1).unwrap_or_default();
        let Some(entries) = entries(content) else {
            all.unreadable.push(path.clone());
            continue;
        };
        for entry in entries {
            all.entries.insert((instance.to_owned(), entry.application.metadata.name.clone()), entry);
        }
    }
    all
}

fn entries(content: &[u8]) -> Option<Vec<Entry>> {
    let text: Arc<str> = std::str::from_utf8(content).ok()?.into();
    let mut findings = Vec::new();
    let doc = yaml::parse(&text, FileId(0), &Limits::default(), &mut findings).into_iter().next()?;
    let mut forest = Forest::new();
    let doc = Arc::new(doc);
    let root = doc.root();
    let layer = forest.add(doc);
    let set: ApplicationSet = read(&forest, Ref::of(layer, root), &[]).ok()?;
    let versions: Vec<String> = set
        .spec
        .elements()
        .map(|element| element.get("version").and_then(|version| version.as_str()).unwrap_or_default().to_owned())
        .collect();
    let applications = expand(&set).ok()?;
    let label = |application: &Application, name: &str| {
        application.metadata.labels.get(&format!("hlgen.dev/{name}")).cloned().unwrap_or_default()
    };
    let all = applications.into_iter().zip(versions).map(|(application, version)| Entry {
        id: ReleaseId { environment: label(&application, "environment"), release: label(&application, "release") },
        cluster: label(&application, "cluster"),
        app: label(&application, "app"),
        version,
        application,
    });
    // A cluster's namespaces are no release.
    Some(all.filter(|entry| entry.id.release != NAMESPACES).collect())
}
