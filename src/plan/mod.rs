//! The plan: the whole result before it becomes text. Every command is a function of plans.
//!
//! [`plan`] reads the project, the environments, the profiles and the apps that are used, resolves releases,
//! capabilities and order, and says everything that is wrong with them. Values are merged and evaluated from it when
//! asked for ([`values::AppValues`]), app by app, so that memory stays proportional to the input.

mod clusters;
pub mod explain;
mod layers;
pub mod manifests;
mod scope;
pub mod values;

use std::sync::Arc;

use rustc_hash::FxHashSet;
use semver::{Version, VersionReq};

pub use clusters::{ClusterPlan, InstancePlan, stage_rank};
pub use layers::{Layer, Layers};

use crate::diag::{Code, Diagnostic, Span};
use crate::model::{AppName, Project};
use crate::resolve::capability::Bindings;
use crate::resolve::catalog::Catalog;
use crate::resolve::environment::{self, EnvModel};
use crate::resolve::order;
use crate::resolve::release::{self, ReleaseModel};
use crate::schema::kinds::Kinds;
use crate::source::budget::Resource;
use crate::source::docs::Docs;
use crate::template::Engine;
use crate::yaml::Doc;

/// The version of hlgen that plans.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Releases with their order, clusters and Applications; values and manifests are evaluated from it on demand.
pub struct Plan {
    pub project: Project,
    project_doc: Arc<Doc>,
    pub environments: Vec<EnvModel>,
    /// Sorted by environment and name.
    pub releases: Vec<ReleaseModel>,
    pub bindings: Bindings,
    /// For every release the releases it requires.
    pub requires: Vec<Vec<usize>>,
    /// Releases in layers: each after all it requires.
    pub strata: Vec<Vec<usize>>,
    pub clusters: Vec<ClusterPlan>,
    pub instances: Vec<InstancePlan>,
    pub layers: Layers,
    /// Apps that are the base of another one in use.
    bases: FxHashSet<AppName>,
    pub engine: Engine,
    scopes: scope::Scopes,
}

impl Plan {
    /// The place of a field in `hlgen.yaml`.
    pub fn project_span(&self, path: &[&str]) -> Span {
        doc_span(&self.project_doc, path)
    }

    /// The environment a release is in.
    pub fn env_of(&self, release: &ReleaseModel) -> &EnvModel {
        &self.environments[release.env]
    }

    /// Releases grouped by app, in the order of the apps' names; within an app by environment and name.
    pub fn by_app(&self) -> Vec<Vec<usize>> {
        let mut groups: std::collections::BTreeMap<&str, Vec<usize>> = std::collections::BTreeMap::new();
        for (number, release) in self.releases.iter().enumerate() {
            groups.entry(release.app.name.as_str()).or_default().push(number);
        }
        groups.into_values().collect()
    }

    /// Releases by environment and name.
    pub fn find(&self, environment: &str, release: &str) -> Option<usize> {
        self.releases.iter().position(|candidate| {
            candidate.name.as_str() == release && self.environments[candidate.env].name.as_str() == environment
        })
    }

    /// The clusters of a release's environment.
    pub fn clusters_of(&self, release: &ReleaseModel) -> impl Iterator<Item = (usize, &ClusterPlan)> {
        let env = release.env;
        self.clusters.iter().enumerate().filter(move |(_, cluster)| cluster.env == env)
    }
}

fn doc_span(doc: &Doc, path: &[&str]) -> Span {
    let mut span = doc.span(doc.root());
    let mut node = doc.root();
    for key in path {
        let Some(entry) = doc.entry(node, key) else { break };
        span = doc.span(entry.key);
        node = entry.value;
    }
    span
}

