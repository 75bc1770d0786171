//! Application: what is installed, from where, to which cluster, and how it is kept in step.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{ApiVersion, ApplicationKind, Block, Metadata, is_blank, is_false, is_zero};

/// One release on one cluster.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Application {
    #[serde(default)]
    pub api_version: ApiVersion,
    #[serde(default)]
    pub kind: ApplicationKind,
    pub metadata: Metadata,
    pub spec: ApplicationSpec,
}

impl Application {
    pub fn new(metadata: Metadata, spec: ApplicationSpec) -> Self {
        Self { api_version: ApiVersion::default(), kind: ApplicationKind::default(), metadata, spec }
    }
}

/// `spec` of an Application, and of the template of an `ApplicationSet`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ApplicationSpec {
    pub project: String,
    pub destination: Destination,
    /// The only source; exactly one of this and `sources` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Several sources; of identical resources the later source's is taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    #[serde(skip_serializing_if = "is_blank")]
    pub sync_policy: Option<SyncPolicy>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore_differences: Vec<IgnoreDifference>,
    /// How many former states are kept, each with a whole copy of the sources (default 10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision_history_limit: Option<i64>,
}

impl ApplicationSpec {
    /// All sources, whichever way they are written.
    pub fn all_sources(&self) -> impl Iterator<Item = &Source> {
        self.source.iter().chain(&self.sources)
    }
}

/// The cluster, by the name or by the URL that Argo CD knows it by, and the namespace of what does not name one itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Destination {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
}

/// Where manifests come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    #[serde(rename = "repoURL")]
    pub repo_url: String,
    /// A chart of a Helm repository, or of an OCI registry written without `oci://`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub chart: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub target_revision: String,
    /// The name under which other sources find files of this one: `$name/path`.
    #[serde(rename = "ref", default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    #[serde(default, skip_serializing_if = "is_blank")]
    pub helm: Option<Helm>,
    #[serde(default, skip_serializing_if = "is_blank")]
    pub directory: Option<Directory>,
    #[serde(default, skip_serializing_if = "is_blank")]
    pub plugin: Option<Plugin>,
}

/// How a chart is rendered.
#[allow(clippy::struct_excessive_bools)] // Argo CD's fields
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Helm {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub release_name: String,
    /// The namespace Helm is told, if it is not the destination's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub value_files: Vec<String>,
    /// Values as the text of a YAML file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub values: String,
    #[serde(skip_serializing_if = "is_false")]
    pub skip_crds: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub skip_tests: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub skip_schema_validation: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub pass_credentials: bool,
    /// Kubernetes version told to the chart instead of the cluster's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kube_version: String,
    /// API versions told to the chart instead of the cluster's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub api_versions: Vec<String>,
}

/// A directory of plain manifests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Directory {
    #[serde(skip_serializing_if = "is_false")]
    pub recurse: bool,
}

/// A config management plugin, by name: without one Argo CD would ask every plugin whether it likes the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plugin {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<PluginParameter>,
}

/// A parameter handed to a plugin: a text, a list of texts or a map of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginParameter {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub array: Vec<String>,
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub map: IndexMap<String, String>,
}

impl PluginParameter {
    pub fn string(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), string: Some(value.into()), ..Self::default() }
    }
}

/// How an Application is kept in step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SyncPolicy {
    /// Its presence switches automatic sync on, even when it is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automated: Option<Automated>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sync_options: Vec<String>,
    #[serde(skip_serializing_if = "is_blank")]
    pub retry: Option<Retry>,
}

/// Automatic sync. Before Argo CD 3.4 a written `false` does not survive: leave it out there ([`Automated::new`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Automated {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prune: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_heal: Option<bool>,
}

impl Automated {
    /// Automatic sync as `version` keeps it: a `false` is written out where it survives, and left out where it does
    /// not.
    pub fn new(prune: bool, self_heal: bool, version: crate::argocd::Version) -> Self {
        let flag = |on: bool| (on || version.keeps_explicit_false()).then_some(on);
        Self { enabled: None, prune: flag(prune), self_heal: flag(self_heal) }
    }
}

/// What happens after a failed sync.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// How often; below zero without end. Argo CD does not keep a written 0, which is the same as none.
    #[serde(skip_serializing_if = "is_zero")]
    pub limit: i64,
    #[serde(skip_serializing_if = "is_blank")]
    pub backoff: Option<Backoff>,
    /// Whether a retry takes the newest revision instead of the one that failed.
    #[serde(skip_serializing_if = "is_false")]
    pub refresh: bool,
}

/// The pauses between retries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Backoff {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub duration: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<i64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub max_duration: String,
}

/// Fields of live objects whose differences do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IgnoreDifference {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    pub kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub json_pointers: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jq_path_expressions: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub managed_fields_managers: Vec<String>,
}

impl Block for Helm {}
impl Block for Directory {}
impl Block for Plugin {}
impl Block for Backoff {}

impl Block for Retry {
    fn says_nothing(&self) -> bool {
        self.limit == 0 && is_blank(&self.backoff) && !self.refresh
    }
}

impl Block for SyncPolicy {
    fn says_nothing(&self) -> bool {
        self.automated.is_none() && self.sync_options.is_empty() && is_blank(&self.retry)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn empty_blocks_are_not_written() {
        let mut application = Application::default();
        application.spec.sync_policy = Some(SyncPolicy {
            retry: Some(Retry { backoff: Some(Backoff::default()), ..Retry::default() }),
            ..SyncPolicy::default()
        });
        application.spec.source = Some(Source {
            helm: Some(Helm::default()),
            directory: Some(Directory::default()),
            plugin: Some(Plugin::default()),
            ..Source::default()
        });
        let value = serde_json::to_value(&application.spec).unwrap();
        assert_eq!(value, json!({ "project": "", "destination": {}, "source": { "repoURL": "" } }));
        application.spec.sync_policy =
            Some(SyncPolicy { automated: Some(Automated::default()), ..SyncPolicy::default() });
        let value = serde_json::to_value(&application.spec.sync_policy).unwrap();
        assert_eq!(value, json!({ "automated": {} }), "its presence means something");
    }

    #[test]
    fn a_false_is_written_where_it_survives() {
        let value = |version| serde_json::to_value(Automated::new(false, true, version)).unwrap();
        assert_eq!(value(crate::argocd::Version::new(3, 4)), json!({ "prune": false, "selfHeal": true }));
        assert_eq!(value(crate::argocd::Version::new(3, 3)), json!({ "selfHeal": true }));
    }
}
