//! AppProjects: one per environment and tier, so that an application cannot reach what is not its own.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::sets::Group;
use super::{Mode, OutFile, application};
use crate::argocd::types::{AppProject, AppProjectSpec, Metadata, ProjectDestination, ResourceKind, keys};
use crate::model::{Destination, Tier};
use crate::plan::Plan;

/// A project with the instance that holds it.
#[derive(Debug, Clone)]
pub struct Project {
    pub instance: usize,
    pub project: AppProject,
}

/// What an environment's releases of one tier need.
#[derive(Debug, Default)]
struct Needs {
    repos: BTreeSet<String>,
    /// Cluster name or URL (one of them empty) and namespace.
    destinations: BTreeSet<(String, String, String)>,
    /// Group and kind.
    kinds: BTreeSet<(String, String)>,
}

/// The projects that the groups use, by instance and name.
pub fn all(plan: &Plan, groups: &[Group], mode: Mode<'_>) -> Vec<Project> {
    let mut all: BTreeMap<(usize, usize, Tier), Needs> = BTreeMap::new();
    for (instance, member) in
        groups.iter().flat_map(|group| group.members.iter().map(|member| (group.instance, member)))
    {
        let cluster = &plan.clusters[member.cluster];
        let release = member.release.map(|number| &plan.releases[number]);
        let tier = release.map_or(Tier::Platform, |release| release.spec.tier);
        let needs = all.entry((instance, cluster.env, tier)).or_default();
        let mut allow = |namespace: &str| {
            let (name, server) = match &cluster.destination {
                Destination::Name(name) => (name.clone(), String::new()),
                Destination::Server(server) => (String::new(), server.clone()),
            };
            needs.destinations.insert((name, server, namespace.to_owned()));
        };
        match release {
            Some(release) if tier == Tier::Application => {
                allow(release.namespace());
                release.spec.writes_to.iter().for_each(|namespace| allow(namespace));
                needs.kinds.extend(release.spec.creates.iter().map(|kind| group_kind(kind)));
            }
            _ => allow("*"),
        }
        let plan_instance = &plan.instances[instance];
        match release {
            Some(release) => {
                let sources = application::sources(plan, cluster, release, member, mode);
                needs.repos.extend(sources.into_iter().map(|source| source.repo_url));
            }
            None => {
                needs.repos.insert(plan_instance.git.repo_url.clone());
            }
        }
    }
    all.into_iter()
        .map(|((instance, env, tier), needs)| Project { instance, project: project(plan, env, tier, needs) })
        .collect()
}

fn project(plan: &Plan, env: usize, tier: Tier, needs: Needs) -> AppProject {
    let name = application::project_name(plan, env, tier);
    let env_name = plan.environments[env].name.as_str();
    let Needs { repos, destinations, kinds } = needs;
    let description = match tier {
        Tier::Platform => format!("What the clusters of {env_name} need before anything else."),
        Tier::Application => format!("Applications of {env_name}: their own namespaces and what they declare."),
    };
    let cluster_resource_whitelist = match tier {
        Tier::Platform => vec![ResourceKind::new("*", "*")],
        Tier::Application => kinds.into_iter().map(|(group, kind)| ResourceKind::new(group, kind)).collect(),
    };
    AppProject::new(
        Metadata {
            labels: IndexMap::from([
                ("app.kubernetes.io/managed-by".to_owned(), "hlgen".to_owned()),
                ("hlgen.dev/project".to_owned(), plan.project.name.to_string()),
                ("hlgen.dev/environment".to_owned(), env_name.to_owned()),
            ]),
            // Before the Applications that name it.
            annotations: IndexMap::from([(keys::SYNC_WAVE.to_owned(), "-1".to_owned())]),
            ..Metadata::new(name.clone(), plan.project.argocd.namespace.clone())
        },
        AppProjectSpec {
            description,
            source_repos: repos.into_iter().collect(),
            destinations: destinations
                .into_iter()
                .map(|(name, server, namespace)| ProjectDestination { name, server, namespace })
                .collect(),
            cluster_resource_whitelist,
            ..AppProjectSpec::default()
        },
    )
}

/// `Kind.group` (`ClusterRole.rbac.authorization.k8s.io`), or a kind of the core group.
fn group_kind(text: &str) -> (String, String) {
    match text.split_once('.') {
        Some((kind, group)) => (group.to_owned(), kind.to_owned()),
        None => (String::new(), text.to_owned()),
    }
}

/// The file of a project.
pub fn file(plan: &Plan, project: &Project) -> OutFile {
    let instance = &plan.instances[project.instance].name;
    let name = &project.project.metadata.name;
    let path = format!("argocd/{instance}/projects/{name}.yaml");
    OutFile::objects(plan, path, &format!("instance {instance}, project {name}"), &[&project.project])
}
