//! `plugin generate`: what one plugin source asks for, and nothing else.
//!
//! A run looks at the environments that its answer depends on ([`View`]) and evaluates only what is asked for. So a
//! finding stops no more than what it concerns, and the record of what was read is the whole list of inputs. There is no
//! previous state here: a mistake must end in an error and never in an answer that is too short, because Argo CD would
//! delete what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::evaluate::{Part, evaluate_part};
use super::inputs;
use super::objects::{self, Wanted};
use super::workspace::{Workspace, has_errors};
use crate::argocd::plugin::{CLUSTER, ENV, INSTANCE, Parameters, RELEASE};
use crate::check::{output, rules};
use crate::diag::{Code, Diagnostic, nearest};
use crate::io::recording::Recording;
use crate::model::Project;
use crate::plan::survey::Survey;
use crate::plan::{self, Plan};
use crate::render::{Mode, OutFile, PieceKind, namespaces};
use crate::resolve::view::View;
use crate::source::docs::Docs;

/// What a run came to.
#[derive(Debug, Default)]
pub struct Answer {
    pub findings: Vec<Diagnostic>,
    /// The stream, as YAML documents; `None` where findings stopped it.
    pub text: Option<String>,
}

/// What is asked for, by names that exist.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ask {
    Instance(String),
    Release { env: Option<String>, cluster: String, release: String },
    Namespaces { cluster: String },
}

/// Answers one request. An answer without an object is a finding unless `allow_empty`.
pub fn generate(workspace: &Workspace, parameters: &Parameters, allow_empty: bool) -> Answer {
    let recording = Recording::new(workspace.source());
    let docs = Docs::new(&recording, &workspace.sources);
    let mut findings = Vec::new();
    let mut plan = None;
    let files = answer(workspace, &docs, parameters, &mut plan, &mut findings).unwrap_or_default();
    findings.extend(docs.take_findings());
    let record = recording.take();
    let problems = workspace.source().problems();
    findings
        .extend(problems.iter().filter(|problem| record.concerns(&problem.path)).map(crate::io::ReadError::finding));
    workspace.settle_part(plan.as_ref(), &mut findings);
    if !has_errors(&findings) && files.is_empty() && !allow_empty {
        let message = format!("{} brings no object, and Argo CD would delete what is there", subject(parameters));
        let finding = Diagnostic::new(Code::PluginEmpty, message);
        findings.push(
            finding.help(
                "if that is meant, remove the source that asks for it; `--allow-empty` in plugin.yaml lets it pass",
            ),
        );
    }
    let text = (!has_errors(&findings)).then(|| join(&files));
    Answer { findings, text }
}

/// One stream of several files.
fn join(files: &[OutFile]) -> String {
    files.iter().map(|file| file.text.as_str()).collect::<Vec<_>>().join("---\n")
}

fn subject(parameters: &Parameters) -> String {
    let Parameters { instance, env, cluster, release, .. } = parameters;
    match (instance, env, cluster, release) {
        (Some(instance), ..) => format!("instance `{instance}`"),
        (_, _, Some(cluster), Some(release)) => format!("release `{release}` on cluster `{cluster}`"),
        (_, _, Some(cluster), None) => format!("`namespaces` of cluster `{cluster}`"),
        (_, Some(env), ..) => format!("the instance of `{env}`"),
        _ => "this".to_owned(),
    }
}

/// The files that answer a request, in the order of their paths; `None` where findings stopped it.
fn answer(
    workspace: &Workspace,
    docs: &Docs<'_>,
    parameters: &Parameters,
    planned: &mut Option<Plan>,
    findings: &mut Vec<Diagnostic>,
) -> Option<Vec<OutFile>> {
    let (project, _) = plan::project(docs, &workspace.kinds, findings)?;
    let ask = match Lookup::new(docs, &project).ask(parameters) {
        Ok(ask) => ask,
        Err(finding) => {
            findings.push(*finding);
            return None;
        }
    };
    let view = match &ask {
        Ask::Instance(name) => Survey::take(docs.source).view_of_instance(&project, name),
        Ask::Release { env: Some(env), .. } => View::Environments(BTreeSet::from([env.clone()])),
        Ask::Release { env: None, cluster, .. } | Ask::Namespaces { cluster } => {
            View::Environments(Survey::take(docs.source).with_cluster(cluster))
        }
    };
    let plan = planned.insert(plan::part(docs, &workspace.kinds, &view, findings)?);
    output::check_releases(plan, findings);
    findings.extend(docs.take_findings());
    let planned = !has_errors(findings);
    rules::check_plan(plan, docs, findings);
    let mut files = match &ask {
        Ask::Instance(name) => of_instance(workspace, docs, plan, name, planned, findings),
        Ask::Release { cluster, release, .. } => of_release(docs, plan, cluster, release, findings),
        Ask::Namespaces { cluster } => of_namespaces(plan, cluster),
    };
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Some(files)
}

