//! `render` and `validate`: plan, evaluate, check, and write everything or nothing.

use std::path::Path;

use anyhow::Context as _;
use rayon::prelude::*;

use super::evaluate::{Selection, evaluate};
use super::workspace::{Workspace, has_errors};
use crate::check::output::InstanceRules;
use crate::check::{files, output};
use crate::diag::{Code, Diagnostic, nearest};
use crate::io::write::{Mode, Output, Summary, WriteError};
use crate::plan::Plan;
use crate::render::sets::{Group, Member};
use crate::render::{NAMESPACES, OutFile, namespaces, projects, root, sets};

/// What to do with what was rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// Nothing: only the findings count.
    Nowhere,
    /// Write it to a folder.
    Write(&'a Path),
    /// Say what a folder lacks.
    Check(&'a Path),
}

/// What a run found and did.
#[derive(Debug, Default)]
pub struct Outcome {
    pub findings: Vec<Diagnostic>,
    pub plan: Option<Plan>,
    /// What was written, or would be; `None` where findings stopped it.
    pub summary: Option<Summary>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("project", &self.project.name).finish_non_exhaustive()
    }
}

/// Renders a repository.
///
/// # Errors
/// What the disk would not do. Mistakes in the repository are findings.
pub fn render(workspace: &Workspace, selection: &Selection, target: Target<'_>) -> anyhow::Result<Outcome> {
    let docs = workspace.docs();
    let mut findings = Vec::new();
    let plan = workspace.plan(&docs, &mut findings);
    findings.extend(docs.take_findings());
    let Some(plan) = plan else {
        workspace.read_everything(&docs, &mut findings);
        workspace.settle(None, &mut findings);
        return Ok(Outcome { findings, plan: None, summary: None });
    };
    check_selection(&plan, selection, &mut findings);
    output::check_releases(&plan, &mut findings);
    let planned = !has_errors(&findings);
    if !planned {
        workspace.read_everything(&docs, &mut findings);
    }
    let output = match target {
        Target::Write(folder) if planned => Some(open(workspace, &plan, folder, Mode::Write)?),
        Target::Check(folder) if planned => Some(open(workspace, &plan, folder, Mode::Check)?),
        _ => None,
    };
    let meter = workspace.meter();
    let stage = |file: &OutFile| -> Result<(), WriteError> {
        if meter.exceeded().is_some() {
            return Ok(());
        }
        if let Some(output) = &output {
            output.stage(&file.path, file.text.as_bytes())?;
        }
        Ok(())
    };
    let evaluation =
        evaluate(&plan, &docs, |number, file| if selection.has(&plan, number) { stage(&file) } else { Ok(()) });
    let evaluation = evaluation.context("cannot write what was rendered")?;
    findings.extend(evaluation.findings);
    findings.extend(docs.take_findings());
    if meter.exceeded().is_some() {
        workspace.settle(Some(&plan), &mut findings);
        return Ok(Outcome { findings, plan: Some(plan), summary: None });
    }
    files::check(&plan, &docs, &mut findings);
    let namespaces = namespaces::all(&plan);
    let owners: Vec<usize> = namespaces.keys().copied().collect();
    let groups = sets::groups(&plan, &evaluation.manifests, &owners);
    check_empty(&plan, &groups, &mut findings);
    let projects = projects::all(&plan, &groups);
    // What would be written says nothing new where the plan itself is wrong.
    let rules = if planned { output::check(&plan, &projects, &mut findings) } else { Vec::new() };
    let mut names = Vec::new();
    let parts: Vec<anyhow::Result<SetPart>> =
        groups.par_iter().map(|group| set_part(&plan, &rules, group, &stage)).collect();
    for part in parts {
        let part = part?;
        findings.extend(part.findings);
        names.extend(part.names);
    }
    if planned {
        output::check_names(&plan, &names, &mut findings);
    }
    for file in projects.iter().map(|project| projects::file(&plan, project)) {
        stage(&file)?;
    }
    for (cluster, namespaces) in &namespaces {
        for namespace in namespaces {
            stage(&namespaces::file(&plan, *cluster, namespace))?;
        }
    }
    for instance in 0..plan.instances.len() {
        stage(&root::file(&plan, instance))?;
    }
    workspace.settle(Some(&plan), &mut findings);
    let mut summary = None;
    if let Some(output) = output {
        if has_errors(&findings) {
            output.abort();
        } else {
            summary = finish(&plan, selection, target, output, &mut findings)?;
        }
    }
    Ok(Outcome { findings, plan: Some(plan), summary })
}

/// What came of one ApplicationSet besides its file.
#[derive(Debug, Default)]
struct SetPart {
    findings: Vec<Diagnostic>,
    /// Instance, name and origin of each Application.
    names: Vec<(usize, String, Member)>,
}

