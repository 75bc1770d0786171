//! `publish`: render, put the files into the branch that Argo CD reads, push; or open a pull request with them.
//!
//! Everything happens in memory and in a temporary bare repository. The tip of the branch is the base, the rendered
//! folder is put into its tree by the rules of `io::git::commit`, and the commit is pushed if the branch is still there.
//! Where somebody else was faster the same is done again on the new tip; nothing is ever forced over another's commit.
//! What the branch has now is read back from its ApplicationSets, which is how a mass deletion is noticed before it is
//! one.

mod changes;
mod charts;
mod destination;
mod inventory;
mod message;
mod pull;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use git2::{Oid, Time};

pub use changes::{Changes, Renamed};
pub use destination::Destination;
pub use inventory::ReleaseId;

use super::evaluate::Selection;
use super::render::{Delivery, Target, render};
use super::workspace::{Workspace, has_errors};
use crate::diag::{Code, Diagnostic};
use crate::io::Disk;
use crate::io::git::commit::{self, Author, Files};
use crate::io::git::remote::{Access, Remote, RemoteError};
use crate::io::git::scratch::Scratch;
use crate::io::git::url::RemoteUrl;
use crate::io::git::{Repository, WorkTree, history};
use crate::io::gitea::Token;
use crate::io::write::Summary;
use crate::plan::{Plan, VERSION};

/// How often a push is tried while others push too.
const ATTEMPTS: u32 = 30;

/// What is asked for. No `Debug`: it holds certificates and a token.
pub struct Request {
    /// The user that Git's credentials name beside the token.
    pub user: String,
    pub token: Option<Token>,
    pub ca_file: Option<PathBuf>,
    pub author: Author,
    /// Open or update a pull request from this branch; `""` for a name made from the project and the branch.
    pub pull_branch: Option<String>,
    /// Create the repository and the branch where they are missing.
    pub init: bool,
    /// Another address than the project's, where there is one destination.
    pub push_url: Option<String>,
    pub dry_run: bool,
    /// Releases that may be removed or renamed.
    pub allow_removals: usize,
    /// Publish although the branch holds what was made from a newer commit.
    pub allow_older: bool,
    /// Fail on warnings too.
    pub deny_warnings: bool,
    /// Where temporary files go.
    pub temporary: PathBuf,
    /// The time of a commit whose source is in no repository, in seconds since 1970.
    pub now: i64,
}

/// What a run did.
#[derive(Default)]
pub struct Outcome {
    pub findings: Vec<Diagnostic>,
    pub plan: Option<Plan>,
    /// What became of each repository and branch that Argo CD reads.
    pub published: Vec<Published>,
    /// What a person should know besides.
    pub notes: Vec<String>,
}

/// What became of one branch.
#[derive(Debug, Clone)]
pub struct Published {
    /// `git.example.com/ops/homelab`.
    pub repository: String,
    pub branch: String,
    pub summary: Summary,
    pub changes: Changes,
    pub message: String,
    pub state: State,
    /// What the server said.
    pub said: String,
}

/// How a publish to one branch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The branch has it already.
    Unchanged,
    /// `--dry-run`.
    WouldPush(Oid),
    Pushed(Oid),
    /// A pull request: its page, and whether this run opened it.
    Pull {
        commit: Oid,
        url: String,
        is_new: bool,
    },
}

/// What a commit is made from, the same for every destination.
struct Made<'a> {
    plan: &'a Plan,
    files: &'a Files,
    charts: &'a charts::Charts,
    source: Option<history::SourceCommit>,
    is_modified: bool,
    repository: Option<Repository>,
}

/// A commit that is ready to be pushed.
struct Prepared {
    commit: Oid,
    published: Published,
}

/// What preparing came to.
enum Step {
    Unchanged(Box<Published>),
    Ready(Box<Prepared>),
    Refused,
}

