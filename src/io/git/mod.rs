//! Git repositories through libgit2: revisions read straight from the object database, without a checkout.
//!
//! A repository is opened by its Git folder, as a bare one. libgit2 refuses work trees that belong to another user,
//! because their configuration could name programs to run; hlgen runs none, reads objects only, and is often started as
//! root over somebody's checkout (CI, Argo CD), so that check would only stop honest runs. A handle of libgit2 serves
//! one thread at a time, therefore a [`Repository`] keeps a few and lends them.
//!
//! The other direction is `commit` (a tree and a commit from memory) and `remote` (fetch and push).

pub mod certificate;
pub mod commit;
mod folders;
pub mod history;
pub mod hooks;
pub mod mirror;
pub mod remote;
pub mod scratch;
mod tree;
pub mod url;
mod work;

use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use tree::GitTree;
pub use work::WorkTree;

/// What Git would not do, in words for people.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("this folder is in no Git repository")]
    NoRepository,
    #[error("cannot open the Git repository: {0}")]
    Open(String),
    #[error("there is no revision `{0}` in this repository")]
    NoRevision(String),
    #[error("`{0}` could be several commits; write more of its name")]
    Ambiguous(String),
    #[error("the repository has no commit yet")]
    NoCommit,
    #[error("there is no branch to compare with: neither an upstream, nor `main`, nor `master`")]
    NoDefaultBranch,
    #[error("`{0}` and `{1}` have no commit in common; fetch more of the history, or name the base commit itself")]
    NoMergeBase(String, String),
    #[error("cannot read the repository: {0}")]
    Read(String),
}

impl GitError {
    fn read(error: &git2::Error) -> Self {
        Self::Read(words(error))
    }
}

