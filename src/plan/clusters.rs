//! Clusters and Argo CD instances: where releases land and who brings them there.

use std::collections::BTreeMap;

use super::doc_span;
use crate::diag::{Code, Diagnostic, Span, nearest};
use crate::model::{ClusterName, Destination, Dimension, Git, InstanceName, JsonMap, KubernetesVersion, Project, Tier};
use crate::resolve::environment::EnvModel;
use crate::resolve::release::ReleaseModel;
use crate::resolve::view::View;
use crate::yaml::Doc;

/// The cluster that Argo CD itself runs in.
const IN_CLUSTER: &str = "https://kubernetes.default.svc";

/// A cluster of an environment.
#[derive(Debug, Clone)]
pub struct ClusterPlan {
    pub name: ClusterName,
    pub env: usize,
    pub instance: usize,
    pub destination: Destination,
    /// The version of Kubernetes it runs, where that is said.
    pub kubernetes: Option<KubernetesVersion>,
    pub vars: JsonMap,
}

/// One Argo CD.
#[derive(Debug, Clone)]
pub struct InstancePlan {
    pub name: InstanceName,
    /// Index of the environment it runs in, where that is looked at.
    pub runs_in: Option<usize>,
    /// Indices of the environments it manages.
    pub manages: Vec<usize>,
    /// It manages others too, which are not looked at.
    pub partial: bool,
    pub git: Git,
    /// Minor version, as written.
    pub version: String,
}

/// Where a stage comes in a rollout: the project's own order, else dev, staging, prod, else by name behind those.
pub fn stage_rank(project: &Project, stage: &str) -> (usize, String) {
    let own = project.dimensions.iter().flatten().find_map(|dimension| match dimension {
        Dimension::Values { name, values } if name == "stage" => Some(values.clone()),
        _ => None,
    });
    let order = own.unwrap_or_else(|| ["dev", "staging", "prod"].map(str::to_owned).to_vec());
    match order.iter().position(|known| known == stage) {
        Some(rank) => (rank, String::new()),
        None => (order.len(), stage.to_owned()),
    }
}

pub(super) fn resolve(
    project: &Project,
    project_doc: &Doc,
    environments: &[EnvModel],
    releases: &[ReleaseModel],
    view: &View,
    findings: &mut Vec<Diagnostic>,
) -> (Vec<ClusterPlan>, Vec<InstancePlan>) {
    let instances = instances(project, project_doc, environments, view, findings);
    let clusters = clusters(environments, &instances, findings);
    check_shared(environments, releases, &clusters, findings);
    check_duplicates(environments, releases, findings);
    check_former_names(environments, releases, findings);
    (clusters, instances)
}

