//! Plan → steps: what is chosen, and what each step says and carries.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::git_host::{self, GitHost};
use super::{Action, Bootstrap, Helm, Install, Origin, Step, order};
use crate::diag::{Code, Diagnostic};
use crate::model::{Chart, Destination, Health, Input, RepositoryKind};
use crate::plan::{ClusterPlan, Plan};
use crate::render::{OutFile, application, namespaces, root};
use crate::resolve::release::ReleaseModel;
use crate::traits::namespace::{self, Namespace};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub cluster: usize,
    /// This release and what it needs, and nothing else.
    pub only: Option<usize>,
    /// Only what Argo CD needs in order to run, instead of the whole platform tier.
    pub minimal: bool,
}

/// What comes up without Argo CD on a cluster.
#[derive(Debug, Clone)]
pub struct Selected {
    wanted: Wanted,
    /// In order.
    pub releases: Vec<usize>,
    manager: Manager,
    git_host: Option<GitHost>,
}

/// What was rendered of the releases, by their numbers, and the root.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    pub values: BTreeMap<usize, String>,
    pub manifests: BTreeMap<usize, String>,
    pub root: String,
}

/// Chooses the releases. `None` with a finding where it cannot be said which Argo CD takes charge.
pub fn select(plan: &Plan, wanted: Wanted, findings: &mut Vec<Diagnostic>) -> Option<Selected> {
    let cluster = &plan.clusters[wanted.cluster];
    if let Some(only) = wanted.only {
        let releases = order::order(plan, &order::closure(plan, [only]));
        return Some(Selected { wanted, releases, manager: Manager::Own, git_host: None });
    }
    let manager = manager(plan, wanted.cluster, findings)?;
    let mut seeds = Vec::new();
    let mut git_host = None;
    if manager == Manager::Own {
        seeds.push(argocd(plan, cluster.env, findings)?);
        git_host = git_host::find(plan, wanted.cluster, &plan.instances[cluster.instance].git.repo_url);
        seeds.extend(git_host.as_ref().map(|host| host.release));
    }
    let first = order::first(plan, cluster.env, &seeds, wanted.minimal);
    Some(Selected { wanted, releases: order::order(plan, &first), manager, git_host })
}

/// Whose Argo CD manages a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Manager {
    /// The one that runs in it.
    Own,
    /// That of another environment or cluster, which is named.
    Hub(String),
}

impl Manager {
    fn hub(&self) -> Option<&str> {
        match self {
            Self::Own => None,
            Self::Hub(name) => Some(name),
        }
    }
}

fn manager(plan: &Plan, index: usize, findings: &mut Vec<Diagnostic>) -> Option<Manager> {
    let cluster = &plan.clusters[index];
    let instance = &plan.instances[cluster.instance];
    let env = &plan.environments[cluster.env];
    if instance.runs_in != Some(cluster.env) {
        let name = instance.runs_in.map_or(instance.name.as_str(), |env| plan.environments[env].name.as_str());
        return Some(Manager::Hub(name.to_owned()));
    }
    let own = || plan.clusters.iter().filter(|other| other.env == cluster.env);
    let Some(home) = own().find(|other| is_in_cluster(other)).or_else(|| own().next().filter(|_| own().count() == 1))
    else {
        let message = format!("it cannot be told which cluster of `{}` Argo CD runs in", env.name);
        let finding = Diagnostic::new(Code::BootstrapCluster, message).at(env.span(&["clusters"]), "one of these");
        findings.push(finding.help("give that one `destination: { server: https://kubernetes.default.svc }`"));
        return None;
    };
    Some(if home.name == cluster.name { Manager::Own } else { Manager::Hub(format!("cluster {}", home.name)) })
}

fn is_in_cluster(cluster: &ClusterPlan) -> bool {
    matches!(&cluster.destination, Destination::Server(url) if url == "https://kubernetes.default.svc")
}

/// The release that is Argo CD itself.
fn argocd(plan: &Plan, env: usize, findings: &mut Vec<Diagnostic>) -> Option<usize> {
    let all = || {
        (0..plan.releases.len())
            .filter(|number| plan.releases[*number].env == env && order::provides(plan, *number, "gitops"))
    };
    let at_home = |number: &usize| plan.releases[*number].namespace() == plan.project.argocd.namespace;
    let found = all().find(at_home).or_else(|| all().next());
    if found.is_none() {
        let env = &plan.environments[env];
        let finding = Diagnostic::new(Code::BootstrapArgocd, format!("nothing in `{}` installs Argo CD", env.name));
        let finding = finding.at(env.span(&["apps"]), "it is to take charge of these");
        findings.push(finding.help("add `argocd: {}` below `apps:`"));
    }
    found
}