/// What libgit2 says, on one line.
pub(super) fn words(error: &git2::Error) -> String {
    error.message().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// A commit of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommitId(pub(super) git2::Oid);

impl CommitId {
    /// The first ten digits, as people name a commit.
    pub fn short(self) -> String {
        self.0.to_string().chars().take(10).collect()
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A repository, and the folder of it that holds `hlgen.yaml`. Shared by threads.
#[derive(Debug, Clone)]
pub struct Repository {
    git_dir: PathBuf,
    work_dir: Option<PathBuf>,
    prefix: String,
    handles: Arc<Handles>,
}

impl Repository {
    /// Opens the repository that a folder of a work tree lies in. The folder becomes the root of what is read.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn open(folder: &Path) -> Result<Self, GitError> {
        let folder = folder.canonicalize().map_err(|error| GitError::Open(error.to_string()))?;
        let Some(top) = folder.ancestors().find(|folder| folder.join(".git").exists()) else {
            return Self::open_bare(&folder, "").map_err(|_| GitError::NoRepository);
        };
        let parts = folder.strip_prefix(top).into_iter().flat_map(Path::components);
        let prefix: Vec<String> = parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        let git_dir = git2::Repository::discover_path(top, [] as [&Path; 0]);
        let git_dir = git_dir.map_err(|error| GitError::Open(words(&error)))?;
        Self::with(git_dir, Some(top.to_owned()), prefix.join("/"))
    }

    /// Opens a Git folder (`.git`, or a bare clone); `prefix` is the folder below the tree's root that holds
    /// `hlgen.yaml`, `""` for the root itself.
    ///
    /// # Errors
    /// When it is none.
    pub fn open_bare(git_dir: &Path, prefix: &str) -> Result<Self, GitError> {
        Self::with(git_dir.to_owned(), None, prefix.trim_matches('/').to_owned())
    }

    fn with(git_dir: PathBuf, work_dir: Option<PathBuf>, prefix: String) -> Result<Self, GitError> {
        let repository = Self { handles: Arc::new(Handles::new(git_dir.clone())), git_dir, work_dir, prefix };
        drop(repository.handle()?);
        Ok(repository)
    }

    /// The Git folder.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The root of the work tree, if there is one.
    pub fn work_dir(&self) -> Option<&Path> {
        self.work_dir.as_deref()
    }

    /// The folder that holds `hlgen.yaml`, below the tree's root.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The address of the remote `origin` as it is configured, credentials included.
    pub fn origin(&self) -> Option<String> {
        let handle = self.handle().ok()?;
        let remote = handle.find_remote("origin").ok()?;
        remote.url().ok().map(str::to_owned)
    }

    /// A handle of libgit2, for this thread while it is held.
    pub(super) fn handle(&self) -> Result<Handle, GitError> {
        Handles::lend(&self.handles).map_err(|error| GitError::Open(words(&error)))
    }

    /// The commit a name stands for: a branch, a tag, a commit, `HEAD~1`.
    ///
    /// # Errors
    /// When it names none, or several.
    pub fn resolve(&self, revision: &str) -> Result<CommitId, GitError> {
        let handle = self.handle()?;
        let object = handle.revparse_single(revision).map_err(|error| match error.code() {
            git2::ErrorCode::Ambiguous => GitError::Ambiguous(revision.to_owned()),
            _ => GitError::NoRevision(revision.to_owned()),
        })?;
        let commit = object.peel_to_commit().map_err(|_| GitError::NoRevision(revision.to_owned()))?;
        Ok(CommitId(commit.id()))
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// When there is none yet.
    pub fn head(&self) -> Result<CommitId, GitError> {
        let handle = self.handle()?;
        let head = handle.head().and_then(|head| head.peel_to_commit().map(|commit| commit.id()));
        head.map(CommitId).map_err(|error| match error.code() {
            git2::ErrorCode::UnbornBranch | git2::ErrorCode::NotFound => GitError::NoCommit,
            _ => GitError::read(&error),
        })
    }

    /// Where two commits parted; `None` where they have no commit in common (or a shallow clone ends before it).
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn merge_base(&self, one: CommitId, other: CommitId) -> Result<Option<CommitId>, GitError> {
        let handle = self.handle()?;
        match handle.merge_base(one.0, other.0) {
            Ok(base) => Ok(Some(CommitId(base))),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(GitError::read(&error)),
        }
    }

    /// The branch that a change is meant for: what the checked-out branch follows under another name, else the
    /// remote's default branch, else `main` or `master`, else `also`.
    ///
    /// # Errors
    /// When there is none of them.
    pub fn default_branch(&self, also: Option<&str>) -> Result<(String, CommitId), GitError> {
        let mut names = Vec::new();
        {
            let handle = self.handle()?;
            if let Ok(head) = handle.head()
                && let (true, Some(own)) = (head.is_branch(), head.shorthand().ok().map(str::to_owned))
                && let Ok(upstream) = git2::Branch::wrap(head).upstream()
                && let Ok(Some(name)) = upstream.name()
                && name.split_once('/').is_some_and(|(_, branch)| branch != own)
            {
                names.push(name.to_owned());
            }
        }
        names.extend(["origin/HEAD", "origin/main", "main", "origin/master", "master"].map(str::to_owned));
        names.extend(also.map(|branch| format!("origin/{branch}")));
        names.extend(also.map(str::to_owned));
        let found = names.into_iter().find_map(|name| self.resolve(&name).ok().map(|commit| (name, commit)));
        found.ok_or(GitError::NoDefaultBranch)
    }

    /// The files of a commit below the prefix.
    ///
    /// # Errors
    /// When the commit's tree is not there.
    pub fn tree(&self, commit: CommitId) -> Result<GitTree, GitError> {
        GitTree::open(self.clone(), commit)
    }
}

/// Handles of one repository that nobody uses at the moment.
struct Handles {
    git_dir: PathBuf,
    idle: Mutex<Vec<git2::Repository>>,
}

impl fmt::Debug for Handles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handles").finish_non_exhaustive()
    }
}

impl Handles {
    fn new(git_dir: PathBuf) -> Self {
        Self { git_dir, idle: Mutex::default() }
    }

    fn lend(this: &Arc<Self>) -> Result<Handle, git2::Error> {
        let idle = this.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let repository = match idle {
            Some(repository) => repository,
            None => git2::Repository::open_bare(&this.git_dir)?,
        };
        Ok(Handle { repository: Some(repository), home: Arc::clone(this) })
    }
}

/// A lent handle; it goes back when it is dropped.
pub(super) struct Handle {
    repository: Option<git2::Repository>,
    home: Arc<Handles>,
}

impl Deref for Handle {
    type Target = git2::Repository;

    fn deref(&self) -> &git2::Repository {
        // It is only taken out in `drop`.
        match &self.repository {
            Some(repository) => repository,
            None => unreachable!("a handle is used after it was dropped"),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let idle = &self.home.idle;
        idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.repository.take());
    }
}