/// The root's project and Application, the AppProjects and the ApplicationSets of an instance.
fn of_instance(
    workspace: &Workspace,
    docs: &Docs<'_>,
    plan: &Plan,
    name: &str,
    planned: bool,
    findings: &mut Vec<Diagnostic>,
) -> Vec<OutFile> {
    let Some(instance) = plan.instances.iter().position(|instance| instance.name.as_str() == name) else {
        return Vec::new();
    };
    let managed = |number: &usize| plan.instances[instance].manages.contains(&plan.releases[*number].env);
    let releases = (0..plan.releases.len()).filter(managed).collect();
    let values = Mutex::new(BTreeMap::new());
    let part = Part { releases: Some(releases), records: true, ..Part::default() };
    let evaluation = evaluate_part(plan, docs, &part, |piece| {
        if piece.kind == PieceKind::Values {
            let text = piece.file.body().to_owned();
            values.lock().unwrap_or_else(PoisonError::into_inner).insert((piece.release, piece.cluster), text);
        }
        Ok::<_, std::convert::Infallible>(())
    });
    let Ok(evaluation) = evaluation;
    findings.extend(evaluation.findings);
    let values = values.into_inner().unwrap_or_else(PoisonError::into_inner);
    let inline = inputs::inline(workspace, docs, plan, values, &evaluation.records, Some(instance));
    let wanted = Wanted { mode: Mode::Inline(&inline), planned, instance: Some(instance) };
    let files = Mutex::new(Vec::new());
    let Ok(()) = objects::write(plan, &evaluation.manifests, wanted, findings, &|file| {
        files.lock().unwrap_or_else(PoisonError::into_inner).push(file.clone());
        Ok::<_, std::convert::Infallible>(())
    });
    files.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The manifests of a release on a cluster.
fn of_release(
    docs: &Docs<'_>,
    plan: &Plan,
    cluster: &str,
    release: &str,
    findings: &mut Vec<Diagnostic>,
) -> Vec<OutFile> {
    let clusters = || plan.clusters.iter().enumerate().filter(|(_, known)| known.name.as_str() == cluster);
    let here = |env: usize| clusters().find(|(_, cluster)| cluster.env == env).map(|(index, _)| index);
    let releases = || plan.releases.iter().enumerate().filter_map(|(at, one)| Some((at, one, here(one.env)?)));
    let Some((number, _, index)) = releases().find(|(_, known, _)| known.name.as_str() == release) else {
        let known = releases().map(|(_, known, _)| known.name.as_str()).collect();
        // Where something is wrong with the environment, that may be why.
        if !has_errors(findings) {
            findings.push(unknown(&format!("release `{release}` on cluster `{cluster}`"), release, &known));
        }
        return Vec::new();
    };
    let files = Mutex::new(Vec::new());
    let part = Part { releases: Some(BTreeSet::from([number])), cluster: Some(index), ..Part::default() };
    let evaluation = evaluate_part(plan, docs, &part, |piece| {
        if piece.kind == PieceKind::Manifests {
            files.lock().unwrap_or_else(PoisonError::into_inner).push(piece.file);
        }
        Ok::<_, std::convert::Infallible>(())
    });
    let Ok(evaluation) = evaluation;
    findings.extend(evaluation.findings);
    files.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The namespaces of a cluster.
fn of_namespaces(plan: &Plan, cluster: &str) -> Vec<OutFile> {
    let all = namespaces::files(plan).into_iter();
    all.filter(|(index, _)| plan.clusters[*index].name.as_str() == cluster).map(|(_, file)| file).collect()
}

/// Parameters against what a repository has. The whole of it is looked at only where a name has to be found.
struct Lookup<'l> {
    docs: &'l Docs<'l>,
    project: &'l Project,
}

const COMBINATIONS: &str = "ask for `instance`, for `env` (its instance), for `cluster` and `release`, or for `cluster` and `namespaces: \"true\"`";

impl<'l> Lookup<'l> {
    fn new(docs: &'l Docs<'l>, project: &'l Project) -> Self {
        Self { docs, project }
    }

    /// What is asked for.
    ///
    /// # Errors
    /// A finding that lists what there is.
    fn ask(&self, parameters: &Parameters) -> Result<Ask, Box<Diagnostic>> {
        let Parameters { instance, env, cluster, release, namespaces, version: _ } = parameters;
        match (instance, cluster, release, *namespaces) {
            (Some(instance), None, None, false) => self.instance(instance, env.as_deref()),
            (None, None, None, false) if env.is_some() => self.instance_of(env.as_deref().unwrap_or_default()),
            (None, Some(cluster), Some(release), false) => {
                self.check_cluster(env.as_deref(), cluster)?;
                Ok(Ask::Release { env: env.clone(), cluster: cluster.clone(), release: release.clone() })
            }
            (None, Some(cluster), None, true) => {
                self.check_cluster(env.as_deref(), cluster)?;
                Ok(Ask::Namespaces { cluster: cluster.clone() })
            }
            _ => Err(Box::new(self.combination(parameters))),
        }
    }

    fn instance(&self, name: &str, env: Option<&str>) -> Result<Ask, Box<Diagnostic>> {
        let survey = self.survey();
        let known = survey.instances(self.project);
        if !known.iter().any(|known| known == name) {
            let known = known.iter().map(String::as_str).collect();
            return Err(Box::new(unknown(&format!("instance `{name}`"), name, &known)));
        }
        if let Some(env) = env
            && survey.instance_of(self.project, env).as_deref() != Some(name)
        {
            let message = format!("instance `{name}` does not manage an environment `{env}`");
            return Err(Box::new(Diagnostic::new(Code::PluginParameter, message).help("leave out one of the two")));
        }
        Ok(Ask::Instance(name.to_owned()))
    }

    fn instance_of(&self, env: &str) -> Result<Ask, Box<Diagnostic>> {
        let survey = self.survey();
        let known: Vec<&str> = survey.environments().collect();
        if !known.contains(&env) {
            return Err(Box::new(unknown(&format!("environment `{env}`"), env, &known)));
        }
        match survey.instance_of(self.project, env) {
            Some(instance) => Ok(Ask::Instance(instance)),
            None => {
                let message = format!("environment `{env}` is managed by no instance");
                let help = "add it to the `manages` of one in `hlgen.yaml`";
                Err(Box::new(Diagnostic::new(Code::PluginParameter, message).help(help)))
            }
        }
    }

    /// With an environment only its own file is looked at.
    fn check_cluster(&self, env: Option<&str>, cluster: &str) -> Result<(), Box<Diagnostic>> {
        let Some(env) = env else {
            let survey = self.survey();
            if survey.with_cluster(cluster).is_empty() {
                let known = survey.clusters().into_iter().collect();
                return Err(Box::new(unknown(&format!("cluster `{cluster}`"), cluster, &known)));
            }
            return Ok(());
        };
        let survey = Survey::of(self.docs.source, env);
        if survey.environments().next().is_none() {
            let all = self.survey();
            let known = all.environments().collect();
            return Err(Box::new(unknown(&format!("environment `{env}`"), env, &known)));
        }
        if survey.with_cluster(cluster).is_empty() {
            let known = survey.clusters_of(env).iter().map(String::as_str).collect();
            return Err(Box::new(unknown(&format!("cluster `{cluster}` in environment `{env}`"), cluster, &known)));
        }
        Ok(())
    }

    fn combination(&self, parameters: &Parameters) -> Diagnostic {
        let survey = self.survey();
        let Parameters { instance, env, cluster, release, namespaces, version: _ } = parameters;
        let given: Vec<&str> = [
            instance.as_ref().map(|_| "instance"),
            env.as_ref().map(|_| "env"),
            cluster.as_ref().map(|_| "cluster"),
            release.as_ref().map(|_| "release"),
            namespaces.then_some("namespaces"),
        ]
        .into_iter()
        .flatten()
        .collect();
        let message = if given.is_empty() {
            "the plugin was not told what to print".to_owned()
        } else {
            format!("the parameters {} do not say what to print", list(&given))
        };
        let instances = survey.instances(self.project);
        let names = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { list(names) };
        let known = format!(
            "instances: {}; environments: {}; clusters: {}",
            names(&instances.iter().map(String::as_str).collect::<Vec<_>>()),
            names(&survey.environments().collect::<Vec<_>>()),
            names(&survey.clusters().into_iter().collect::<Vec<_>>()),
        );
        Diagnostic::new(Code::PluginParameter, message).help(format!("{COMBINATIONS} ({known})"))
    }

    fn survey(&self) -> Survey {
        Survey::take(self.docs.source)
    }
}

/// The finding for a name that does not exist, with those that do.
fn unknown(what: &str, name: &str, known: &Vec<&str>) -> Diagnostic {
    let finding = Diagnostic::new(Code::PluginParameter, format!("there is no {what}"));
    let near = nearest(name, known.iter().copied());
    let there = if known.is_empty() { "there is none".to_owned() } else { format!("there are {}", list(known)) };
    finding.help(match near {
        Some(near) => format!("did you mean `{near}`? {there}"),
        None => there,
    })
}

/// Names for people: those of a large repository would fill the page.
fn list(names: &[&str]) -> String {
    const SHOWN: usize = 40;
    // A cluster may be called anything until somebody looks at it closely.
    let short = |name: &str| format!("`{}`", name.chars().take(80).collect::<String>());
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| short(name)).collect();
    let more = names.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}

