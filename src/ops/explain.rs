//! `explain`: plan, then ask the plan where a value comes from.

use super::workspace::Workspace;
use crate::diag::Diagnostic;
use crate::merge::Path;
use crate::plan::explain::{self, Explanation};

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
    findings.extend(docs.take_findings());
    workspace.settle(plan.as_ref(), &mut findings);
    Ok((findings, explanation))
}
