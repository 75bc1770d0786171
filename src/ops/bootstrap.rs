//! `bootstrap`: plan, choose what comes up without Argo CD, evaluate that, and put the steps in order.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use super::evaluate::{Part, evaluate_part};
use super::inputs;
use super::render::Delivery;
use super::workspace::{Workspace, has_errors};
use crate::check::output;
use crate::diag::{Code, Diagnostic, nearest};
use crate::plan::Plan;
use crate::render::bootstrap::{self, Bootstrap, Texts, Wanted};
use crate::render::{Mode, PieceKind, root};
use crate::source::docs::Docs;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub environment: String,
    /// Needed where the environment has several clusters.
    pub cluster: Option<String>,
    /// One release and what it needs, and nothing else.
    pub only: Option<String>,
    /// Only what Argo CD needs in order to run, instead of the whole platform tier.
    pub minimal: bool,
    /// How Argo CD will get values and manifests; decides what the root reads.
    pub delivery: Delivery,
}

/// Makes the steps of a bootstrap. What is wrong with the repository, or does not exist, is a finding; with an error there
/// are no steps.
pub fn bootstrap(workspace: &Workspace, request: &Request) -> (Vec<Diagnostic>, Option<Bootstrap>) {
    let docs = workspace.docs();
    let mut findings = Vec::new();
    let plan = workspace.plan(&docs, &mut findings);
    findings.extend(docs.take_findings());
    let Some(plan) = plan else {
        workspace.settle(None, &mut findings);
        return (findings, None);
    };
    output::check_releases(&plan, &mut findings);
    let wanted = wanted(&plan, request, &mut findings);
    let steps = wanted.filter(|_| !has_errors(&findings)).and_then(|wanted| {
        let selected = bootstrap::select(&plan, wanted, &mut findings)?;
        let again = request.delivery == Delivery::Inline;
        let mut texts = texts(&plan, &docs, wanted.cluster, &selected.releases, again, &mut findings);
        texts.root = root(workspace, &docs, &plan, wanted.cluster, request.delivery, &mut findings);
        Some(bootstrap::steps(&plan, &selected, &texts))
    });
    findings.extend(docs.take_findings());
    workspace.settle_part(Some(&plan), &mut findings);
    let steps = steps.filter(|_| !has_errors(&findings));
    (findings, steps)
}

/// The cluster and the release that the names stand for.
fn wanted(plan: &Plan, request: &Request, findings: &mut Vec<Diagnostic>) -> Option<Wanted> {
    let Some(env) = plan.environments.iter().position(|env| env.name.as_str() == request.environment) else {
        let known = plan.environments.iter().map(|env| env.name.as_str());
        findings.push(unknown(Code::RefUnknownEnvironment, "environment", &request.environment, known));
        return None;
    };
    let name = plan.environments[env].name.as_str();
    let clusters = || plan.clusters.iter().enumerate().filter(|(_, cluster)| cluster.env == env);
    let names = || clusters().map(|(_, cluster)| cluster.name.as_str());
    let cluster = match (&request.cluster, names().count()) {
        (Some(wanted), _) => match clusters().find(|(_, cluster)| cluster.name.as_str() == wanted) {
            Some((index, _)) => index,
            None => {
                findings.push(unknown(Code::BootstrapCluster, &format!("cluster of `{name}` called"), wanted, names()));
                return None;
            }
        },
        (None, 1) => clusters().next()?.0,
        (None, _) => {
            let finding = Diagnostic::new(Code::BootstrapCluster, format!("`{name}` has several clusters"));
            let known = names().map(|name| format!("`--cluster {name}`")).collect::<Vec<_>>();
            findings.push(finding.help(format!("say which one is meant: {}", known.join(" or "))));
            return None;
        }
    };
    let only = match &request.only {
        None => None,
        Some(release) => match plan.find(name, release) {
            Some(number) => Some(number),
            None => {
                let known = plan.releases.iter().filter(|release| release.env == env);
                let known = known.map(|release| release.name.as_str());
                findings.push(unknown(Code::RefUnknownRelease, &format!("release in `{name}` called"), release, known));
                return None;
            }
        },
    };
    Some(Wanted { cluster, only, minimal: request.minimal })
}

fn unknown<'a>(code: Code, what: &str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Diagnostic {
    let finding = Diagnostic::new(code, format!("there is no {what} `{name}`"));
    match nearest(name, known.clone()) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help(format!("known: {}", known.collect::<Vec<_>>().join(", "))),
    }
}

/// Values, with what `values.bootstrap.yaml` changes, and manifests of the chosen releases. `again` says that the root will
/// want their files too.
fn texts(
    plan: &Plan,
    docs: &Docs<'_>,
    cluster: usize,
    releases: &[usize],
    again: bool,
    findings: &mut Vec<Diagnostic>,
) -> Texts {
    let part = Part {
        releases: Some(releases.iter().copied().collect()),
        cluster: Some(cluster),
        bootstrap: true,
        again,
        ..Part::default()
    };
    let pieces = Mutex::new(BTreeMap::new());
    let Ok(evaluation) = evaluate_part(plan, docs, &part, |piece| {
        let key = (piece.release, piece.kind == PieceKind::Manifests, piece.file.path.clone());
        pieces.lock().unwrap_or_else(PoisonError::into_inner).insert(key, piece.file.body().to_owned());
        Ok::<_, Infallible>(())
    });
    findings.extend(evaluation.findings);
    let mut texts = Texts::default();
    for ((release, is_manifest, _), text) in pieces.into_inner().unwrap_or_else(PoisonError::into_inner) {
        if is_manifest {
            let all: &mut String = texts.manifests.entry(release).or_default();
            if !all.is_empty() {
                all.push_str("---\n");
            }
            all.push_str(&text);
        } else {
            texts.values.insert(release, text);
        }
    }
    texts
}

/// The root of the instance that manages the cluster. In inline mode it names what the plugin reads, which is known only
/// when every release was evaluated.
fn root(
    workspace: &Workspace,
    docs: &Docs<'_>,
    plan: &Plan,
    cluster: usize,
    delivery: Delivery,
    findings: &mut Vec<Diagnostic>,
) -> String {
    let instance = plan.clusters[cluster].instance;
    let file = match delivery {
        Delivery::Files => root::file(plan, instance, Mode::Files),
        Delivery::Inline => {
            let part = Part { records: true, ..Part::default() };
            let Ok(evaluation) = evaluate_part(plan, docs, &part, |_| Ok::<_, Infallible>(()));
            findings.extend(evaluation.findings);
            let records = &evaluation.records;
            let inline = inputs::inline(workspace, docs, plan, BTreeMap::new(), records, Some(instance));
            root::file(plan, instance, Mode::Inline(&inline))
        }
    };
    file.body().to_owned()
}