/// All steps in order.
pub fn steps(plan: &Plan, selected: &Selected, texts: &Texts) -> Bootstrap {
    let cluster = &plan.clusters[selected.wanted.cluster];
    let env = &plan.environments[cluster.env];
    let only = selected.wanted.only;
    let mut made = Maker { plan, selected, cluster, steps: Vec::new() };
    for input in env.spec.inputs.iter().filter(|input| input.release.is_none() && only.is_none()) {
        made.input(input);
    }
    made.namespaces();
    for number in &selected.releases {
        made.release(*number, texts);
    }
    if only.is_none() {
        made.charge(texts);
    }
    let steps = made.steps;
    let left = (0..plan.releases.len())
        .filter(|number| only.is_none() && plan.releases[*number].env == cluster.env)
        .filter(|number| !selected.releases.contains(number))
        .map(|number| plan.releases[number].name.to_string());
    Bootstrap {
        project: plan.project.name.to_string(),
        environment: env.name.to_string(),
        cluster: cluster.name.to_string(),
        argocd_namespace: plan.project.argocd.namespace.clone(),
        hub: selected.manager.hub().map(str::to_owned),
        only: only.map(|number| plan.releases[number].name.to_string()),
        left: left.collect(),
        notes: notes(plan, selected),
        steps,
    }
}

/// The steps while they are made.
struct Maker<'s> {
    plan: &'s Plan,
    selected: &'s Selected,
    cluster: &'s ClusterPlan,
    steps: Vec<Step>,
}

