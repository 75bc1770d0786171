//! The Application of a release on a cluster: sources, deletion safety, retries (DESIGN sections 7 and 8).

use indexmap::IndexMap;

use super::inline::{self, Mode};
use super::sets::Member;
use crate::argocd::Version;
use crate::argocd::types::{
    Application, ApplicationSpec, Automated, Backoff, Destination, Directory, Helm, IgnoreDifference, Metadata, Retry,
    Source, SyncPolicy, keys,
};
use crate::model::{self, Chart, Crds};
use crate::plan::{ClusterPlan, InstancePlan, Plan};
use crate::resolve::release::ReleaseModel;

/// The label that a staged rollout selects by.
pub const ROLLOUT_LABEL: &str = "hlgen.dev/rollout";

/// The rollout group of environments that are often away.
pub const AWAY: &str = "away";

/// The name under which value files of the Git repository are reached.
const VALUES_REF: &str = "values";

/// The version an instance runs; an unreadable one was a finding before and counts as the oldest.
pub fn version(instance: &InstancePlan) -> Version {
    instance.version.parse().unwrap_or(Version::OLDEST)
}

/// The Application's name by the project's or the release's own pattern.
pub fn name(plan: &Plan, cluster: &ClusterPlan, release: &str, app: &str, own: Option<&str>) -> String {
    let values = [
        ("{cluster}", cluster.name.as_str()),
        ("{release}", release),
        ("{env}", plan.environments[cluster.env].name.as_str()),
        ("{app}", app),
    ];
    let mut rest = own.unwrap_or(&plan.project.argocd.application_name);
    let mut name = String::with_capacity(rest.len() + release.len());
    // None of the values holds a brace, so one pass is enough.
    while let Some(start) = rest.find('{') {
        name.push_str(&rest[..start]);
        rest = &rest[start..];
        let (written, value) = values.iter().find(|(word, _)| rest.starts_with(word)).unwrap_or(&("{", "{"));
        name.push_str(value);
        rest = &rest[written.len()..];
    }
    name + rest
}

/// The name of the AppProject of an environment and tier.
pub fn project_name(plan: &Plan, env: usize, tier: model::Tier) -> String {
    format!("{}-{}", plan.environments[env].name, tier.as_str())
}

/// The group of a staged rollout that an environment belongs to.
pub fn rollout_group(plan: &Plan, env: usize) -> &str {
    let env = &plan.environments[env];
    if env.spec.gates { &env.spec.stage } else { AWAY }
}

/// Whether a release has anything to bring: a chart, a directory or manifests.
pub fn brings_something(release: &ReleaseModel, has_manifests: bool) -> bool {
    release.spec.chart.is_some() || release.spec.git.is_some() || has_manifests
}

/// The Application of a release on a cluster: `manifest-generate-paths` names all it is made from, since Argo CD takes
/// its last manifests for those of a new commit that touches nothing below them (argocd.md section 1.7). A directory
/// of another repository (`git:`) may reach out of its folder and changes by its revision alone, so there is none for
/// it.
///
/// In inline mode what hlgen rendered comes with the Application ([`inline`]), so the paths are those the plugin reads.
pub fn release(
    plan: &Plan,
    cluster: &ClusterPlan,
    release: &ReleaseModel,
    member: &Member,
    mode: Mode<'_>,
) -> Application {
    let instance = &plan.instances[cluster.instance];
    let spec = &release.spec;
    let options = &spec.application;
    let mut sources = sources(plan, cluster, release, member, mode);
    let app_name = release.app.name.as_str();
    let name = name(plan, cluster, release.name.as_str(), app_name, options.name.as_deref());
    let mut metadata = metadata(plan, cluster, name, release.name.as_str());
    metadata.labels.insert("hlgen.dev/app".into(), app_name.into());
    metadata.labels.insert("hlgen.dev/tier".into(), spec.tier.as_str().into());
    metadata.labels.extend(options.labels.clone());
    if deletes_resources(plan, release) && !member.holds_state {
        metadata.finalizers.push(keys::RESOURCES_FINALIZER.into());
    }
    if let Mode::Inline(inline) = mode {
        inline.annotate(member, &mut metadata);
    }
    match &spec.chart {
        _ if spec.git.is_some() => {
            metadata.annotations.shift_remove(keys::MANIFEST_GENERATE_PATHS);
        }
        Some(Chart { path: Some(path), .. }) => {
            let paths = metadata.annotations.entry(keys::MANIFEST_GENERATE_PATHS.to_owned()).or_default();
            *paths = if paths.is_empty() { format!("/{path}") } else { format!("{paths};/{path}") };
        }
        _ => {}
    }
    metadata.annotations.extend(options.annotations.clone());
    let (source, sources) = if sources.len() == 1 { (sources.pop(), Vec::new()) } else { (None, sources) };
    Application::new(
        metadata,
        ApplicationSpec {
            project: project_name(plan, release.env, spec.tier),
            destination: destination(cluster, release.namespace()),
            source,
            sources,
            sync_policy: Some(sync_policy(instance, prunes(plan, release), release)),
            ignore_differences: options.ignore_differences.iter().map(ignore_difference).collect(),
            revision_history_limit: options.revision_history_limit.map(i64::from).or(mode.history_limit()),
        },
    )
}