/// Plans a repository. What is wrong is in the findings; `None` only where there is no project to speak of.
pub fn plan(docs: &Docs<'_>, kinds: &Kinds, findings: &mut Vec<Diagnostic>) -> Option<Plan> {
    let Some(project_doc) = docs.one("hlgen.yaml") else {
        let problems = docs.take_findings();
        if problems.is_empty() {
            findings.push(
                Diagnostic::new(Code::FileMissing, "there is no `hlgen.yaml` here")
                    .help("run hlgen in the root of a repository that has one, or name it with `-C DIR`"),
            );
        }
        findings.extend(problems);
        return None;
    };
    let project: Project = kinds.read(&project_doc, "project", findings)?;
    check_version(&project, &project_doc, findings)?;
    check_paths(&project, &project_doc, findings);
    let mut environments = environment::load(docs, kinds, &project, findings);
    if environments.is_empty() && findings.is_empty() && docs.source.list("environments").is_empty() {
        findings.push(
            Diagnostic::new(Code::FileMissing, "there is no environment")
                .at(doc_span(&project_doc, &["name"]), "this project has none")
                .help(
                    "write `environments/<name>/environment.yaml`, for example with `stage: dev` and `provider: kind`",
                ),
        );
    }
    let clusters = environments.iter().map(|env| env.spec.clusters.len() as u64).sum();
    docs.meter().fits(Resource::Clusters, clusters).ok()?;
    let entries = environments.iter().map(|env| env.spec.apps.len() as u64).sum();
    docs.meter().fits(Resource::Releases, entries).ok()?;
    let mut catalog = Catalog::new(docs, kinds);
    let mut releases = Vec::new();
    for (index, env) in environments.iter().enumerate() {
        releases.extend(release::load(&mut catalog, env, index, findings));
        docs.meter().fits(Resource::Releases, releases.len() as u64).ok()?;
    }
    // From here on a release is its merged spec; the entries as written would only take memory.
    environments.iter_mut().for_each(|env| env.spec.apps = indexmap::IndexMap::new());
    catalog.load_own(findings);
    let layers = Layers::new(&project, &environments, &project_doc, docs, findings);
    let bindings = Bindings::new(&environments, &releases, findings);
    bindings.check(&environments, &releases, &mut catalog, findings);
    let requires = order::edges(&environments, &releases, &bindings, findings);
    let strata = order::strata(&environments, &releases, &requires, findings);
    let (clusters, instances) = clusters::resolve(&project, &project_doc, &environments, &releases, findings);
    // Both come from a few lines, and everything after this looks at their product.
    let installs = |cluster: &ClusterPlan| releases.iter().filter(|release| release.env == cluster.env).count() as u64;
    let mut per_env = vec![None; environments.len()];
    let product: u64 =
        clusters.iter().map(|cluster| *per_env[cluster.env].get_or_insert_with(|| installs(cluster))).sum();
    docs.meter().fits(Resource::Outputs, product).ok()?;
    let bases = releases.iter().filter_map(|release| Some(release.app.base.as_ref()?.name.clone())).collect();
    let engine = Engine::within(docs.shared_meter());
    let scopes = scope::Scopes::new(&project, &environments, &releases, &clusters, &engine, findings);
    findings.extend(docs.source.problems().iter().map(crate::source::ReadError::finding));
    Some(Plan {
        project,
        project_doc,
        environments,
        releases,
        bindings,
        requires,
        strata,
        clusters,
        instances,
        layers,
        bases,
        engine,
        scopes,
    })
}

/// The folder of the rendered files is one of its own below the repository's root, of a name that Argo CD takes as it
/// is in `valueFiles` (no pattern, no variable).
fn check_paths(project: &Project, doc: &Doc, findings: &mut Vec<Diagnostic>) {
    let own = [(&project.git, ["git", "path"])];
    let instances = project.argocd.instances.iter().filter_map(|instance| instance.git.as_ref());
    for (git, at) in own.into_iter().chain(instances.map(|git| (git, ["argocd", "instances"]))) {
        let path = git.path.as_str();
        let inputs = ["catalog", "environments", "hlgen.yaml"];
        let problem = if !crate::source::is_plain_path(path) {
            "it is not a folder of this repository"
        } else if path.split('/').any(|part| part.starts_with('.')) {
            "it is hidden"
        } else if path.contains(|c: char| "*?[]{}$".contains(c) || c.is_whitespace()) {
            "Argo CD would read it as a pattern or a variable"
        } else if inputs.contains(&path.split('/').next().unwrap_or_default()) {
            "hlgen reads its own input there"
        } else {
            continue;
        };
        let message = format!("`{path}` cannot hold the rendered files: {problem}");
        let finding = Diagnostic::new(Code::KindField, message).at(doc_span(doc, &at), "this folder");
        findings.push(finding.help("write a folder relative to the repository's root, for example `path: rendered`"));
    }
}

fn check_version(project: &Project, doc: &Doc, findings: &mut Vec<Diagnostic>) -> Option<()> {
    let Some(wanted) = &project.hlgen else { return Some(()) };
    let at = doc_span(doc, &["hlgen"]);
    match VersionReq::parse(wanted) {
        Err(error) => {
            let finding = Diagnostic::new(Code::KindVersion, format!("`hlgen: {wanted}`: {error}"));
            findings.push(finding.at(at, "this range").help("write a range such as `>=0.4, <0.6`"));
            None
        }
        Ok(range) if Version::parse(VERSION).is_ok_and(|version| range.matches(&version)) => Some(()),
        Ok(_) => {
            let finding =
                Diagnostic::new(Code::HlgenVersion, format!("this is hlgen {VERSION}, the project wants {wanted}"));
            findings
                .push(finding.at(at, "asked for here").help("install a version in that range, or change the range"));
            None
        }
    }
}
