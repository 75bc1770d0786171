//! One ApplicationSet per release name and instance, and one for the namespaces.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Mode, NAMESPACES, OutFile, application};
use crate::argocd::set::{Element, FactorError, Pattern, Patterns, Piece, Rollout, factor};
use crate::argocd::types::{Application, ApplicationSet, keys};
use crate::model;
use crate::plan::{ClusterPlan, Plan, stage_rank};
use crate::resolve::release::ReleaseModel;

/// The releases of one name in one instance, cluster by cluster: what becomes one ApplicationSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub instance: usize,
    /// The release's name, or `namespaces`.
    pub name: String,
    /// In the order of the elements.
    pub members: Vec<Member>,
}

/// What becomes one Application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// None for a cluster's namespaces.
    pub release: Option<usize>,
    pub cluster: usize,
    pub has_manifests: bool,
    /// Its manifests hold what must outlive the Application.
    pub holds_state: bool,
}

/// An ApplicationSet and the Applications it stands for, in the order of its elements.
#[derive(Debug, Clone)]
pub struct Set {
    pub set: ApplicationSet,
    pub applications: Vec<Application>,
}

/// All groups, by instance and name. `manifests` says of a release and a cluster whether there are any, and whether they
/// hold what must outlive the Application; `namespaces` are the clusters that have namespaces to write.
pub fn groups(plan: &Plan, manifests: &BTreeMap<(usize, usize), bool>, namespaces: &[usize]) -> Vec<Group> {
    let mut groups: BTreeMap<(usize, &str), Vec<Member>> = BTreeMap::new();
    let mut clusters: Vec<usize> = (0..plan.clusters.len()).collect();
    clusters.sort_by_cached_key(|cluster| rank(plan, &plan.clusters[*cluster], *cluster));
    let mut by_env: Vec<Vec<usize>> = vec![Vec::new(); plan.environments.len()];
    for (number, release) in plan.releases.iter().enumerate() {
        by_env[release.env].push(number);
    }
    for index in clusters {
        let cluster = &plan.clusters[index];
        if namespaces.contains(&index) {
            let member = Member { release: None, cluster: index, has_manifests: true, holds_state: true };
            groups.entry((cluster.instance, NAMESPACES)).or_default().push(member);
        }
        for number in &by_env[cluster.env] {
            let release = &plan.releases[*number];
            let own = manifests.get(&(*number, index)).copied();
            let (has_manifests, holds_state) = (own.is_some(), own.unwrap_or(false));
            if application::brings_something(release, has_manifests) {
                let member = Member { release: Some(*number), cluster: index, has_manifests, holds_state };
                groups.entry((cluster.instance, release.name.as_str())).or_default().push(member);
            }
        }
    }
    let made = groups.into_iter().map(|((instance, name), members)| Group { instance, name: name.to_owned(), members });
    made.collect()
}

fn rank(plan: &Plan, cluster: &ClusterPlan, index: usize) -> (bool, (usize, String), String, usize) {
    let env = &plan.environments[cluster.env];
    // Only a staged rollout lets environments that are often away go last.
    let away = plan.project.argocd.rollout == model::Rollout::ByStage && !env.spec.gates;
    (away, stage_rank(&plan.project, &env.spec.stage), env.name.to_string(), index)
}

/// Folds a group into its ApplicationSet.
///
/// # Errors
/// What cannot be folded, see [`FactorError`].
pub fn set(plan: &Plan, group: &Group, mode: Mode<'_>) -> Result<Set, FactorError> {
    let elements: Vec<Element> = group
        .members
        .iter()
        .map(|member| {
            let cluster = &plan.clusters[member.cluster];
            let release = member.release.map(|number| &plan.releases[number]);
            let application = match release {
                Some(release) => application::release(plan, cluster, release, member, mode),
                None => application::namespaces(plan, cluster, member, mode),
            };
            Element { params: params(plan, member, release, mode), application }
        })
        .collect();
    // Where members have charts in different folders, no text with one of them could be generalised.
    let mut charts =
        group.members.iter().filter_map(|member| plan.releases[member.release?].spec.chart.as_ref()?.path.as_deref());
    let (path, name) = (plan.instances[group.instance].git.path.as_str(), group.name.as_str());
    let given: &[&str] = &charts.next().map_or_else(|| vec![path, name], |chart| vec![path, name, chart]);
    let patterns = Patterns { all: PATTERNS, given };
    let rollout = rollout(plan, &group.members);
    let set = factor(&group.name, &plan.project.argocd.namespace, &elements, &patterns, rollout.as_ref())?;
    Ok(Set { set, applications: elements.into_iter().map(|element| element.application).collect() })
}

