//! Namespaces belong to the cluster, not to a release: each has the labels all its releases need, and holds what releases
//! need in a namespace that is not their own alone.
//!
//! Whatever depends on several releases (what may talk to whom, how much all may ask for) or lies in another release's
//! namespace (a backup's schedule) is made here, by the cluster, so that no release's files depend on its neighbours and no
//! application has to be allowed to write into a namespace of the platform.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::{object, quota};
use crate::argocd::types::keys;
use crate::model::{PodSecurity, Tier};
use crate::plan::Plan;
use crate::resolve::release::ReleaseModel;

/// A namespace of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    pub name: String,
    /// The weakest level that any release in it needs.
    pub pod_security: PodSecurity,
    /// The releases in it.
    pub releases: Vec<usize>,
}

/// The namespaces of every cluster that are hlgen's: not `default`, not `kube-*`, none that a chart makes itself. Keyed
/// by the cluster; clusters of one name (environments that share one) are one.
pub fn all(plan: &Plan) -> BTreeMap<usize, Vec<Namespace>> {
    let mut all: BTreeMap<usize, BTreeMap<String, Namespace>> = BTreeMap::new();
    for (index, cluster) in plan.clusters.iter().enumerate() {
        let owner = owner(plan, index);
        let namespaces = all.entry(owner).or_default();
        for (number, release) in plan.releases.iter().enumerate().filter(|(_, release)| release.env == cluster.env) {
            if !is_ours(release) {
                continue;
            }
            let name = release.namespace();
            let level = release.spec.security.pod_security;
            let namespace = namespaces.entry(name.to_owned()).or_insert_with(|| Namespace {
                name: name.to_owned(),
                pod_security: level,
                releases: Vec::new(),
            });
            namespace.pod_security = namespace.pod_security.min(level);
            namespace.releases.push(number);
        }
    }
    all.into_iter()
        .map(|(cluster, namespaces)| (cluster, namespaces.into_values().collect::<Vec<_>>()))
        .filter(|(_, namespaces)| !namespaces.is_empty())
        .collect()
}

/// Whether hlgen makes a release's namespace.
pub(super) fn is_ours(release: &ReleaseModel) -> bool {
    let name = release.namespace();
    name != "default" && !name.starts_with("kube-") && !release.spec.creates_namespace
}

/// Of several clusters of one name the one whose environment brings the platform apps (else the first).
fn owner(plan: &Plan, index: usize) -> usize {
    let name = &plan.clusters[index].name;
    let mut same = plan.clusters.iter().enumerate().filter(|(_, cluster)| cluster.name == *name).map(|(at, _)| at);
    let first = same.clone().next().unwrap_or(index);
    let platform =
        |env: usize| plan.releases.iter().any(|release| release.env == env && release.spec.tier == Tier::Platform);
    if same.clone().count() == 1 {
        return first;
    }
    same.find(|at| platform(plan.clusters[*at].env)).unwrap_or(first)
}

/// The objects of a namespace: itself first, then what lies in it.
pub fn objects(plan: &Plan, cluster: usize, namespace: &Namespace) -> Vec<Json> {
    let mut objects = vec![itself(plan, cluster, namespace)];
    objects.extend(quota::objects(plan, namespace));
    objects.extend(super::network::policies(plan, cluster, namespace));
    objects.extend(super::secrets::objects(plan, cluster, &namespace.name));
    objects.extend(super::backup::in_namespace(plan, cluster, namespace));
    objects
}

/// Name, namespace and labels of an object that lies in a namespace and belongs to no release.
pub(super) fn metadata(namespace: &Namespace, name: &str) -> Json {
    object([
        ("name", name.into()),
        ("namespace", namespace.name.as_str().into()),
        ("labels", object([("app.kubernetes.io/managed-by", "hlgen".into())])),
    ])
}

/// The Namespace itself.
fn itself(plan: &Plan, cluster: usize, namespace: &Namespace) -> Json {
    let cluster = &plan.clusters[cluster];
    let env = &plan.environments[cluster.env];
    let level = namespace.pod_security.as_str();
    // Without a version of its own the level would change with every upgrade of the cluster.
    let version = cluster.kubernetes.map_or_else(|| "latest".to_owned(), |version| format!("v{version}"));
    let mut labels = Map::new();
    labels.insert("app.kubernetes.io/managed-by".into(), "hlgen".into());
    labels.insert("hlgen.dev/project".into(), plan.project.name.as_str().into());
    // Where environments share the cluster, a namespace belongs to none of them.
    if plan.clusters.iter().filter(|other| other.name == cluster.name).count() == 1 {
        labels.insert("hlgen.dev/environment".into(), env.name.as_str().into());
    }
    for mode in ["enforce", "audit", "warn"] {
        labels.insert(format!("pod-security.kubernetes.io/{mode}"), level.into());
        labels.insert(format!("pod-security.kubernetes.io/{mode}-version"), version.as_str().into());
    }
    // A namespace outlives what was in it: Argo CD neither prunes nor deletes it, nor minds that it stays.
    let annotations = object([
        (keys::COMPARE_OPTIONS, "IgnoreExtraneous".into()),
        (keys::SYNC_OPTIONS, "Prune=false,Delete=false".into()),
    ]);
    let metadata =
        object([("name", namespace.name.as_str().into()), ("labels", labels.into()), ("annotations", annotations)]);
    object([("apiVersion", "v1".into()), ("kind", "Namespace".into()), ("metadata", metadata)])
}