fn instances(
    project: &Project,
    doc: &Doc,
    environments: &[EnvModel],
    view: &View,
    findings: &mut Vec<Diagnostic>,
) -> Vec<InstancePlan> {
    let argocd = &project.argocd;
    let version = |own: Option<&String>| own.unwrap_or(&argocd.version).clone();
    if argocd.instances.is_empty() {
        return environments
            .iter()
            .enumerate()
            .filter_map(|(index, env)| {
                let name = env.name.as_str().parse().ok()?;
                let git = project.git.clone();
                Some(InstancePlan {
                    name,
                    runs_in: Some(index),
                    manages: vec![index],
                    partial: false,
                    git,
                    version: version(None),
                })
            })
            .collect();
    }
    let list_span = doc_span(doc, &["argocd", "instances"]);
    let list = doc.get(doc.root(), "argocd").and_then(|argocd| doc.get(argocd, "instances"));
    let items = list.map(|list| doc.items(list)).unwrap_or_default();
    let bad = |at: Span, message: String| Diagnostic::new(Code::RefInstance, message).at(at, "in this list");
    let mut plans: Vec<InstancePlan> = Vec::new();
    let mut managed: BTreeMap<usize, InstanceName> = BTreeMap::new();
    for (number, instance) in argocd.instances.iter().enumerate() {
        let at = items.get(number).map_or(list_span, |item| doc.span(*item));
        let mut find = |name: &str| {
            let found = environments.iter().position(|env| env.name.as_str() == name);
            if found.is_none() && view.asks_for(name) {
                let finding = Diagnostic::new(Code::RefUnknownEnvironment, format!("there is no environment `{name}`"))
                    .at(at, format!("named by instance `{}`", instance.name));
                findings.push(match nearest(name, environments.iter().map(|env| env.name.as_str())) {
                    Some(near) => finding.help(format!("did you mean `{near}`?")),
                    None => finding,
                });
            }
            found
        };
        let runs_in = find(instance.runs_in.as_str());
        let manages: Vec<usize> = instance.manages.iter().filter_map(|name| find(name.as_str())).collect();
        if plans.iter().any(|plan| plan.name == instance.name) {
            findings.push(bad(at, format!("instance `{}` stands twice in the list", instance.name)));
            continue;
        }
        for env in &manages {
            if let Some(other) = managed.insert(*env, instance.name.clone()) {
                let message = format!(
                    "environment `{}` is managed by two instances, `{other}` and `{}`",
                    environments[*env].name, instance.name
                );
                findings.push(bad(at, message).help("leave it to one of them"));
            }
        }
        if runs_in.is_none() && view.asks_for(instance.runs_in.as_str()) {
            continue;
        }
        if let Some((runs_in, other)) = runs_in
            .and_then(|runs_in| plans.iter().find(|plan| plan.runs_in == Some(runs_in)).map(|other| (runs_in, other)))
        {
            let message = format!(
                "instances `{}` and `{}` both run in `{}`",
                other.name, instance.name, environments[runs_in].name
            );
            findings.push(
                bad(at, message).help("an environment has one Argo CD of a project; let one of them manage both lists"),
            );
        }
        let git = instance.git.clone().unwrap_or_else(|| project.git.clone());
        if git.path != project.git.path {
            let message = format!(
                "instance `{}` reads `{}`, but the project renders to `{}`",
                instance.name, git.path, project.git.path
            );
            findings.push(
                bad(at, message)
                    .help("an instance may have another `repoURL` and `branch`; the `path` is the project's"),
            );
        }
        let version = version(instance.version.as_ref());
        let partial = manages.len() < instance.manages.len();
        plans.push(InstancePlan { name: instance.name.clone(), runs_in, manages, partial, git, version });
    }
    for (index, env) in environments.iter().enumerate() {
        if !managed.contains_key(&index) {
            let finding = bad(list_span, format!("environment `{}` is managed by no instance", env.name));
            findings.push(finding.help("add it to the `manages` of one"));
        }
    }
    plans
}

fn clusters(environments: &[EnvModel], instances: &[InstancePlan], findings: &mut Vec<Diagnostic>) -> Vec<ClusterPlan> {
    let mut clusters: Vec<ClusterPlan> = Vec::new();
    for (index, env) in environments.iter().enumerate() {
        let Some(instance) = instances.iter().position(|instance| instance.manages.contains(&index)) else { continue };
        let own = instances[instance].runs_in == Some(index);
        let default = |name: &ClusterName, only: bool| {
            if own && only { Destination::Server(IN_CLUSTER.into()) } else { Destination::Name(name.to_string()) }
        };
        if env.spec.clusters.is_empty() {
            if let Ok(name) = env.name.as_str().parse::<ClusterName>() {
                let destination = default(&name, true);
                let kubernetes = env.spec.kubernetes;
                clusters.push(ClusterPlan {
                    name,
                    env: index,
                    instance,
                    destination,
                    kubernetes,
                    vars: JsonMap::new(),
                });
            }
            continue;
        }
        let only = env.spec.clusters.len() == 1;
        for cluster in &env.spec.clusters {
            let destination = cluster.destination.clone().unwrap_or_else(|| default(&cluster.name, only));
            let destination = match destination {
                Destination::Server(url) => Destination::Server(url.trim_end_matches('/').to_owned()),
                Destination::Name(name) if name == "in-cluster" => Destination::Server(IN_CLUSTER.into()),
                name @ Destination::Name(_) => name,
            };
            if clusters.iter().any(|other| other.env == index && other.name == cluster.name) {
                let finding =
                    Diagnostic::new(Code::RefDuplicate, format!("cluster `{}` stands twice here", cluster.name));
                findings.push(finding.at(env.span(&["clusters"]), "in this list"));
                continue;
            }
            let name = cluster.name.clone();
            let kubernetes = cluster.kubernetes.or(env.spec.kubernetes);
            let vars = cluster.vars.clone();
            clusters.push(ClusterPlan { name, env: index, instance, destination, kubernetes, vars });
        }
    }
    clusters
}