fn params(plan: &Plan, member: &Member, release: Option<&ReleaseModel>, mode: Mode<'_>) -> Map<String, Value> {
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
    if let (Mode::Inline(inline), Some(_)) = (mode, release.and_then(|release| release.spec.chart.as_ref())) {
        params.insert("values".into(), inline.values_of(member).into());
    }
    params
}

const PATH: Piece = Piece::Given(0);
const NAME: Piece = Piece::Given(1);
const CHART: Piece = Piece::Given(2);
const CLUSTER: Piece = Piece::Param("cluster");
const ENVIRONMENT: Piece = Piece::Param("environment");
const STAGE: Piece = Piece::Param("stage");
const VERSION: Piece = Piece::Param("version");
const VALUES: Piece = Piece::Param("values");
const SLASH: Piece = Piece::Text("/");
const DASH: Piece = Piece::Text("-");
const MANIFESTS: Piece = Piece::Text("/manifests");
const VALUES_FILE: Piece = Piece::Text("/values.yaml");

const fn pattern(at: &'static [&'static str], pieces: &'static [Piece]) -> Pattern {
    Pattern { at, pieces }
}

/// Where texts of Applications differ only by the element's parameters. The given texts are the folder of rendered files,
/// the set's name and the folder of a chart in the repository.
#[rustfmt::skip]
const PATTERNS: &[Pattern] = &[
    pattern(&["metadata", "annotations", keys::MANIFEST_GENERATE_PATHS], &[SLASH, PATH, SLASH, CLUSTER, SLASH, NAME, Piece::Text(";/"), CHART]),
    pattern(&["metadata", "name"], &[CLUSTER, DASH, NAME]),
    pattern(&["metadata", "name"], &[NAME, DASH, CLUSTER]),
    pattern(&["metadata", "name"], &[ENVIRONMENT, DASH, NAME]),
    pattern(&["metadata", "labels", "hlgen.dev/cluster"], &[CLUSTER]),
    pattern(&["metadata", "labels", "hlgen.dev/environment"], &[ENVIRONMENT]),
    pattern(&["metadata", "labels", "hlgen.dev/stage"], &[STAGE]),
    pattern(&["metadata", "labels", "hlgen.dev/rollout"], &[STAGE]),
    pattern(&["metadata", "annotations", keys::MANIFEST_GENERATE_PATHS], &[SLASH, PATH, SLASH, CLUSTER, SLASH, NAME]),
    pattern(&["spec", "source", "path"], &[PATH, SLASH, CLUSTER, SLASH, NAME]),
    pattern(&["spec", "source", "path"], &[PATH, SLASH, CLUSTER, SLASH, NAME, MANIFESTS]),
    pattern(&["spec", "sources", "*", "path"], &[PATH, SLASH, CLUSTER, SLASH, NAME, MANIFESTS]),
    pattern(&["spec", "source", "helm", "valueFiles", "*"], &[SLASH, PATH, SLASH, CLUSTER, SLASH, NAME, VALUES_FILE]),
    pattern(&["spec", "sources", "*", "helm", "valueFiles", "*"], &[SLASH, PATH, SLASH, CLUSTER, SLASH, NAME, VALUES_FILE]),
    pattern(&["spec", "sources", "*", "helm", "valueFiles", "*"], &[Piece::Text("$values/"), PATH, SLASH, CLUSTER, SLASH, NAME, VALUES_FILE]),
    pattern(&["spec", "source", "helm", "values"], &[VALUES]),
    pattern(&["spec", "sources", "*", "helm", "values"], &[VALUES]),
    pattern(&["spec", "source", "plugin", "parameters", "*", "string"], &[CLUSTER]),
    pattern(&["spec", "sources", "*", "plugin", "parameters", "*", "string"], &[CLUSTER]),
    pattern(&["spec", "source", "plugin", "parameters", "*", "string"], &[ENVIRONMENT]),
    pattern(&["spec", "sources", "*", "plugin", "parameters", "*", "string"], &[ENVIRONMENT]),
    pattern(&["spec", "source", "targetRevision"], &[VERSION]),
    pattern(&["spec", "sources", "*", "targetRevision"], &[VERSION]),
    pattern(&["spec", "destination", "name"], &[Piece::Param("destination")]),
    pattern(&["spec", "project"], &[ENVIRONMENT, Piece::Text("-platform")]),
    pattern(&["spec", "project"], &[ENVIRONMENT, Piece::Text("-application")]),
];

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
pub fn file(plan: &Plan, group: &Group, set: &ApplicationSet) -> OutFile {
    let instance = &plan.instances[group.instance].name;
    let path = format!("argocd/{instance}/applicationsets/{}.yaml", group.name);
    OutFile::objects(plan, path, &format!("instance {instance}, release {}", group.name), &[set])
}
