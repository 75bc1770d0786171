//! The two sides of a comparison: opened, planned and compared, for `diff` and for the bot's reviews.
//!
//! A side that passed a bound of its budget was read in part only. What is missing from it would look like a deletion, so
//! such a side counts as broken.

use rayon::prelude::*;

use super::workspace::Workspace;
use crate::check::{output, rules, severity};
use crate::diag::Diagnostic;
use crate::diff::{Changes, Comparison, Settings, Side};
use crate::io::git::CommitId;
use crate::plan::Plan;
use crate::source::docs::Docs;

/// A side before it is planned.
pub(super) struct Opened {
    pub name: String,
    pub commit: Option<CommitId>,
    pub workspace: Workspace,
}

/// A side once it is planned.
pub(super) struct Planned<'w> {
    name: &'w str,
    commit: Option<String>,
    workspace: &'w Workspace,
    docs: Docs<'w>,
    /// `None` where it is broken.
    pub plan: Option<Plan>,
    findings: Vec<Diagnostic>,
}

impl Opened {
    /// Plans the side; where that is not possible, everything that is wrong with its files is found.
    pub(super) fn plan(&self) -> Planned<'_> {
        let docs = self.workspace.docs();
        let mut findings = Vec::new();
        let mut plan = self.workspace.plan(&docs, &mut findings);
        findings.extend(docs.take_findings());
        match &plan {
            Some(plan) => {
                output::check_releases(plan, &mut findings);
                rules::check_plan(plan, &docs, &mut findings);
            }
            None => self.workspace.read_everything(&docs, &mut findings),
        }
        if let Some(exceeded) = self.workspace.meter().exceeded() {
            plan = None;
            findings = vec![exceeded.finding()];
        }
        let commit = self.commit.map(|commit| commit.to_string());
        Planned { name: &self.name, commit, workspace: &self.workspace, docs, plan, findings }
    }
}

impl Planned<'_> {
    /// The side as the comparison takes it.
    pub(super) fn side(&self) -> Side<'_> {
        Side {
            name: self.name,
            commit: self.commit.as_deref(),
            plan: self.plan.as_ref(),
            docs: &self.docs,
            findings: &self.findings,
        }
    }
}

/// Compares app by app, side by side. With a judge it is the judge's `severity` that findings of the head have, and not
/// the head's own.
pub(super) fn compare(
    sides: (Side<'_>, Side<'_>),
    planned: (&Planned<'_>, &Planned<'_>),
    settings: Settings<'_>,
    judge: Option<&Plan>,
) -> Changes {
    let comparison = match Comparison::new(sides.0, sides.1, settings) {
        Ok(comparison) => comparison,
        Err(broken) => return *broken,
    };
    let parts = (0..comparison.len()).into_par_iter().map(|number| comparison.part(number)).collect();
    let (changes, mut found) = comparison.finish(parts);
    let exceeded =
        [planned.0, planned.1].map(|side| side.workspace.meter().exceeded().map(|bound| vec![bound.finding()]));
    if let [None, None] = exceeded {
        found.0.extend(sides.0.docs.take_findings());
        planned.0.workspace.settle_part(sides.0.plan, &mut found.0);
        found.1.extend(sides.1.docs.take_findings());
        planned.1.workspace.settle_part(sides.1.plan.filter(|_| judge.is_none()), &mut found.1);
        if let Some(judge) = judge {
            severity::apply(&mut found.1, &judge.project.severity);
        }
        return comparison.with_findings(changes, &found);
    }
    let broken = |side: Side<'_>, findings: &Option<Vec<Diagnostic>>| -> (bool, Vec<Diagnostic>) {
        (findings.is_some(), findings.clone().unwrap_or_else(|| side.findings.to_vec()))
    };
    let (one, two) = (broken(sides.0, &exceeded[0]), broken(sides.1, &exceeded[1]));
    let again = (
        Side { plan: sides.0.plan.filter(|_| !one.0), findings: &one.1, ..sides.0 },
        Side { plan: sides.1.plan.filter(|_| !two.0), findings: &two.1, ..sides.1 },
    );
    match Comparison::new(again.0, again.1, settings) {
        Ok(_) => changes,
        Err(broken) => *broken,
    }
}
