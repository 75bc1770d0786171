//! `explain`: plan, then ask the plan where a value comes from.

use std::collections::BTreeSet;

use super::evaluate::{Part, evaluate_part};
use super::workspace::Workspace;
use crate::diag::{Diagnostic, Level};
use crate::merge::Path;
use crate::plan::Plan;
use crate::plan::explain::{self, Explanation};
use crate::source::docs::Docs;

/// Explains a release (`env/release` or `cluster/release`), or the values below a path of it.
///
/// # Errors
/// When `path` cannot be read; what it names and does not exist is a finding.
pub fn explain(
    workspace: &Workspace,
    reference: &str,
    path: Option<&str>,
) -> anyhow::Result<(Vec<Diagnostic>, Option<Explanation>)> {
    let path = match path.map(Path::parse).transpose() {
        Ok(path) => path.unwrap_or_default(),
        Err(reason) => anyhow::bail!("cannot read the path `{}`: {reason}", path.unwrap_or_default()),
    };
    let docs = workspace.docs();
    let mut findings = Vec::new();
    let plan = workspace.plan(&docs, &mut findings);
    let explanation = plan.as_ref().and_then(|plan| explain::explain(plan, &docs, reference, &path, &mut findings));
    if let (Some(plan), Some(explanation)) = (&plan, &explanation) {
        refused(plan, &docs, &explanation.release, &mut findings);
    }
    findings.extend(docs.take_findings());
    workspace.settle(plan.as_ref(), &mut findings);
    Ok((findings, explanation))
}

/// Why a release that can be explained must not be rendered (`env/release`).
fn refused(plan: &Plan, docs: &Docs<'_>, release: &str, findings: &mut Vec<Diagnostic>) {
    let Some(number) = release.split_once('/').and_then(|(env, release)| plan.find(env, release)) else { return };
    let part = Part { releases: Some(BTreeSet::from([number])), ..Part::default() };
    let Ok(evaluation) = evaluate_part(plan, docs, &part, |_| Ok::<_, std::convert::Infallible>(()));
    findings.extend(evaluation.findings.into_iter().filter(|finding| finding.level == Level::Error));
}
