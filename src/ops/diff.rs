//! `diff`: two revisions planned side by side, what may differ evaluated, and compared.

use std::path::Path;

use super::evaluate::Selection;
use super::sides::{self, Opened, Planned};
use super::workspace::Workspace;
use crate::diag::{Code, nearest};
use crate::diff::changes::Finding;
use crate::diff::{Changes, Settings, Side};
use crate::io::Disk;
use crate::io::git::{CommitId, Repository, WorkTree};
use crate::plan::Plan;
use crate::secret::Masker;
use crate::source::budget::Budget;
use anyhow::Context as _;

/// What is to be compared.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The folder to begin at.
    pub folder: &'a Path,
    pub what: What<'a>,
    pub selection: &'a Selection,
    /// More releases than this that vanish or get another name are an error.
    pub max_removals: Option<usize>,
    /// What each side may read and make.
    pub limits: Budget,
    /// Evaluate everything, for tests.
    pub everything: bool,
    /// The key of this run's digests of secrets: random and new each time.
    pub key: [u8; 32],
}

/// The two sides.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    /// Two revisions; without a head the work tree, without a base the default branch. With `merge_base` the base is where
    /// the two parted.
    Revisions { base: Option<&'a str>, head: Option<&'a str>, merge_base: bool },
    /// Two environments of the work tree, or of one revision.
    Environments { base: &'a str, head: &'a str, revision: Option<&'a str> },
}

/// A comparison and what it means for a check.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub changes: Changes,
    /// Releases that vanish or get another name.
    pub removals: usize,
    /// Something must be mended: a side is broken, there are errors, or more goes than is allowed.
    pub refused: bool,
}

/// Compares.
///
/// # Errors
/// When there is no repository, no such revision, or the two have nothing in common. Mistakes in the files are findings
/// of the outcome.
pub fn diff(request: &Request<'_>) -> anyhow::Result<Outcome> {
    match request.what {
        What::Revisions { base, head, merge_base } => revisions(request, base, head, merge_base),
        What::Environments { base, head, revision } => environments(request, base, head, revision),
    }
}

fn revisions(
    request: &Request<'_>,
    base: Option<&str>,
    head: Option<&str>,
    merge_base: bool,
) -> anyhow::Result<Outcome> {
    let root = Workspace::find(request.folder)?;
    let repository = Repository::open(&root)?;
    let head_commit = match head {
        Some(revision) => repository.resolve(revision)?,
        None => repository.head()?,
    };
    let (base_name, base_commit) = match base {
        Some(revision) => (revision.to_owned(), repository.resolve(revision)?),
        None => repository.default_branch(branch_of_project(&root).as_deref())?,
    };
    let base_commit = if merge_base {
        repository.merge_base(base_commit, head_commit)?.ok_or_else(|| {
            crate::io::git::GitError::NoMergeBase(base_name.clone(), head.unwrap_or("HEAD").to_owned())
        })?
    } else {
        base_commit
    };
    let base_side = at_commit(request, &root, &repository, base_name, base_commit)?;
    let head_side = match head {
        Some(revision) => at_commit(request, &root, &repository, revision.to_owned(), head_commit)?,
        None => {
            let disk = Disk::open(&root).context("cannot open the work tree")?;
            let workspace = Workspace::of(&root, WorkTree::new(disk)).within(request.limits);
            Opened { name: "working tree".into(), commit: None, workspace }
        }
    };
    compare(request, &base_side, &head_side)
}

fn at_commit(
    request: &Request<'_>,
    root: &Path,
    repository: &Repository,
    name: String,
    commit: CommitId,
) -> anyhow::Result<Opened> {
    let workspace = Workspace::of(root, repository.tree(commit)?).within(request.limits);
    Ok(Opened { name, commit: Some(commit), workspace })
}

/// `git.branch` of the project as it stands in the work tree, if that can be read.
fn branch_of_project(root: &Path) -> Option<String> {
    let disk = Disk::open(root).ok()?;
    let workspace = Workspace::of(root, disk);
    let docs = workspace.docs();
    let doc = docs.one("hlgen.yaml")?;
    let branch = doc.get(doc.get(doc.root(), "git")?, "branch")?;
    Some(doc.text(branch).to_owned())
}