/// A parameter as Argo CD's form shows it (argocd.md section 1.6).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Announced {
    pub name: &'static str,
    pub title: &'static str,
    pub tooltip: String,
    pub required: bool,
    pub item_type: &'static str,
    pub collection_type: &'static str,
    pub string: String,
}

/// The parameters with the names that exist, as far as the repository can be read. With a cluster or an environment given
/// already, only its releases are named.
pub fn announce(workspace: &Workspace, given: &Parameters) -> Vec<Announced> {
    let docs = workspace.docs();
    let mut ignored = Vec::new();
    let survey = Survey::take(docs.source);
    let project = plan::project(&docs, &workspace.kinds, &mut ignored).map(|(project, _)| project);
    let instances = project.as_ref().map_or_else(Vec::new, |project| survey.instances(project));
    let environments: BTreeSet<String> = match (&given.env, &given.cluster) {
        (Some(env), _) => BTreeSet::from([env.clone()]),
        (None, Some(cluster)) => survey.with_cluster(cluster),
        (None, None) => survey.environments().map(str::to_owned).collect(),
    };
    let plan = plan::part(&docs, &workspace.kinds, &View::Environments(environments), &mut ignored);
    let releases: BTreeSet<&str> =
        plan.iter().flat_map(|plan| &plan.releases).map(|release| release.name.as_str()).collect();
    let one = |name, title, what: &str, names: Vec<&str>, value: &Option<String>| Announced {
        name,
        title,
        tooltip: if names.is_empty() { what.to_owned() } else { format!("{what}: {}", list(&names)) },
        required: false,
        item_type: "string",
        collection_type: "string",
        string: value.clone().unwrap_or_default(),
    };
    vec![
        one(
            INSTANCE,
            "Argo CD instance",
            "Its root, AppProjects and ApplicationSets. One of",
            instances.iter().map(String::as_str).collect(),
            &given.instance,
        ),
        one(
            ENV,
            "Environment",
            "Alone: its instance. With a cluster: where that cluster is. One of",
            survey.environments().collect(),
            &given.env,
        ),
        one(
            CLUSTER,
            "Cluster",
            "With a release: its manifests on that cluster. One of",
            survey.clusters().into_iter().collect(),
            &given.cluster,
        ),
        one(
            RELEASE,
            "Release",
            "With a cluster: the release whose manifests are wanted. One of",
            releases.into_iter().collect(),
            &given.release,
        ),
    ]
}
