//! `list`: the releases of a plan, or the Applications that Argo CD will create from it.

use serde_json::{Value, json};

use super::evaluate::evaluate;
use super::workspace::{Workspace, has_errors};
use crate::argocd::expand::expand;
use crate::diag::Diagnostic;
use crate::plan::Plan;
use crate::render::{Mode, sets};
use crate::resolve::capability::{Provider, declared};
use crate::traits::namespace;

/// A list as data, with the findings of the plan it comes from.
#[derive(Debug)]
pub struct List {
    pub findings: Vec<Diagnostic>,
    /// One object a release, or a whole Application each; `None` where findings made it impossible.
    pub items: Option<Vec<Value>>,
}

/// Lists the releases of a repository.
pub fn releases(workspace: &Workspace) -> List {
    let docs = workspace.docs();
    let mut findings = Vec::new();
    let plan = workspace.plan(&docs, &mut findings);
    findings.extend(docs.take_findings());
    workspace.settle(plan.as_ref(), &mut findings);
    let items = plan.map(|plan| (0..plan.releases.len()).map(|number| release(&plan, number)).collect());
    List { findings, items }
}

fn release(plan: &Plan, number: usize) -> Value {
    let release = &plan.releases[number];
    let env = plan.env_of(release);
    let spec = &release.spec;
    let name = |number: usize| {
        let other = &plan.releases[number];
        if other.env == release.env {
            other.name.to_string()
        } else {
            format!("{}/{}", plan.env_of(other).name, other.name)
        }
    };
    let mut uses = serde_json::Map::new();
    for (capability, _) in declared(release) {
        let provider = match plan.bindings.provider(&plan.releases, release, &capability) {
            Ok(Some(Provider::Release(number))) => name(number),
            Ok(Some(Provider::Profile)) => format!("provider {}", env.spec.provider),
            Ok(Some(Provider::External)) => "external".to_owned(),
            Ok(None) | Err(_) => continue,
        };
        uses.insert(capability, provider.into());
    }
    let order = plan.strata.iter().position(|stratum| stratum.contains(&number));
    let clusters: Vec<&str> = plan.clusters_of(release).map(|(_, cluster)| cluster.name.as_str()).collect();
    let requires: Vec<String> = plan.requires[number].iter().map(|number| name(*number)).collect();
    json!({
        "environment": env.name,
        "release": release.name,
        "app": release.app.name,
        "tier": spec.tier.as_str(),
        "namespace": release.namespace(),
        "chart": spec.chart.as_ref().and_then(|chart| chart.name.as_deref().or(chart.path.as_deref())),
        "version": release.version(),
        "builtIn": release.app.builtin,
        "order": order,
        "requires": requires,
        "uses": uses,
        "clusters": clusters,
        "folders": clusters.iter().map(|cluster| format!("{}/{cluster}/{}", plan.project.git.path, release.name)).collect::<Vec<_>>(),
    })
}

/// Lists the Applications that Argo CD will create, expanded offline from the ApplicationSets that `render` writes.
///
/// # Errors
/// When a set of ours cannot be expanded, which would be a mistake of hlgen's.
pub fn applications(workspace: &Workspace) -> anyhow::Result<List> {
    let docs = workspace.docs();
    let mut findings = Vec::new();
    let plan = workspace.plan(&docs, &mut findings);
    let Some(plan) = plan else {
        workspace.settle(None, &mut findings);
        return Ok(List { findings, items: None });
    };
    let evaluation = evaluate(&plan, &docs, |_| Ok::<_, anyhow::Error>(()))?;
    findings.extend(evaluation.findings);
    findings.extend(docs.take_findings());
    workspace.settle(Some(&plan), &mut findings);
    if has_errors(&findings) {
        return Ok(List { findings, items: None });
    }
    let owners: Vec<usize> = namespace::all(&plan).into_keys().collect();
    let mut items = Vec::new();
    for group in sets::groups(&plan, &evaluation.manifests, &owners) {
        let instance = &plan.instances[group.instance].name;
        for application in expand(&sets::set(&plan, &group, Mode::Files)?.set)? {
            items.push(json!({ "instance": instance, "application": application }));
        }
    }
    Ok(List { findings, items: Some(items) })
}