/// The Application that brings a cluster its namespaces.
pub fn namespaces(plan: &Plan, cluster: &ClusterPlan, member: &Member, mode: Mode<'_>) -> Application {
    let instance = &plan.instances[cluster.instance];
    let release = super::NAMESPACES;
    let name = name(plan, cluster, release, release, None);
    let mut metadata = metadata(plan, cluster, name, release);
    let source = match mode {
        Mode::Files => Source {
            repo_url: instance.git.repo_url.clone(),
            path: format!("{}/{}/{release}", instance.git.path, cluster.name),
            target_revision: instance.git.branch.clone(),
            directory: Some(Directory { recurse: true }),
            ..Source::default()
        },
        Mode::Inline(inline) => {
            inline.annotate(member, &mut metadata);
            inline::namespaces_source(instance, cluster)
        }
    };
    metadata.labels.insert("hlgen.dev/tier".into(), model::Tier::Platform.as_str().into());
    Application::new(
        metadata,
        ApplicationSpec {
            project: project_name(plan, cluster.env, model::Tier::Platform),
            destination: destination(cluster, ""),
            source: Some(source),
            sync_policy: Some(SyncPolicy {
                automated: Some(Automated::new(true, true, version(instance))),
                sync_options: vec!["ServerSideApply=true".into()],
                retry: Some(retry(instance)),
            }),
            ..ApplicationSpec::default()
        },
    )
}

fn metadata(plan: &Plan, cluster: &ClusterPlan, name: String, release: &str) -> Metadata {
    let instance = &plan.instances[cluster.instance];
    let env = &plan.environments[cluster.env];
    let labels = [
        ("app.kubernetes.io/managed-by", "hlgen"),
        ("hlgen.dev/project", plan.project.name.as_str()),
        ("hlgen.dev/environment", env.name.as_str()),
        ("hlgen.dev/stage", env.spec.stage.as_str()),
        ("hlgen.dev/cluster", cluster.name.as_str()),
        ("hlgen.dev/release", release),
    ];
    let mut labels: IndexMap<String, String> =
        labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    if plan.project.argocd.rollout == model::Rollout::ByStage {
        labels.insert(ROLLOUT_LABEL.into(), rollout_group(plan, cluster.env).into());
    }
    let paths = format!("/{}/{}/{release}", instance.git.path, cluster.name);
    let annotations = IndexMap::from([(keys::MANIFEST_GENERATE_PATHS.to_owned(), paths)]);
    Metadata { labels, annotations, ..Metadata::new(name, plan.project.argocd.namespace.clone()) }
}

/// Where Argo CD finds a cluster.
pub fn destination(cluster: &ClusterPlan, namespace: &str) -> Destination {
    let mut destination = Destination { namespace: namespace.to_owned(), ..Destination::default() };
    match &cluster.destination {
        model::Destination::Name(name) => destination.name.clone_from(name),
        model::Destination::Server(server) => destination.server.clone_from(server),
    }
    destination
}

/// Where the parts of a release come from: its chart or directory, and its manifests.
///
/// In files mode the values are a file of the Git repository, which is a source under the name `values`; in inline mode
/// they stand in the chart's source, and the plugin brings the manifests.
pub fn sources(
    plan: &Plan,
    cluster: &ClusterPlan,
    release: &ReleaseModel,
    member: &Member,
    mode: Mode<'_>,
) -> Vec<Source> {
    let instance = &plan.instances[cluster.instance];
    let git = &instance.git;
    let spec = &release.spec;
    let has_manifests = member.has_manifests;
    let folder = format!("{}/{}/{}", git.path, cluster.name, release.name);
    let own = |reference: &str| match mode {
        Mode::Files => Source {
            repo_url: git.repo_url.clone(),
            target_revision: git.branch.clone(),
            reference: reference.to_owned(),
            path: if has_manifests { format!("{folder}/manifests") } else { String::new() },
            directory: has_manifests.then_some(Directory { recurse: true }),
            ..Source::default()
        },
        Mode::Inline(_) => {
            inline::manifests_source(instance, plan.environments[cluster.env].name.as_str(), cluster, release)
        }
    };
    let helm = |prefix: &str| {
        let mut helm = helm(release);
        match mode {
            Mode::Files => helm.value_files = vec![format!("{prefix}/{folder}/values.yaml")],
            Mode::Inline(inline) => inline.values_of(member).clone_into(&mut helm.values),
        }
        Some(helm)
    };
    let mut sources = Vec::new();
    let mut reference = "";
    if let Some(Chart { path: Some(path), .. }) = &spec.chart {
        // The chart is in the same repository, so its values are named from the repository's root.
        sources.push(Source {
            repo_url: git.repo_url.clone(),
            path: path.clone(),
            target_revision: git.branch.clone(),
            helm: helm(""),
            ..Source::default()
        });
    } else if let Some(chart) = &spec.chart {
        sources.push(Source {
            repo_url: chart_repository(chart.repository.as_deref().unwrap_or_default()),
            chart: chart.name.clone().unwrap_or_default(),
            target_revision: release.version().unwrap_or_default().to_owned(),
            helm: helm(&format!("${VALUES_REF}")),
            ..Source::default()
        });
        reference = VALUES_REF;
    } else if let Some(directory) = &spec.git {
        sources.push(Source {
            repo_url: directory.repo_url.clone(),
            path: directory.path.clone(),
            target_revision: release.version().unwrap_or_default().to_owned(),
            ..Source::default()
        });
    }
    let needs_values = matches!(mode, Mode::Files) && !reference.is_empty();
    sources.extend((has_manifests || needs_values).then(|| own(reference)));
    sources
}

