//! `render` and `validate`: plan, evaluate, check, and write everything or nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use rayon::prelude::*;

use super::evaluate::{Part, Selection, evaluate_part};
use super::inputs;
use super::objects::{self, Wanted};
use super::workspace::{Workspace, has_errors};
use crate::check::{files, output, rename, rules};
use crate::diag::{Code, Diagnostic, nearest};
use crate::io::write::{self, Output, Summary, WriteError};
use crate::plan::Plan;
use crate::render::{Mode, NAMESPACES, OutFile, PieceKind, namespaces};

/// What to do with what was rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// Nothing: only the findings count.
    Nowhere,
    /// Write it to a folder.
    Write(&'a Path),
    /// Say what a folder lacks.
    Check(&'a Path),
    /// Hand the files back.
    Collect,
}

/// Where the values and manifests of releases go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// Into files that are committed.
    #[default]
    Files,
    /// Values into the ApplicationSets; the plugin brings the manifests.
    Inline,
}

/// What a run found and did.
#[derive(Debug, Default)]
pub struct Outcome {
    pub findings: Vec<Diagnostic>,
    pub plan: Option<Plan>,
    /// What was written, or would be; `None` where findings stopped it.
    pub summary: Option<Summary>,
    /// With [`Target::Collect`]: the files in the order of their paths; none where findings stopped it.
    pub files: Vec<OutFile>,
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
pub fn render(
    workspace: &Workspace,
    selection: &Selection,
    delivery: Delivery,
    target: Target<'_>,
) -> anyhow::Result<Outcome> {
    let docs = workspace.docs();
    let mut findings = Vec::new();
    let plan = workspace.plan(&docs, &mut findings);
    findings.extend(docs.take_findings());
    let Some(plan) = plan else {
        workspace.read_everything(&docs, &mut findings);
        workspace.settle(None, &mut findings);
        return Ok(Outcome { findings, ..Outcome::default() });
    };
    check_selection(&plan, selection, &mut findings);
    output::check_releases(&plan, &mut findings);
    let planned = !has_errors(&findings);
    rules::check_plan(&plan, &docs, &mut findings);
    if !planned {
        workspace.read_everything(&docs, &mut findings);
    }
    let output = match target {
        Target::Write(folder) if planned => Some(open(workspace, &plan, folder, write::Mode::Write)?),
        Target::Check(folder) if planned => Some(open(workspace, &plan, folder, write::Mode::Check)?),
        _ => None,
    };
    let collected = Mutex::new(Vec::new());
    let meter = workspace.meter();
    let stage = |file: &OutFile| -> Result<(), WriteError> {
        if meter.exceeded().is_some() {
            return Ok(());
        }
        if let Some(output) = &output {
            output.stage(&file.path, file.text.as_bytes())?;
        } else if target == Target::Collect {
            collected.lock().unwrap_or_else(PoisonError::into_inner).push(file.clone());
        }
        Ok(())
    };
    let values = Mutex::new(BTreeMap::new());
    let part = Part { records: delivery == Delivery::Inline, ..Part::default() };
    let evaluation = evaluate_part(&plan, &docs, &part, |piece| {
        if delivery == Delivery::Inline && piece.kind == PieceKind::Values {
            let text = piece.file.body().to_owned();
            values.lock().unwrap_or_else(PoisonError::into_inner).insert((piece.release, piece.cluster), text);
            return Ok(());
        }
        if selection.has(&plan, piece.release) { stage(&piece.file) } else { Ok(()) }
    });
    let evaluation = evaluation.context("cannot write what was rendered")?;
    findings.extend(evaluation.findings);
    findings.extend(docs.take_findings());
    if meter.exceeded().is_some() {
        workspace.settle(Some(&plan), &mut findings);
        return Ok(Outcome { findings, plan: Some(plan), ..Outcome::default() });
    }
    files::check(&plan, &docs, &mut findings);
    let values = values.into_inner().unwrap_or_else(PoisonError::into_inner);
    let inline = match delivery {
        Delivery::Files => None,
        Delivery::Inline => Some(inputs::inline(workspace, &docs, &plan, values, &evaluation.records, None)),
    };
    let mode = inline.as_ref().map_or(Mode::Files, Mode::Inline);
    let wanted = Wanted { mode, planned, instance: None };
    objects::write(&plan, &evaluation.manifests, wanted, &mut findings, &stage)?;
    let namespaces = namespaces::all(&plan);
    namespaces.par_iter().try_for_each(|of| namespaces::file_of(&plan, of).as_ref().map_or(Ok(()), stage))?;
    workspace.settle(Some(&plan), &mut findings);
    let mut summary = None;
    if let Some(output) = output {
        if has_errors(&findings) {
            output.abort();
        } else {
            let mut late = Vec::new();
            summary = finish(&plan, selection, target, output, &mut late)?;
            workspace.settle_late(&plan, &mut late);
            findings.append(&mut late);
        }
    }
    let mut files = collected.into_inner().unwrap_or_else(PoisonError::into_inner);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    if has_errors(&findings) {
        files.clear();
    }
    Ok(Outcome { findings, plan: Some(plan), summary, files })
}

fn open(workspace: &Workspace, plan: &Plan, folder: &Path, mode: write::Mode) -> anyhow::Result<Output> {
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
    let mut renamed = Vec::new();
    let result = output.commit_after(selected, |output, summary| {
        rename::check(plan, &summary.added, &summary.removed, |path| output.before(path), &mut renamed);
    });
    findings.append(&mut renamed);
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
