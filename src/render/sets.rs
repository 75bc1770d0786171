//! One ApplicationSet per release name and instance, and one for the namespaces.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{NAMESPACES, OutFile, application};
use crate::argocd::set::{Element, FactorError, Pattern, Rollout, factor};
use crate::argocd::types::{Application, ApplicationSet, keys};
use crate::model;
use crate::plan::{ClusterPlan, Plan, stage_rank};
use crate::resolve::release::ReleaseModel;

/// An ApplicationSet with the Applications it stands for.
#[derive(Debug, Clone)]
pub struct Set {
    pub instance: usize,
    /// The release's name, or `namespaces`.
    pub name: String,
    pub set: ApplicationSet,
    /// In the order of the elements: the release (none for namespaces), the cluster, the Application.
    pub members: Vec<Member>,
}

/// One Application of a set.
#[derive(Debug, Clone)]
pub struct Member {
    pub release: Option<usize>,
    pub cluster: usize,
    pub application: Application,
}

/// All sets, by instance and name. `has_manifests` says it for a release and a cluster; `namespaces` are the clusters
/// that have any, with the environment whose project their Application belongs to.
pub fn all(
    plan: &Plan,
    has_manifests: impl Fn(usize, usize) -> bool,
    namespaces: &[(usize, usize)],
) -> Result<Vec<Set>, FactorError> {
    let mut groups: BTreeMap<(usize, &str), Vec<Member>> = BTreeMap::new();
    let mut clusters: Vec<usize> = (0..plan.clusters.len()).collect();
    clusters.sort_by_cached_key(|cluster| rank(plan, &plan.clusters[*cluster], *cluster));
    let mut by_env: Vec<Vec<usize>> = vec![Vec::new(); plan.environments.len()];
    for (number, release) in plan.releases.iter().enumerate() {
        by_env[release.env].push(number);
    }
    for index in clusters {
        let cluster = &plan.clusters[index];
        if let Some((_, env)) = namespaces.iter().find(|(at, _)| *at == index) {
            let application = application::namespaces(plan, cluster, *env);
            let member = Member { release: None, cluster: index, application };
            groups.entry((cluster.instance, NAMESPACES)).or_default().push(member);
        }
        for number in &by_env[cluster.env] {
            let release = &plan.releases[*number];
            let Some(application) = application::release(plan, cluster, release, has_manifests(*number, index)) else {
                continue;
            };
            let member = Member { release: Some(*number), cluster: index, application };
            groups.entry((cluster.instance, release.name.as_str())).or_default().push(member);
        }
    }
    groups.into_iter().map(|((instance, name), members)| set(plan, instance, name, members)).collect()
}

fn rank(plan: &Plan, cluster: &ClusterPlan, index: usize) -> (bool, (usize, String), String, usize) {
    let env = &plan.environments[cluster.env];
    (!env.spec.gates, stage_rank(&plan.project, &env.spec.stage), env.name.to_string(), index)
}

fn set(plan: &Plan, instance: usize, name: &str, members: Vec<Member>) -> Result<Set, FactorError> {
    let elements: Vec<Element> = members
        .iter()
        .map(|member| {
            let release = member.release.map(|number| &plan.releases[number]);
            Element { params: params(plan, member, release), application: member.application.clone() }
        })
        .collect();
    let patterns = patterns(&plan.instances[instance].git.path, name);
    let rollout = rollout(plan, &members);
    let set = factor(name, &plan.project.argocd.namespace, &elements, &patterns, rollout.as_ref())?;
    Ok(Set { instance, name: name.to_owned(), set, members })
}

fn params(plan: &Plan, member: &Member, release: Option<&ReleaseModel>) -> Map<String, Value> {
    let cluster = &plan.clusters[member.cluster];
    let env = &plan.environments[cluster.env];
    let mut params = Map::new();
    params.insert("cluster".into(), cluster.name.as_str().into());
    params.insert("environment".into(), env.name.as_str().into());
    params.insert("stage".into(), env.spec.stage.as_str().into());
    if let Some(version) = release.and_then(ReleaseModel::version) {
        params.insert("version".into(), version.into());
    }
    if let model::Destination::Name(name) = &cluster.destination {
        params.insert("destination".into(), name.as_str().into());
    }
    params
}

/// Where texts of Applications differ only by the element's parameters.
fn patterns(path: &str, release: &str) -> Vec<Pattern> {
    let folder = |at: &str, before: &str, after: &str| {
        let text = format!("{before}{path}/");
        Pattern::at(at).text(&text).param("cluster").text(&format!("/{release}{after}"))
    };
    let label = |label: &str, param: &str| Pattern::at(&format!("/metadata/labels/hlgen.dev~1{label}")).param(param);
    let annotation = format!("/metadata/annotations/{}", keys::MANIFEST_GENERATE_PATHS.replace('/', "~1"));
    vec![
        Pattern::at("/metadata/name").param("cluster").text(&format!("-{release}")),
        Pattern::at("/metadata/name").text(&format!("{release}-")).param("cluster"),
        Pattern::at("/metadata/name").param("environment").text(&format!("-{release}")),
        label("cluster", "cluster"),
        label("environment", "environment"),
        label("stage", "stage"),
        label("rollout", "stage"),
        folder(&annotation, "/", ""),
        folder("/spec/source/path", "", ""),
        folder("/spec/source/path", "", "/manifests"),
        folder("/spec/sources/*/path", "", "/manifests"),
        folder("/spec/source/helm/valueFiles/*", "/", "/values.yaml"),
        folder("/spec/sources/*/helm/valueFiles/*", "/", "/values.yaml"),
        folder("/spec/sources/*/helm/valueFiles/*", "$values/", "/values.yaml"),
        Pattern::at("/spec/source/targetRevision").param("version"),
        Pattern::at("/spec/sources/*/targetRevision").param("version"),
        Pattern::at("/spec/destination/name").param("destination"),
        Pattern::at("/spec/project").param("environment").text("-platform"),
        Pattern::at("/spec/project").param("environment").text("-application"),
    ]
}

/// The steps of a staged rollout: the stages in order, then the environments that are often away.
fn rollout(plan: &Plan, members: &[Member]) -> Option<Rollout> {
    if plan.project.argocd.rollout != model::Rollout::ByStage {
        return None;
    }
    let mut groups: Vec<Vec<String>> = Vec::new();
    for member in members {
        let group = application::rollout_group(plan, plan.clusters[member.cluster].env).to_owned();
        if !groups.iter().any(|have| have[0] == group) {
            groups.push(vec![group]);
        }
    }
    Some(Rollout { label: application::ROLLOUT_LABEL.into(), groups })
}

/// The file of a set.
pub fn file(plan: &Plan, set: &Set) -> OutFile {
    let instance = &plan.instances[set.instance].name;
    let path = format!("argocd/{instance}/applicationsets/{}.yaml", set.name);
    OutFile::objects(plan, path, &format!("instance {instance}, release {}", set.name), &[&set.set])
}
