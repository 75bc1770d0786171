//! Plan → the objects of Argo CD: AppProjects, ApplicationSets and roots, checked as Argo CD would.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::check::output::{self, InstanceRules};
use crate::diag::{Code, Diagnostic};
use crate::plan::Plan;
use crate::render::sets::{Group, Member};
use crate::render::{Mode, OutFile, projects, root, sets};
use crate::traits::namespace;

/// Which objects are made, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'m> {
    pub mode: Mode<'m>,
    /// The plan itself is free of errors; else what would be written says nothing new.
    pub planned: bool,
    /// Those of one instance alone.
    pub instance: Option<usize>,
}

impl Wanted<'_> {
    fn has(&self, instance: usize) -> bool {
        self.instance.is_none_or(|only| only == instance)
    }
}

/// Makes the objects and hands their files to `stage`. `manifests` says which releases have some, see
/// [`super::evaluate::Evaluation`].
///
/// # Errors
/// The first error of `stage`.
pub(super) fn write<E: Send>(
    plan: &Plan,
    manifests: &BTreeMap<(usize, usize), bool>,
    wanted: Wanted<'_>,
    findings: &mut Vec<Diagnostic>,
    stage: &(impl Fn(&OutFile) -> Result<(), E> + Sync),
) -> Result<(), E> {
    let owners: Vec<usize> = namespace::all(plan).into_keys().collect();
    let mut groups = sets::groups(plan, manifests, &owners);
    groups.retain(|group| wanted.has(group.instance));
    check_empty(plan, &groups, wanted, findings);
    let projects = projects::all(plan, &groups, wanted.mode);
    let rules = if wanted.planned { output::check(plan, &projects, findings) } else { Vec::new() };
    let mut names = Vec::new();
    let parts: Vec<Result<SetPart, E>> =
        groups.par_iter().map(|group| set_part(plan, &rules, group, wanted.mode, stage)).collect();
    for part in parts {
        let part = part?;
        findings.extend(part.findings);
        names.extend(part.names);
    }
    if wanted.planned {
        output::check_names(plan, &names, findings);
    }
    for file in projects.iter().map(|project| projects::file(plan, project)) {
        stage(&file)?;
    }
    for instance in (0..plan.instances.len()).filter(|instance| wanted.has(*instance)) {
        stage(&root::file(plan, instance, wanted.mode))?;
    }
    Ok(())
}

/// What came of one ApplicationSet besides its file.
#[derive(Debug, Default)]
struct SetPart {
    findings: Vec<Diagnostic>,
    /// Instance, name and origin of each Application.
    names: Vec<(usize, String, Member)>,
}

fn set_part<E>(
    plan: &Plan,
    rules: &[Option<InstanceRules>],
    group: &Group,
    mode: Mode<'_>,
    stage: &impl Fn(&OutFile) -> Result<(), E>,
) -> Result<SetPart, E> {
    let mut part = SetPart::default();
    let set = match sets::set(plan, group, mode) {
        Ok(set) => set,
        Err(error) => {
            let finding = Diagnostic::new(Code::OutField, error.to_string());
            part.findings.push(finding.at(plan.project_span(&["argocd"]), "while making the ApplicationSets"));
            return Ok(part);
        }
    };
    let file = sets::file(plan, group, &set.set);
    if let Some(rules) = rules.get(group.instance).and_then(Option::as_ref) {
        output::check_set(plan, rules, group, (&set, file.text.len()), mode, &mut part.findings);
    }
    let names = set.applications.iter().zip(&group.members);
    part.names = names.map(|(app, member)| (group.instance, app.metadata.name.clone(), *member)).collect();
    stage(&file)?;
    Ok(part)
}

/// A release that would bring nothing at all to a cluster.
fn check_empty(plan: &Plan, groups: &[Group], wanted: Wanted<'_>, findings: &mut Vec<Diagnostic>) {
    let mut has: Vec<bool> = vec![false; plan.releases.len()];
    for number in groups.iter().flat_map(|group| &group.members).filter_map(|member| member.release) {
        has[number] = true;
    }
    for (number, release) in plan.releases.iter().enumerate() {
        if !has[number] && plan.clusters_of(release).any(|(_, cluster)| wanted.has(cluster.instance)) {
            let message = format!("`{}` brings nothing: it has no chart, no directory and no manifest", release.name);
            let finding = Diagnostic::new(Code::OutManifest, message);
            let finding = finding.at(release.entry_span(plan.env_of(release)), "installed here");
            findings.push(finding.help("give the app a `chart:`, a `git:` or files below `manifests/`"));
        }
    }
}