/// Renders a repository and publishes the result.
///
/// # Errors
/// What the server, the network or the disk would not do; the branch is as it was. Mistakes in the repository, and what
/// is too dangerous to publish, are findings.
pub fn publish(workspace: &Workspace, request: &Request) -> anyhow::Result<Outcome> {
    let rendered = render(workspace, &Selection::default(), Delivery::Files, Target::Collect)?;
    let mut outcome = Outcome { findings: rendered.findings, ..Outcome::default() };
    let denied = request.deny_warnings && outcome.findings.iter().any(|one| one.level == crate::diag::Level::Warning);
    let Some(plan) = rendered.plan else { return Ok(outcome) };
    if has_errors(&outcome.findings) || denied {
        outcome.plan = Some(plan);
        return Ok(outcome);
    }
    let files: Files = rendered.files.into_iter().map(|file| (file.path, file.text.into_bytes())).collect();
    let pull_branch = |branch: &str| {
        let own = request.pull_branch.as_deref()?;
        Some(if own.is_empty() { format!("hlgen/{}/{branch}", plan.project.name) } else { own.to_owned() })
    };
    let mut destinations = destination::all(&plan)?;
    if let Some(url) = &request.push_url {
        let [only] = destinations.as_mut_slice() else {
            anyhow::bail!(
                "`--push-url` names one repository, but the instances of this project read {}",
                destinations.len()
            )
        };
        only.url = RemoteUrl::parse(url)?;
    }
    let charts = charts::read(workspace, &plan, &mut outcome.findings);
    let (source, is_modified, repository) = source(workspace, &charts, &mut outcome.notes);
    let made = Made { plan: &plan, files: &files, charts: &charts, source, is_modified, repository };
    let ca = request.ca_file.as_deref().map(crate::io::git::certificate::read).transpose()?;
    let access = Access { user: &request.user, token: request.token.as_ref().map(Token::secret), ca: ca.as_deref() };
    for destination in &destinations {
        if destination.url.is_open_to_others() && access.token.is_some() {
            outcome.notes.push(format!("the token travels unencrypted to {}", destination.url.short()));
        }
        let scratch = Scratch::new(&request.temporary)?;
        let remote = Remote::new(scratch.repository()?, destination.url.clone(), access)?;
        let to = To {
            request,
            made: &made,
            destination,
            scratch: &scratch,
            remote: &remote,
            pull_branch: pull_branch(&destination.branch),
        };
        let context = || format!("cannot publish to `{}` of {}", destination.branch, destination.url.short());
        if let Some(published) = to.publish(&mut outcome.findings).with_context(context)? {
            outcome.published.push(published);
        }
    }
    workspace.settle(None, &mut outcome.findings);
    outcome.plan = Some(plan);
    Ok(outcome)
}

/// The commit the workspace is at, and whether what hlgen reads differs from it.
fn source(
    workspace: &Workspace,
    charts: &charts::Charts,
    notes: &mut Vec<String>,
) -> (Option<history::SourceCommit>, bool, Option<Repository>) {
    let Ok(repository) = Repository::open(&workspace.root) else {
        notes.push("this folder is in no Git repository, so the commit cannot say what it was made from".to_owned());
        return (None, false, None);
    };
    let Ok(source) = repository.source_commit() else {
        notes.push("there is no commit yet, so the published one cannot say what it was made from".to_owned());
        return (None, false, Some(repository));
    };
    let mut paths = vec!["hlgen.yaml", "catalog", "environments"];
    paths.extend(charts.folders());
    let is_modified = match (Disk::open(&workspace.root), repository.tree(source.id)) {
        (Ok(disk), Ok(tree)) => history::differ(&WorkTree::new(disk), &tree, &paths),
        _ => true,
    };
    if is_modified {
        notes.push(format!(
            "the working tree differs from commit {}, and the working tree is published",
            source.id.short()
        ));
    }
    (Some(source), is_modified, Some(repository))
}

/// One destination and all that publishing to it needs.
struct To<'a> {
    request: &'a Request,
    made: &'a Made<'a>,
    destination: &'a Destination,
    scratch: &'a Scratch,
    remote: &'a Remote<'a>,
    /// The branch of the pull request, where one is wanted.
    pull_branch: Option<String>,
}

