//! Two commits of a bare clone, compared.
//!
//! As `ops::diff` does it, but judged by the base: what a project's `severity` makes of a finding is read from the branch
//! that is merged into, so a pull request cannot call its own mistakes harmless.

use std::path::Path;

use rayon::prelude::*;

use crate::check::{output, severity};
use crate::diag::Diagnostic;
use crate::diff::{Changes, Comparison, Settings, Side};
use crate::io::git::{CommitId, GitError, Repository};
use crate::ops::workspace::Workspace;
use crate::plan::Plan;
use crate::secret::Masker;
use crate::source::docs::Docs;

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Compare<'a> {
    /// The bare clone.
    pub folder: &'a Path,
    /// The folder that holds `hlgen.yaml`; empty: the root.
    pub path: &'a str,
    pub head: &'a str,
    /// The branch that is merged into; compared is where the two parted.
    pub base: &'a str,
    /// The key of this run's digests of secrets.
    pub key: [u8; 32],
}

struct Opened {
    commit: CommitId,
    workspace: Workspace,
}

struct Planned<'w> {
    docs: Docs<'w>,
    plan: Option<Plan>,
    findings: Vec<Diagnostic>,
}

/// The changes from where base and head parted to the head.
///
/// # Errors
/// When a commit is missing, or the two have nothing in common.
pub fn compare(what: &Compare<'_>) -> Result<Changes, GitError> {
    let repository = Repository::open_bare(what.folder, what.path)?;
    let head = repository.resolve(what.head)?;
    let tip = repository.resolve(what.base)?;
    let short = |text: &str| text.chars().take(10).collect::<String>();
    let base = repository.merge_base(tip, head)?;
    let base = base.ok_or_else(|| GitError::NoMergeBase(short(what.base), short(what.head)))?;
    let open = |commit| {
        let tree = repository.tree(commit)?;
        // A bare clone has no root on the disk, and nothing asks for it.
        Ok::<_, GitError>(Opened { commit, workspace: Workspace::of(Path::new(""), tree) })
    };
    let (base, head, tip) = (open(base)?, open(head)?, open(tip)?);
    let (one, two) = rayon::join(|| plan(&base), || plan(&head));
    // Where the base has moved on, its newest word counts.
    let judge = if tip.commit == base.commit { None } else { plan(&tip).plan };
    let masker = Masker::new(what.key);
    let settings = Settings { environments: &[], apps: &[], between: None, everything: false, masker: &masker };
    let commits = [&base, &head].map(|side| side.commit.to_string());
    let sides = (side("base", &commits[0], &one), side("head", &commits[1], &two));
    let comparison = match Comparison::new(sides.0, sides.1, settings) {
        Ok(comparison) => comparison,
        Err(broken) => return Ok(*broken),
    };
    let parts = (0..comparison.len()).into_par_iter().map(|number| comparison.part(number)).collect();
    let (changes, mut found) = comparison.finish(parts);
    found.0.extend(sides.0.docs.take_findings());
    base.workspace.settle_part(sides.0.plan, &mut found.0);
    found.1.extend(sides.1.docs.take_findings());
    head.workspace.settle_part(None, &mut found.1);
    if let Some(plan) = judge.as_ref().or(sides.0.plan) {
        severity::apply(&mut found.1, &plan.project.severity);
    }
    Ok(comparison.with_findings(changes, &found))
}

fn plan(opened: &Opened) -> Planned<'_> {
    let docs = opened.workspace.docs();
    let mut findings = Vec::new();
    let plan = opened.workspace.plan(&docs, &mut findings);
    findings.extend(docs.take_findings());
    match &plan {
        Some(plan) => output::check_releases(plan, &mut findings),
        None => opened.workspace.read_everything(&docs, &mut findings),
    }
    Planned { docs, plan, findings }
}

fn side<'a>(name: &'a str, commit: &'a str, planned: &'a Planned<'_>) -> Side<'a> {
    Side { name, commit: Some(commit), plan: planned.plan.as_ref(), docs: &planned.docs, findings: &planned.findings }
}