impl Maker<'_> {
    fn push(&mut self, name: impl Into<String>, title: impl Into<String>, action: Action) {
        let wanted = name.into();
        let mut name = wanted.clone();
        let mut number = 1;
        while self.steps.iter().any(|step| step.name == name) {
            number += 1;
            name = format!("{wanted}-{number}");
        }
        self.steps.push(Step { name, title: title.into(), action });
    }

    fn inputs(&self) -> &[Input] {
        &self.plan.environments[self.cluster.env].spec.inputs
    }

    fn input(&mut self, input: &Input) {
        let action = Action::Input { description: input.description.trim().to_owned(), check: input.check.clone() };
        self.push(
            format!("input/{}", slug(&input.name)),
            format!("a person brings: {}", one_line(&input.name)),
            action,
        );
    }

    /// Where the generated values of a release's Secrets live, if it has Secrets and somebody makes them.
    fn secrets_namespace(&self, number: usize) -> Option<String> {
        if self.plan.releases[number].spec.secrets.is_empty() {
            return None;
        }
        let scope = self.plan.scope(number, self.selected.wanted.cluster);
        let data = serde_json::to_value(scope.capabilities.as_ref()?.get("secrets")?).ok()?;
        data.get("namespace").and_then(Json::as_str).map(str::to_owned)
    }

    /// The namespaces of what is installed, those where its Secrets are made, and Argo CD's.
    fn namespaces(&mut self) {
        let argocd = &self.plan.project.argocd.namespace;
        let is_home = self.selected.manager == Manager::Own && self.selected.wanted.only.is_none();
        let secrets: Vec<String> =
            self.selected.releases.iter().filter_map(|number| self.secrets_namespace(*number)).collect();
        let mut names = Vec::new();
        let mut text = String::new();
        for (owner, all) in namespace::all(self.plan) {
            if self.plan.clusters[owner].name != self.cluster.name {
                continue;
            }
            let is_used = |one: &Namespace| {
                one.releases.iter().any(|number| self.selected.releases.contains(number))
                    || secrets.contains(&one.name)
                    || (is_home && one.name == *argocd)
            };
            let used: Vec<Namespace> = all.into_iter().filter(is_used).collect();
            // PriorityClasses: pods that name one that is not there are refused.
            let of_cluster = namespaces::of_cluster(self.plan, owner).filter(|_| !used.is_empty());
            of_cluster.iter().for_each(|file| append(&mut text, file));
            for one in used {
                append(&mut text, &namespaces::file(self.plan, owner, &one));
                names.push(one.name);
            }
        }
        if !names.is_empty() {
            let title = format!("namespaces {}", names.join(", "));
            self.push("namespaces", title, Action::Namespaces { namespaces: names, text });
        }
    }

    fn release(&mut self, number: usize, texts: &Texts) {
        let plan = self.plan;
        let release = &plan.releases[number];
        let is_manual = release.spec.health == Health::Manual;
        let inputs: Vec<Input> =
            self.inputs().iter().filter(|input| input.release.as_ref() == Some(&release.name)).cloned().collect();
        if !is_manual {
            inputs.iter().for_each(|input| self.input(input));
        }
        let name = application::name(
            plan,
            self.cluster,
            release.name.as_str(),
            release.app.name.as_str(),
            release.spec.application.name.as_deref(),
        );
        let requires = plan.requires[number].iter().map(|other| &plan.releases[*other]);
        let install = Install {
            release: release.name.to_string(),
            application: name,
            namespace: release.namespace().to_owned(),
            requires: requires.filter(|other| other.env == release.env).map(|other| other.name.to_string()).collect(),
            origin: origin(release, texts.values.get(&number)),
            manifests: texts.manifests.get(&number).cloned().unwrap_or_default(),
            by_hand: is_manual.then(|| by_hand(release, &inputs)),
        };
        let title = format!("{} into namespace {}", described(release), release.namespace());
        self.push(format!("release/{}", release.name), title, Action::Install(Box::new(install)));
    }

    /// Argo CD takes charge: of this cluster from within, or of a spoke from its hub.
    fn charge(&mut self, texts: &Texts) {
        let plan = self.plan;
        let known_as = match &self.cluster.destination {
            Destination::Name(name) => name.clone(),
            Destination::Server(_) => self.cluster.name.to_string(),
        };
        let application = root::name(plan);
        if let Some(hub) = self.selected.manager.hub() {
            let server = match &self.cluster.destination {
                Destination::Server(url) => Some(url.clone()),
                Destination::Name(_) => None,
            };
            let title = format!("the Argo CD of {hub} may manage this cluster, which it calls {known_as}");
            self.push("register", title, Action::Register { known_as, server, text: service_account(plan) });
            self.late();
            self.push("watch", format!("wait for what the Argo CD of {hub} brings"), Action::Watch { application });
            return;
        }
        if !is_in_cluster(self.cluster) {
            let title = format!("Argo CD knows the cluster it runs in as {known_as}");
            self.push("cluster", title, Action::OwnCluster { known_as });
        }
        if let Some(host) = self.selected.git_host.clone() {
            let release = &plan.releases[host.release];
            let title = format!("push the rendered files into {} through a port-forward", release.name);
            let namespace = release.namespace().to_owned();
            let GitHost { service, port, path, .. } = host;
            self.push("publish", title, Action::Publish { namespace, service, port, path });
        }
        for repository in &plan.project.repositories {
            let (kind, oci) = match repository.kind {
                RepositoryKind::Git => ("git", false),
                RepositoryKind::Helm => ("helm", false),
                RepositoryKind::Oci => ("helm", true),
            };
            let url = if oci { application::chart_repository(&repository.url) } else { repository.url.clone() };
            let title = format!("credentials of {}", one_line(&url));
            let secret = repository.secret.clone();
            let name = format!("credentials/{}", slug(&secret));
            self.push(name, title, Action::Credentials { secret, url, kind, oci });
        }
        let title = format!("the root Application {application}: from here on Argo CD is in charge");
        self.push("root", title, Action::Root { application: application.clone(), text: texts.root.clone() });
        self.late();
        self.push("watch", "wait for what Argo CD brings", Action::Watch { application });
    }

    /// What a person brings for releases that Argo CD installs.
    fn late(&mut self) {
        let is_left = |number: &usize| {
            self.plan.releases[*number].env == self.cluster.env && !self.selected.releases.contains(number)
        };
        let left: Vec<usize> = (0..self.plan.releases.len()).filter(is_left).collect();
        for number in left {
            let release = &self.plan.releases[number];
            let is_for = |input: &&Input| input.release.as_ref() == Some(&release.name);
            let inputs: Vec<Input> = self.inputs().iter().filter(is_for).cloned().collect();
            if release.spec.health == Health::Manual {
                let action = Action::Input { description: by_hand(release, &inputs), check: None };
                let title = format!("{} waits for a person", release.name);
                self.push(format!("input/{}", release.name), title, action);
            } else {
                inputs.iter().for_each(|input| self.input(input));
            }
        }
    }
}

/// What a person does for a release that does not become healthy by itself.
fn by_hand(release: &ReleaseModel, inputs: &[Input]) -> String {
    let docs = release.spec.docs.as_ref().map_or_else(String::new, |docs| format!(" ({docs})"));
    let mut text = format!("{} starts, and then waits for a person{docs}.", release.name);
    for input in inputs {
        let _ = write!(text, "\n{}: {}", one_line(&input.name), input.description.trim());
    }
    text
}

