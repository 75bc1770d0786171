//! AppProjects: one per environment and tier, so that an application cannot reach what is not its own.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::sets::Set;
use super::{OutFile, application};
use crate::argocd::types::{AppProject, AppProjectSpec, Metadata, ProjectDestination, ResourceKind, keys};
use crate::model::{Destination, Tier};
use crate::plan::Plan;

/// A project with the instance that holds it.
#[derive(Debug, Clone)]
pub struct Project {
    pub instance: usize,
    pub project: AppProject,
}

/// The projects that the sets use, by instance and name.
pub fn all(plan: &Plan, sets: &[Set]) -> Vec<Project> {
    let mut used: BTreeSet<(usize, usize, Tier)> = BTreeSet::new();
    for member in sets.iter().flat_map(|set| set.members.iter().map(move |member| (set.instance, member))) {
        let (instance, member) = member;
        let project = &member.application.spec.project;
        for env in &plan.instances[instance].manages {
            for tier in [Tier::Platform, Tier::Application] {
                if *project == application::project_name(plan, *env, tier) {
                    used.insert((instance, *env, tier));
                }
            }
        }
    }
    used.into_iter()
        .map(|(instance, env, tier)| Project { instance, project: project(plan, instance, env, tier, sets) })
        .collect()
}

fn project(plan: &Plan, instance: usize, env: usize, tier: Tier, sets: &[Set]) -> AppProject {
    let name = application::project_name(plan, env, tier);
    let members = || {
        let of_instance = sets.iter().filter(move |set| set.instance == instance);
        let name = &name;
        of_instance.flat_map(|set| &set.members).filter(move |member| member.application.spec.project == *name)
    };
    let repos: BTreeSet<String> = members()
        .flat_map(|member| member.application.spec.all_sources().map(|source| source.repo_url.clone()))
        .collect();
    let env_name = plan.environments[env].name.as_str();
    let mut destinations: BTreeSet<(String, String, String)> = BTreeSet::new();
    let mut kinds: BTreeSet<(String, String)> = BTreeSet::new();
    for member in members() {
        let cluster = &plan.clusters[member.cluster];
        let mut allow = |namespace: &str| {
            let (name, server) = match &cluster.destination {
                Destination::Name(name) => (name.clone(), String::new()),
                Destination::Server(server) => (String::new(), server.clone()),
            };
            destinations.insert((name, server, namespace.to_owned()));
        };
        match tier {
            Tier::Platform => allow("*"),
            Tier::Application => {
                let Some(release) = member.release.map(|number| &plan.releases[number]) else { continue };
                allow(release.namespace());
                release.spec.writes_to.iter().for_each(|namespace| allow(namespace));
                kinds.extend(release.spec.creates.iter().map(|kind| group_kind(kind)));
            }
        }
    }
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