/// Two environments may share a cluster (by its name) if only one brings platform apps and their namespaces and
/// releases do not meet; one name must not stand for two clusters, nor two names for one.
fn check_shared(
    environments: &[EnvModel],
    releases: &[ReleaseModel],
    clusters: &[ClusterPlan],
    findings: &mut Vec<Diagnostic>,
) {
    for (number, cluster) in clusters.iter().enumerate() {
        for other in &clusters[..number] {
            let same_place = cluster.instance == other.instance && cluster.destination == other.destination;
            let same_name = cluster.name == other.name;
            let at = |cluster: &ClusterPlan| environments[cluster.env].span(&["clusters"]);
            if same_name && !same_place {
                let message = format!("two clusters are called `{}`", cluster.name);
                let finding =
                    Diagnostic::new(Code::RefDuplicate, message).at(at(cluster), "one").at(at(other), "the other");
                findings.push(finding.help("cluster names are unique in a project; rename one of them"));
            } else if same_place && !same_name {
                let message = format!("`{}` and `{}` are the same cluster", other.name, cluster.name);
                let finding = Diagnostic::new(Code::RefDuplicate, message)
                    .at(at(cluster), "this destination")
                    .at(at(other), "and this");
                findings.push(finding.help("give both the same `name`, or one of them another `destination`"));
            } else if same_name && cluster.env != other.env {
                check_pair(environments, releases, other.env, cluster.env, &cluster.name, findings);
            }
        }
    }
}

fn check_pair(
    environments: &[EnvModel],
    releases: &[ReleaseModel],
    one: usize,
    two: usize,
    cluster: &ClusterName,
    findings: &mut Vec<Diagnostic>,
) {
    let of = |env: usize| releases.iter().filter(move |release| release.env == env);
    let platform = |env: usize| of(env).find(|release| release.spec.tier == Tier::Platform);
    if let (Some(first), Some(second)) = (platform(one), platform(two)) {
        let message = format!("two environments bring platform apps to cluster `{cluster}`");
        let finding = Diagnostic::new(Code::OutClash, message)
            .at(second.entry_span(&environments[two]), format!("`{}` is a platform app", second.name))
            .at(first.entry_span(&environments[one]), format!("and so is `{}`", first.name));
        findings.push(finding.help("list the platform apps in one of the two environments"));
    }
    for second in of(two) {
        let meets = |first: &&ReleaseModel| first.name == second.name || first.namespace() == second.namespace();
        if let Some(first) = of(one).find(meets) {
            let what = if first.name == second.name {
                format!("release `{}`", first.name)
            } else {
                format!("namespace `{}`", first.namespace())
            };
            let finding =
                Diagnostic::new(Code::OutClash, format!("two environments use {what} on cluster `{cluster}`"))
                    .at(second.entry_span(&environments[two]), "here")
                    .at(first.entry_span(&environments[one]), "and here");
            findings
                .push(finding.help("environments that share a cluster need namespaces and release names of their own"));
        }
    }
}

/// Helm stores a release by namespace and name, so no two may share both.
/// A release that was renamed and one that has its old name would both be the same thing.
fn check_former_names(environments: &[EnvModel], releases: &[ReleaseModel], findings: &mut Vec<Diagnostic>) {
    for release in releases {
        let env = &environments[release.env];
        for former in release.former_names() {
            let same = |other: &&ReleaseModel| other.env == release.env && other.name.as_str() == former;
            let Some(other) = releases.iter().find(same) else { continue };
            let message = format!("`{}` says it was `{former}`, but a release `{former}` is still there", release.name);
            let finding = Diagnostic::new(Code::RefFormerly, message)
                .at(release.span(env, &["formerly"]), "said here")
                .at(other.entry_span(env), "still installed");
            findings.push(finding.help(format!("remove `{former}`, or take it out of `formerly`")));
        }
    }
}

fn check_duplicates(environments: &[EnvModel], releases: &[ReleaseModel], findings: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<(usize, &str, &str), usize> = BTreeMap::new();
    for (number, release) in releases.iter().enumerate() {
        if release.spec.chart.is_none() {
            continue;
        }
        if let Some(other) = seen.insert((release.env, release.namespace(), release.helm_name()), number) {
            let other = &releases[other];
            let env = &environments[release.env];
            let message = format!(
                "`{}` and `{}` both install a Helm release `{}` in namespace `{}`",
                other.name,
                release.name,
                release.helm_name(),
                release.namespace()
            );
            let finding = Diagnostic::new(Code::RefDuplicate, message)
                .at(release.entry_span(env), "this one")
                .at(other.entry_span(env), "and this");
            findings.push(finding.help("give one of them another `namespace` or `releaseName`"));
        }
    }
}