fn origin(release: &ReleaseModel, values: Option<&String>) -> Option<Origin> {
    let spec = &release.spec;
    let release_name = release.helm_name().to_owned();
    if let Some(git) = &spec.git {
        let revision = release.version().unwrap_or_default().to_owned();
        let (repo_url, path) = (git.repo_url.clone(), git.path.clone());
        return Some(Origin::Git { repo_url, path, revision, release_name });
    }
    let Chart { repository, name, path, .. } = spec.chart.as_ref()?;
    let helm = Helm { release_name, options: options(release), values: values.cloned().unwrap_or_default() };
    Some(match path {
        Some(path) => Origin::LocalChart { path: path.clone(), helm },
        None => Origin::Chart {
            repository: repository.clone().unwrap_or_default(),
            chart: name.clone().unwrap_or_default(),
            version: release.version().unwrap_or_default().to_owned(),
            helm,
        },
    })
}

/// The release's own Helm options, as `helm template` spells them. What comes later wins.
fn options(release: &ReleaseModel) -> Vec<String> {
    let own = &release.spec.application.helm;
    let flags = [
        (!own.skip_crds, "--include-crds"),
        (own.skip_schema_validation, "--skip-schema-validation"),
        (own.pass_credentials, "--pass-credentials"),
    ];
    let mut options: Vec<String> =
        flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag.to_owned()).collect();
    if let Some(version) = &own.kube_version {
        options.extend(["--kube-version".to_owned(), version.clone()]);
    }
    for version in &own.api_versions {
        options.extend(["--api-versions".to_owned(), version.clone()]);
    }
    options
}

fn described(release: &ReleaseModel) -> String {
    let version = release.version().unwrap_or_default();
    let what = match (&release.spec.git, &release.spec.chart) {
        (Some(git), _) => format!("{} at {version} of {}", git.path, git.repo_url),
        (None, Some(Chart { path: Some(path), .. })) => format!("chart {path} of this repository"),
        (None, Some(chart)) => format!("chart {} {version}", chart.name.as_deref().unwrap_or_default()),
        (None, None) => "manifests".to_owned(),
    };
    one_line(&what)
}

/// The account with which the hub's Argo CD acts in a spoke: it manages whatever the environment lists, so it may do
/// everything, as after `argocd cluster add`.
fn service_account(plan: &Plan) -> String {
    let name = "argocd-manager";
    let metadata = |namespace: Option<&str>| {
        let labels = json!({ "app.kubernetes.io/managed-by": "hlgen", "hlgen.dev/project": plan.project.name });
        let mut metadata = json!({ "name": name, "labels": labels });
        if let Some(namespace) = namespace {
            metadata["namespace"] = namespace.into();
        }
        metadata
    };
    let mut token = metadata(Some("kube-system"));
    token["name"] = format!("{name}-token").into();
    token["annotations"] = json!({ "kubernetes.io/service-account.name": name });
    let objects: [Json; 3] = [
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(Some("kube-system")) }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata(None),
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": "kube-system" }],
        }),
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": token,
            "type": "kubernetes.io/service-account-token",
        }),
    ];
    OutFile::objects(plan, String::new(), "", &objects).body().to_owned()
}

fn notes(plan: &Plan, selected: &Selected) -> Vec<String> {
    let mut notes = Vec::new();
    for number in &selected.releases {
        let release = &plan.releases[*number];
        for other in plan.requires[*number].iter().map(|other| &plan.releases[*other]) {
            if other.env != release.env {
                let env = &plan.env_of(other).name;
                notes.push(format!("{} requires {env}/{}, which has to be there first", release.name, other.name));
            }
        }
    }
    if selected.wanted.only.is_none() && selected.git_host.is_none() {
        let git = &plan.instances[plan.clusters[selected.wanted.cluster].instance].git;
        notes.push(format!(
            "what Argo CD reads has to be in {}, branch {}, before it takes charge",
            one_line(&git.repo_url),
            one_line(&git.branch)
        ));
    }
    if let Some(host) = &selected.git_host {
        let name = &plan.releases[host.release].name;
        let env = &plan.environments[plan.clusters[selected.wanted.cluster].env].name;
        notes.push(format!(
            "the Git host {name} runs in this cluster, so it comes up from this checkout, and the rendered files are \
             pushed into it from outside; the root then takes {name} over as it is"
        ));
        notes.push(format!("if it is lost one day: hlgen bootstrap {env} --only {name} --script"));
    }
    notes
}

/// A text as a part of a step's name.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if c != '\'' && !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "unnamed".to_owned() } else { slug.to_owned() }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn append(text: &mut String, file: &OutFile) {
    if !text.is_empty() {
        text.push_str("---\n");
    }
    text.push_str(file.body());
}