impl To<'_> {
    fn publish(&self, findings: &mut Vec<Diagnostic>) -> anyhow::Result<Option<Published>> {
        let files = self.destination.files(self.made.plan, self.made.files);
        for attempt in 1.. {
            let base = self.base()?;
            let mut prepared = match self.prepare(base, &files, findings)? {
                Step::Unchanged(published) => return Ok(Some(*published)),
                Step::Refused => return Ok(None),
                Step::Ready(prepared) => *prepared,
            };
            if self.request.dry_run {
                prepared.published.state = State::WouldPush(prepared.commit);
                return Ok(Some(prepared.published));
            }
            let pushed = match &self.pull_branch {
                None => self.push(&prepared, base),
                Some(branch) => self.push_for_pull(&prepared, base, branch),
            };
            match pushed {
                Ok(said) => {
                    prepared.published.said = said;
                    prepared.published.state = match &self.pull_branch {
                        None => State::Pushed(prepared.commit),
                        Some(branch) => self.open_pull(&prepared, branch)?,
                    };
                    return Ok(Some(prepared.published));
                }
                Err(RemoteError::Moved(_)) if attempt < ATTEMPTS => std::thread::sleep(pause(attempt)),
                Err(RemoteError::Moved(branch)) => {
                    anyhow::bail!("somebody else pushed to `{branch}` {ATTEMPTS} times meanwhile; run it again")
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// The tip of the branch; `None` where `--init` may make it.
    fn base(&self) -> anyhow::Result<Option<Oid>> {
        match self.remote.fetch(&self.destination.branch) {
            Ok(tip) => Ok(Some(tip)),
            Err(RemoteError::Empty | RemoteError::NoBranch(_)) if self.request.init => Ok(None),
            Err(RemoteError::NotFound(_)) if self.request.init && self.destination.url.is_http() => {
                if !self.request.dry_run {
                    pull::create_repository(self.request, self.destination)?;
                }
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Puts the files on top of a tip.
    fn prepare(&self, base: Option<Oid>, files: &Files, findings: &mut Vec<Diagnostic>) -> anyhow::Result<Step> {
        let repository = self.scratch.repository()?;
        let project = self.made.plan.project.name.as_str();
        let tip = base.map(|base| repository.find_commit(base)).transpose().map_err(RemoteError::local)?;
        if let Some(finding) = tip.as_ref().and_then(|tip| self.older(tip.message().unwrap_or_default())) {
            findings.push(finding);
            return Ok(Step::Refused);
        }
        let tree = tip.as_ref().map(git2::Commit::tree).transpose().map_err(RemoteError::local)?;
        let path = self.destination.path.as_str();
        let placed = commit::place(repository, tree.as_ref(), path, files, project)?;
        findings.extend(placed.summary.foreign.iter().map(|foreign| foreign.finding(path)));
        let with_charts = self.made.charts.place(repository, placed.tree, project, findings)?;
        if has_errors(findings) {
            return Ok(Step::Refused);
        }
        let mut published = Published {
            repository: self.destination.url.short().to_owned(),
            branch: self.destination.branch.clone(),
            summary: placed.summary,
            changes: Changes::default(),
            message: String::new(),
            state: State::Unchanged,
            said: String::new(),
        };
        if tree.as_ref().is_some_and(|tree| tree.id() == with_charts) {
            return Ok(Step::Unchanged(Box::new(published)));
        }
        let before = commit::files_of(repository, tree.as_ref(), path, project, inventory::is_set)?;
        let (old, new) = (inventory::inventory(&before), inventory::inventory(files));
        published.changes = Changes::new(&old, &new, &published.summary, self.made.plan);
        published.changes.check(self.request.allow_removals, &old.unreadable, findings);
        if has_errors(findings) {
            return Ok(Step::Refused);
        }
        published.message = message::message(
            &published.changes,
            &message::Origin {
                project,
                version: VERSION,
                source: self.made.source.map(|source| source.id.oid()),
                is_modified: self.made.is_modified,
                base: base.filter(|_| self.pull_branch.is_some()),
            },
        );
        let time = self.made.source.map_or_else(|| Time::new(self.request.now, 0), |source| source.time);
        let commit = commit::commit(repository, with_charts, base, &self.request.author, time, &published.message)?;
        Ok(Step::Ready(Box::new(Prepared { commit, published })))
    }

    /// The finding where the branch holds what was made from a later commit than ours.
    fn older(&self, message: &str) -> Option<Diagnostic> {
        if self.request.allow_older
            || message::trailer(message, message::PROJECT)? != self.made.plan.project.name.as_str()
        {
            return None;
        }
        let theirs = Oid::from_str(message::trailer(message, message::SOURCE)?).ok()?;
        let ours = self.made.source?.id;
        let is_older = self.made.repository.as_ref()?.comes_after(theirs, ours.oid())?;
        is_older.then(|| {
            let message = format!(
                "the branch holds what was made from commit {:.10}, which is newer than {}",
                theirs.to_string(),
                ours.short()
            );
            let help = "update the checkout; to go back on purpose, revert the commit, or publish with `--allow-older`";
            Diagnostic::new(Code::PublishOlder, message).help(help)
        })
    }

    fn push(&self, prepared: &Prepared, base: Option<Oid>) -> Result<String, RemoteError> {
        let branch = self.destination.branch.as_str();
        match self.remote.push(prepared.commit, branch, base, false) {
            // The answer was lost; the branch says what became of it.
            Err(RemoteError::Unsure(repository)) => {
                let tip = self.remote.branches()?.into_iter().find(|(name, _)| name == branch);
                match tip {
                    Some((_, tip)) if tip == prepared.commit => Ok(String::new()),
                    _ => Err(RemoteError::Unsure(repository)),
                }
            }
            result => result,
        }
    }
}

/// Longer with every attempt, and not the same for everybody who lost the same race.
fn pause(attempt: u32) -> Duration {
    let spread = std::process::id().wrapping_mul(2_654_435_761) >> 16;
    Duration::from_millis(u64::from(attempt.min(10) * 10 + spread % 40))
}
