//! The root Application: applied once by hand or by bootstrap, it brings everything else and itself.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Mode, OutFile, application, inline};
use crate::argocd::types::{
    AppProject, AppProjectSpec, Application, ApplicationSpec, Automated, Destination, Directory, Metadata,
    ProjectDestination, ResourceKind, Source, SyncPolicy, keys,
};
use crate::plan::Plan;

/// The name of the root Application and its project.
pub fn name(plan: &Plan) -> String {
    format!("{}-root", plan.project.name)
}

/// The root's project and Application.
pub fn objects(plan: &Plan, index: usize, mode: Mode<'_>) -> (AppProject, Application) {
    let instance = &plan.instances[index];
    let namespace = plan.project.argocd.namespace.as_str();
    let in_cluster = "https://kubernetes.default.svc";
    let metadata = |wave: Option<&str>| Metadata {
        labels: IndexMap::from([
            ("app.kubernetes.io/managed-by".to_owned(), "hlgen".to_owned()),
            ("hlgen.dev/project".to_owned(), plan.project.name.to_string()),
        ]),
        annotations: wave.map(|wave| (keys::SYNC_WAVE.to_owned(), wave.to_owned())).into_iter().collect(),
        ..Metadata::new(name(plan), namespace)
    };
    let project = AppProject::new(
        metadata(Some("-1")),
        AppProjectSpec {
            description: format!("What hlgen rendered for instance {}: projects and ApplicationSets.", instance.name),
            source_repos: vec![instance.git.repo_url.clone()],
            destinations: vec![ProjectDestination {
                server: in_cluster.into(),
                namespace: namespace.into(),
                ..ProjectDestination::default()
            }],
            namespace_resource_whitelist: ["Application", "ApplicationSet", "AppProject"]
                .map(|kind| ResourceKind::new("argoproj.io", kind))
                .to_vec(),
            ..AppProjectSpec::default()
        },
    );
    let path = format!("{}/argocd/{}", instance.git.path, instance.name);
    let mut root = metadata(None);
    let source = match mode {
        Mode::Files => {
            root.annotations.insert(keys::MANIFEST_GENERATE_PATHS.into(), format!("/{path}"));
            Source {
                repo_url: instance.git.repo_url.clone(),
                path,
                target_revision: instance.git.branch.clone(),
                directory: Some(Directory { recurse: true }),
                ..Source::default()
            }
        }
        Mode::Inline(inline) => {
            let paths = inline.roots.get(&index).cloned();
            root.annotations.extend(paths.map(|paths| (keys::MANIFEST_GENERATE_PATHS.to_owned(), paths)));
            inline::root_source(instance)
        }
    };
    let application = Application::new(
        root,
        ApplicationSpec {
            project: name(plan),
            destination: Destination {
                server: in_cluster.into(),
                namespace: namespace.into(),
                ..Destination::default()
            },
            source: Some(source),
            sync_policy: Some(SyncPolicy {
                automated: Some(Automated::new(true, true, application::version(instance))),
                sync_options: vec!["ServerSideApply=true".into()],
                retry: Some(application::retry(instance)),
            }),
            ..ApplicationSpec::default()
        },
    );
    (project, application)
}

/// The root's file.
pub fn file(plan: &Plan, instance: usize, mode: Mode<'_>) -> OutFile {
    let (project, application) = objects(plan, instance, mode);
    let objects = [serde_json::to_value(project), serde_json::to_value(application)];
    let objects: Vec<Value> = objects.into_iter().map(Result::unwrap_or_default).collect();
    let instance = &plan.instances[instance].name;
    OutFile::objects(plan, format!("argocd/{instance}/root.yaml"), &format!("instance {instance}"), &objects)
}
