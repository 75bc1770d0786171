//! `AppProject`: what Applications of a project may read, where they may write and what.

use serde::{Deserialize, Serialize};

use super::{ApiVersion, AppProjectKind, Block, Metadata, is_blank};

/// The limits of a group of Applications.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppProject {
    #[serde(default)]
    pub api_version: ApiVersion,
    #[serde(default)]
    pub kind: AppProjectKind,
    pub metadata: Metadata,
    pub spec: AppProjectSpec,
}

impl AppProject {
    pub fn new(metadata: Metadata, spec: AppProjectSpec) -> Self {
        Self { api_version: ApiVersion::default(), kind: AppProjectKind::default(), metadata, spec }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AppProjectSpec {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// URLs or patterns of them: `*` within one segment, `**` across, a lone `*` for all, `!` denies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_repos: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<ProjectDestination>,
    /// Cluster-scoped kinds that are allowed; none without it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster_resource_whitelist: Vec<ResourceKind>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster_resource_blacklist: Vec<ResourceKind>,
    /// Namespaced kinds that are allowed; all without it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespace_resource_whitelist: Vec<ResourceKind>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespace_resource_blacklist: Vec<ResourceKind>,
    #[serde(skip_serializing_if = "is_blank")]
    pub orphaned_resources: Option<OrphanedResources>,
}

/// A cluster by name or by URL (one entry with both would admit either) and a namespace, all of them patterns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectDestination {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
}

/// A kind of resource; the core group is the empty text, which is always written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceKind {
    pub group: String,
    pub kind: String,
    /// A pattern of names (cluster-scoped kinds, Argo CD 3.3).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl ResourceKind {
    pub fn new(group: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { group: group.into(), kind: kind.into(), name: String::new() }
    }
}

/// Whether resources in the project's namespaces that no Application manages are pointed out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OrphanedResources {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn: Option<bool>,
}

impl Block for OrphanedResources {}
