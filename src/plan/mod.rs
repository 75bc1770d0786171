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
pub mod survey;
pub mod values;

use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashSet;
use semver::{Version, VersionReq};
use serde_json::Value as Json;

pub use clusters::{ClusterPlan, InstancePlan, stage_rank};
pub use layers::{Layer, Layers};

use crate::diag::{Code, Diagnostic, Span};
use crate::model::{AppName, Policies, Project};
use crate::resolve::capability::{self, Bindings, Provider};
use crate::resolve::catalog::Catalog;
use crate::resolve::environment::{self, EnvModel};
use crate::resolve::order;
use crate::resolve::release::{self, ReleaseModel};
use crate::resolve::uses::Uses;
use crate::resolve::view::View;
use crate::schema::kinds::Kinds;
use crate::source::budget::Resource;
use crate::source::docs::Docs;
use crate::template::{Engine, Scope, TemplateError};
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
    uses: OnceLock<Uses>,
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

    /// The hosts at which a release is exposed on a cluster, by the names of its ways in. One that has no host (the
    /// environment has no domain) is not among them.
    pub fn hosts(&self, number: usize, cluster: usize) -> &[(String, String)] {
        self.scopes.hosts(number, cluster)
    }

    /// The data of a capability and of its classes (`storage`, `storage/shared`) as releases, the platform and the outside
    /// offer it on a cluster.
    pub fn offers(&self, cluster: usize, kind: &str) -> Vec<crate::template::Value> {
        let env = self.clusters[cluster].env;
        self.scopes.offers(&self.releases, &self.environments[env], (cluster, env), kind)
    }

    /// What templates of a release see on a cluster: variables, capabilities' data, hosts; no values and no files.
    pub fn scope(&self, number: usize, cluster: usize) -> Scope {
        self.scopes.of(&self.bindings, &self.releases, number, cluster, None)
    }

    /// The data of a capability that a provider gives to a release on a cluster.
    pub fn capability(&self, number: usize, cluster: usize, name: &str, provider: Provider) -> Option<Json> {
        let data = self.scopes.data(&self.releases, &self.releases[number], cluster, name, provider)?;
        serde_json::to_value(data).ok()
    }

    /// The policies of an environment: its own over its profiles' over the project's.
    pub fn policies(&self, env: usize) -> Policies {
        self.environments[env].spec.policies.over(&self.project.policies)
    }

    /// Evaluates a text of `app.yaml` or of an environment that may hold templates.
    pub fn text(&self, text: &str, scope: &Arc<Scope>) -> Result<String, TemplateError> {
        scope::evaluate_text(&self.engine, text, scope)
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

    /// Whether templates see the same of a cluster here and of a cluster there: environment (with every host that is exposed
    /// there), cluster, vars, project.
    pub fn sees_same_cluster(&self, cluster: usize, other: &Self, other_cluster: usize) -> bool {
        self.scopes.same_cluster(cluster, &other.scopes, other_cluster)
    }

    /// Whether templates of a release see the same capabilities and hosts as those of another one.
    pub fn sees_same_release(&self, own: (usize, usize), other: &Self, others: (usize, usize)) -> bool {
        let look =
            |plan: &Self, (number, cluster)| plan.scopes.of(&plan.bindings, &plan.releases, number, cluster, None);
        scope::Scopes::same_release(&look(self, own), &look(other, others))
    }

    /// The capabilities that a release declares, and who provides each: a release (`env/release` of another environment),
    /// `the platform`, `external`, or nobody.
    pub fn providers(&self, number: usize) -> Vec<(String, Option<String>)> {
        let release = &self.releases[number];
        let label = |provider: Provider| match provider {
            Provider::Release(provider) => {
                let provider = &self.releases[provider];
                if provider.env == release.env {
                    provider.name.to_string()
                } else {
                    format!("{}/{}", self.env_of(provider).name, provider.name)
                }
            }
            Provider::Profile => "the platform".to_owned(),
            Provider::External => "external".to_owned(),
        };
        let declared = capability::declared(release).into_iter();
        declared
            .map(|(name, _)| {
                let provider = self.bindings.provider(&self.releases, release, &name).ok().flatten();
                (name, provider.map(label))
            })
            .collect()
    }

    /// Who uses whom; put together when it is first asked for.
    pub fn uses(&self) -> &Uses {
        self.uses.get_or_init(|| Uses::new(&self.releases, &self.bindings))
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
    let plan = part(docs, kinds, &View::Everything, findings)?;
    findings.extend(docs.source.problems().iter().map(crate::source::ReadError::finding));
    Some(plan)
}

/// Plans a part of a repository, as if it were all there is: what it says of the environments of the view is what the
/// plan of the whole says of them. Files that cannot be read are findings only where they are asked for.
pub fn part(docs: &Docs<'_>, kinds: &Kinds, view: &View, findings: &mut Vec<Diagnostic>) -> Option<Plan> {
    let (project, project_doc) = project(docs, kinds, findings)?;
    let environments = environment::load(docs, kinds, &project, view, findings);
    if view.is_everything()
        && environments.is_empty()
        && findings.is_empty()
        && docs.source.list("environments").is_empty()
    {
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
    let entries = environments.iter().map(|env| env.releases.len() as u64).sum();
    docs.meter().fits(Resource::Releases, entries).ok()?;
    let mut catalog = Catalog::new(docs, kinds);
    let mut releases = Vec::new();
    for (index, env) in environments.iter().enumerate() {
        releases.extend(release::load(&mut catalog, env, index, findings));
        docs.meter().fits(Resource::Releases, releases.len() as u64).ok()?;
    }
    if view.is_everything() {
        catalog.load_own(findings);
    }
    let layers = Layers::new(&project, &environments, &project_doc, docs, findings);
    let bindings = Bindings::new(&environments, &releases, findings);
    bindings.check(&environments, &releases, &mut catalog, view, findings);
    let requires = order::edges(&environments, &releases, &bindings, findings);
    let strata = order::strata(&environments, &releases, &requires, findings);
    let (clusters, instances) = clusters::resolve(&project, &project_doc, &environments, &releases, view, findings);
    // Both come from a few lines, and everything after this looks at their product.
    let installs = |cluster: &ClusterPlan| releases.iter().filter(|release| release.env == cluster.env).count() as u64;
    let mut per_env = vec![None; environments.len()];
    let product: u64 =
        clusters.iter().map(|cluster| *per_env[cluster.env].get_or_insert_with(|| installs(cluster))).sum();
    docs.meter().fits(Resource::Outputs, product).ok()?;
    let bases = releases.iter().filter_map(|release| Some(release.app.base.as_ref()?.name.clone())).collect();
    let engine = Engine::within(docs.shared_meter());
    let scopes = scope::Scopes::new(&project, &environments, &releases, &clusters, &engine, findings);
    Some(Plan {
        project,
        project_doc,
        environments,
        releases,
        bindings,
        uses: OnceLock::new(),
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

/// Reads `hlgen.yaml` alone, with the document.
pub fn project(docs: &Docs<'_>, kinds: &Kinds, findings: &mut Vec<Diagnostic>) -> Option<(Project, Arc<Doc>)> {
    let Some(project_doc) = docs.one("hlgen.yaml") else {
        let problems = docs.take_findings();
        if problems.is_empty() {
            findings.push(
                Diagnostic::new(Code::FileMissing, "there is no `hlgen.yaml` here")
                    .help("run hlgen in the root of a repository that has one, name it with `-C DIR`, or start one with `hlgen init`"),
            );
        }
        findings.extend(problems);
        return None;
    };
    let project: Project = kinds.read(&project_doc, "project", findings)?;
    check_version(&project, &project_doc, findings)?;
    check_paths(&project, &project_doc, findings);
    check_addresses(&project, findings);
    Some((project, project_doc))
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

/// Addresses in `hlgen.yaml` hold no user and no password: whoever reads the repository would have them, and Argo CD
/// would show them. The finding has no place, because a place shows its line.
fn check_addresses(project: &Project, findings: &mut Vec<Diagnostic>) {
    let own = std::iter::once((String::from("git"), &project.git));
    let instances = project.argocd.instances.iter().enumerate();
    let instances = instances.filter_map(|(at, one)| Some((format!("argocd.instances[{at}].git"), one.git.as_ref()?)));
    let git = own.chain(instances).flat_map(|(at, git)| {
        [(format!("{at}.repoURL"), Some(&git.repo_url)), (format!("{at}.pushURL"), git.push_url.as_ref())]
    });
    let repositories = project.repositories.iter().enumerate();
    let repositories = repositories.map(|(at, one)| (format!("repositories[{at}].url"), Some(&one.url)));
    for (at, url) in git.chain(repositories) {
        if url.is_some_and(|url| holds_credentials(url)) {
            let message = format!("`{at}` in hlgen.yaml holds a user name or a password");
            findings.push(Diagnostic::new(Code::ProjectUrlCredentials, message).help(
                "take it out; Argo CD reads credentials from a Secret, `publish` from `--token-file` or `HLGEN_GIT_TOKEN`",
            ));
        }
    }
}

/// Whether an address holds a user or a password where a token could hide. The user of an SSH address is no secret.
pub fn holds_credentials(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((user, _)) if scheme.ends_with("ssh") || scheme == "git" => user.contains(':'),
        Some(_) => true,
        None => false,
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
