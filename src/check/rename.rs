//! Releases that were renamed in one step, by what the last run left.
//!
//! To Argo CD a new name is a new Application: it deletes the old one, with what it installed where that carries the
//! resources finalizer, and installs everything anew. DESIGN section 8: a rename is two commits, `formerly` first. What
//! the last run wrote is the only previous state there is here; the plugin has none.

use std::collections::BTreeSet;

use crate::argocd::ApplicationSet;
use crate::argocd::expand::expand;
use crate::argocd::types::{Application, Source, keys};
use crate::diag::{Code, Diagnostic};
use crate::plan::Plan;
use crate::render::sets::Member;
use crate::render::{Mode, NAMESPACES, application};
use crate::resolve::release::ReleaseModel;

/// Looks for releases that vanish from a cluster while another of the same app or chart appears in the same namespace.
///
/// `added` and `removed` are paths below the output folder; `before` gives the text of a file as the last run left it.
pub fn check(
    plan: &Plan,
    added: &[String],
    removed: &[String],
    before: impl Fn(&str) -> Option<String>,
    findings: &mut Vec<Diagnostic>,
) {
    let (appeared, vanished) = (folders(added), folders(removed));
    for (cluster, old) in &vanished {
        if releases_of(plan, cluster).any(|(_, _, release)| release.name.as_str() == *old) {
            continue;
        }
        let new = releases_of(plan, cluster).filter(|(_, _, new)| appeared.contains(&(cluster, new.name.as_str())));
        for (number, index, release) in new {
            let instance = &plan.instances[plan.clusters[index].instance].name;
            let text = before(&format!("argocd/{instance}/applicationsets/{old}.yaml"));
            let Some(was) = text.and_then(|text| of_cluster(&text, cluster)) else { continue };
            let member = Member { release: Some(number), cluster: index, has_manifests: false, holds_state: false };
            let becomes = application::release(plan, &plan.clusters[index], release, &member, Mode::Files);
            if is_same(&was, &becomes, release) {
                findings.extend(finding(plan, old, release, &was, &becomes));
            }
        }
    }
}

/// Cluster and release of every file that belongs to one.
fn folders(paths: &[String]) -> BTreeSet<(&str, &str)> {
    paths.iter().filter_map(|path| folder(path)).collect()
}

fn folder(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.split('/');
    let (cluster, release) = (parts.next()?, parts.next()?);
    (cluster != "argocd" && release != NAMESPACES && parts.next().is_some()).then_some((cluster, release))
}

fn releases_of<'p>(plan: &'p Plan, cluster: &str) -> impl Iterator<Item = (usize, usize, &'p ReleaseModel)> {
    let clusters: Vec<usize> =
        (0..plan.clusters.len()).filter(|index| plan.clusters[*index].name.as_str() == cluster).collect();
    plan.releases.iter().enumerate().flat_map(move |(number, release)| {
        let on: Vec<usize> =
            clusters.iter().copied().filter(|index| plan.clusters[*index].env == release.env).collect();
        on.into_iter().map(move |index| (number, index, release))
    })
}

/// The Application that a set of the last run made for a cluster.
fn of_cluster(text: &str, cluster: &str) -> Option<Application> {
    let set: ApplicationSet = serde_yaml::from_str(text).ok()?;
    let of = |application: &Application| {
        application.metadata.labels.get("hlgen.dev/cluster").is_some_and(|label| label == cluster)
    };
    expand(&set).ok()?.into_iter().find(of)
}

/// Whether two Applications bring the same: one app, or a chart or directory that no other app shares.
fn is_same(was: &Application, becomes: &Application, release: &ReleaseModel) -> bool {
    let app = |application: &Application| application.metadata.labels.get("hlgen.dev/app").cloned();
    let from = |application: &Application| {
        let first = application.spec.all_sources().next();
        first.map(|Source { repo_url, chart, path, .. }| (repo_url.clone(), chart.clone(), path.clone()))
    };
    let own_chart = release.app.base.is_none() && (release.spec.chart.is_some() || release.spec.git.is_some());
    was.spec.destination == becomes.spec.destination
        && (app(was) == app(becomes) || own_chart && from(was) == from(becomes))
}

fn finding(
    plan: &Plan,
    old: &str,
    release: &ReleaseModel,
    was: &Application,
    becomes: &Application,
) -> Option<Diagnostic> {
    let deletes = was.metadata.finalizers.iter().any(|finalizer| finalizer.starts_with(keys::RESOURCES_FINALIZER));
    let said = release.former_names().any(|name| name == old);
    if said && !deletes {
        return None;
    }
    let env = plan.env_of(release);
    let message =
        format!("`{}` looks like `{old}` under another name: the same app in the same namespace", release.name);
    let and = if deletes { "with everything it installed" } else { "and leaves what it installed" };
    let (before, after) = (&was.metadata.name, &becomes.metadata.name);
    let mut finding = Diagnostic::new(Code::RefRenamed, message)
        .at(release.entry_span(env), "appears here")
        .note(format!("Argo CD deletes Application `{before}` {and}, and makes `{after}`"));
    let helm = was.spec.all_sources().find_map(|source| source.helm.as_ref()).map(|helm| helm.release_name.as_str());
    if let Some(helm) = helm.filter(|helm| *helm != release.helm_name() && release.spec.chart.is_some()) {
        let own = release.helm_name();
        finding =
            finding.note(format!("Helm's release is `{own}` instead of `{helm}`, so what it installs has new names"));
    }
    Some(finding.help(format!(
        "a rename is two commits: first `formerly: [{old}]` on `{old}` itself, and when Argo CD has synced that, the new name with the same line"
    )))
}