fn compare(request: &Request<'_>, base: &Opened, head: &Opened) -> anyhow::Result<Outcome> {
    let (one, two) = rayon::join(|| base.plan(), || head.plan());
    if one.plan.is_some() || two.plan.is_some() {
        check_selection(request.selection, [&one, &two])?;
    }
    let masker = Masker::new(request.key);
    let settings = Settings {
        environments: &request.selection.environments,
        apps: &request.selection.apps,
        between: None,
        everything: request.everything,
        masker: &masker,
    };
    Ok(judged(request, sides::compare((one.side(), two.side()), (&one, &two), settings, None)))
}

fn environments(request: &Request<'_>, base: &str, head: &str, revision: Option<&str>) -> anyhow::Result<Outcome> {
    let root = Workspace::find(request.folder)?;
    let opened = match revision {
        Some(revision) => {
            let repository = Repository::open(&root)?;
            let commit = repository.resolve(revision)?;
            at_commit(request, &root, &repository, revision.to_owned(), commit)?
        }
        None => {
            let disk = Disk::open(&root).context("cannot open the repository")?;
            let workspace = Workspace::of(&root, disk).within(request.limits);
            Opened { name: "working tree".into(), commit: None, workspace }
        }
    };
    let planned = opened.plan();
    if let Some(plan) = &planned.plan {
        for name in [base, head] {
            known_environment(name, [plan])?;
        }
    }
    let masker = Masker::new(request.key);
    let settings = Settings {
        environments: &[],
        apps: &request.selection.apps,
        between: Some((base, head)),
        everything: true,
        masker: &masker,
    };
    let side = |name| Side { name, ..planned.side() };
    Ok(judged(request, sides::compare((side(base), side(head)), (&planned, &planned), settings, None)))
}

fn judged(request: &Request<'_>, mut changes: Changes) -> Outcome {
    let removals = changes.removals.len();
    if let Some(most) = request.max_removals.filter(|most| removals > *most) {
        let names: Vec<String> =
            changes.removals.iter().map(|removal| format!("{}/{}", removal.environment, removal.release)).collect();
        let count = if removals == 1 { "1 release vanishes".to_owned() } else { format!("{removals} releases vanish") };
        let finding = Finding {
            code: Code::DiffRemovals.info().name.to_owned(),
            level: "error".into(),
            message: format!(
                "{count} or {} another name, {most} allowed: {}",
                if removals == 1 { "gets" } else { "get" },
                names.join(", ")
            ),
            place: None,
            help: Some("remove fewer at once, or raise `--max-removals` for this change".into()),
        };
        changes.findings.insert(0, finding);
    }
    let refused = changes.is_broken()
        || changes.counts.broken > 0
        || changes.findings.iter().any(|finding| finding.level == "error");
    Outcome { changes, removals, refused }
}

fn check_selection(selection: &Selection, sides: [&Planned<'_>; 2]) -> anyhow::Result<()> {
    let plans = || sides.iter().filter_map(|side| side.plan.as_ref());
    for name in &selection.environments {
        known_environment(name, plans())?;
    }
    for name in &selection.apps {
        let known: Vec<&str> = plans()
            .flat_map(|plan| &plan.releases)
            .flat_map(|release| [release.app.name.as_str(), release.name.as_str()])
            .collect();
        if !known.contains(&name.as_str()) {
            let near = nearest(name, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            anyhow::bail!("no environment of either side installs an app `{name}`{near}");
        }
    }
    Ok(())
}

fn known_environment<'p>(name: &str, plans: impl IntoIterator<Item = &'p Plan>) -> anyhow::Result<()> {
    let known: Vec<&str> = plans.into_iter().flat_map(|plan| &plan.environments).map(|env| env.name.as_str()).collect();
    if known.contains(&name) {
        return Ok(());
    }
    let near = nearest(name, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    anyhow::bail!("there is no environment `{name}`{near}")
}