/// How a release's chart is rendered, but for its values.
fn helm(release: &ReleaseModel) -> Helm {
    let options = &release.spec.application.helm;
    Helm {
        release_name: release.helm_name().to_owned(),
        skip_crds: options.skip_crds,
        skip_tests: options.skip_tests,
        skip_schema_validation: options.skip_schema_validation,
        pass_credentials: options.pass_credentials,
        kube_version: options.kube_version.clone().unwrap_or_default(),
        api_versions: options.api_versions.clone(),
        ..Helm::default()
    }
}

/// A chart repository as Argo CD writes it: an OCI registry without its scheme (argocd.md section 3.1).
pub fn chart_repository(url: &str) -> String {
    url.strip_prefix("oci://").unwrap_or(url).trim_end_matches('/').to_owned()
}

fn sync_policy(instance: &InstancePlan, prune: bool, release: &ReleaseModel) -> SyncPolicy {
    let options = &release.spec.application;
    // Bootstrap applies the same objects server-side under Argo CD's own field manager, so Argo CD adopts them.
    let mut sync_options = vec!["ServerSideApply=true".to_owned()];
    if !options.ignore_differences.is_empty() {
        sync_options.push("RespectIgnoreDifferences=true".to_owned());
    }
    for option in &options.sync_options {
        if !sync_options.contains(option) {
            sync_options.push(option.clone());
        }
    }
    SyncPolicy {
        automated: Some(Automated::new(prune, true, version(instance))),
        sync_options,
        retry: Some(retry(instance)),
    }
}

/// Long enough for what comes up in any order: Argo CD's own default gives up after some 155 seconds.
pub fn retry(instance: &InstancePlan) -> Retry {
    Retry {
        limit: 20,
        backoff: Some(Backoff { duration: "5s".into(), factor: Some(2), max_duration: "3m".into() }),
        refresh: version(instance).has_retry_refresh(),
    }
}

fn requires_storage(release: &ReleaseModel) -> bool {
    release.spec.requires.iter().any(|name| name == "storage" || name.starts_with("storage/"))
}

/// Whether what vanishes from Git is deleted from the cluster.
pub fn prunes(plan: &Plan, release: &ReleaseModel) -> bool {
    let prod = plan.environments[release.env].spec.stage == "prod";
    !release.lets_go() && release.spec.application.prune.unwrap_or(!(prod && requires_storage(release)))
}

/// Whether deleting the Application deletes what it installed.
fn deletes_resources(plan: &Plan, release: &ReleaseModel) -> bool {
    keeps_resources(plan, release).is_none()
}

/// Why deleting the Application leaves what it installed, in a few words; `None` where it does not. It deletes only outside
/// prod, and never storage, CRDs, Argo CD itself, the network or the storage drivers; nor a directory of another
/// repository, which may hold any of these; nor a release that is about to be renamed.
pub fn keeps_resources(plan: &Plan, release: &ReleaseModel) -> Option<&'static str> {
    let spec = &release.spec;
    let provides = |kind: &str| spec.provides.keys().any(|name| name.split('/').next() == Some(kind));
    if release.lets_go() {
        Some("it is about to be renamed")
    } else if plan.environments[release.env].spec.stage == "prod" {
        Some("it is in prod")
    } else if requires_storage(release) {
        Some("it requires storage")
    } else if spec.git.is_some() {
        Some("its directory may hold anything")
    } else if spec.chart.as_ref().is_some_and(|chart| chart.crds == Crds::Chart) {
        Some("its chart installs CRDs")
    } else if ["gitops", "cni", "storage"].into_iter().any(provides) {
        Some("other releases stand on it")
    } else {
        None
    }
}

fn ignore_difference(own: &model::IgnoreDifference) -> IgnoreDifference {
    let own = own.clone();
    IgnoreDifference {
        group: own.group.unwrap_or_default(),
        kind: own.kind,
        name: own.name.unwrap_or_default(),
        namespace: own.namespace.unwrap_or_default(),
        json_pointers: own.json_pointers,
        jq_path_expressions: own.jq_path_expressions,
        managed_fields_managers: own.managed_fields_managers,
    }
}