fn set_part(
    plan: &Plan,
    rules: &[Option<InstanceRules>],
    group: &Group,
    stage: &impl Fn(&OutFile) -> Result<(), WriteError>,
) -> anyhow::Result<SetPart> {
    let mut part = SetPart::default();
    let set = match sets::set(plan, group) {
        Ok(set) => set,
        Err(error) => {
            let finding = Diagnostic::new(Code::OutField, error.to_string());
            part.findings.push(finding.at(plan.project_span(&["argocd"]), "while making the ApplicationSets"));
            return Ok(part);
        }
    };
    if let Some(rules) = rules.get(group.instance).and_then(Option::as_ref) {
        output::check_set(plan, rules, group, &set, &mut part.findings);
    }
    let names = set.applications.iter().zip(&group.members);
    part.names = names.map(|(app, member)| (group.instance, app.metadata.name.clone(), *member)).collect();
    stage(&sets::file(plan, group, &set.set))?;
    Ok(part)
}

fn open(workspace: &Workspace, plan: &Plan, folder: &Path, mode: Mode) -> anyhow::Result<Output> {
    let project = plan.project.name.as_str();
    let (base, below) = if folder.as_os_str().is_empty() {
        (workspace.root.clone(), plan.project.git.path.as_str())
    } else {
        (folder.to_owned(), "")
    };
    Output::open(&base, below, project, mode).context("cannot open the output folder")
}

fn finish(
    plan: &Plan,
    selection: &Selection,
    target: Target<'_>,
    output: Output,
    findings: &mut Vec<Diagnostic>,
) -> anyhow::Result<Option<Summary>> {
    let shown = match target {
        Target::Write(folder) | Target::Check(folder) if !folder.as_os_str().is_empty() => folder.display().to_string(),
        _ => plan.project.git.path.clone(),
    };
    let selected = |path: &str| is_selected(plan, selection, path);
    let result = if matches!(target, Target::Check(_)) { output.plan(selected) } else { output.commit(selected) };
    match result {
        Ok(summary) => {
            findings.extend(summary.foreign.iter().map(|foreign| foreign.finding(&shown)));
            Ok(Some(summary))
        }
        Err(WriteError::Foreign(foreign)) => {
            findings.extend(foreign.iter().map(|foreign| foreign.finding(&shown)));
            Ok(None)
        }
        Err(error) => Err(error).context("cannot write what was rendered"),
    }
}

/// Whether a file below the output folder is of the kind this run renders: with a selection only the folders of
/// the selected releases, besides what is always whole.
fn is_selected(plan: &Plan, selection: &Selection, path: &str) -> bool {
    if selection.is_everything() || path.starts_with("argocd/") {
        return true;
    }
    let mut parts = path.split('/');
    let (Some(cluster), Some(release)) = (parts.next(), parts.next()) else { return false };
    if release == NAMESPACES {
        return true;
    }
    plan.releases.iter().enumerate().any(|(number, candidate)| {
        candidate.name.as_str() == release
            && plan.clusters_of(candidate).any(|(_, have)| have.name.as_str() == cluster)
            && selection.has(plan, number)
    })
}

fn check_selection(plan: &Plan, selection: &Selection, findings: &mut Vec<Diagnostic>) {
    for name in &selection.environments {
        if !plan.environments.iter().any(|env| env.name.as_str() == name) {
            let finding = Diagnostic::new(Code::RefUnknownEnvironment, format!("there is no environment `{name}`"));
            let known = || plan.environments.iter().map(|env| env.name.as_str());
            findings.push(match nearest(name, known()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help(format!("known: {}", known().collect::<Vec<_>>().join(", "))),
            });
        }
    }
    for name in &selection.apps {
        let known = || plan.releases.iter().flat_map(|release| [release.app.name.as_str(), release.name.as_str()]);
        if !known().any(|known| known == name) {
            let finding = Diagnostic::new(Code::RefUnknownApp, format!("no environment installs an app `{name}`"));
            findings.push(match nearest(name, known()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            });
        }
    }
}

/// A release that would bring nothing at all to a cluster.
fn check_empty(plan: &Plan, groups: &[Group], findings: &mut Vec<Diagnostic>) {
    let mut has: Vec<bool> = vec![false; plan.releases.len()];
    for number in groups.iter().flat_map(|group| &group.members).filter_map(|member| member.release) {
        has[number] = true;
    }
    for (number, release) in plan.releases.iter().enumerate() {
        if !has[number] && plan.clusters_of(release).next().is_some() {
            let message = format!("`{}` brings nothing: it has no chart, no directory and no manifest", release.name);
            let finding = Diagnostic::new(Code::OutManifest, message);
            let finding = finding.at(release.entry_span(plan.env_of(release)), "installed here");
            findings.push(finding.help("give the app a `chart:`, a `git:` or files below `manifests/`"));
        }
    }
}
