//! The result of a comparison: plain data, ready for every format, free of secrets.

use serde::Serialize;
use serde_json::Value as Json;

/// Everything that differs between two sides.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    pub base: SideInfo,
    pub head: SideInfo,
    pub counts: Counts,
    /// What a reviewer must not overlook, worst first.
    pub cautions: Vec<Caution>,
    /// What is wrong with the head: refused releases are compared all the same.
    pub findings: Vec<Finding>,
    /// Releases that vanish from a cluster, and what becomes of what they installed.
    pub removals: Vec<Removal>,
    /// One entry for each app with a change, by name.
    pub apps: Vec<AppChange>,
    /// ApplicationSets that come, go, or reach other clusters.
    pub sets: Vec<SetChange>,
    /// Everything around releases: environments, clusters, namespaces, projects, capabilities, Argo CD instances.
    pub items: Vec<ItemChange>,
}

impl Changes {
    /// Whether the two sides mean the same. A broken side never does.
    pub fn is_empty(&self) -> bool {
        self.apps.is_empty()
            && self.sets.is_empty()
            && self.items.is_empty()
            && self.base.broken.is_empty()
            && self.head.broken.is_empty()
    }

    /// Whether a side could not be computed, so that nothing (or not everything) was compared.
    pub fn is_broken(&self) -> bool {
        !self.base.broken.is_empty() || !self.head.broken.is_empty()
    }
}

/// One side, for the head line.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SideInfo {
    /// A branch, a commit, `working tree`, an environment.
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    pub releases: usize,
    /// Why it cannot be computed; then nothing is compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<Finding>,
}

/// How much changed, for the summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Releases, each once per environment.
    pub added: usize,
    pub removed: usize,
    pub renamed: usize,
    pub changed: usize,
    /// Releases of the head that cannot be computed.
    pub broken: usize,
    /// Applications that come and go.
    pub applications_added: usize,
    pub applications_removed: usize,
    /// Objects that a prune deletes from releases that stay.
    pub pruned: usize,
}

/// A finding with its secrets masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// `values/schema`.
    pub code: String,
    /// `error`, `warning`, `note`.
    pub level: String,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A place in a file of one side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// As people see it; `builtin:...` for what is in the binary.
    pub file: String,
    pub line: usize,
    pub column: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How dangerous a caution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Something is deleted or taken over that nobody can bring back.
    Danger,
    Warning,
}

/// What a caution is about; the bot and checks decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CautionKind {
    /// A release goes in a prod environment.
    RemovedInProd,
    /// A release goes and takes what it installed with it.
    Removed,
    /// A release (or its Application) gets another name, so what it installed is made anew.
    Renamed,
    /// A release moves to another namespace or Helm name.
    Moved,
    Downgrade,
    MajorUpgrade,
    /// CRDs come, change or go.
    Crds,
    /// Rights over a whole cluster.
    ClusterRights,
    /// Objects are pruned from a release that stays.
    Pruned,
    /// A whole environment, cluster or Argo CD instance goes.
    PlaceRemoved,
}

/// One thing a reviewer must not overlook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Caution {
    pub weight: Weight,
    pub kind: CautionKind,
    pub message: String,
    /// `cluster/release`, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<String>,
}

/// What happens to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Added,
    Removed,
    Renamed,
    Changed,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
            Self::Changed => "changed",
        }
    }
}

/// A release that vanishes from clusters, and what Argo CD does about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Removal {
    pub environment: String,
    pub release: String,
    pub app: String,
    pub clusters: Vec<String>,
    pub applications: Vec<String>,
    /// Whether Argo CD deletes what it installed.
    pub deletes: bool,
    /// In a sentence: what is deleted, what is left, and why.
    pub consequence: String,
    pub prod: bool,
    /// The new name, where it is rather a rename.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_to: Option<String>,
}

/// All that changes for one app.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AppChange {
    pub app: String,
    pub releases: Vec<ReleaseChange>,
    /// Chart version, namespace, capability bindings and so on: fields of releases.
    pub fields: Vec<PathChange>,
    /// Helm values.
    pub values: Vec<PathChange>,
    /// Manifests beside the chart.
    pub objects: Vec<ObjectChange>,
    /// Argo CD's Application, without what the fields above say already.
    pub application: Vec<PathChange>,
    /// Releases that cannot be computed, with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<Broken>,
}

/// A release that cannot be computed on one side.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Broken {
    /// `cluster/release`, sorted.
    pub on: Vec<String>,
    /// The name of the side.
    pub side: String,
    pub findings: Vec<Finding>,
}

/// A release that comes, goes, gets another name, or changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseChange {
    pub status: Status,
    pub environment: String,
    pub release: String,
    pub clusters: Vec<String>,
    /// The name before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formerly: Option<String>,
    /// Of a rename: whether it was announced (`formerly:`), or only looks like one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// A value as it may be shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Shown {
    Value(Json),
    /// A secret: a keyed digest that is worth nothing outside of this run.
    Secret(String),
}

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PathChange {
    /// `ingress.hosts[name=web].host`.
    pub path: String,
    /// What it was; `None` where it was not set.
    pub before: Option<Shown>,
    pub after: Option<Shown>,
    /// Where the head sets it; where it is gone, where the base set it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The place is one of the base.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub place_in_base: bool,
    /// `image`, `replicas`, `resources`, `storageClass`: what the app's `paths:` say it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
    /// `cluster/release`, sorted; the releases this holds for.
    pub on: Vec<String>,
    /// Only the order of a list, or how a number is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A Kubernetes object that comes, goes or changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectChange {
    pub status: Status,
    /// `Kind.group`, or `Kind` of the core.
    pub kind: String,
    pub namespace: Option<String>,
    pub name: String,
    pub changes: Vec<PathChange>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub place_in_base: bool,
    /// Of a removed one: what Argo CD does with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consequence: Option<String>,
    pub on: Vec<String>,
}

/// An ApplicationSet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SetChange {
    pub status: Status,
    pub instance: String,
    pub name: String,
    pub clusters_added: Vec<String>,
    pub clusters_removed: Vec<String>,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ItemKind {
    Project,
    Instance,
    Environment,
    Cluster,
    Namespace,
    AppProject,
    Capability,
}

/// Something around the releases that comes, goes or changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemChange {
    pub kind: ItemKind,
    pub status: Status,
    pub name: String,
    pub changes: Vec<PathChange>,
}
