//! Inline mode (DESIGN section 8): nothing that hlgen renders is committed.
//!
//! Values travel as a text parameter of the ApplicationSet's element into `helm.values`, where Argo CD takes them as they
//! are: a list element is data, so braces in them are not evaluated, and as a text they keep their types. Manifests and
//! namespaces come from the same plugin, asked for by parameters. Every plugin source names the version of the tool:
//! Argo CD caches what a plugin printed by the source's spec and not by the plugin's image, so an upgrade must change
//! the spec to show (argocd.md section 1.7).
//!
//! An Application keeps whole copies of its sources in its status and its history, so the history is short.

use std::collections::BTreeMap;

use super::sets::Member;
use crate::argocd::plugin;
use crate::argocd::types::{Metadata, Plugin, PluginParameter, Source, keys};
use crate::plan::{ClusterPlan, InstancePlan, VERSION};
use crate::resolve::release::ReleaseModel;

/// How many former states an Application with inline values keeps, unless its app says otherwise: enough for one step
/// back; each is a whole copy of the values.
const HISTORY_LIMIT: i64 = 2;

/// How values and manifests reach Argo CD.
#[derive(Debug, Clone, Copy)]
pub enum Mode<'m> {
    /// As files in Git.
    Files,
    /// In the ApplicationSets, and from the plugin.
    Inline(&'m Inline),
}

impl Mode<'_> {
    /// The `revisionHistoryLimit` of Applications that set none.
    pub fn history_limit(self) -> Option<i64> {
        matches!(self, Mode::Inline(_)).then_some(HISTORY_LIMIT)
    }
}

/// What inline ApplicationSets carry, by release and cluster.
#[derive(Debug, Clone, Default)]
pub struct Inline {
    /// The text of each `values.yaml`, without the line of ownership.
    pub values: BTreeMap<(usize, usize), String>,
    /// The `manifest-generate-paths` of what the plugin prints for a release, or (without one) for a cluster's namespaces;
    /// one that is not known is left out, and Argo CD asks the plugin for every commit.
    pub paths: BTreeMap<(Option<usize>, usize), String>,
    /// The same for what the plugin prints for an instance.
    pub roots: BTreeMap<usize, String>,
}

impl Inline {
    /// The values of an Application, empty for one without a chart.
    pub fn values_of(&self, member: &Member) -> &str {
        let key = member.release.map(|release| (release, member.cluster));
        key.and_then(|key| self.values.get(&key)).map_or("", String::as_str)
    }

    /// Puts the paths that the plugin reads for an Application in the place of those of its rendered files.
    pub fn annotate(&self, member: &Member, metadata: &mut Metadata) {
        metadata.annotations.shift_remove(keys::MANIFEST_GENERATE_PATHS);
        if let Some(paths) = self.paths.get(&(member.release, member.cluster)).filter(|_| member.has_manifests) {
            metadata.annotations.insert(keys::MANIFEST_GENERATE_PATHS.to_owned(), paths.clone());
        }
    }
}

/// The source that brings a release's manifests. With the environment's name the plugin need not look at the others to
/// find the cluster.
pub fn manifests_source(
    instance: &InstancePlan,
    environment: &str,
    cluster: &ClusterPlan,
    release: &ReleaseModel,
) -> Source {
    let (cluster, release) = (cluster.name.as_str(), release.name.as_str());
    source(instance, &[(plugin::ENV, environment), (plugin::CLUSTER, cluster), (plugin::RELEASE, release)])
}

/// The source that brings a cluster's namespaces.
pub fn namespaces_source(instance: &InstancePlan, cluster: &ClusterPlan) -> Source {
    source(instance, &[(plugin::CLUSTER, cluster.name.as_str()), (plugin::NAMESPACES, "true")])
}

/// The source of the root: the instance's projects and ApplicationSets, and the root itself.
pub fn root_source(instance: &InstancePlan) -> Source {
    source(instance, &[(plugin::INSTANCE, instance.name.as_str())])
}

fn source(instance: &InstancePlan, parameters: &[(&str, &str)]) -> Source {
    let mut parameters: Vec<PluginParameter> =
        parameters.iter().map(|(name, value)| PluginParameter::string(*name, *value)).collect();
    parameters.push(PluginParameter::string(plugin::VERSION, VERSION));
    Source {
        repo_url: instance.git.repo_url.clone(),
        path: ".".into(),
        target_revision: instance.git.branch.clone(),
        plugin: Some(Plugin { name: plugin::NAME.into(), parameters }),
        ..Source::default()
    }
}
